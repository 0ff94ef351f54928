"""Exercises: every kind asks what it says, its answer is right by other people's numbers, its points add up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import derive
from derive.errors import ChainruleError
from derive.formula import Formula, Fraction, Group, Mark, Negative, Number, Power, Product, Sum
from derive.problem import bundled
from render.document import Equation, Paragraph
from render.exercises.kinds import KINDS
from render.exercises.model import ChoiceAnswer, Exercise, FormulaAnswer, NumberAnswer, OrderAnswer, Sheet
from render.exercises.sheets import Options, Sheets
from render.numbering import plain_text


@cache
def sheets(problem: str, exercises: str | None, varied: bool, **options: Any) -> Sheets:
    return Sheets((derive.load(problem),), 7, Options(exercises=exercises, **options), varied=varied)


def sheet(problem: str, exercises: str | None = None, varied: bool = False, number: int = 1, **options: Any) -> Sheet:
    return sheets(problem, exercises, varied, **options).sheet(number)


def exercise(problem: str, text: str, **options: Any) -> Exercise:
    (made,) = sheet(problem, text, **options).exercises
    return made


def numbers(made: Exercise) -> dict[str, NumberAnswer]:
    return {item.answer.quantity: item.answer for item in made.items if isinstance(item.answer, NumberAnswer)}


# ---- right by other people's numbers -------------------------------------------------------------

PUBLISHED = {
    "forward_value:net_h1": ("net_h1", "0.3775"),
    "forward_value:out_h1": ("out_h1", "0.593269992"),
    "forward_value:out_o1": ("out_o1", "0.75136507"),
    "forward_value:E_total": ("E_total", "0.298371109"),
    "local_derivative:net_o1": ("dout_o1/dnet_o1", "0.186815602"),
    "local_derivative:net_h1": ("dout_h1/dnet_h1", "0.241300709"),
    "delta:net_o1": ("dE/dnet_o1", "0.138498562"),
    "gradient:w5": ("dE/dw5", "0.082167041"),
    "gradient:w1": ("dE/dw1", "0.000438568"),
    "update:w5": ("w5+", "0.35891648"),
    "update:w1": ("w1+", "0.149780716"),
    "missing_factor:w5": ("dout_o1/dnet_o1", "0.186815602"),
    "backward_table": ("dE/dw7", "-0.022602540"),
}
"""What the article prints: its text is no work of this project."""


@pytest.mark.parametrize("text", PUBLISHED)
def test_the_answer_is_the_number_that_the_article_prints(text: str) -> None:
    name, printed = PUBLISHED[text]
    found = numbers(exercise("mazur", text))
    places = len(printed.partition(".")[2])
    assert f"{float(found[name].value):.{places}f}" == f"{float(printed):.{places}f}"


def test_an_answer_stands_where_the_json_has_it() -> None:
    answer = numbers(exercise("mazur", "gradient:w5"))["dE/dw5"]
    printed = derive.differentiate("mazur").to_json()
    assert (answer.of, answer.array, answer.index) == ("gradients", "W2", (0, 0))
    assert printed["gradients"]["W2"][0][0] == answer.value


@pytest.mark.parametrize(
    ("carry", "shown", "asked"),
    [
        ("4sf", "0.08217", "4 significant digits"),
        ("2sf", "0.082", "2 significant digits"),
        ("5dp", "0.08217", "5 decimal places"),
        ("1dp", "0.1", "1 decimal place"),
    ],
)
def test_a_number_is_shown_as_it_is_asked_for(carry: str, shown: str, asked: str) -> None:
    (answer,) = numbers(exercise("mazur", "gradient:w5", carry=carry)).values()
    assert (answer.shown, answer.asked) == (shown, asked)


def test_carrying_more_digits_makes_the_tolerance_smaller() -> None:
    tolerances = [
        float(next(iter(numbers(exercise("mazur", "gradient:w1", carry=f"{digits}sf")).values())).tolerance)
        for digits in (3, 4, 5, 6)
    ]
    assert tolerances == sorted(tolerances, reverse=True)
    assert tolerances[0] > 50 * tolerances[2]


def test_rounding_every_step_by_hand_stays_within_the_tolerance() -> None:
    """∂E/∂w5 on paper with four significant digits: δ = (0.7514 − 0.01) · 0.7514 · (1 − 0.7514) → 0.1385."""
    (answer,) = numbers(exercise("mazur", "gradient:w5")).values()
    delta = float(f"{(0.7514 - 0.01) * float(f'{0.7514 * 0.2486:.4g}'):.4g}")
    by_hand = float(f"{delta * 0.5933:.4g}")
    assert abs(by_hand - float(answer.value)) <= float(answer.tolerance)


# ---- mistakes ------------------------------------------------------------------------------------

BY_HAND = {
    "activation_derivative_missing": (0.75136507 - 0.01) * 0.593269992,
    "weight_gradient_input_missing": 0.138498562,
    "sign_of_error": -0.082167041,
    "factor_two": 2 * 0.082167041,
}
"""What a student gets for ∂E/∂w5 with each, from the article's numbers."""


