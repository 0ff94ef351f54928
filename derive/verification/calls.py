"""How somebody's function is called, and its answer read: gradients by name.

It is told by the function's signature: keywords that are names of the problem's arrays (W1, b1, x, …) or of their
elements (w1, …), or one argument of another name, which is the flat vector of all parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import ChainruleError, shown, unknown

Floats = NDArray[np.float64]
Named = tuple[str, tuple[int, ...]]


class CallError(ChainruleError):
    """A function that cannot be called with the problem's arrays, or whose answer is no gradient."""


@dataclass(frozen=True)
class Quantities:
    """What a function may be called with: the given arrays, their elements by name, and what the gradient is by."""

    arrays: Mapping[str, Floats]
    elements: Mapping[str, tuple[str, tuple[int, ...]]]
    parameters: tuple[str, ...]

    def value(self, name: str, convert: Callable[[Any], Any]) -> Any:
        """An array or one of its elements, as ``convert`` makes it."""
        if name in self.arrays:
            array = self.arrays[name]
            return convert(array.copy()) if array.shape else convert(np.float64(array))
        array_name, index = self.elements[name]
        return convert(np.float64(self.arrays[array_name][index]))

    def is_parameter(self, name: str) -> bool:
        """Is the gradient by this array, or by this element, asked for?"""
        return (name if name in self.arrays else self.elements[name][0]) in self.parameters

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array; () of an element."""
        return self.arrays[name].shape if name in self.arrays else ()

    @property
    def known(self) -> tuple[str, ...]:
        """All names, arrays first."""
        return (*self.arrays, *(name for name in self.elements if name not in self.arrays))

    def vector(self) -> Floats:
        """All parameters end to end, row by row."""
        return np.concatenate([self.arrays[name].reshape(-1) for name in self.parameters])

    def without_examples(self, names: Sequence[str]) -> Quantities:
        """The same with the axis of examples taken off the given arrays, which has to be of length 1."""
        taken = {name: array[0] if name in names else array for name, array in self.arrays.items()}
        return Quantities(taken, {k: v for k, v in self.elements.items() if v[0] not in names}, self.parameters)


@dataclass(frozen=True)
class Way:
    """A way to call a function: by ``names``, and where ``first`` is told with all parameters in its first argument.

    ``first`` is "vector" (end to end) or "table" (a dict by name). So many ``placed`` names go by position.
    """

    names: tuple[str, ...]
    first: str = ""
    placed: int = 0

    def order(self, quantities: Quantities) -> tuple[Named, ...]:
        """In which order a tuple of gradients is meant to be: that of the arguments, else the program's."""
        own = tuple(name for name in self.names if quantities.is_parameter(name))
        chosen = quantities.parameters if self.first or not own else own
        return tuple((name, quantities.shape(name)) for name in chosen)

    def takes(self, quantities: Quantities) -> tuple[str, ...]:
        """The arrays whose values reach the function."""
        arrays = [name if name in quantities.arrays else quantities.elements[name][0] for name in self.names]
        return tuple(dict.fromkeys([*(quantities.parameters if self.first else ()), *arrays]))

    def call(
        self,
        function: Callable[..., Any],
        quantities: Quantities,
        convert: Callable[[Any], Any] = lambda value: value,
        parameters: Any = None,
    ) -> Any:
        """What the function returns; ``parameters`` in place of the parameters' own values: a vector, or by name."""
        own = parameters if isinstance(parameters, Mapping) else {}
        keywords = {n: own[n] if n in own else quantities.value(n, convert) for n in self.names}
        if not self.first:
            placed = [keywords.pop(name) for name in self.names[: self.placed]]
            return function(*placed, **keywords)
        return function(self.argument(quantities, convert) if parameters is None else parameters, **keywords)

    def argument(self, quantities: Quantities, convert: Callable[[Any], Any]) -> Any:
        """What is differentiated by: the first argument, or the keywords that are parameters."""
        if self.first == "vector":
            return convert(quantities.vector())
        names = quantities.parameters if self.first else [n for n in self.names if quantities.is_parameter(n)]
        return {name: quantities.value(name, convert) for name in names}


