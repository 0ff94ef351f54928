"""The command line: the one place that talks. What a command needs is imported when it runs, never for ``--help``."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from render.commands import export, handout, information, new, numbers, page, verify
from render.commands.common import say

BAD_INPUT, NOT_INSTALLED, PIPE_CLOSED = 2, 3, 141  # exit statuses


class Commands(TyperGroup):
    """The commands, whose errors end as lines on standard error and an exit status."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run one command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:  # `chainrule list | head -1` is no error; nothing may be flushed any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None
        except Exception as error:
            _end(error)


def _end(error: Exception) -> NoReturn:
    """Say what the user did or lacks and exit; anything else is a defect of ours, and stays as it is."""
    from derive.errors import ChainruleError, MissingDependency

    if not isinstance(error, ChainruleError):
        raise error
    say(*str(error).splitlines())
    raise typer.Exit(NOT_INSTALLED if isinstance(error, MissingDependency) else BAD_INPUT)


app = typer.Typer(
    cls=Commands,
    help="Backpropagation, worked out on paper: every gradient derived, every digit computed.",
    epilog="Start with: chainrule render mazur",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from derive import __version__

        print(f"chainrule {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Nothing is common to the commands but the version."""


app.command("render")(page.render)
app.command("gradients")(numbers.gradients)
app.command("train")(numbers.train)
app.command("verify")(verify.verify)
app.command("handout")(handout.handout)
app.command("export")(export.export)
app.command("list")(information.list_names)
app.command("new")(new.new)
app.command("schema")(information.schema)


def main() -> None:
    """The command `chainrule`."""
    gc.disable()  # a short life: a fifth less time to start, and nothing piles up
    try:
        app(prog_name="chainrule")
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else int(end.code is not None))


def _leave(status: int) -> NoReturn:
    """End the process at once: to take SymPy down object by object costs an eighth of a second, for nothing."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = PIPE_CLOSED
    os._exit(status)


if __name__ == "__main__":
    main()
