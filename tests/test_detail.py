"""How much a page explains: the results only, the standard page, or every algebraic step."""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import derive
import render
from derive.differentiation import RULES, of_activation
from derive.errors import ChainruleError
from derive.formula import (
    Call,
    Derivative,
    Formula,
    Fraction,
    Group,
    Mark,
    Negative,
    Number,
    Power,
    Product,
    Relation,
    Side,
    Sum,
    children,
)
from derive.functions import ACTIVATIONS
from derive.notations.rows import ROWS
from derive.problem import bundled
from render.cli import app
from render.compose import DETAILS
from render.compose.definitions import WORDS
from render.document import Block, Document, Equation, Figure, Math, Note, Paragraph, Section, Table
from render.formats import render_text
from render.numbering import plain_text, walk

NUMBERS = ("mazur", "softmax", "relu", "xor", "adam", "lstm", "attention", "layer_norm", "convolution", "word2vec")


@cache
def page(problem: str, detail: str) -> Document:
    return render.worked_example(derive.differentiate(problem), detail=detail).document


def blocks(document: Document) -> list[Block]:
    return list(walk(document.blocks))


def equations(document: Document) -> list[Equation]:
    return [block for block in blocks(document) if isinstance(block, Equation)]


def nodes(formula: Formula) -> Iterator[Formula]:
    yield formula
    for child in children(formula):
        yield from nodes(child)


def text(document: Document) -> str:
    """The words of the paragraphs."""
    return "\n".join(plain_text(block.inlines) for block in blocks(document) if isinstance(block, Paragraph))


# ---- the choice ------------------------------------------------------------------------------


def test_there_are_three_and_standard_is_the_default() -> None:
    assert list(DETAILS) == ["brief", "standard", "full"]
    assert page("mazur", "standard") == render.worked_example(derive.differentiate("mazur")).document


@pytest.mark.parametrize(("typed", "meant"), [("fulll", "full"), ("Brief", "brief"), ("standart", "standard")])
def test_an_unknown_one_is_answered_with_the_nearest(tmp_path: Path, typed: str, meant: str) -> None:
    told = f'--detail: found "{typed}"; known: brief, standard, full; did you mean "{meant}"?'
    with pytest.raises(ChainruleError, match=re.escape(told)):
        render.worked_example(derive.differentiate("mazur"), detail=typed)
    run = CliRunner().invoke(app, ["render", "mazur", "--detail", typed, "--out", str(tmp_path / "out")])
    assert (run.exit_code, told in run.output) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("detail", DETAILS)
def test_the_command_writes_each(tmp_path: Path, detail: str) -> None:
    arguments = ["render", "mazur", "--detail", detail, "--to", "html,latex,markdown", "--out", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (tmp_path / "mazur.tex").read_text("utf-8") == render_text(page("mazur", detail), "latex")


def test_help_names_them() -> None:
    shown = CliRunner().invoke(app, ["render", "--help"], env={"COLUMNS": "200"}).output
    assert "brief|standard|full" in shown


@pytest.mark.parametrize("problem", sorted(bundled()))
@pytest.mark.parametrize("detail", ["brief", "full"])
def test_every_bundled_problem_has_each_in_every_text_format(problem: str, detail: str) -> None:
    for name in ("html", "latex", "markdown"):
        assert render_text(page(problem, detail), name)


@pytest.mark.parametrize("notation", [row.name for row in ROWS])
@pytest.mark.parametrize("problem", ["mazur", "softmax", "lstm"])
def test_every_notation_has_each(problem: str, notation: str) -> None:
    derivation = derive.differentiate(problem)
    brief, full = (
        render.worked_example(derivation, detail=detail, notation=notation).document for detail in ("brief", "full")
    )
    assert len(render_text(brief, "latex")) < len(render_text(full, "latex")) / 4


# ---- brief -----------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", sorted(bundled()))
def test_a_page_of_results_has_no_walk_through(problem: str) -> None:
    kinds = {type(block) for block in blocks(page(problem, "brief"))}
    assert kinds <= {Paragraph, Equation, Table}
    assert sum(isinstance(block, Paragraph) for block in blocks(page(problem, "brief"))) <= 5


def decimals(value: Any) -> Iterator[float]:
    """The numbers of nested lists."""
    if isinstance(value, list):
        for each in value:
            yield from decimals(each)
    else:
        yield float(value)


def numbers(document: Document) -> list[float]:
    """Every number in the lines, tables and equations of a document."""
    formulas = [side.formula for each in equations(document) for side in each.sides]
    lines = [cell for b in blocks(document) if isinstance(b, Table) for row in b.rows for cell in row]
    lines += [b.inlines for b in blocks(document) if isinstance(b, Paragraph)]
    formulas += [side.formula for line in lines for inline in line if isinstance(inline, Math) for side in inline.sides]
    return [float(node.text) for formula in formulas for node in nodes(formula) if isinstance(node, Number)]


@pytest.mark.parametrize("problem", ["mazur", "relu", "lstm", "word2vec"])
def test_the_page_of_results_has_every_value_gradient_and_new_value(problem: str) -> None:
    derivation = derive.differentiate(problem)
    results = derivation.to_json()
    wanted = [float(results["error"])]
    for part in ("arrays", "gradients", "updated"):
        wanted += [number for name, array in results.get(part, {}).items() for number in decimals(array)]
    printed = sorted(numbers(page(problem, "brief")))
    missing = [x for x in wanted if not any(math.isclose(x, y, rel_tol=1e-5, abs_tol=1e-9) for y in printed)]
    assert not missing


def test_the_deltas_stand_among_the_gradients() -> None:
    assert {0.138498562, -0.038098237, 0.008771355, 0.009954255} <= set(numbers(page("mazur", "brief")))


def test_the_last_line_says_how_the_numbers_were_checked() -> None:
    last = blocks(page("mazur", "brief"))[-1]
    assert isinstance(last, Paragraph)
    assert plain_text(last.inlines) == (
        "Checked: all gradients agree with finite differences to 24 significant digits, and with the derivative of "
        "the closed form to 60."
    )


def test_without_numbers_there_are_formulas() -> None:
    sides = [side.formula for each in equations(page("symbolic", "brief")) for side in each.sides]
    assert not [node for side in sides for node in nodes(side) if isinstance(node, Number) and "." in node.text]
    assert len(equations(page("symbolic", "brief"))) == 1 + 4 + 8 + 2  # error, deltas, weights, biases


def test_the_results_of_the_article_fill_one_sheet() -> None:
    pytest.importorskip("typst", reason="the PDF compiler is not installed")
    pypdf = pytest.importorskip("pypdf", reason="the PDF reader is not installed")
    from render.typeset import pdf

    made = pdf.compile_pdf(render_text(page("mazur", "brief"), "pdf"))
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) == 1


