"""Templates of one's own, from the command line: one block replaced in every format, and faults that are told."""

import subprocess
import sys
from pathlib import Path

import pytest

MINE = {
    "html": ("equation.j2", '<div class="mine" id="{{ anchor }}">{{ math }}</div>\n', 'class="mine" id="eq-'),
    "latex": ("paragraph.j2", "\\par\\emph{<< text >>}\n", r"\par\emph{"),
}
FILES = {"html": "mazur.html", "latex": "mazur.tex"}


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "render.cli", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def put(folder: Path, name: str, source: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source, encoding="utf-8")


@pytest.mark.parametrize("layout", ["in a folder of the format", "in the folder itself"])
@pytest.mark.parametrize("kind", MINE)
def test_one_block_is_replaced_and_the_others_stay(tmp_path: Path, kind: str, layout: str):
    name, source, trace = MINE[kind]
    put(tmp_path / "own" / (kind if layout.endswith("format") else ""), name, source)
    done = command(
        "render", "mazur", "--to", kind, "--templates", str(tmp_path / "own"), "--out", str(tmp_path / "with")
    )
    assert done.returncode == 0, done.stderr
    command("render", "mazur", "--to", kind, "--out", str(tmp_path / "without"))
    made = (tmp_path / "with" / FILES[kind]).read_text(encoding="utf-8")
    plain = (tmp_path / "without" / FILES[kind]).read_text(encoding="utf-8")
    assert trace in made
    assert trace not in plain
    for kept in ("0.298371109", "The backward pass"):
        assert made.count(kept) == plain.count(kept) > 0


def test_both_formats_at_once(tmp_path: Path):
    for kind, (name, source, _) in MINE.items():
        put(tmp_path / "own" / kind, name, source)
    done = command(
        "render", "mazur", "--to", "html,latex", "--templates", str(tmp_path / "own"), "--out", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    for kind, (_, _, trace) in MINE.items():
        assert trace in (tmp_path / FILES[kind]).read_text(encoding="utf-8")


FAULTS = [
    ("html/equation.j2", "{{ formula }}", "equation.j2, line 1: 'formula' is undefined"),
    ("html/equation.j2", "<div>\n{% if %}</div>", "equation.j2, line 2: "),
    ("html/equation.j2", "{% include 'missing.j2' %}", 'no template "missing.j2"'),
    ("html/equatoin.j2", "{{ math }}", 'did you mean "equation.j2"'),
    ("html/inline.j2", "{% macro text(text) %}{% endmacro %}", 'no macro "emphasis"'),
    ("latex/section.j2", "\\section{<< heading >>}", "section.j2, line 1: 'heading' is undefined"),
]


@pytest.mark.parametrize(("file", "source", "message"), FAULTS)
def test_a_fault_is_told_and_nothing_is_written(tmp_path: Path, file: str, source: str, message: str):
    put((tmp_path / "own" / file).parent, Path(file).name, source)
    kind = file.partition("/")[0]
    done = command(
        "render", "mazur", "--to", kind, "--templates", str(tmp_path / "own"), "--out", str(tmp_path / "out")
    )
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path):
    done = command("render", "mazur", "--to", "html", "--templates", str(tmp_path / "no"), "--out", str(tmp_path))
    assert done.returncode == 2
    assert "--templates" in done.stderr