@pytest.mark.parametrize("mistake", BY_HAND)
def test_a_mistake_gives_what_a_student_gets_who_makes_it(mistake: str) -> None:
    (answer,) = numbers(exercise("mazur", "gradient:w5")).values()
    found = {name: float(each.value) for each in answer.feedback for name, _ in each.mistakes}
    assert found[mistake] == pytest.approx(BY_HAND[mistake], rel=1e-6)


def test_multiple_choice_offers_one_right_answer_and_values_of_mistakes() -> None:
    made = exercise("mazur", "multiple_choice:w5", varied=True)
    (item,) = made.items
    assert isinstance(item.answer, ChoiceAnswer)
    right = [option for option in item.answer.options if option.right]
    printed = [plain_text(option.inlines) for option in item.answer.options]
    assert len(right) == 1
    assert len(set(printed)) == len(printed) == 5
    assert all(option.words for option in item.answer.options)


@pytest.mark.parametrize("number", range(1, 9))
def test_in_find_the_mistake_each_line_follows_from_its_numbers(number: int) -> None:
    """The line that is named wrong is the first that differs from the right ones; all are computed rightly."""
    made = exercise("mazur", "find_mistake:w1", varied=True, number=number)
    wrong = [block for block in made.prompt if isinstance(block, Equation)]
    (choice,) = [item.answer for item in made.items if isinstance(item.answer, ChoiceAnswer)]
    for line in wrong:
        written = [side.formula for side in line.sides if value(side.formula) is not None]
        assert value(written[-1]) == pytest.approx(value(written[0]), rel=2e-4, abs=1e-9)
    assert len(wrong) == len(choice.options)


def lines_of(made: Exercise) -> Iterator[Equation]:
    for step in made.solution:
        yield from (block for block in step.blocks if isinstance(block, Equation))


def value(formula: Formula) -> float | None:
    """A calculation in numbers, done in the test's own arithmetic; None where a symbol stands in it."""
    match formula:
        case Number(text):
            return float(text)
        case Sum(terms):
            parts = [value(term) for term in terms]
            return None if None in parts else sum(parts)  # type: ignore[arg-type]
        case Product(factors):
            parts = [value(factor) for factor in factors]
            if None in parts:
                return None
            product = 1.0
            for part in parts:
                product *= part  # type: ignore[operator]
            return product
        case Negative(body):
            inner = value(body)
            return None if inner is None else -inner
        case Group(body) | Mark(_, body):
            return value(body)
        case Fraction(above, below):
            top, bottom = value(above), value(below)
            return None if top is None or not bottom else top / bottom
        case Power(base, exponent):
            left, right = value(base), value(exponent)
            return None if left is None or right is None else left**right
    return None


# ---- nothing is given away -----------------------------------------------------------------------


USUAL = ["mazur", "xor", "softmax", "relu", "adam"]