def ways(function: Callable[..., Any], quantities: Quantities) -> tuple[Way, ...]:
    """The ways in which a function may want to be called, the likeliest first. Raises CallError."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C, without a signature
        return (Way((), "vector"),)
    known = quantities.known
    named: list[str] = []
    strange: list[inspect.Parameter] = []
    everything = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            everything = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif parameter.name in known and parameter.kind is not parameter.POSITIONAL_ONLY:
            named.append(parameter.name)
        elif parameter.default is parameter.empty:
            strange.append(parameter)
    first = next(iter(signature.parameters.values()), None)
    whole = len(strange) == 1 and first is strange[0] and first.kind is not first.KEYWORD_ONLY
    if whole and not any(map(quantities.is_parameter, named)):
        return Way(tuple(named), "vector"), Way(tuple(named), "table")
    if strange:
        raise CallError(
            f"takes {', '.join(each.name for each in strange)}, which is no array of this problem: "
            f"{unknown(strange[0].name, known)}; or take one argument, the flat vector of all parameters"
        )
    if everything:
        named += [name for name in quantities.arrays if name not in named]
    return (Way(tuple(named), placed=_placed(signature, named)),)


def _placed(signature: inspect.Signature, names: Sequence[str]) -> int:
    """How many of the names stand first in a signature: they go by position, which wrapped functions may insist on."""
    count = 0
    for name, parameter in zip(names, signature.parameters.values(), strict=False):
        if name != parameter.name or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            break
        count += 1
    return count


# ---- what came back ------------------------------------------------------------------------


def gradients(returned: Any, order: Sequence[Named], everything: Sequence[Named]) -> dict[str, NDArray[Any]]:
    """Gradients by name from a dict, a tuple in order, or a flat vector; with the loss in front "error" too.

    ``order`` are the parameters as a tuple has them, ``everything`` as a flat vector has them. Raises CallError.
    """
    if isinstance(returned, Mapping):
        shapes = dict(everything) | dict(order)
        return {str(name): _array(value, str(name), shapes.get(str(name))) for name, value in returned.items()}
    if returned is None:
        raise CallError("returned nothing; does it end with return?")
    if isinstance(returned, str | bytes):
        raise CallError(f"returned the text {shown(str(returned))}; gradients are expected")
    if isinstance(returned, tuple | list):
        return _of_sequence(returned, order, everything)
    return _of_array(_array(returned, "the result"), order, everything)


def _of_sequence(
    returned: Sequence[Any], order: Sequence[Named], everything: Sequence[Named]
) -> dict[str, NDArray[Any]]:
    if len(returned) == 2 and _is_number(returned[0]) and not _is_number(returned[1]) and not _fits(returned, order):
        error = {"error": _array(returned[0], "the loss")}
        return error | gradients(returned[1], order, everything)
    if len(returned) == len(order) + 1 and _is_number(returned[0]) and not all(map(_is_number, returned)):
        return {"error": _array(returned[0], "the loss")} | gradients(tuple(returned[1:]), order, everything)
    if len(returned) == len(order):
        return {name: _array(v, name, shape) for (name, shape), v in zip(order, returned, strict=True)}
    if isinstance(returned, list) and all(map(_is_number, returned)):
        return _of_array(np.asarray([float(value) for value in returned]), order, everything)
    names = ", ".join(name for name, _ in order)
    raise CallError(f"returned {len(returned)} values; {len(order)} are expected, the gradients by {names}")


def _of_array(array: NDArray[Any], order: Sequence[Named], everything: Sequence[Named]) -> dict[str, NDArray[Any]]:
    total = sum(int(np.prod(shape)) for _, shape in everything)
    if len(order) == 1 and (array.shape == order[0][1] or array.size == int(np.prod(order[0][1]))):
        return {order[0][0]: _array(array, *order[0])}
    if array.size != total or max(array.shape) != total:
        raise CallError(f"returned an array of shape {array.shape}; a flat vector of {total} gradients is expected")
    found, start, flat = {}, 0, array.reshape(-1)
    for name, shape in everything:
        end = start + int(np.prod(shape))
        found[name] = flat[start:end].reshape(shape)
        start = end
    return found


def _fits(returned: Sequence[Any], order: Sequence[Named]) -> bool:
    """May two values, the first a number, be the gradients by two parameters?"""
    sizes = [int(np.prod(shape)) for _, shape in order]
    plain = not isinstance(returned[1], Mapping)
    return plain and len(order) == 2 and [np.size(_plain(value)) for value in returned] == sizes


def _is_number(value: Any) -> bool:
    return not isinstance(value, str | bytes | Mapping | list | tuple) and np.ndim(_plain(value)) == 0


def _plain(value: Any) -> Any:
    """A tensor as NumPy has it."""
    for step in ("detach", "cpu"):
        value = getattr(value, step)() if hasattr(value, step) else value
    return value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value


def type_of(returned: Any) -> str:
    """The type "bfloat16", which NumPy does not have, where anything that came back is of it; else ""."""
    if isinstance(returned, Mapping | tuple | list):
        parts = returned.values() if isinstance(returned, Mapping) else returned
        return next(filter(None, map(type_of, parts)), "")
    return "bfloat16" if str(getattr(returned, "dtype", "")).endswith("bfloat16") else ""


def _array(value: Any, name: str, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """A value as an array of real numbers; axes of length 1 more or fewer than expected are no matter."""
    try:
        found = np.asarray(_plain(value))
    except ValueError:
        raise CallError(f"returned for {name} rows of different lengths") from None
    if found.dtype.name == "bfloat16":
        found = found.astype(np.float32)
    if found.dtype.kind in "iub" and found.dtype != bool:
        found = found.astype(np.float64)
    if found.dtype == object and found.size and all(_is_number(v) and not isinstance(v, str) for v in found.flat):
        try:
            found = np.asarray([float(v) for v in found.flat]).reshape(found.shape)
        except OverflowError:
            raise CallError(
                f"returned for {name} a number beyond what float64 holds; real numbers are expected"
            ) from None
        except (TypeError, ValueError):
            raise CallError(f"returned for {name} what is no number; real numbers are expected") from None
    if found.dtype.kind != "f":
        raise CallError(f"returned for {name} {_what(found, value)}; real numbers are expected")
    longer = [size for size in found.shape if size != 1]
    if shape is not None and found.ndim != len(shape) and longer == [size for size in shape if size != 1]:
        found = found.reshape(shape)
    return found


def _what(found: NDArray[Any], value: Any) -> str:
    kinds = {"U": "text", "S": "text", "c": "complex numbers", "b": "truth values"}
    return kinds.get(found.dtype.kind, "nothing" if value is None else f"a {type(value).__name__}")


def numbers(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, Any, str]]:
    """(name, nested lists of numbers or of their shortest text, dtype), to be written as JSON."""
    for name, array in arrays.items():
        kind = array.dtype.name
        if kind in ("float32", "float16"):  # the shortest text that is this number, as it is printed
            texts = np.array([str(value) for value in array.reshape(-1)], dtype=object)
            yield name, texts.reshape(array.shape).tolist(), kind
        else:
            yield name, array.astype(np.float64).tolist(), "float64"
