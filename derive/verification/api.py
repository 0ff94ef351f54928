"""Verification in Python: `derive.verify` and `derive.assert_gradient`."""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from derive.derivation import Derivation, differentiate
from derive.errors import ChainruleError, printable, shown, unknown
from derive.problem import Problem, load
from derive.verification import formula_reading, handed, judge, precision, python_values, sources
from derive.verification.calls import CallError
from derive.verification.csv_lines import HandedError
from derive.verification.precision import Precision
from derive.verification.report import Report
from derive.verification.rows import rows_of
from derive.verification.runner import UserError
from derive.verification.sources import Options, Source

Kind = Literal["gradients", "updated"]
KINDS: tuple[Kind, ...] = ("gradients", "updated")
Stated = Derivation | Problem | str | os.PathLike[str] | Mapping[str, Any]

FEW_DIGITS = 8
"""A double whose shortest text has no more digits than this was hardly computed."""


def verify(
    problem: Stated,
    gradient: Any,
    *,
    given: str = "auto",
    kind: Kind = "gradients",
    points: int = 3,
) -> Report:
    """Is this gradient right, and if not, which term of it is wrong?

    ``problem`` is a `Derivation` or anything that `derive.load` takes. ``gradient`` is what somebody has for ∂E/∂w:

    * a mapping: arrays (W1, b1, …) or scalars (w5, W2[0, 0]) by name, any of them; also deltas, values (a1, out_h1),
      the error (E) and new weights (w5+), each of the shape that the problem's arrays have;
    * a flat vector of all parameters, end to end and row by row, or a sequence with an array for each of them;
    * a function of the parameters, by keywords (W1, b1, …, also x and t) or of one flat vector, which returns any
      of these, or (error, gradients). It is called here, at ``points`` points: the problem's own numbers, and others
      at which mistakes show that these may hide;
    * formulas: a mapping of names to SymPy expressions or matrices, or to texts in the problem's names;
    * text or a path: what the command takes, "numbers.json" or "torch:module.py:name".

    ``kind`` says what a number is that does not say it itself: "gradients", or "updated" for new weights.

    The verdict is "verified" where |yours − ∂E/∂w| ≤ bound for every number. The bound is computed, by propagating
    the rounding of the stated precision through every line of the derivation. ``given`` is that precision: "float64",
    "float32", "float16", "bfloat16", "4sf", "4dp", "4sf-steps" (every step rounded), "±1e-6". With "auto" it is the
    type of arrays (the coarsest where they are mixed), and of texts, Decimals and Python's floats their digits;
    Fractions are judged as float64. The verdict is "undecided" where numbers so coarse are within their bounds, but a
    mistake fits as well (``report.digits_needed``); else it is "wrong", with the mistakes that explain all the numbers
    in ``report.diagnosis``. A function that raises, or returns what is no gradient, is wrong, and a note says why.

    Returns a Report: true where the verdict is "verified", a table when printed. Raises ProblemError for the problem,
    ChainruleError for numbers that cannot be read (an unknown name, a wrong shape) and for options.
    """
    return _judged(problem, gradient, given, kind, points)[0]


def assert_gradient(
    gradient: Any,
    problem: Stated,
    *,
    given: str = "auto",
    kind: Kind = "gradients",
    points: int = 3,
    undecided_ok: bool = False,
) -> None:
    """Raise AssertionError unless a gradient is right, with the report: verdict, diagnosis, table.

    The arguments are those of `verify`, the gradient first, in the manner of numpy.testing. Where digits do not
    decide, it fails too, unless ``undecided_ok``. Numbers that cannot be read (an unknown name, a wrong shape) are a
    failed assertion; a problem or an option that cannot be read raises ChainruleError, as in `verify`.
    """
    __tracebackhide__ = True
    try:
        report, cause = _judged(problem, gradient, given, kind, points)
    except HandedError as error:
        raise AssertionError(str(error)) from error
    if not report and not (undecided_ok and report.verdict == "undecided"):
        raise AssertionError(str(report)) from cause


def _judged(problem: Stated, gradient: Any, given: str, kind: Kind, points: int) -> tuple[Report, BaseException | None]:
    """The report, and what the user's function raised."""
    stated = _stated(given)
    if kind not in KINDS:
        raise ChainruleError(f"kind: {unknown(str(kind), KINDS)}")
    if not isinstance(points, int) or isinstance(points, bool) or points < 1:
        raise ChainruleError(f"points: found {shown(points)}; expected a whole number from 1 on")
    derivation = problem if isinstance(problem, Derivation) else differentiate(load(problem))
    options = Options(kind, points=points)
    if kind == "updated" and derivation.problem.update is None:
        raise ChainruleError('kind: "updated" are new weights, and this problem states no [update]')
    if isinstance(gradient, str | os.PathLike):
        source = sources.read(os.fspath(gradient), derivation, kind=kind, points=points)
        return sources.report(derivation, source, stated), None
    if _is_function(gradient):
        source, cause = _of_function(gradient, derivation, options)
        return sources.report(derivation, source, stated), cause
    return _of_values(gradient, derivation, options, stated), None