# ---- full ------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["mazur", "softmax", "relu", "lstm", "symbolic"])
def test_a_full_page_has_all_of_the_standard_one(problem: str) -> None:
    """The same figures, notes, tables and numbered equations, each with the same first and last side."""
    full, standard = page(problem, "full"), page(problem, "standard")
    for kind in (Figure, Note, Table):
        names = [[b.identifier for b in blocks(each) if isinstance(b, kind)] for each in (full, standard)]
        assert names[0] == names[1]
    ends = [
        [(b.identifier, b.sides[0], b.sides[-1]) for b in equations(each) if b.identifier] for each in (full, standard)
    ]
    assert ends[0] == ends[1]
    assert len(equations(full)) > len(equations(standard))


def test_every_rule_has_words() -> None:
    assert set(WORDS) == set(RULES)


def pending(document: Document) -> list[Derivative]:
    sides = [side.formula for each in equations(document) for side in each.sides]
    return [node for side in sides for node in nodes(side) if isinstance(node, Derivative)]


def test_only_a_full_page_takes_derivatives_rule_by_rule() -> None:
    assert pending(page("mazur", "full"))
    assert not pending(page("mazur", "standard"))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_is_derived_on_the_page_of_its_network(name: str) -> None:
    """A layer with the activation between two others: all the lines from the definition, each after its rules."""
    loss = {"name": "nll" if name == "log_softmax" else "half_squared_error"}
    problem = {
        "examples": [{"inputs": ["0.5", "0.25"], "targets": [1, 0]}],
        "layers": [{"weights": [["0.4", "-0.3"], ["0.2", "0.7"]], "bias": "0.1", "activation": name}],
        "loss": loss,
    }
    document = render.worked_example(derive.differentiate(problem), detail="full").document
    lines = [each.sides[-1].formula for each in equations(document)]
    derived = of_activation(ACTIVATIONS[name])
    at = [k for k, line in enumerate(lines) if isinstance(line, Derivative)]
    assert len(at) >= len(derived) + 2  # and the loss by the output, and the net input by a weight
    said = text(document)
    for rule in {rule for worked in derived for line in worked.lines[1:] for rule in line.rules}:
        begin = WORDS[rule].partition("{")[0]
        assert begin in said, rule


@pytest.mark.parametrize(
    ("problem", "titles"),
    [
        (
            "lstm",
            {"The logistic function", "The hyperbolic tangent", "The product of two arrays", "A sum over an axis"},
        ),
        ("transformer", {"Softmax", "The product of two arrays", "A sum over an axis", "Selected elements"}),
        ("cnn", {"The rectifier (ReLU)", "Softmax", "The largest of several"}),
        ("word2vec", {"The logarithm of softmax", "Selected elements"}),
    ],
)
def test_the_derivatives_that_any_program_uses(problem: str, titles: set[str]) -> None:
    (section,) = [b for b in blocks(page(problem, "full")) if isinstance(b, Section) and b.identifier == "definitions"]
    assert titles <= {plain_text(each.title) for each in section.blocks if isinstance(each, Section)}


