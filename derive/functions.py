"""The functions that networks are made of: activations and losses, one row each.

A row states what a function *is*; SymPy differentiates it. ``output_form`` is the derivative as
textbooks write it, in the function's own output a; it is proved equal to SymPy's derivative when
the row is first used. Everything else (code, digits, words) follows from the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import sympy
from sympy import Abs, Add, Expr, Max, Piecewise, Pow, Rational, Symbol, erf, erfc, exp, log, sqrt, tanh

z = Symbol("z", real=True)
a = Symbol("a", real=True)
slope = Symbol("slope", real=True)
alpha = Symbol("alpha", real=True)
scale = Symbol("lambda", real=True)
t = Symbol("t", real=True)
delta = Symbol("delta", real=True)


@dataclass(frozen=True)
class Activation:
    """An activation function: its formula in z, and how its derivative is written.

    ``formula``      the definition, in z (and ``constant``), exact; None for one over an axis
    ``output_form``  the derivative in terms of the output a (and z), or None to keep SymPy's own
    ``float_form``   the same function written so that float64 neither overflows nor cancels
    ``logarithms``   ln f(z) and ln(1 − f(z)) rewritten, where that avoids a logarithm of zero
    ``over_axis``    softmax over the units of a layer; with ``logarithm`` its natural logarithm
    ``sign``         how the function is called in a formula ("sigma" prints σ)
    ``on_paper``     the formula as it is differentiated by hand, where it has letters for constants there
    """

    name: str
    summary: str
    formula: Expr | None
    sign: str
    output_form: Expr | None = None
    float_form: Expr | None = None
    logarithms: Callable[[Expr], tuple[Expr, Expr]] | None = None
    over_axis: bool = False
    logarithm: bool = False
    constant: Symbol | None = None
    default: Rational | None = None
    kink: bool = False
    on_paper: Expr | None = None


class Elementwise(sympy.Function):  # type: ignore[misc] # SymPy is not typed
    """A named function in a formula: it stays a name until `expand` writes its definition."""

    row: Activation

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative by the first argument, in the function's output where the row says so."""
        return derivative(self.row).xreplace({z: self.args[0], a: self, **constant_of(self)})


def constant_of(call: Elementwise) -> dict[Expr, Expr]:
    """The constant (slope, alpha) that a call was given, as a substitution for the row's formula."""
    return {call.row.constant: call.args[1]} if len(call.args) > 1 else {}


@cache
def derivative(row: Activation) -> Expr:
    """f′ in z and a: SymPy's derivative of the formula, or the stated form once it is proved equal.

    Raises ArithmeticError where the stated form is not the derivative.
    """
    found = sympy.diff(row.formula, z)
    if row.output_form is None:
        return found
    if not _identical(found, expand(row.output_form.xreplace({a: row.formula}))):
        raise ArithmeticError(f"{row.name}: the output form {row.output_form} is not the derivative {found}")
    return row.output_form


def _identical(left: Expr, right: Expr) -> bool:
    """Are two expressions, rational in eᶻ, the same? Decided exactly."""
    y = Symbol("y", positive=True)
    difference = (left - right).rewrite(exp).expand(power_exp=True)
    return bool(
        sympy.cancel(
            sympy.together(difference.xreplace({exp(z): y, exp(-z): 1 / y, exp(2 * z): y**2, exp(-2 * z): y**-2}))
        )
        == 0
    )


@cache
def function(row: Activation) -> type[Elementwise]:
    """The SymPy function of a row."""
    return type(row.name, (Elementwise,), {"row": row, "__module__": __name__})


def call(row: Activation, argument: Expr, *, constant: Expr | None = None) -> Expr:
    """``row`` applied to an argument, as a name: logistic(z), tanh(z), leaky_relu(z, 1/100)."""
    if row.formula == z:
        return argument
    extra = () if row.constant is None else (row.default if constant is None else constant,)
    return function(row)(argument, *extra)


def expand(expression: Expr, *, in_floats: bool = False) -> Expr:
    """Write every named function of an expression out by its definition, or by the form that floats want."""
    while expression.has(Elementwise):
        expression = expression.replace(
            lambda part: isinstance(part, Elementwise),
            lambda part: written(part.row, in_floats).xreplace({z: part.args[0], **constant_of(part)}),
        )
    return expression


def written(row: Activation, in_floats: bool) -> Expr:
    """The formula of a row in z; ``in_floats`` the one in which float64 neither overflows nor cancels."""
    return row.float_form if in_floats and row.float_form is not None else row.formula


