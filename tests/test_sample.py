"""The sample in ``output/`` is what today's code writes: `chainrule render mazur --to html,latex,markdown`."""

from pathlib import Path

import pytest

import derive
import render

SAMPLE = Path(__file__).parent.parent / "output"
FILES = ("mazur.html", "mazur.tex", "mazur.md")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    page = render.worked_example(derive.differentiate("mazur"))
    for name in FILES:
        page.write(folder / name)
    return folder


def _below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".html", ".tex", ".md", ".svg")
    }


def test_the_sample_has_just_the_files_that_are_written(fresh):
    assert sorted(_below(SAMPLE)) == sorted(_below(fresh))


def test_no_file_of_the_sample_is_stale(fresh):
    stale = [name for name, content in _below(fresh).items() if _below(SAMPLE).get(name) != content]
    assert not stale, f"run: chainrule render mazur --to html,latex,markdown --out output ({', '.join(stale)})"


def test_every_number_of_the_article_stands_in_every_text_of_the_sample():
    printed = [p.value for p in derive.load("mazur").published]
    for name in FILES:
        text = (SAMPLE / name).read_text(encoding="utf-8")
        assert not [value for value in printed if value not in text], name


def test_the_page_is_small_enough_to_send():
    assert (SAMPLE / "mazur.html").stat().st_size < 250 * 1024
