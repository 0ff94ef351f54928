"""Recurrent layers: rnn, lstm, gru. One equation per time step, so that every quantity carries its step.

A sequence comes in as (examples, time, features). The state before the first step is zero, and then left out of
the first step's equations, unless h0 (and c0) are given: one value per unit, or a row of them per example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from derive.layers.frame import (
    BIAS,
    CONSTANTS,
    REQUIRED,
    UNITS,
    Key,
    LayerType,
    Parameter,
    Parameters,
    Scope,
    Settings,
    activation_key,
    axes_of,
    biases,
    matrix,
)
from derive.program import BACK, Shape

Cell = Callable[["Step"], list[str]]


class Step:
    """One time step of one direction: what the equations of a cell need to name."""

    def __init__(self, scope: Scope, time: int, before: int | None, back: str) -> None:
        self.scope, self.time, self.before, self.back = scope, time, before, back

    def at(self, stem: str) -> str:
        """The name of a quantity of this step: z_i becomes z1_i_t2."""
        return self.scope.name(stem + self.back, self.time)

    def previous(self, stem: str) -> str | None:
        """The name of a state of the step before, or None where it is zero."""
        if self.before is not None:
            return self.scope.name(stem + self.back, self.before)
        initial = f"{stem}0{self.back}"
        return self.scope.name(initial) if initial in self.scope.parameters else None

    def given(self, stem: str) -> str:
        """The name of a parameter."""
        return self.scope.name(stem + self.back)

    def bias(self, stem: str) -> str:
        """`` + b1_i``, or nothing."""
        return self.scope.bias(stem + self.back)

    @property
    def x(self) -> str:
        """The inputs of this step."""
        return f"{self.scope.incoming.name}[:, {self.time - 1}]"

    def net(self, gate: str) -> str:
        """W x + U h + b of a gate ("" for the rnn's only one)."""
        weight, recurrent, bias = (letter + gate for letter in ("W", "U", "b"))
        h = self.previous("h")
        before = "" if h is None else f" + {h} @ {self.given(recurrent)}.T"
        return f"{self.x} @ {self.given(weight)}.T{before}{self.bias(bias)}"


def _state_parameters(settings: Settings, examples: int, stems: tuple[str, ...]) -> Parameters:
    """The initial states that are given: one value per unit, or a row of them per example."""
    found: Parameters = {}
    units = settings["units"]
    for stem in stems:
        shape = settings.stated.get(stem)
        if shape is not None and len(shape) == 2:
            found[stem] = Parameter("state", (examples, units), ("examples", "units"))
        elif shape is not None or settings["initial_state"]:
            found[stem] = Parameter("state", (units,), ("units",))
    return found


def _recurrent(
    name: str,
    summary: str,
    gates: tuple[str, ...],
    states: tuple[str, ...],
    cell: Cell,
    own: Mapping[str, Key],
    meanings: Mapping[str, str],
    extra: Callable[[Settings], tuple[str, ...]] = lambda settings: (),
    extra_stems: tuple[str, ...] = (),
) -> LayerType:
    """A recurrent layer type from its gates, its states and the equations of one step."""

    def parameters(settings: Settings, incoming: Shape) -> Parameters:
        _, features = axes_of(incoming, ("time", "features"), name)
        units = settings["units"]
        found: Parameters = {}
        for back in ("", BACK) if settings["bidirectional"] else ("",):
            found |= {f"W{gate}{back}": matrix(units, features, of_columns="features") for gate in gates}
            found |= {f"U{gate}{back}": matrix(units, units, of_columns="values of the state") for gate in gates}
            stems = (*(f"b{gate}{back}" for gate in gates), *(stem + back for stem in extra(settings)))
            found |= biases(settings, units, *stems)
            found |= _state_parameters(settings, incoming[0], tuple(f"{state}0{back}" for state in states))
        return found

    def write(scope: Scope) -> str:
        times = list(range(1, scope.incoming.shape[1] + 1))
        lines, ahead = _direction(scope, times, "", cell)
        settings = scope.settings
        if not settings["bidirectional"]:
            sequence = f"stack([{', '.join(ahead.values())}], axis=1)"
            return "\n".join([*lines, *([f"{scope.name('a')} = {sequence}"] if settings["return_sequences"] else [])])
        more, back = _direction(scope, times[::-1], BACK, cell)
        last = f"concatenate([{ahead[times[-1]]}, {back[times[0]]}], axis=1)"
        both = ", ".join(f"concatenate([{ahead[time]}, {back[time]}], axis=1)" for time in times)
        out = f"stack([{both}], axis=1)" if settings["return_sequences"] else last
        return "\n".join([*lines, *more, f"{scope.name('a')} = {out}"])

    first = gates[0]
    keys = {
        "units": Key(UNITS.kind, REQUIRED, UNITS.summary, size_of=(f"W{first}", 0)),
        **own,
        "bias": BIAS,
        "return_sequences": Key("flag", False, "the state of every step comes out, not the last one alone"),
        "initial_state": Key("flag", False, "the state before the first step is there without being given (symbols)"),
        "bidirectional": Key(
            "flag", False, f"a second layer, its arrays named …{BACK}, reads from the end; both joined"
        ),
    }
    one_way = (
        *(f"{letter}{gate}" for letter in ("W", "U", "b") for gate in gates),
        *extra_stems,
        *(f"{state}0" for state in states),
    )
    aliases = {"weights": "W"} if gates == ("",) else {}
    stems = (*one_way, *(stem + BACK for stem in one_way))
    of_a_step = (*states, *(stem for gate in gates for stem in (f"z{gate}", gate.removeprefix("_"))))

    def axes(settings: Settings, incoming: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """One equation writes one step; only what comes out may have the steps as an axis."""
        out = ("example", "time", "unit") if settings["return_sequences"] else ("example", "unit")
        return {**dict.fromkeys(of_a_step, ("example", "unit")), "a": out}

    return LayerType(
        name, summary, keys, parameters, write, aliases, stems, meanings, ("time", "feature"), axes, like={}
    )


def _gated(gates: Mapping[str, str]) -> dict[str, str]:
    """What belongs to each gate: its weights, its biases, its net input, and itself."""
    found: dict[str, str] = {}
    for letter, what in gates.items():
        found |= {
            f"W_{letter}": f"weights from the inputs to the {what}",
            f"U_{letter}": f"weights from the state to the {what}",
            f"b_{letter}": f"biases of the {what}",
            f"z_{letter}": f"net input of the {what}",
            letter: what,
        }
    return found


def _direction(scope: Scope, times: list[int], back: str, cell: Cell) -> tuple[list[str], dict[int, str]]:
    """The equations of one direction, and the name of the state at each step."""
    lines: list[str] = []
    states: dict[int, str] = {}
    before: int | None = None
    for time in times:
        step = Step(scope, time, before, back)
        lines += cell(step)
        states[time] = step.at("h")
        before = time
    return lines, states


# ---- the cells -----------------------------------------------------------------------------


def _rnn(step: Step) -> list[str]:
    z = step.at("z")
    return [f"{z} = {step.net('')}", f"{step.at('h')} = {step.scope.squashed(z)}"]


def _gate(step: Step, letter: str, function: str) -> list[str]:
    z = step.at(f"z_{letter}")
    return [f"{z} = {step.net(f'_{letter}')}", f"{step.at(letter)} = {function}({z})"]


def _lstm(step: Step) -> list[str]:
    c, h, carried = step.at("c"), step.at("h"), step.previous("c")
    new = f"{step.at('i')} * {step.at('g')}"
    return [
        *_gate(step, "i", "logistic"),
        *([] if carried is None else _gate(step, "f", "logistic")),
        *_gate(step, "g", "tanh"),
        *_gate(step, "o", "logistic"),
        f"{c} = {new}" if carried is None else f"{c} = {step.at('f')} * {carried} + {new}",
        f"{h} = {step.at('o')} * tanh({c})",
    ]


def _gru(step: Step) -> list[str]:
    r, z, n, h = (step.at(letter) for letter in ("r", "z", "n", "h"))
    before, candidate = step.previous("h"), step.at("z_n")
    x = f"{step.x} @ {step.given('W_n')}.T{step.bias('b_n')}"
    inner = "" if before is None else f"{before} @ {step.given('U_n')}.T"
    if step.scope.settings["reset_after"]:
        inner = (inner + step.bias("b_hn")).removeprefix(" + ")
        state = f" + {r} * ({inner})" if inner else ""
    else:
        state = "" if before is None else f" + ({r} * {before}) @ {step.given('U_n')}.T"
    keep, renew = (z, f"(1 - {z})") if step.scope.settings["update_gate"] == "keeps" else (f"(1 - {z})", z)
    return [
        *(_gate(step, "r", "logistic") if state else []),
        *_gate(step, "z", "logistic"),
        f"{candidate} = {x}{state}",
        f"{n} = tanh({candidate})",
        f"{h} = {renew} * {n}" if before is None else f"{h} = {renew} * {n} + {keep} * {before}",
    ]


STATE = {
    "h": "hidden state",
    "h0": "hidden state before the first step",
    "a": "hidden states that come out",
}

RNN = _recurrent(
    "rnn",
    "a state that sees the inputs of a step and itself a step before: h = f(W x + U h + b)",
    ("",),
    ("h",),
    _rnn,
    {"activation": activation_key("tanh"), **CONSTANTS},
    {
        "W": "weights from the inputs to the state",
        "U": "weights from the state to the state",
        "b": "biases",
        "z": "net input",
        **STATE,
    },
)

LSTM = _recurrent(
    "lstm",
    "gates i, f, g, o: c = f c + i g, h = o tanh(c); a matrix each (PyTorch stacks W_i, W_f, W_g, W_o in this order)",
    ("_i", "_f", "_g", "_o"),
    ("h", "c"),
    _lstm,
    {},
    {
        **_gated({"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}),
        "c": "cell state",
        "c0": "cell state before the first step",
        **STATE,
    },
)

GRU = _recurrent(
    "gru",
    "gates r, z and the candidate n: h = (1 − z) n + z h (PyTorch stacks W_r, W_z, W_n in this order)",
    ("_r", "_z", "_n"),
    ("h",),
    _gru,
    {
        "reset_after": Key(
            "flag",
            True,
            "r multiplies U_n h + b_hn, as in PyTorch and Keras; false: h before U_n, as it was published first",
        ),
        "update_gate": Key(
            "word",
            "keeps",
            "keeps: z is the old state's share, h = (1 − z) n + z h, as in PyTorch; renews: it is the candidate's",
            choices=("keeps", "renews"),
        ),
    },
    {
        **_gated({"r": "reset gate", "z": "update gate", "n": "candidate"}),
        "b_hn": "biases of the candidate, times the reset gate",
        **STATE,
    },
    extra=lambda settings: ("b_hn",) if settings["reset_after"] else (),
    extra_stems=("b_hn",),
)