def test_every_formula_of_a_program_is_differentiated_by_what_leads_to_the_parameters() -> None:
    problem = {
        "equations": "u = w * x\ny = sin(u) / (1 + u**2)\nE = where(y > 0, y, stop_gradient(y)) * k",
        "error": "E",
        "parameters": ["w"],
        "values": {"w": "0.5", "x": "0.75", "k": 2},
    }
    document = render.worked_example(derive.differentiate(problem), detail="full").document
    said = text(document)
    for rule in ("quotient", "sin", "power", "cases", "factor", "linear"):
        assert WORDS[rule] in said or WORDS[rule].partition("{")[0] in said
    by = {node.by for node in pending(document)}
    assert {each.name.base for each in by} == {"w", "u", "y"}  # type: ignore[attr-defined]


# ---- one operation at a time -----------------------------------------------------------------

FLOATS = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "max": max,
    "abs": abs,
    "sigma": lambda z: 1 / (1 + math.exp(-z)),
}


def value(node: Formula) -> float | None:
    """What a formula of numbers comes to in floats; None for any other."""
    parts = [value(child) for child in children(node)]
    if isinstance(node, Number):
        return float(node.text)
    if not parts or any(part is None for part in parts) or isinstance(node, Relation):
        return None
    known: list[float] = [part for part in parts if part is not None]
    match node:
        case Sum():
            return math.fsum(known)
        case Product(_, "" | "dot"):
            return math.prod(known)
        case Negative():
            return -known[0]
        case Fraction():
            return known[0] / known[1]
        case Power():
            return known[0] ** known[1]
        case Mark() | Group():
            return known[0]
        case Call(function, _, False) if function in FLOATS:
            return float(FLOATS[function](*known))
    return None


def runs(sides: tuple[Side, ...]) -> list[list[float]]:
    """The values of sides with numbers that follow one another."""
    found: list[list[float]] = [[]]
    for side in sides:
        number = value(side.formula)
        if number is None:
            found.append([])
        else:
            found[-1].append(number)
    return [run for run in found if len(run) > 1]


@pytest.mark.parametrize("problem", NUMBERS)
def test_every_intermediate_result_leads_to_the_result(problem: str) -> None:
    """Each side, computed in floats from the digits that are printed, is the next one to those digits."""
    checked = 0
    for equation in equations(page(problem, "full")):
        for run in runs(equation.sides):
            size = max(map(abs, run))
            assert all(math.isclose(a, b, rel_tol=1e-4, abs_tol=3e-8 * max(1, size)) for a, b in pairwise(run))
            checked += len(run) - 1
    assert checked > 8


def side_texts(document: Document, identifier: str) -> list[str]:
    from derive.plain import plain

    (equation,) = [each for each in equations(document) if each.identifier == identifier]
    return [plain(side.formula) for side in equation.sides]


@pytest.mark.parametrize(
    ("identifier", "between"),
    [
        ("eq-z1-1-1", ["0.0075 + 0.02 + 0.35"]),
        ("eq-a2-1-1", ["1/(1 + 0.330910952)", "1/1.330910952"]),
        ("eq-e-1-1", ["1/2 * (-0.741365070)**2", "1/2 * 0.549622166"]),
        ("eq-product-W2-1-1", ["0.138498562*0.593269992"]),
        ("eq-update-W2-1-1", ["0.4 - 0.041083520"]),
    ],
)
def test_the_article_is_calculated_one_operation_at_a_time(identifier: str, between: list[str]) -> None:
    full, standard = (side_texts(page("mazur", detail), identifier) for detail in ("full", "standard"))
    assert full == [*standard[:-1], *between, standard[-1]]


def test_intermediate_results_come_from_the_quantities_and_not_from_their_digits() -> None:
    """0.138499 · 0.593270 is 0.0821673; the result is that of the numbers which these round."""
    document = render.worked_example(derive.differentiate("mazur"), detail="full", decimals=1).document
    assert side_texts(document, "eq-product-W2-1-1")[-2:] == ["0.138499*0.593270", "0.0821670"]


def test_an_exact_intermediate_result_is_said_to_be_equal() -> None:
    (equation,) = [each for each in equations(page("mazur", "full")) if each.identifier == "eq-z1-1-1"]
    assert [side.sign for side in equation.sides] == ["", "=", "=", "=", "="]


# ---- on paper --------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
@pytest.mark.parametrize("problem", ["mazur", "softmax", "lstm"])
def test_a_full_page_compiles_and_fits_its_lines(tmp_path: Path, problem: str) -> None:
    (tmp_path / "page.tex").write_text(render_text(page(problem, "full"), "latex"), encoding="utf-8")
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    log = (tmp_path / "page.log").read_text(encoding="latin-1").replace("\n", "")
    assert [wide for wide in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log) if float(wide) > 5] == []
