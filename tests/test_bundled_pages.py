"""Every bundled problem's page in all four formats: written by the command, compiled by typst and by LaTeX."""

import io
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import cmarkgfm
import pytest

import derive
import render
from derive.problem import bundled
from render.document import Document, Equation, Figure, Section, Table
from render.formats import FORMATS, render_text, write
from render.typeset import pdf

PROBLEMS = bundled()


@cache
def worked(name: str) -> Document:
    return render.worked_example(derive.differentiate(name)).document


def blocks(part: Document | Section) -> list[object]:
    return [
        each for block in part.blocks for each in ([block, *blocks(block)] if isinstance(block, Section) else [block])
    ]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_every_format_holds_every_part_of_the_page(name: str, format: str) -> None:
    text = render_text(worked(name), format)
    assert "None" not in re.sub(r"[A-Za-z]+None|None[A-Za-z]+", "", text)
    for kind in (Equation, Figure, Table):
        for block in blocks(worked(name)):
            if isinstance(block, kind) and getattr(block, "identifier", "") and format in ("html", "latex"):
                assert block.identifier in text


@pytest.mark.parametrize("name", PROBLEMS)
def test_markdown_is_what_github_reads(name: str) -> None:
    text = render_text(worked(name), "markdown")
    made = cmarkgfm.github_flavored_markdown_to_html(text)
    assert text.count("```") % 2 == 0
    assert made.count("<table>") == sum(isinstance(block, Table) for block in blocks(worked(name)))


@pytest.mark.parametrize("name", PROBLEMS)
def test_typst_makes_a_pdf(name: str) -> None:
    pytest.importorskip("typst", reason="the PDF compiler is not installed")
    pypdf = pytest.importorskip("pypdf", reason="the PDF reader is not installed")
    reader = pypdf.PdfReader(io.BytesIO(pdf.compile_pdf(render_text(worked(name), "pdf"))))
    assert worked(name).title.split(":")[0] in " ".join(reader.pages[0].extract_text().split())
    assert len(reader.pages) < 60


# ---- LaTeX ---------------------------------------------------------------------------------

# latexmk's second pass finds what the first could not know; two at a time, as most machines have two cores.
COMMAND = ("latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "page.tex")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    if shutil.which("latexmk") is None:
        pytest.skip("latexmk is not installed")
    folders = {name: tmp_path_factory.mktemp(name) for name in PROBLEMS}
    for name, folder in folders.items():
        write(worked(name), "latex", folder / "page.tex")

    def compiled(folder: Path) -> tuple[int, str]:
        run = subprocess.run(COMMAND, cwd=folder, capture_output=True, timeout=300, check=False)
        return run.returncode, (folder / "page.log").read_text(encoding="latin-1")

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(folders, pool.map(compiled, folders.values()), strict=True))


@pytest.mark.parametrize("name", PROBLEMS)
def test_latex_compiles_and_fits_its_lines(logs: dict[str, tuple[int, str]], name: str) -> None:
    status, log = logs[name]
    assert status == 0, "\n".join(re.findall(r"^!.*(?:\n.*){4}", log, re.MULTILINE)) or log[-2000:]
    joined = log.replace("\n", "")
    assert [
        points for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", joined) if float(points) > 5
    ] == []
    assert "undefined" not in joined
    assert "multiply" not in joined
    assert "Missing character" not in joined