@pytest.mark.parametrize("problem", USUAL)
def test_no_exercise_states_what_another_asks_for(problem: str) -> None:
    """The default selection: a value that is asked for stands in no prompt of the sheet, neither rounded nor not."""
    made = sheet(problem).exercises
    for each in made:
        for name, answer in numbers(each).items():
            for other in made:
                stated = " ".join(plain_text(block.inlines) for block in other.prompt if isinstance(block, Paragraph))
                found = re.findall(r"(\S+) [≈=] (-?[\d.]+\d)", stated)
                assert name not in [symbol for symbol, _ in found], f"{name} stands in {other.kind}"
                backward = [n for symbol, n in found if not symbol.startswith(("out", "net"))]
                assert all(not same(n, answer) for n in backward), f"{name} stands in {other.kind}"


def same(printed: str, answer: NumberAnswer) -> bool:
    return abs(float(printed) - float(answer.value)) < 1e-6 * abs(float(answer.value))


@pytest.mark.parametrize("problem", USUAL)
def test_no_number_is_asked_for_twice(problem: str) -> None:
    names = [name for each in sheet(problem).exercises for name in numbers(each)]
    assert len(set(names)) == len(names)


def test_what_the_way_back_starts_from_is_given() -> None:
    stated = plain_text(exercise("mazur", "delta:net_h1").prompt[1].inlines)  # type: ignore[union-attr]
    assert stated == "From the forward pass we have out_h1 ≈ 0.593270, out_o1 ≈ 0.751365 and out_o2 ≈ 0.772928."


@pytest.mark.parametrize("problem", ["mazur", "softmax", "cnn", "xor"])
def test_the_wrong_line_is_written_as_the_right_ones_are(problem: str) -> None:
    """Each line has its quantity, one formula, and (but for what is read off) numbers and a result."""
    made = exercise(problem, "find_mistake")
    right = list(lines_of(made))
    wrong = [block for block in made.prompt if isinstance(block, Equation)]
    assert {len(line.sides) for line in wrong} <= {3, 4}
    assert {len(line.sides) for line in right} <= {3, 4}


def test_a_missing_factor_is_not_named_where_its_value_is_asked_for() -> None:
    made = exercise("mazur", "missing_factor:w1", blanks="factors")
    assert plain_text(made.items[1].label) == "its value"
    assert not any(isinstance(block, Paragraph | Equation) for block in made.scaffold)


@pytest.mark.parametrize(("kind", "answer"), [("activation_derivative", "sigma(z)*(1 - sigma(z))"), ("symbols", "i1")])
@pytest.mark.parametrize("blanks", ["results", "factors"])
def test_blanks_leave_out_the_formula_that_is_asked_for(kind: str, answer: str, blanks: str) -> None:
    from render.exercises.blanks import LEVELS

    made = exercise("mazur", kind, blanks=blanks)
    assert LEVELS[blanks] < 1
    last = [block for block in made.scaffold if isinstance(block, Equation)][-1]
    assert all("Gap" in repr(side.formula) for side in last.sides[-1:]), answer


@pytest.mark.parametrize("problem", ["mazur", "xor", "softmax"])
def test_among_the_paths_are_some_that_are_none(problem: str) -> None:
    (item,) = exercise(problem, "paths").items
    assert isinstance(item.answer, ChoiceAnswer)
    assert sum(not option.right for option in item.answer.options) >= 2


def test_a_factor_of_a_unit_that_does_not_exist_is_not_offered() -> None:
    choice = exercise("xor", "missing_factor").items[0].answer
    assert isinstance(choice, ChoiceAnswer)
    assert not any("o2" in plain_text(option.inlines) for option in choice.options)


def test_of_multiples_of_the_answer_one_is_offered() -> None:
    (item,) = exercise("mazur", "multiple_choice:w1").items
    assert isinstance(item.answer, ChoiceAnswer)
    found = [float(plain_text(option.inlines)) for option in item.answer.options]
    (right,) = [float(plain_text(option.inlines)) for option in item.answer.options if option.right]
    assert sum(round(each / right, 3) in (-1, 0.5, 2) for each in found) == 1