def _stated(given: str) -> Precision | None:
    if not isinstance(given, str):
        raise ChainruleError(f"given: found {shown(given)}; known: {precision.KNOWN}")
    return precision.read(given)


# ---- values --------------------------------------------------------------------------------


def _of_values(gradient: Any, derivation: Derivation, options: Options, stated: Precision | None) -> Report:
    by_name, found = python_values.named(gradient, derivation)
    if found.formulas:
        by_formula = python_values.formulas_by_name(by_name)
        read = formula_reading.of_mapping(by_formula, derivation, python_values.PLACE)
        source = sources.of_formulas(read, derivation, options)
        return sources.report(derivation, source, stated)
    if not derivation.has_numbers:
        raise ChainruleError(
            f"{derivation.problem.source or 'the problem'}: has symbols where numbers are compared; hand over a "
            "function or formulas, or give the problem numbers"
        )
    numbers = handed.of_mapping(by_name, derivation, options.item_kind, python_values.PLACE)
    notes = (found.several,) if found.several and stated is None else ()
    source = Source((({}, numbers),), found.precision, notes)
    if stated is None and found.types and (few := _typed_in(numbers)) is not None:
        point = judge.point(derivation, judge.base_sheet(derivation), {}, numbers, found.precision)
        coarse = sources.report(derivation, source, few)
        if coarse.verdict != "wrong" and not point.within(point.bounds).all():  # nothing to search for: it is rounding
            hint = f'the numbers have few digits; if they were rounded to these, say so: given="{few}"'
            return Report("wrong", rows_of(point), precision=str(found.precision), notes=(*notes, hint))
    return sources.report(derivation, source, stated)


def _typed_in(numbers: handed.Handed) -> Precision | None:
    """The precision of numbers that came as doubles, and look as if they had been typed."""
    texts = [item.text for item in numbers.items if item.value]
    if not texts or any("/" in text for text in texts):
        return None
    if any(map(precision.is_full, texts)):
        return None  # one long number is enough, and often the first is
    told = precision.told(texts)
    return told if told.kind in ("sf", "dp") and told.places <= FEW_DIGITS else None


# ---- functions -----------------------------------------------------------------------------


def _is_function(gradient: Any) -> bool:
    """Is it to be called? A torch module is called too, but gives outputs. Raises ChainruleError for one."""
    if any(each.__module__ == "torch.nn.modules.module" for each in type(gradient).__mro__):
        raise ChainruleError(
            f"gradient: found a torch module, {type(gradient).__name__}, whose call gives no gradients; hand over a "
            'function that does, or name the module: "torch:module.py:name"'
        )
    symbolic = any(each.__module__.partition(".")[0] == "sympy" for each in type(gradient).__mro__)
    return callable(gradient) and not symbolic


def _of_function(
    function: Callable[..., Any], derivation: Derivation, options: Options
) -> tuple[Source, BaseException | None]:
    """What a function gives at every point, and what it raised. An interrupt is not kept from the user."""
    raised: list[BaseException] = []

    @functools.wraps(function)
    def watched(*arguments: Any, **keywords: Any) -> Any:
        if raised and not isinstance(raised[-1], Exception | SystemExit):
            raise raised[-1]
        try:
            return function(*arguments, **keywords)
        except BaseException as error:
            raised.append(error)
            raise

    name = getattr(function, "__name__", type(function).__name__)
    watched.__name__ = name
    try:
        source = sources.of_function(watched, derivation, kind=options.kind, points=options.points)
        return (replace(source, failure=f"the function {source.failure}") if source.failure else source), None
    except CallError as error:
        return Source(failure=f"the function {name} {error}"), None
    except UserError:
        cause = raised[-1]
        if not isinstance(cause, Exception | SystemExit):
            raise cause from None
        return Source(failure=f"the function {name} raised {_said(cause)}"), cause


def _said(error: BaseException) -> str:
    """An exception with the line where it arose, below our own."""
    ours = str(Path(__file__).resolve().parents[1])
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    try:
        words = printable(" ".join(str(error).split()))[:300]
    except Exception:  # one that cannot say its own words
        words = ""
    return type(error).__name__ + (f": {words}" if words else "") + where
