"""`chainrule new`: a problem file to start from, commented, or made from a framework's module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from render.commands.common import bad, say


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make, such as mine.toml.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="SOURCE", help="torch:module.py:name or onnx:model.onnx: its layers and weights."
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="With --from: one input, or a list of them, as JSON or a file with it."),
    ] = None,
    targets: Annotated[str | None, typer.Option(metavar="JSON", help="With --from: the targets, as --inputs.")] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="N,…", help="With --from: the shape of one input, where inputs stay symbols."),
    ] = None,
    loss: Annotated[str | None, typer.Option(metavar="NAME", help="With --from: see `chainrule list losses`.")] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="With --from: the problem's title.")] = None,
) -> None:
    """Make a problem file to start from: a commented one, or one with the layers and weights of a network."""
    options = {"--inputs": inputs, "--targets": targets, "--shape": shape, "--loss": loss, "--title": title}
    if source is None:
        for option, given in options.items():
            if given is not None:
                bad(option, "has no effect without --from, which names the network")
        from derive.problem import template

        _write(file, template())
        return
    if file.suffix.lower() == ".json":
        bad(str(file), "a TOML file is made; let its name end in .toml")
    if shape is not None and inputs is not None:
        bad("--shape", "has no effect beside --inputs, which have a shape already")
    if file.exists():
        _exists(file)
    from derive.frameworks.problems import Asked, problem_text

    asked = Asked(inputs or "", targets or "", _shape(shape), loss or "", title or "")
    made = problem_text(source, asked)
    _write(file, made.text)
    for note in made.notes:
        say(note)


def _shape(text: str | None) -> tuple[int, ...]:
    """1,6,6 as numbers."""
    parts = [] if text is None else [part.strip() for part in text.replace("×", ",").split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 10**6 for part in parts):
        bad("--shape", f"found {text}; whole numbers from 1 on are expected, such as 1,6,6")
    return tuple(int(part) for part in parts)


def _exists(file: Path) -> None:
    bad(str(file), "exists already; it is left as it is")


def _write(file: Path, text: str) -> None:
    """A new file; one that is there already stays."""
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        _exists(file)
    except OSError as error:
        bad(str(file), f"cannot be written: {error.strerror or error}")
    print(file)
    say(f"next: chainrule render {file}")