FEEDBACK = {
    ("mazur", "gradient:w5", "factor_two"): "of the square",
    ("mazur", "gradient:w1", "sign_of_error"): "the sign is turned",
    ("xor", "gradient:w5", "factor_two"): "a factor 2 too much.",
}


@pytest.mark.parametrize(("problem", "text", "mistake"), FEEDBACK)
def test_a_mistake_is_called_what_it_is_where_it_is_made(problem: str, text: str, mistake: str) -> None:
    (answer,) = numbers(exercise(problem, text)).values()
    words = [each.words for each in answer.feedback if each.mistakes[0][0] == mistake]
    assert any(FEEDBACK[problem, text, mistake] in each for each in words)


@pytest.mark.parametrize(("problem", "most"), [("cnn", 9), ("lstm", 9), ("attention", 9), ("word2vec", 9)])
def test_a_solution_is_short_and_starts_from_what_is_given(problem: str, most: int) -> None:
    for made in sheet(problem).exercises:
        steps = [step for step in made.solution if step.points]
        assert len(steps) <= most, made.kind


def test_a_delta_of_a_batch_says_of_which_example_it_is() -> None:
    made = exercise("xor", "gradient:w5")
    said = [plain_text(step.blocks[0].inlines) for step in made.solution]  # type: ignore[union-attr]
    assert said[1] == "The delta of o1 in example 2:"
    assert said[4].endswith(", added up over the examples:")


WITHHELD = "forward_value:out_o1,local_derivative:net_o1,gradient:w5"


def test_what_somebody_asks_for_is_named_in_other_exercises_without_its_number() -> None:
    """A teacher who asks for out_o1 and for ∂E/∂w5, which starts from it."""
    _, slope, gradient = sheet("mazur", WITHHELD).exercises
    said = [plain_text(block.inlines) for block in gradient.prompt[1:] if isinstance(block, Paragraph)]
    assert said == ["You need out_h1 and out_o1 here, from the other exercises on this sheet."]
    assert isinstance(slope.prompt[0], Paragraph)
    assert "1.10591" not in plain_text(slope.prompt[0].inlines)


def test_a_question_that_stands_alone_is_given_all_it_needs() -> None:
    *_, gradient = sheet("mazur", WITHHELD, alone=True).exercises
    said = plain_text(gradient.prompt[1].inlines)  # type: ignore[union-attr]
    assert said == "From the forward pass we have out_h1 ≈ 0.593270 and out_o1 ≈ 0.751365."


def test_a_rule_with_constants_of_its_own_is_given_with_them() -> None:
    made = exercise("adam", "update:w1")
    said = " ".join(plain_text(block.inlines) for block in made.prompt if isinstance(block, Paragraph))
    assert all(constant in said for constant in ("0.9", "0.999", "k = 1"))
    given = [block for block in made.prompt if isinstance(block, Equation)]
    assert len(given) == 5
    assert all(len(line.sides) == 2 for line in given)


# ---- structure -----------------------------------------------------------------------------------


def test_the_paths_of_a_hidden_weight_go_over_every_output() -> None:
    made = exercise("mazur", "paths:w1")
    (item,) = made.items
    assert isinstance(item.answer, ChoiceAnswer)
    right = {plain_text(option.inlines) for option in item.answer.options if option.right}
    assert right == {f"w1 → net_h1 → out_h1 → net_{o} → out_{o} → E_total" for o in ("o1", "o2")}


def test_the_factors_in_order_begin_at_the_error_and_end_at_the_weight() -> None:
    for number in range(1, 20):
        (item,) = exercise("mazur", "order_factors:w1", varied=True, number=number).items
        assert isinstance(item.answer, OrderAnswer)
        printed = [plain_text(each) for each in item.answer.items]
        assert list(item.answer.order) != sorted(item.answer.order), "what stands in order already is no exercise"
        ordered = [re.fullmatch(r"∂(\S+)/∂(\S+)", printed[k].replace(" ", "")) for k in item.answer.order]
        assert ordered[0] is not None
        assert ordered[0][1] == "E_total"
        assert ordered[-1] is not None
        assert ordered[-1][2] == "w1"
        assert all(a is not None and b is not None and a[2] == b[1] for a, b in pairwise(ordered))


