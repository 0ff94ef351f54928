"""`chainrule list` and `schema`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from render.commands.common import check_name

# Where the names of each kind stand, each with a one-line summary.
KINDS = {
    "activations": ("derive.functions", "ACTIVATIONS"),
    "losses": ("derive.functions", "LOSSES"),
    "layers": ("derive.layers", "LAYERS"),
    "optimizers": ("derive.optimizers", "OPTIMIZERS"),
    "notations": ("derive.notations", "NOTATIONS"),
    "formats": ("render.formats", "FORMATS"),
    "exercises": ("render.exercises.kinds", "KINDS"),
    "exports": ("render.exports", "EXPORTS"),
    "themes": ("render.theme_file", "THEMES"),
}


def list_names(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help=f"problems, {', '.join(KINDS)}.")] = None,
) -> None:
    """List the names that are known: bundled problems, activations, losses, …."""
    from render.commands.results import print_table

    kinds = ("problems", *KINDS)
    if kind is not None:
        check_name("list", kind, kinds)
    for each in kinds if kind is None else (kind,):
        print_table((each if kind is None else "", ""), _summaries(each), numeric=False)
        if kind is None and each != kinds[-1]:
            print()


def _summaries(kind: str) -> list[tuple[str, str]]:
    if kind == "problems":
        from derive.problem import bundled, summary

        return [(name, summary(name)) for name in bundled()]
    from importlib import import_module

    module, table = KINDS[kind]
    return [(name, row.summary) for name, row in getattr(import_module(module), table).items()]


def schema() -> None:
    """Print the JSON schema of problem files."""
    import json

    from derive.problem import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