# Klambauer et al., Self-Normalizing Neural Networks (2017), to more digits than float64 holds
SELU_ALPHA = Rational("1.6732632423543772848170429916717")
SELU_SCALE = Rational("1.0507009873554804934193349852946")

LOGISTIC = Activation(
    "logistic",
    "1 / (1 + e⁻ᶻ), the S-shaped squashing to (0, 1), also called sigmoid",
    formula=1 / (1 + exp(-z)),
    sign="sigma",
    output_form=a * (1 - a),
    float_form=Piecewise((1, z >= 0), (exp(-Abs(z)), True)) / (1 + exp(-Abs(z))),
    logarithms=lambda z: _logarithms_of_logistic(z),
)

SOFTPLUS = Activation(
    "softplus",
    "ln(1 + eᶻ), a smooth relu, whose derivative is the logistic function",
    formula=log(1 + exp(z)),
    sign="softplus",
    output_form=function(LOGISTIC)(z),
    float_form=Max(z, 0) + log(1 + exp(-Abs(z))),
)


def _as_written(*factors: Expr) -> Expr:
    """A product in this order."""
    return sympy.Mul(*factors, evaluate=False)


def _logarithms_of_logistic(argument: Expr) -> tuple[Expr, Expr]:
    return -call(SOFTPLUS, -argument), -call(SOFTPLUS, argument)


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        LOGISTIC,
        Activation("tanh", "the hyperbolic tangent, squashing to (−1, 1)", tanh(z), "tanh", output_form=1 - a**2),
        Activation(
            "relu", "max(0, z); its derivative at 0 is taken as 0", Piecewise((z, z > 0), (0, True)), "relu", kink=True
        ),
        Activation(
            "leaky_relu",
            "z for z > 0, else slope·z (slope 0.01 unless given)",
            Piecewise((z, z > 0), (slope * z, True)),
            "leaky_relu",
            constant=slope,
            default=Rational(1, 100),
            kink=True,
        ),
        Activation(
            "elu",
            "z for z > 0, else α (eᶻ − 1) (α 1 unless given)",
            Piecewise((z, z > 0), (alpha * (exp(z) - 1), True)),
            "elu",
            constant=alpha,
            default=Rational(1),
            kink=True,
        ),
        Activation(
            "selu",
            "λ times elu with the constants that keep mean 0 and variance 1",
            Piecewise((SELU_SCALE * z, z > 0), (SELU_SCALE * SELU_ALPHA * (exp(z) - 1), True)),
            "selu",
            kink=True,
            on_paper=Piecewise((scale * z, z > 0), (_as_written(scale, alpha, exp(z) - 1), True)),
        ),
        Activation(
            "gelu",
            "z times the normal distribution's share below z (the exact one, with erf)",
            z * (1 + erf(z / sqrt(2))) / 2,
            "gelu",
            float_form=z * Piecewise((2 - erfc(z / sqrt(2)), z >= 0), (erfc(Abs(z) / sqrt(2)), True)) / 2,
            on_paper=_as_written(Rational(1, 2), z, 1 + erf(_as_written(z, Pow(sqrt(2), -1, evaluate=False)))),
        ),
        Activation("silu", "z σ(z), also called swish", z * function(LOGISTIC)(z), "silu"),
        Activation(
            "hard_sigmoid",
            "(z + 3)/6, cut off at 0 and 1",
            Piecewise((0, z <= -3), (1, z >= 3), ((z + 3) / 6, True)),
            "hard_sigmoid",
            kink=True,
        ),
        Activation("identity", "z itself: a linear unit", z, "identity", output_form=sympy.Integer(1)),
        SOFTPLUS,
        Activation(
            "softmax", "eᶻ of each unit over the sum of all of them: probabilities", None, "softmax", over_axis=True
        ),
        Activation(
            "log_softmax",
            "z − ln Σ eᶻ over all units, the logarithms of softmax's probabilities, for the loss nll",
            None,
            "log_softmax",
            over_axis=True,
            logarithm=True,
        ),
    )
}


