"""The tables and keys of a problem file: what pydantic validates, and what the JSON schema is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from derive.errors import nearest, shown, unknown
from derive.problem_checks import MAX_PARAMETERS
from derive.problem_numbers import exact

MAX_STEPS = 10**7

# ---- the values of keys --------------------------------------------------------------------


@dataclass(frozen=True)
class OneOf:
    """A text that must be one of the names that ``names`` gives, asked for only when it is needed."""

    names: Callable[[], Iterable[str]]

    def check(self, name: str) -> str:
        """``name``, if it is known; else ValueError with the nearest."""
        if name not in self.names():
            raise ValueError(unknown(name, self.names()))
        return name

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "enum": list(self.names())}


def _table(module: str, name: str) -> OneOf:
    """The names of a table elsewhere, imported when first asked for: SymPy is not needed to read a file."""
    return OneOf(lambda: getattr(import_module(module), name))


def _words(*words: str) -> OneOf:
    return OneOf(lambda: words)


def _line(text: str) -> str:
    """Text for a title: white space becomes single blanks, what no document can hold is refused."""
    line = " ".join(text.split())
    wrong = next((each for each in line if not each.isprintable() and not each.isspace()), "")
    if wrong:
        raise ValueError(f"found the unprintable character U+{ord(wrong):04X}")
    return line


def _decimal(text: str) -> str:
    exact(text)
    return text.strip()


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"found {shown(value)}; a list of numbers is expected, or one whole number")
    if not 0 <= value <= MAX_PARAMETERS:
        raise ValueError(f"found {shown(value)}; a whole number from 0 to {MAX_PARAMETERS} is expected")
    return value


def _bias(value: object) -> Fraction | str:
    words = ("shared", "per_unit")
    if isinstance(value, str) and value in words:
        return value
    try:
        return exact(value)
    except ValueError as error:
        hint = f'{error}, or a list of numbers, "shared" or "per_unit"'
        raise ValueError("; ".join(filter(None, (hint, nearest(str(value), words))))) from None


def _kind(value: object) -> str:
    return "list" if isinstance(value, list) else "one"


_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "description": "a decimal"}]}
_BIAS_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "description": '"shared", "per_unit" or a decimal'}]}

Number = Annotated[Fraction, PlainValidator(exact), WithJsonSchema(_NUMBER_SCHEMA)]
Numbers = Annotated[list[Number], Tag("list")]
Size = Annotated[int, PlainValidator(_size), WithJsonSchema({"type": "integer", "minimum": 0}), Tag("one")]
NumbersOrSize = Annotated[Numbers | Size, Discriminator(_kind)]
OneBias = Annotated[Fraction | str, PlainValidator(_bias), WithJsonSchema(_BIAS_SCHEMA), Tag("one")]
Bias = Annotated[Numbers | OneBias, Discriminator(_kind)]
Line = Annotated[str, AfterValidator(_line)]

# ---- the tables ----------------------------------------------------------------------------


class Table(BaseModel):
    """Base of the tables: nothing is converted, nothing unknown is let through."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class ExampleTable(Table):
    """One training example."""

    inputs: NumbersOrSize = Field(description="the inputs; a whole number n stands for n symbols")
    targets: NumbersOrSize = Field(
        description="the targets, one per output; n stands for n symbols, or for the class n (counted from 0) where "
        "the inputs are numbers and the loss is categorical_cross_entropy"
    )


class LayerTable(Table):
    """One layer, in order from the inputs."""

    type: Annotated[str, _table("derive.layers", "LAYERS")] = "dense"
    activation: Annotated[str, _table("derive.functions", "ACTIVATIONS")] = "identity"
    slope: Number | None = Field(None, description="of leaky_relu, for negative net inputs")
    weights: list[list[Number]] | None = Field(None, description="a row per unit, a column per incoming value")
    units: int | None = Field(None, ge=1, description="how many units, where weights are not given")
    bias: Bias | None = Field(
        None,
        description="a number: one bias that the layer shares; a list: one per unit; "
        '"shared" or "per_unit": drawn by [initial], or symbols; absent: no bias',
    )


class InitialTable(Table):
    """Draws the weights (and "shared" and "per_unit" biases) that are not given."""

    seed: int = Field(ge=0)
    low: Number = Field(Fraction(-1), json_schema_extra={"default": -1})
    high: Number = Field(Fraction(1), json_schema_extra={"default": 1})
    decimals: int = Field(2, ge=0, le=100, description="numbers drawn are multiples of 10^-decimals")


class LossTable(Table):
    """The loss, and how the errors of several examples are put together."""

    name: Annotated[str, _table("derive.functions", "LOSSES")]
    over_examples: Annotated[str, _words("sum", "mean")] = "sum"
    delta: Number | None = Field(None, description="of huber: where the square turns into a straight line; absent: 1")


class UpdateTable(Table):
    """How the parameters are updated."""

    rule: Annotated[str, _table("derive.optimizers", "OPTIMIZERS")] = "gradient_descent"
    learning_rate: Number
    biases: Annotated[str, _words("updated", "fixed")] = "updated"
    fixed: list[str] = Field([], description="arrays that keep their values, such as W1")
    order: Annotated[str, _words("simultaneous", "sequential")] = "simultaneous"
    steps: int = Field(1, ge=0, le=MAX_STEPS)


class PublishedTable(Table):
    """A number that somebody printed, to be compared."""

    name: Line
    value: Annotated[str, AfterValidator(_decimal)] = Field(
        description="a decimal in quotes: its digits are its precision"
    )
    where: Line = ""


class ProblemFile(Table):
    """A chainrule problem file."""

    model_config = ConfigDict(title="chainrule problem")

    title: Line = ""
    notation: Annotated[str, _table("derive.notation", "NOTATIONS")] = "mazur"
    examples: list[ExampleTable] = Field(min_length=1)
    layers: list[LayerTable] = Field(min_length=1)
    loss: LossTable
    update: UpdateTable | None = None
    initial: InitialTable | None = None
    published: list[PublishedTable] = []
    parameters: list[str] | None = Field(
        None, min_length=1, description="arrays to differentiate by; absent: weights and biases"
    )


TABLES: dict[str, type[Table]] = {
    "examples": ExampleTable,
    "layers": LayerTable,
    "initial": InitialTable,
    "loss": LossTable,
    "update": UpdateTable,
    "published": PublishedTable,
}

# Keys that are planned, and that this version must not pretend to understand.
NOT_YET: dict[str, tuple[str, ...]] = {
    "": ("equations", "error", "values", "shapes", "penalty", "outputs"),
    "update": ("momentum", "dampening", "beta1", "beta2", "rho", "epsilon", "weight_decay"),
}
