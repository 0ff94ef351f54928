"""The tables of a problem file whose layers are of any type; what stands in them is read by `problem_network`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from derive.files.tables import LayeredFile, Table


class NetworkExampleTable(Table):
    """One training example of a network with sequences, images or tokens."""

    inputs: Any = Field(description="nested lists of numbers; n, or { shape = [3, 2] }, stands for symbols")
    targets: Any = Field(description="as nested as what comes out of the last layer; or the class of each of its rows")


@dataclass(frozen=True)
class AnyLayer:
    """A layer's table of any type, read by `problem_layers`, which also knows its schema."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": import_module("derive.files.layers").layer_schemas()}


class NetworkFile(LayeredFile):
    """A chainrule problem file: examples, layers of any type and a loss."""

    examples: list[NetworkExampleTable] = Field(min_length=1)
    layers: list[Annotated[dict[str, Any], AnyLayer()]] = Field(min_length=1)
