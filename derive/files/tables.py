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
from derive.files.checks import MAX_PARAMETERS
from derive.files.exercises import SCHEMA as EXERCISES_SCHEMA
from derive.files.numbers import exact
from derive.files.vary import SCHEMA as VARY_SCHEMA

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


@dataclass(frozen=True)
class OneOfOrFile(OneOf):
    """One of the names, or the name of a TOML file."""

    def check(self, name: str) -> str:
        """``name``, if it is known or a file's; else ValueError with the nearest."""
        return name if name.lower().endswith(".toml") else super().check(name)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "anyOf": [{"enum": list(self.names())}, {"pattern": r"\.toml$"}]}


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


def _not_negative(value: object) -> Fraction:
    number = exact(value)
    if number < 0:
        raise ValueError(f"found {shown(value)}; at least 0 is expected")
    return number


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


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"found {shown(value)}; true or false is expected")
    return value


def _kind(value: object) -> str:
    return "list" if isinstance(value, list) else "one"


_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "description": "a decimal"}]}
_BIAS_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "description": '"shared", "per_unit" or a decimal'}]}

Number = Annotated[Fraction, PlainValidator(exact), WithJsonSchema(_NUMBER_SCHEMA)]
Weight = Annotated[Fraction, PlainValidator(_not_negative), WithJsonSchema(_NUMBER_SCHEMA)]
Numbers = Annotated[list[Number], Tag("list")]
Size = Annotated[int, PlainValidator(_size), WithJsonSchema({"type": "integer", "minimum": 0}), Tag("one")]
NumbersOrSize = Annotated[Numbers | Size, Discriminator(_kind)]
OneBias = Annotated[Fraction | str, PlainValidator(_bias), WithJsonSchema(_BIAS_SCHEMA), Tag("one")]
Bias = Annotated[Numbers | OneBias, Discriminator(_kind)]
Line = Annotated[str, AfterValidator(_line)]
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]

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
    slope: Number | None = Field(None, description="of leaky_relu, for negative net inputs; absent: 0.01")
    alpha: Number | None = Field(None, description="of elu, which goes to -alpha for negative net inputs; absent: 1")
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

    rule: Annotated[str, _table("derive.update_rules", "OPTIMIZERS")] = "gradient_descent"
    learning_rate: Number | None = Field(None, description="absent: 0.001 for adam and adamw, else it is needed")
    biases: Annotated[str, _words("updated", "fixed")] = "updated"
    fixed: list[str] = Field([], description="arrays that keep their values, such as W1")
    order: Annotated[str, _words("simultaneous", "sequential")] = "simultaneous"
    steps: int = Field(1, ge=0, le=MAX_STEPS)
    momentum: Number | None = Field(None, description="momentum: absent 0.9; rmsprop: absent 0")
    dampening: Number | None = Field(None, description="momentum: 1 - dampening of each gradient is taken; absent 0")
    beta1: Number | None = Field(None, description="adam, adamw: of the mean of the gradients; absent 0.9")
    beta2: Number | None = Field(None, description="adam, adamw: of the mean of their squares; absent 0.999")
    rho: Number | None = Field(None, description="rmsprop: of the mean of the squares (PyTorch's alpha); absent 0.9")
    epsilon: Number | None = Field(None, description="keeps a root from 0: absent 1e-8, of adagrad 1e-10")
    weight_decay: Number | None = Field(None, description="absent 0, of adamw 0.01")
    nesterov: Flag | None = Field(None, description="momentum: the step looks ahead by the velocity; absent false")
    velocity: Annotated[str, _words("gradient", "step")] | None = Field(
        None,
        description="momentum: the velocity gathers gradients, w - learning_rate * v (absent; PyTorch), or steps, "
        "v = momentum * v - learning_rate * g and w + v",
    )
    first_step: Annotated[str, _words("gradient", "dampened")] | None = Field(
        None, description="momentum: is the first gradient taken whole (absent; PyTorch) or dampened as the others"
    )
    bias_correction: Flag | None = Field(None, description="adam, adamw: means corrected for their start; absent true")
    epsilon_inside: Flag | None = Field(None, description="sqrt(v + epsilon), not sqrt(v) + epsilon; absent false")
    centered: Flag | None = Field(
        None, description="rmsprop: the square of the mean gradient is taken off; absent false"
    )
    decay: Annotated[str, _words("coupled", "decoupled")] | None = Field(
        None,
        description="is the weight decay added to the gradient (absent), or taken off the weight itself, which is "
        "what adamw does",
    )


class PublishedTable(Table):
    """A number that somebody printed, to be compared."""

    name: Line
    value: Annotated[str, AfterValidator(_decimal)] = Field(
        description="a decimal in quotes: its digits are its precision"
    )
    where: Line = ""


class PenaltyTable(Table):
    """What large weights cost, added to the error; biases, and gamma and beta of normalisations, are left out."""

    l1: Weight = Field(Fraction(0), description="adds l1 times the sum of |w|", json_schema_extra={"default": 0})
    l2: Weight = Field(Fraction(0), description="adds l2/2 times the sum of w²", json_schema_extra={"default": 0})


class EitherFile(Table):
    """The keys that both forms of a problem file have."""

    title: Line = ""
    notation: Annotated[str, OneOfOrFile(lambda: import_module("derive.notations").NOTATIONS)] = "mazur"
    vary: Annotated[dict[str, Any], WithJsonSchema(VARY_SCHEMA)] | None = None
    exercises: Annotated[dict[str, Any], WithJsonSchema(EXERCISES_SCHEMA)] | None = None


class LayeredFile(EitherFile):
    """The keys that every file has that states its network in layers."""

    examples: list[Any] = Field(min_length=1)
    layers: list[Any] = Field(min_length=1)
    loss: LossTable
    update: UpdateTable | None = None
    initial: InitialTable | None = None
    penalty: PenaltyTable | None = None
    published: list[PublishedTable] = []
    parameters: list[str] | None = Field(
        None, min_length=1, description="arrays to differentiate by; absent: weights and biases"
    )


class ProblemFile(LayeredFile):
    """A chainrule problem file: examples, dense layers and a loss."""

    examples: list[ExampleTable] = Field(min_length=1)
    layers: list[LayerTable] = Field(min_length=1)


class EquationsFile(EitherFile):
    """A chainrule problem file that states its network in equations."""

    equations: str = Field(description="one a line, name = expression")
    error: str = Field("E", description="the name of what is differentiated: a number, or an array with a seed")
    seed: Any = Field(None, description="∂E/∂(error) where the error is an array: E is the sum of seed times error")
    parameters: list[str] | None = Field(
        None,
        min_length=1,
        description="arrays to differentiate by, given or computed; absent: every given one that the error depends on",
    )
    outputs: str = Field("", description="the array that training prints as outputs")
    values: dict[str, Any] = Field({}, description="arrays with their numbers, as nested lists")
    shapes: dict[str, Any] = Field({}, description="arrays without numbers, which stay symbols: their lengths")
    update: UpdateTable | None = None
    penalty: PenaltyTable | None = None
    published: list[PublishedTable] = []


TABLES: dict[str, type[Table]] = {
    "examples": ExampleTable,
    "layers": LayerTable,
    "initial": InitialTable,
    "loss": LossTable,
    "update": UpdateTable,
    "published": PublishedTable,
    "penalty": PenaltyTable,
}

# Keys that are planned, and that this version must not pretend to understand.
NOT_YET: dict[str, tuple[str, ...]] = {}
