"""What the keys of an [update] must be: known to its rule, and in range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import Fault

if TYPE_CHECKING:
    from derive.files.tables import UpdateTable

Sound = Callable[..., bool]

RANGES: dict[str, tuple[Callable[[Fraction], bool], str]] = {
    "momentum": (lambda value: 0 <= value <= 1, "from 0 to 1"),
    "dampening": (lambda value: 0 <= value <= 1, "from 0 to 1"),
    "beta1": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "beta2": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "rho": (lambda value: 0 <= value < 1, "from 0 to below 1"),
    "epsilon": (lambda value: value >= 0, "of at least 0"),
    "weight_decay": (lambda value: value >= 0, "of at least 0"),
}


def update_faults(update: UpdateTable, sound: Sound, only_dense: bool) -> Iterator[Fault]:
    """Every fault of an [update] by itself; ``only_dense``: is the network made of dense layers alone?"""
    if not sound("update", "rule"):
        return
    yield from _unknown_to_the_rule(update, sound)
    for key, (fits, wanted) in RANGES.items():
        value = getattr(update, key)
        if value is not None and sound("update", key) and not fits(value):
            yield Fault(f"update.{key}", f"found {_decimal(value)}; a number {wanted} is expected")
    if update.nesterov and update.dampening:
        yield Fault("update.nesterov", "goes with dampening 0 only")
    if update.order == "sequential" and sound("update", "order"):
        if update.rule != "gradient_descent":
            yield Fault("update.order", f'"sequential" is one sweep of gradient_descent; {update.rule} has none')
        elif not only_dense:
            yield Fault("update.order", '"sequential" is one sweep back through dense layers; here are others')


def _unknown_to_the_rule(update: UpdateTable, sound: Sound) -> Iterator[Fault]:
    from derive.update_rules import OPTIMIZERS

    known = OPTIMIZERS[update.rule].settings
    for key in {key: None for row in OPTIMIZERS.values() for key in row.settings}:
        stated = getattr(update, key) is not None
        if key in known:
            if not stated and known[key] is None and sound("update", key):
                yield Fault(f"update.{key}", "is missing")
        elif stated:
            users = ", ".join(name for name, row in OPTIMIZERS.items() if key in row.settings)
            yield Fault(
                f"update.{key}",
                f"{update.rule} does not use it; known to {update.rule}: {', '.join(known)}; {key} is used by: {users}",
            )


def _decimal(number: Fraction) -> str:
    return str(number) if number.denominator == 1 else f"{float(number):.6g}"