class StopGradient(sympy.Function):  # type: ignore[misc] # SymPy is not typed
    """The identity, whose derivative is taken as 0."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """0, by decree."""
        return sympy.S.Zero


class LargestOf(sympy.Function):  # type: ignore[misc] # SymPy is not typed
    """The largest of its arguments; its derivative is 1 by the first that is largest, 0 by the others."""

    @classmethod
    def eval(cls, *row: Expr) -> Expr | None:
        """Numbers are compared at once."""
        return max(row) if all(value.is_number for value in row) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """1 where this argument is the first largest."""
        return ChosenOf(argindex - 1, *self.args)


class ChosenOf(sympy.Function):  # type: ignore[misc] # SymPy is not typed
    """1 if the argument at a place (the first argument, from 0) is the first largest of the rest, else 0."""

    @classmethod
    def eval(cls, place: Expr, *row: Expr) -> Expr | None:
        """Numbers are compared at once."""
        if not all(value.is_number for value in row):
            return None
        return sympy.Integer(row.index(max(row)) == int(place))

    def fdiff(self, argindex: int = 1) -> Expr:
        """0: a choice does not change with a small step."""
        return sympy.S.Zero


@dataclass(frozen=True)
class Loss:
    """A loss: the error of one output in the equation language, with t the target and a the output.

    ``over_outputs``: how the outputs' errors make the error, "sum" or "mean"; ``stated`` is
    ∂e/∂a as textbooks write it (proved equal to SymPy's derivative when first used). ``delta`` is the
    textbook's value of the constant of that name, of losses that have it; ``stated`` takes it third.
    ``classes``: a target may be a class, counted from 0; ``kink``: the summary says which derivative
    is taken where there is none.
    """

    name: str
    summary: str
    element: str
    stated: Callable[..., Expr]
    over_outputs: str = "sum"
    targets_in_unit_interval: bool = False
    targets_are_signs: bool = False
    classes: bool = False
    delta: Rational | None = None
    kink: bool = False


def _negative_difference(t: Expr, a: Expr) -> Expr:
    return sympy.Mul(-1, Add(t, -a, evaluate=False), evaluate=False)


def _twice_negative_difference(t: Expr, a: Expr) -> Expr:
    return sympy.Mul(-2, Add(t, -a, evaluate=False), evaluate=False)


def _negative_sign(t: Expr, a: Expr) -> Expr:
    return Piecewise((-1, t - a > 0), (1, t - a < 0), (0, True))


def _clipped_difference(t: Expr, a: Expr, delta: Expr = sympy.S.One) -> Expr:
    return Piecewise((-delta, t - a > delta), (delta, a - t > delta), (_negative_difference(t, a), True))


LOSSES: dict[str, Loss] = {
    row.name: row
    for row in (
        Loss("half_squared_error", "Σ ½(t − a)² over the outputs", "1/2 * (t - a)**2", _negative_difference),
        Loss("squared_error", "Σ (t − a)² over the outputs", "(t - a)**2", _twice_negative_difference),
        Loss(
            "mean_squared_error",
            "the mean over the outputs of (t − a)²",
            "(t - a)**2",
            _twice_negative_difference,
            "mean",
        ),
        Loss(
            "binary_cross_entropy",
            "the mean over the outputs of −(t ln a + (1 − t) ln(1 − a))",
            "-(t * log(a) + (1 - t) * log(1 - a))",
            lambda t, a: -t / a + (1 - t) / (1 - a),
            "mean",
            targets_in_unit_interval=True,
        ),
        Loss(
            "categorical_cross_entropy",
            "−Σ t ln a over the outputs; a target may be a class, counted from 0",
            "-t * log(a)",
            lambda t, a: -t / a,
            classes=True,
        ),
        Loss(
            "absolute_error",
            "Σ |t − a| over the outputs; its derivative where a = t is taken as 0",
            "abs(t - a)",
            _negative_sign,
            kink=True,
        ),
        Loss(
            "huber",
            "½(t − a)² where |t − a| ≤ δ, else δ(|t − a| − ½δ), summed over the outputs (δ 1 unless given)",
            "where(t - a > delta, delta * (t - a - delta / 2), "
            "where(a - t > delta, delta * (a - t - delta / 2), 1/2 * (t - a)**2))",
            _clipped_difference,
            delta=Rational(1),
        ),
        Loss(
            "hinge",
            "Σ max(0, 1 − t a) over the outputs, for targets 1 and −1; its derivative where t a = 1 is taken as 0",
            "maximum(0, 1 - t * a)",
            lambda t, a: Piecewise((0, t * a >= 1), (-t, True)),
            targets_are_signs=True,
            kink=True,
        ),
        Loss(
            "kl_divergence",
            "Σ t ln(t / a) over the outputs, with 0 ln 0 = 0",
            # no logarithm of a target 0, in any branch: NumPy computes both
            "t * (log(where(t > 0, t, 1)) - log(a))",
            lambda t, a: -t / a,
            targets_in_unit_interval=True,
        ),
        Loss(
            "nll",
            "−Σ t a over the outputs, for outputs that are logarithms of probabilities (log_softmax); "
            "a target may be a class, counted from 0",
            "-t * a",
            lambda t, a: -t,
            classes=True,
        ),
    )
}
