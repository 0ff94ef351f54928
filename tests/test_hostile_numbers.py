"""Numbers and code that nobody should hand over: each gets one clear line or a verdict, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import derive
from render.cli import app


def verified(file: Path, text: str) -> Result:
    file.write_text(text, encoding="utf-8", newline="")
    return CliRunner().invoke(app, ["verify", "mazur", str(file)])


REFUSED = {
    "decimal commas": (
        "w1;0,0004386\nw2;0,0008771\n",
        'line 1: found "0,0004386"; expected a decimal number, with a point',
    ),
    "a percentage in the first line": ("w1,0.04%\n", 'line 1: found "0.04%"; expected a decimal number'),
    "thousands in the first line": ('w1,"1,000.5"\n', 'line 1: found "1,000.5"; expected a decimal number'),
    "an index without its comma": ("W1[0 0],1\n", 'W1[0 0]: no quantity of that name: found "W1[0 0]"'),
    "an endless field": (f"w1,{'1' * 200_000}\n", "line 1: not CSV: field larger than field limit"),
    "a header alone": ("name,value\n", "is empty; expected lines such as w1,0.000439"),
    "a name for the terminal": ('{"\\u001b[31mw": 1}', "\\u001b[31mw: no quantity of that name"),
    "an endless name": (f'{{"{"w" * 5000}": 1}}', f"{'w' * 60}…: no quantity of that name"),
    "nesting without end": (f'{{"W1": {"[" * 100_000}{"]" * 100_000}}}', "is nested too deeply to be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    text, said = REFUSED[name]
    result = verified(tmp_path / "numbers", text)
    assert result.exit_code == 2, result.exception
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 1000


READ = {
    "a mark of the byte order": "\ufeffw5,0.08217\n",
    "semicolons": "w5;0.08217\nw6;0.08267\n",
    "a header with units": "weight,gradient (4 digits)\nw5,0.08217\n",
    "quoted names": '"W2[0, 0]","0.08217"\n"W2[0,1]",0.08267\n',
    "empty lines and columns": "\n\nw5,0.08217\n,,\n\nw6,0.08267,\n",
    "the minus sign of a page": "w7,−0.02260\n",
    "old line ends": "w5,0.08217\rw6,0.08267\r",
}


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read(name: str, tmp_path: Path) -> None:
    result = verified(tmp_path / "numbers", READ[name])
    assert result.exit_code == 0, result.output


CODE = {
    "a generator": ("yield 1", "returned for the result what is no number"),
    "objects": ("return {'W1': [[object(), object()], [1, 2]]}", "returned for W1 what is no number"),
    "a number beyond all floats": ("return {'W1': [[10**400, 1], [1, 1]]}", "a number beyond what float64 holds"),
    "an exception that cannot speak": ("raise Mute", "in f: Mute"),
}


@pytest.mark.parametrize("name", CODE)
def test_code_that_returns_nonsense_is_wrong_and_told_why(name: str, tmp_path: Path) -> None:
    body, said = CODE[name]
    mute = "class Mute(Exception):\n    def __str__(self):\n        raise RuntimeError\n\n\n"
    (tmp_path / "code.py").write_text(f"{mute}def f(W1, b1, W2, b2):\n    {body}\n", "utf-8")
    result = CliRunner().invoke(app, ["verify", "mazur", f"{tmp_path / 'code.py'}:f", "--points", "1"])
    assert result.exit_code == 1, result.exception
    assert said in result.stdout


def test_in_python_an_exception_that_cannot_speak_is_named() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def f(W1: object, b1: object, W2: object, b2: object) -> object:
        raise MuteError

    assert "raised MuteError" in str(derive.verify("mazur", f))


def test_one_number_alone_is_the_number() -> None:
    assert str(derive.verify("mazur", {"w5": "0.1234"})).startswith("Wrong: the number lies outside")