def test_the_missing_factor_lies_between_its_neighbours() -> None:
    made = exercise("mazur", "missing_factor:w5")
    choice = made.items[0].answer
    assert isinstance(choice, ChoiceAnswer)
    (right,) = [plain_text(option.inlines) for option in choice.options if option.right]
    assert right == "∂out_o1/∂net_o1"


@pytest.mark.parametrize("notation", ["mazur", "nielsen", "cs231n"])
def test_the_matrix_form_has_one_right_product(notation: str) -> None:
    made = exercise("mazur", "matrix_form", notation=notation)
    for item in made.items:
        assert isinstance(item.answer, ChoiceAnswer)
        assert sum(option.right for option in item.answer.options) == 1
        printed = [plain_text(option.inlines) for option in item.answer.options]
        assert len(set(printed)) == len(printed)


def test_the_derivative_of_the_logistic_function_ends_in_its_usual_form() -> None:
    (item,) = exercise("mazur", "activation_derivative").items
    assert isinstance(item.answer, FormulaAnswer)
    assert item.answer.typed == "sigma(z)*(1 - sigma(z))"


def test_in_symbols_no_number_is_left() -> None:
    made = exercise("mazur", "symbols:w1")
    written = " ".join(
        plain_text(block.inlines) for step in made.solution for block in step.blocks if isinstance(block, Paragraph)
    )
    assert not re.search(r"\d\.\d", written)
    assert not any(
        "." in number for line in lines_of(made) for side in line.sides for number in numbers_in(side.formula)
    )


def numbers_in(formula: Formula) -> Iterator[str]:
    from derive.formula import children

    if isinstance(formula, Number):
        yield formula.text
    for child in children(formula):
        yield from numbers_in(child)


# ---- points --------------------------------------------------------------------------------------


ALL = ",".join(KINDS)


@pytest.mark.parametrize("points", [None, 1, 5, 10])
def test_points_are_split_over_items_and_steps(points: int | None) -> None:
    for made in sheet("mazur", ALL, points=points).exercises:
        assert made.points == sum(step.points for step in made.solution), made.kind
        assert points in (None, made.points)
        assert all(step.points >= 0 for step in made.solution)
        assert made.points > 0


def test_every_kind_says_what_its_steps_are_worth_and_for_what() -> None:
    found = sheet("mazur", ALL).exercises
    assert [made.kind for made in found] == list(KINDS)
    for made in found:
        assert made.prompt
        assert made.solution
        assert all(step.criterion for step in made.solution if step.points)


def test_what_is_due_after_a_mistake_is_less_than_all() -> None:
    for made in sheet("mazur").exercises:
        for item in made.items:
            if isinstance(item.answer, NumberAnswer):
                assert all(0 <= each.points < max(item.points, 1) for each in item.answer.feedback)


# ---- every problem -------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", bundled())
def test_every_bundled_problem_has_a_sheet(problem: str) -> None:
    made = sheet(problem)
    assert len(made.exercises) >= 4
    values = [answer for each in made.exercises for answer in numbers(each).values() if answer.of]
    printed = derive.differentiate(problem).to_json() if values else {}
    for answer in values:
        found = printed[answer.of][answer.array]
        for k in answer.index:
            found = found[k]
        assert found == answer.value


REFUSED = {
    ("mazur", "gradient:w55"): "w5",
    ("mazur", "gradient:net_h1"): "w1",
    ("mazur", "grad"): "gradient",
    ("symbolic", "delta"): "symbols",
    ("mazur", "delta*3000"): "100 at the most",
    ("mazur", "gradient:"): "a quantity is expected",
    ("attention", "activation_derivative"): "no activation",
}


@pytest.mark.parametrize(("problem", "text"), REFUSED)
def test_what_cannot_be_asked_is_refused_with_what_can(problem: str, text: str) -> None:
    with pytest.raises(ChainruleError, match=re.escape(REFUSED[problem, text])):
        sheet(problem, text)
