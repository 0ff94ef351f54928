"""Two mistakes at once: what is worked out once for many sheets is what each sheet by itself would give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import derive
from derive import arrays
from derive.derivation import Derivation
from derive.evaluate import floats
from derive.program import Expression, Gather, Largest, Positions, Ref, Scatter
from derive.verification.family import family
from derive.verification.handed import of_mapping
from derive.verification.judge import base_sheet, point
from derive.verification.search import Search, in_turn
from derive.verification.sheet import DoesNotApplyError, Revision, Sheet, laid_out, laid_out_like
from derive.verification.sieve import sieve
from derive.verification.steps import Rewriting
from derive.verification.tried import Tried, all_made

Floats = NDArray[np.float64]

DEEPER: dict[str, Any] = {
    "examples": [{"inputs": [0.4, -0.7], "targets": [0, 1]}, {"inputs": [0.9, 0.2], "targets": [1, 0]}],
    "layers": [
        {"activation": "tanh", "weights": [[0.3, -0.5], [0.7, 0.2]], "bias": 0.1},
        {"activation": "relu", "weights": [[0.6, 0.4], [-0.2, 0.8]], "bias": [0.2, 0.3]},
        {"activation": "softmax", "weights": [[0.5, -0.6], [0.1, 0.9]], "bias": [0.0, 0.1]},
    ],
    "loss": {"name": "categorical_cross_entropy"},
    "update": {"learning_rate": 0.1},
}
PROBLEMS: dict[str, Any] = {"mazur": "mazur", "deeper": DEEPER}


def searched(derivation: Derivation, numbers: str = "gradients", factor: float = -0.25, digits: int = 4) -> Search:
    """The search for what explains the right numbers times a factor."""
    kind = {"gradients": "gradient", "updated": "updated"}[numbers]
    found = derivation.to_json()[numbers]
    texts = {}
    for name in derivation.program.parameters:
        scaled = np.asarray(found[name], dtype=float) * factor
        texts[name] = np.vectorize(lambda number: f"{number:.{digits - 1}e}")(scaled).tolist()
    handed = of_mapping(texts, derivation, kind, "handed")
    base = base_sheet(derivation)
    return Search([point(derivation, base, {}, handed, None)], tuple(all_made(base, family(base, derivation.problem))))


# ---- the sieve -----------------------------------------------------------------------------


def by_itself(search: Search, first: Tried, second: Tried) -> bool:
    """May all numbers be those of both mistakes? Every line of the sheet is evaluated anew."""
    where = search.first
    try:
        both = where.ready(second.edit.apply(first.sheet))
    except DoesNotApplyError:
        return False
    given = {name: floats.floats(array) for name, array in where.given.items()}
    values = floats.run(both.equations, given)
    found = [values[where.line(both, each.example)].reshape(-1)[each.indices] for each in where.arrays[::-1]]
    return bool((np.abs(np.concatenate(found) - where.yours) <= where.slack).all())


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("numbers", "factor"), [("gradients", -0.25), ("gradients", 2.0), ("updated", 1.0)])
def test_the_sieve_drops_no_pair_that_explains_the_numbers(problem: str, numbers: str, factor: float) -> None:
    search = searched(derive.differentiate(PROBLEMS[problem]), numbers, factor)
    tried = search.tried[::3]
    turns = [turn for i, one in enumerate(tried) for other in tried[i + 1 :] for turn in in_turn(one, other)]
    pairs = [(first, second) for first, second in turns if not second.edit.forward]
    explain = {place for place, pair in enumerate(pairs) if by_itself(search, *pair)}
    kept = set(sieve(search.first, pairs))
    assert explain - kept == set()
    assert len(pairs) > 500
    assert len(kept) < len(pairs) / 4


def test_two_factors_are_among_what_is_found() -> None:
    search = searched(derive.differentiate("mazur"), factor=-0.25)
    named = {frozenset(edit.mistake for edit in edits) for edits in search.pairs()}
    assert frozenset({"factor_half", "update_handed_over"}) in named


# ---- stacked values ------------------------------------------------------------------------

M, V = Ref("M", (2, 3)), Ref("v", (3,))
s = arrays.placeholder(M)

EXPRESSIONS: dict[str, Expression] = {
    "a name": M,
    "a product, element by element": arrays.multiply(M, V),
    "a function": arrays.elementwise(lambda x: 1 / (x**2 + 2), M),
    "a constant": arrays.constant(3, (2, 3)),
    "a constant that looks at an argument": arrays.elementwise(lambda x: 0 * x, V),
    "a sum with a constant": arrays.add(arrays.constant(3, (2, 3)), V),
    "a contraction": arrays.contract(("ab", "b"), "a", M, V),
    "a transpose": arrays.transpose(M),
    "a total": arrays.total(M, (0,)),
    "a total that keeps its axis": arrays.total(M, (1,), keepdims=True),
    "a total of all": arrays.total(arrays.multiply(M, V)),
    "softmax": arrays.softmax(M),
    "log softmax over rows": arrays.softmax(M, 0, logarithm=True),
    "a reshape": arrays.reshape(M, (3, 2)),
    "a selection of several": Gather((M, V), Positions(np.array([[5, 6], [-1, 8]])), (2, 2)),
    "a selection with a constant": Gather((arrays.constant(2, (2,)), V), Positions(np.array([4, 0])), (2,)),
    "what a selection passes back": Scatter(M, Positions(np.array([[0, 3, 0], [9, 1, 1]])), 0, (4,)),
    "the largest": Largest(M, 1, False, (2,)),
    "where the largest stands": Largest(M, 0, True, (2, 3), mask=True),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_stacked_values_are_those_of_each_layer_of_the_stack(name: str) -> None:
    draw = np.random.default_rng(3)
    stack = {"M": draw.normal(size=(5, 2, 3)), "v": draw.normal(size=(5, 3))}
    expression = EXPRESSIONS[name]
    found = floats.evaluate(expression, stack, stacked=1)
    for place in range(5):
        alone = floats.evaluate(expression, {key: array[place] for key, array in stack.items()})
        assert alone.shape == expression.shape
        assert np.broadcast_to(found, (5, *expression.shape))[place] == pytest.approx(alone)


# ---- sheets that are alike -----------------------------------------------------------------


@pytest.mark.parametrize("problem", ["mazur", "xor", "softmax", "cnn", "lstm", "attention"])
def test_a_changed_program_is_laid_out_as_if_there_had_been_no_other(problem: str) -> None:
    search = searched(derive.differentiate(problem))
    base = search.first.sheet
    given = {name: floats.floats(array) for name, array in search.first.given.items()}
    changes = {id(each.edit.change): each.edit.change for each in search.made if each.edit.change is not None}
    assert len(changes) > 5
    for change in changes.values():
        program = change(base.program)
        like, anew = laid_out_like(base, program), laid_out(program)
        assert set(like.adjoints) == set(anew.adjoints)
        values, expected = (floats.run(sheet.equations, given) for sheet in (like, anew))
        for name, line in anew.adjoints.items():
            assert values[like.adjoints[name]] == pytest.approx(expected[line], nan_ok=True)


@pytest.mark.parametrize("problem", ["mazur", "softmax", "lstm"])
def test_a_step_makes_the_same_of_every_sheet_that_looks_the_same_to_it(problem: str) -> None:
    """What it makes is remembered: shown the whole sheet, it must not make anything else."""
    search = searched(derive.differentiate(problem))
    sheets: list[Sheet] = [each.sheet for each in search.made if not each.edit.steps][:12]
    steps = [step for each in search.made for step in each.edit.steps if isinstance(step, Rewriting)][::3]
    compared = 0
    for sheet in sheets:
        for step in steps:
            try:
                remembered = step.revision(sheet, Revision()).backward
            except DoesNotApplyError:
                continue
            assert remembered == {line: new(sheet) for line, new in step.lines.items() if line in sheet.backward}
            compared += 1
    assert compared > 50


def test_another_activation_in_every_layer_with_the_stated_derivative_is_one_mistake() -> None:
    """tanh on the way forward in both layers, a(1 − a) on the way back: worked out here with NumPy."""
    x, t = np.array([0.05, 0.10]), np.array([0.01, 0.99])
    w1, w2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
    h = np.tanh(w1 @ x + 0.35)
    o = np.tanh(w2 @ h + 0.60)
    delta = (o - t) * o * (1 - o)
    back = (w2.T @ delta) * h * (1 - h)
    numbers = [*np.outer(back, x).ravel(), *np.outer(delta, h).ravel()]
    report = derive.verify("mazur", {f"w{place}": f"{number:.6e}" for place, number in enumerate(numbers, start=1)})
    assert [each.mistakes for each in report.diagnosis] == [(("wrong_activation_forward", "all"),)]
