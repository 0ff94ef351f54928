"""A chain of layers read from a framework's module, as the tables of a problem file."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.verification.runner import UserError

Table = dict[str, Any]


class NotCoveredError(UserError):
    """Something that no layer of a problem stands for: its name, and why."""


class Chain:
    """Layers in order. What comes out of each has its number; 0 is what comes in."""

    def __init__(self) -> None:
        self.layers: list[Table] = []
        self.notes: list[str] = []

    @property
    def last(self) -> int:
        """The number of what comes out."""
        return len(self.layers)

    def add(self, type: str, **keys: Any) -> int:
        """One more layer; keys that are None are left out."""
        stated = {key: value for key, value in keys.items() if value is not None}
        self.layers.append(stated if type == "dense" else {"type": type, **stated})
        return self.last

    def activation(self, name: str, *, alone: bool = False, **constants: str) -> int:
        """An activation: that of the layer before where it has none, else a layer by itself.

        It stands ``alone`` too where the net input is read by something else besides.
        """
        if name == "identity":
            return self.last
        own = self.layers[-1] if self.layers else {}
        kind = own.get("type", "dense")
        if self.layers and kind in ("dense", "conv2d") and "activation" not in own and not alone:
            own |= {"activation": name, **constants}
            return self.last
        return self.add("activation", activation=name, **constants)

    def added(self, one: int, other: int) -> int:
        """The sum of what came out of two layers, the last one and an earlier one."""
        early, late = sorted((one, other))
        if late != self.last:
            raise NotCoveredError("adds what comes out of two earlier layers: a sum has to take the last one")
        return self.add("residual", **{"from": early})

    @property
    def output(self) -> str:
        """The last activation."""
        return str(self.layers[-1].get("activation", "identity")) if self.layers else "identity"

    def found(self, kind: str) -> Table:
        """What the parent is told."""
        if not self.layers:
            raise NotCoveredError(f"{kind} has no layers")
        return {"layers": self.layers, "notes": self.notes}


class Claims:
    """Which weights have been written: a problem's layers share none, so that each is written once.

    Twice it would be two parameters with a gradient each, where the network has one with the sum of both.
    """

    def __init__(self) -> None:
        self._held: dict[Any, str] = {}

    def claim(self, weight: Any, where: str, called: str = "") -> None:
        """A weight is read there; ``called``: its name. Raises NotCoveredError where it was read before."""
        before = self._held.get(weight)
        self._held[weight] = where
        if before is None:
            return
        if called:
            who = f"{called} is read by two nodes ({before}, {where})"
        else:
            who = f"{where} is called twice" if before == where else f"{before} and {where} have a weight in common"
        raise NotCoveredError(f"{who}: the layers of a problem share no weights")


def texts(array: Any) -> Any:
    """An array's numbers as the shortest decimals that are those floats, nested. Raises UserError."""
    numbers = np.asarray(array)
    if numbers.dtype.kind != "f" or numbers.dtype.itemsize > 8:
        numbers = numbers.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise UserError("has weights that are not finite")
    written = [str(value) for value in numbers.reshape(-1)]
    return np.array(written, dtype=object).reshape(numbers.shape).tolist() if numbers.ndim else written[0]


def square(value: Any) -> Any:
    """A window's height and width: one number where they are equal."""
    if isinstance(value, int):
        return value
    height, width = (int(each) for each in value)
    return height if height == width else [height, width]


def of_usual(name: str, found: Any, usual: Any, where: str) -> None:
    """Raise NotCoveredError where an option is not as problems have it."""
    plain = tuple(found) if isinstance(found, list | tuple) else found
    same = plain == usual or (isinstance(plain, tuple) and all(each == usual for each in plain))
    if not same:
        raise NotCoveredError(f"{where}: {name} = {found} has no counterpart in a problem; {usual} has")
