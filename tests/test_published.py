"""Printed numbers held against the derivation, and the conventions by which those that differ come out.

The printed numbers of these tests come from plain Python, written for them alone.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import derive
from derive.problem import Published
from derive.verification.published import compare
from render.cli import app
from render.compose.checking import published_part
from render.compose.verification.lines import pen_of
from render.numbering import walk

# ---- the article's network in plain floats -------------------------------------------------


@dataclass(frozen=True)
class How:
    sequential: bool = False
    biases: str = "fixed"  # "shared" (summed), "own" (one for each unit)
    half: bool = True
    mean: bool = False
    places: int | None = None


def trained(steps: int, how: How) -> dict[str, float]:
    """Net inputs, outputs, error and weights after so many updates, and the gradients there."""
    x, t, rate = (0.05, 0.10), (0.01, 0.99), 0.5
    w, v = [[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]
    b, c = [0.35, 0.35], [0.60, 0.60]

    def r(value: float) -> float:
        if how.places is None:
            return value
        return float(Decimal(value).quantize(Decimal(10) ** -how.places, ROUND_HALF_EVEN))

    def sigma(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    def forward() -> dict[str, float]:
        net = [r(w[j][0] * x[0] + w[j][1] * x[1] + b[j]) for j in (0, 1)]
        h = [r(sigma(z)) for z in net]
        net_o = [r(v[k][0] * h[0] + v[k][1] * h[1] + c[k]) for k in (0, 1)]
        o = [r(sigma(z)) for z in net_o]
        error = [r((0.5 if how.half else 1) * (t[k] - o[k]) ** 2) for k in (0, 1)]
        scale = (1 if how.half else 2) * (0.5 if how.mean else 1)
        delta_o = [r(scale * (o[k] - t[k]) * o[k] * (1 - o[k])) for k in (0, 1)]
        new_v = [[r(v[k][j] - rate * r(delta_o[k] * h[j])) for j in (0, 1)] for k in (0, 1)]
        back = new_v if how.sequential else v
        delta_h = [r(r(delta_o[0] * back[0][j] + delta_o[1] * back[1][j]) * h[j] * (1 - h[j])) for j in (0, 1)]
        whole = (error[0] + error[1]) * (0.5 if how.mean else 1)
        found = {"E": r(whole), "delta_o1": delta_o[0], "dE/dw5": r(delta_o[0] * h[0])}
        found |= {"out_o1": o[0], "out_o2": o[1], "net_h1": net[0], "out_h1": h[0], "w1": w[0][0], "w5": v[0][0]}
        found |= {"dE/dw1": r(delta_h[0] * x[0])}
        state["v"], state["dw"], state["do"], state["dh"] = new_v, delta_h, delta_o, delta_h
        return found

    state: dict[str, Any] = {}
    for _ in range(steps):
        forward()
        v = state["v"]
        w = [[r(w[j][i] - rate * r(state["dh"][j] * x[i])) for i in (0, 1)] for j in (0, 1)]
        if how.biases != "fixed":
            own = how.biases == "own"
            b = [b[j] - rate * (state["dh"][j] if own else sum(state["dh"])) for j in (0, 1)]
            c = [c[k] - rate * (state["do"][k] if own else sum(state["do"])) for k in (0, 1)]
    return forward()


START, LATER = ("E", "delta_o1", "dE/dw5", "out_o1"), ("E@1", "E@2", "out_o1@100", "out_o2@100", "w5+", "w1+")


def printed(how: How, names: tuple[str, ...] = (*START, *LATER), *, shift: int = 0, places: int = 8) -> list[Published]:
    """What somebody prints who calculates so."""
    found = []
    for name in names:
        what, _, steps = name.partition("@")
        count = int(steps) + shift if steps else int(name.endswith("+"))
        found.append(Published(name, f"{trained(count, how)[what.rstrip('+')]:.{places}f}"))
    return found


def comparison(numbers: list[Published], **changed: Any) -> Any:
    return compare(derive.differentiate(replace(derive.load("mazur"), published=tuple(numbers), **changed)))


def named(numbers: list[Published], **changed: Any) -> list[tuple[str, ...]]:
    report = comparison(numbers, **changed).report()
    assert report.verdict == ("wrong" if report.diagnosis or report.notes else "verified")
    return [tuple(mistake for mistake, _ in each.mistakes) for each in report.diagnosis]


# ---- one convention at a time --------------------------------------------------------------


def test_the_plain_calculation_holds_to_the_last_digit() -> None:
    report = comparison(printed(How())).report()
    assert (report.verdict, report.diagnosis, report.notes) == ("verified", (), ())


@pytest.mark.parametrize(
    ("how", "shift", "identifier"),
    [
        (How(sequential=True), 0, "update_order_sequential"),
        (How(biases="shared"), 0, "biases_updated"),
        (How(biases="own"), 0, "biases_updated"),
        (How(half=False), 0, "loss_without_half"),
        (How(mean=True), 0, "loss_averaged"),
        (How(), -1, "steps_off_by_one"),
        (How(), 1, "steps_off_by_one"),
    ],
)
def test_the_convention_is_found(how: How, shift: int, identifier: str) -> None:
    assert named(printed(how, shift=shift)) == [(identifier,)]


@pytest.mark.parametrize("places", [3, 5, 6])
def test_rounding_at_each_step_is_found(places: int) -> None:
    names = ("net_h1", "out_h1", "out_o1", "E", "delta_o1", "dE/dw5", "dE/dw1", "w5+", "E@1", "E@5")
    numbers = printed(How(places=places), names, places=places)
    assert named(numbers) == [("rounded_at_each_step",)]


def test_the_other_way_round_is_found_as_well() -> None:
    update = replace(derive.load("mazur").update, order="sequential", biases="updated")  # type: ignore[type-var]
    assert named(printed(How(biases="shared")), update=update) == [("update_order_simultaneous",)]
    assert named(printed(How(sequential=True)), update=update) == [("biases_fixed",)]


def test_two_conventions_at_once_are_found() -> None:
    assert named(printed(How(sequential=True, biases="shared"))) == [("update_order_sequential", "biases_updated")]


def test_means_over_examples_are_told_from_sums() -> None:
    stated = derive.load("xor")
    other = {"sum": "mean", "mean": "sum"}[stated.loss.over_examples]
    averaged = derive.differentiate(replace(stated, loss=replace(stated.loss, over_examples=other)))
    w1 = averaged.names.typed["W1", (0, 0)]
    numbers = (
        Published("E", averaged.to_json(8)["error"]),
        Published(f"dE/d{w1}", averaged.to_json(8)["gradients"]["W1"][0][0]),
    )
    found = compare(derive.differentiate(replace(stated, published=numbers))).report().diagnosis
    identifier = "examples_averaged_not_summed" if other == "mean" else "examples_summed_not_averaged"
    assert (identifier,) in [tuple(mistake for mistake, _ in each.mistakes) for each in found]


# ---- what is left unexplained --------------------------------------------------------------


def test_a_misprint_is_explained_by_nothing() -> None:
    report = comparison([*printed(How(), START), Published("net_h1", "0.3757")]).report()
    assert (report.verdict, report.diagnosis) == ("wrong", ())
    assert report.notes == ("no convention that is known, and no two of them, makes all of these numbers hold",)
    assert [row.name for row in report.rows if not row.within] == ["net_h1"]


def test_a_misprint_does_not_hide_the_convention_of_the_rest() -> None:
    numbers = [*printed(How(sequential=True), LATER), Published("net_h1", "0.3757")]
    found = comparison(numbers)
    assert found.explanations == ()
    assert [each.identifier for each in found.partly.conventions] == ["update_order_sequential"]
    assert "w1+" in [each.name for each in found.partly.held]
    assert "come out as printed if the layers are updated in sequence" in found.report().notes[1]


def test_numbers_that_hold_only_without_the_convention_are_named() -> None:
    (found,) = compare(derive.differentiate("mazur")).explanations
    assert [each.name for each in found.held] == ["E@1", "E@10000", "out_o1@10000", "out_o2@10000"]
    assert [each.name for each in found.lost] == ["w1+", "w2+", "w3+", "w4+"]


# ---- the command and the page --------------------------------------------------------------


def verify(*arguments: str, text: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["verify", *arguments], input=text)
    return result.exit_code, result.stdout, result.stderr


def test_the_article_was_computed_in_sequence() -> None:
    status, printed_json, _ = verify("mazur", "--published", "--json")
    found = json.loads(printed_json)
    assert (status, found["verdict"]) == (1, "wrong")
    assert [each["mistakes"] for each in found["diagnosis"]] == [
        [{"mistake": "update_order_sequential", "layer": "all"}]
    ]
    outside = [row["name"] for row in found["parameters"] if not row["within"]]
    assert outside == ["E@1", "E@10000", "out_o1@10000", "out_o2@10000"]
    assert len(found["parameters"]) == 31
    first = next(row for row in found["parameters"] if row["name"] == "w5+")
    assert (first["yours"], first["bound"], first["within"]) == ("0.35891648", "5e-9", True)


def problem_file(folder: Path, numbers: list[Published]) -> Path:
    text = "\n".join(f'[[published]]\nname = "{each.name}"\nvalue = "{each.value}"' for each in numbers)
    own = folder / "own.toml"
    head = (Path(derive.__file__).parent / "problems" / "mazur.toml").read_text("utf-8").partition("[[published]]")[0]
    own.write_text(f"{head}\n{text}\n", encoding="utf-8")
    return own


def test_numbers_that_all_hold_are_verified(tmp_path: Path) -> None:
    status, said, _ = verify(str(problem_file(tmp_path, printed(How(), START))), "--published")
    assert status == 0
    assert "Verified: all 4 printed numbers hold to the last digit." in said


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    status, said, error = verify(str(problem_file(tmp_path, [Published("w55", "0.1")])), "--published")
    assert (status, said) == (2, "")
    assert "published[0].name" in error
    assert 'did you mean "w5"?' in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xor", "--published"), "has no [[published]] numbers"),
        (("mazur", "numbers.json", "--published"), "numbers.json would not be read"),
        (("mazur", "--published", "--given", "4sf"), "their digits are their precision"),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments: tuple[str, ...], message: str) -> None:
    status, said, error = verify(*arguments)
    assert (status, said) == (2, "")
    assert message in error


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (printed(How(half=False), START), "if the error is the squared difference, without the ½"),
        (printed(How(biases="shared"), LATER), "if the biases are updated too"),
        ([*printed(How(), START), Published("net_h1", "0.3757")], "no convention that was tried"),
    ],
)
def test_the_page_says_by_which_convention_the_numbers_come_out(numbers: list[Published], words: str) -> None:
    section = published_part(pen_of(comparison(numbers).derivation))
    assert section is not None
    text = "".join(
        getattr(inline, "text", "") for block in walk(section.blocks) for inline in getattr(block, "inlines", ())
    )
    assert words in text
