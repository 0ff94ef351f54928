"""Modules of PyTorch, JAX, Keras and ONNX: verified beside a problem, and turned into one."""

from __future__ import annotations

import importlib.util
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError
from derive.files.toml_text import Bare, toml
from derive.frameworks.layouts import Pair, State, paired
from derive.frameworks.problems import Asked, problem_text
from derive.frameworks.torch_layers import MODULES
from derive.problem import load_text
from derive.verification import sources
from derive.verification.calls import CallError
from derive.verification.report import Report
from derive.verification.runner import KINDS, UserError

MAZUR = derive.differentiate("mazur")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the user's. What loading a module leaves behind in this process is taken back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    yield tmp_path
    sys.modules.pop("module", None)


def here(kind: str, name: str, derivation: Derivation = MAZUR) -> Report:
    """The report on something in module.py that is run in this process: what the child does, without starting one."""
    task = sources.task_of(kind, "module.py", name, derivation, 3)
    try:
        found = json.loads(json.dumps(KINDS[kind](task)))
    except UserError as error:
        return sources.report(derivation, sources.Source(failure=str(error)))
    points = sources.separating.chosen(derivation, 3)
    source = sources.of_result(found, derivation, sources.Options(), points, f"module.py: {name}")
    return sources.report(derivation, source)


def mistakes(report: Report) -> set[tuple[str, Any]]:
    return {each for explanation in report.diagnosis for each in explanation.mistakes}


# ---- PyTorch ---------------------------------------------------------------------------------

TORCH = """
import torch
from torch import nn

W1, W2 = [[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]

class Net(nn.Module):
    def __init__(self, turned=False, dtype=torch.float32, own=True, inner=torch.sigmoid):
        super().__init__()
        self.fc1, self.fc2, self.inner = nn.Linear(2, 2, dtype=dtype), nn.Linear(2, 2, dtype=dtype), inner
        if own:
            with torch.no_grad():
                self.fc1.weight.copy_(torch.tensor(W1, dtype=torch.float64))
                self.fc2.weight.copy_(torch.tensor(W2, dtype=torch.float64).T if turned else torch.tensor(W2))
                if dtype == torch.float64 and not turned:
                    self.fc2.weight.copy_(torch.tensor(W2, dtype=torch.float64))
                self.fc1.bias.fill_(0.35), self.fc2.bias.fill_(0.60)

    def forward(self, x):
        return torch.sigmoid(self.fc2(self.inner(self.fc1(x))))

class Rows(nn.Module):
    "weights laid out as (in, out), and used so"
    def __init__(self):
        super().__init__()
        self.A, self.a = nn.Parameter(torch.tensor(W1).T.clone()), nn.Parameter(torch.tensor([0.35, 0.35]))
        self.B, self.b = nn.Parameter(torch.tensor(W2).T.clone()), nn.Parameter(torch.tensor([0.6, 0.6]))

    def forward(self, x):
        return torch.sigmoid(torch.sigmoid(x @ self.A + self.a) @ self.B + self.b)

class Behind(Net):
    "the second layer is defined first"
    def __init__(self):
        super().__init__()
        layers = self.fc2, self.fc1
        del self.fc1, self.fc2
        self.fc2, self.fc1 = layers

def factory():
    return Net()

net, double, turned, random = Net(), Net(dtype=torch.float64), Net(turned=True), Net(own=False)
widened, turned_widened = Net().double(), Net(turned=True).double()
typo_widened = Net().double()
with torch.no_grad():
    typo_widened.fc2.weight[0, 0] = 0.41
tanh = Net(inner=torch.tanh)
brain, turned_brain, half = Net().bfloat16(), Net(turned=True).bfloat16(), Net().half()
nowhere, lazy = Net().to("meta"), nn.LazyLinear(2)
typo = Net()
with torch.no_grad():
    typo.fc2.weight[0, 0] = 0.41
frozen = Net()
frozen.fc1.weight.requires_grad = False
without = Net()
without.fc1.bias = None
nobody = Net()
nobody.forward = lambda x: torch.sigmoid(x)
class Squared(Net):
    def loss(self, outputs, targets):
        return ((outputs - targets) ** 2).sum()
squared = Squared()
class One(Net):
    def forward(self, x):
        assert x.ndim == 1
        return super().forward(x)
one = One()
class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
    def forward(self, x):
        return self.fc(x)
small = Small()
class Raising(Net):
    def forward(self, x):
        raise ValueError("no forward")
raising = Raising()
"""


@pytest.fixture
def torch_module(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    folder.joinpath("module.py").write_text(TORCH, "utf-8")


VERIFIED = {
    "net": ("float32", ()),
    "double": ("float64", ()),
    "widened": ("float64", ()),
    "Net": ("float32", ()),
    "factory": ("float32", ()),
    "Rows": ("float32", ("A holds W1 transposed", "B holds W2 transposed")),
    "Behind": ("float32", ()),
    "random": ("float32", ("the module's own weights are not the problem's; the problem's were put in",)),
    "frozen": ("float32", ("fc1.weight: frozen (requires_grad is False), not compared",)),
    "one": ("float32", ("x: handed over without the axis of examples",)),
}


@pytest.mark.usefixtures("torch_module")
@pytest.mark.parametrize("name", VERIFIED)
def test_a_torch_module_is_verified(name: str) -> None:
    report = here("torch", name)
    assert (report.verdict, report.points) == ("verified", 3), report.notes
    assert (report.precision, report.notes) == VERIFIED[name]


WRONG = {
    "turned": ({("layout_transposed", 2), ("weights_transposed_forward", 2)}, "fc2.weight holds W2 transposed"),
    "turned_widened": ({("layout_transposed", 2), ("weights_transposed_forward", 2)}, "fc2.weight holds W2 transposed"),
    "tanh": ({("wrong_activation_forward", 1)}, ""),
    "squared": ({("loss_without_half", "all")}, "the loss is the module's own"),
    "without": ({("biases_left_out_forward", 1)}, "the module has no b1"),
    "typo": (set(), "fc2.weight is not W2: fc2.weight[0, 0] is 0.41, not 0.4"),
    "typo_widened": (set(), "fc2.weight is not W2: fc2.weight[0, 0] is 0.41, not 0.4"),
    "small": (set(), "holds fc.weight (2 × 2), fc.bias (2); the problem has W1 (2 × 2), b1 (one number)"),
    "nobody": (set(), "no gradient reaches fc1.weight, fc1.bias, fc2.weight, fc2.bias"),
    "turned_brain": ({("layout_transposed", 2)}, "fc2.weight holds W2 transposed"),
    "raising": (set(), "in forward: ValueError: no forward"),
    "nowhere": (set(), "module.py: nowhere: fc1.weight is on the device meta, where tensors hold no numbers"),
    "lazy": (set(), "module.py: lazy: weight has no shape yet: a lazy module has to be called once before"),
}


@pytest.mark.usefixtures("torch_module")
@pytest.mark.parametrize("name", WRONG)
def test_a_torch_module_that_is_wrong_is_told_why(name: str) -> None:
    named, said = WRONG[name]
    report = here("torch", name)
    assert report.verdict == "wrong"
    assert named <= mistakes(report)
    assert said in " | ".join(report.notes)


@pytest.mark.usefixtures("torch_module")
@pytest.mark.parametrize(("name", "kind"), [("brain", "bfloat16"), ("half", "float16")])
def test_a_right_module_of_few_bits_is_undecided_in_terms_of_its_type(name: str, kind: str) -> None:
    report = here("torch", name)
    assert (report.verdict, report.precision, report.notes) == ("undecided", kind, ())
    assert f"the rounding of {kind} explains" in str(report)
    assert "In float32 it would be decided." in str(report)
    assert "significant digit" not in str(report)


@pytest.mark.usefixtures("torch_module")
def test_a_torch_module_is_run_in_a_process_of_its_own() -> None:
    report = sources.report(MAZUR, sources.read("torch:module.py:turned", MAZUR))
    assert ("layout_transposed", 2) in mistakes(report)
    assert "torch" not in sys.modules or not hasattr(sys.modules["torch"], "fc1")


LOGITS = """
import torch
from torch import nn
net = nn.Linear(2, 3)
with torch.no_grad():
    net.weight.copy_(torch.tensor([[0.5, -0.2], [0.1, 0.4], [-0.3, 0.6]]))
    net.bias.copy_(torch.tensor([0.1, 0.0, -0.2]))
soft = nn.Sequential(net, nn.Softmax(-1))
"""


@pytest.mark.parametrize("name", ["net", "soft"])
def test_outputs_may_be_the_net_inputs_of_softmax(folder: Path, name: str) -> None:
    """Frameworks have softmax in their cross-entropy; the module then ends before it."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    folder.joinpath("module.py").write_text(LOGITS, "utf-8")
    problem = {
        "examples": [{"inputs": [0.3, -0.7], "targets": 2}],
        "layers": [
            {
                "weights": [[0.5, -0.2], [0.1, 0.4], [-0.3, 0.6]],
                "bias": [0.1, 0.0, -0.2],
                "activation": "softmax",
            }
        ],
        "loss": {"name": "categorical_cross_entropy"},
    }
    assert here("torch", name, derive.differentiate(problem)).verdict == "verified"


LOSSES = {
    "half_squared_error": [0.3, 0.6],
    "squared_error": [0.3, 0.6],
    "mean_squared_error": [0.3, 0.6],
    "binary_cross_entropy": [0, 1],
    "absolute_error": [0.3, 0.6],
    "huber": [0.3, 6],
    "hinge": [-1, 1],
    "kl_divergence": [0.3, 0.7],
    "categorical_cross_entropy": [0.2, 0.8],
}


@pytest.mark.usefixtures("torch_module")
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_computed_from_a_modules_outputs(loss: str) -> None:
    layer = {"bias": [0.1, 0.2], "activation": "logistic"}
    problem = {
        "examples": [{"inputs": [0.5, -0.4], "targets": LOSSES[loss]}, {"inputs": [0.1, 0.9], "targets": LOSSES[loss]}],
        "layers": [layer | {"weights": [[0.1, 0.2], [0.3, -0.4]]}, layer | {"weights": [[0.5, 0.6], [-0.7, 0.8]]}],
        "loss": {"name": loss, "over_examples": "mean"},
        "penalty": {"l2": 0.1},
    }
    report = here("torch", "random", derive.differentiate(problem))
    assert report.verdict == "verified", report.notes


# ---- JAX -------------------------------------------------------------------------------------

JAX = """
import jax, jax.numpy as jnp

def loss(W1, b1, W2, b2, x=jnp.array([0.05, 0.10]), t=jnp.array([0.01, 0.99])):
    outputs = jax.nn.sigmoid(W2 @ jax.nn.sigmoid(W1 @ x + b1) + b2)
    return 0.5 * ((outputs - t) ** 2).sum()

def own(W1, b1, W2, b2):
    return loss(W1, b1, W2, b2)

def flat(theta):
    return loss(theta[:4].reshape(2, 2), theta[4], theta[5:9].reshape(2, 2), theta[9])

def table(parameters):
    return loss(**parameters)

gradient = jax.grad(own, argnums=(0, 1, 2, 3))
both = jax.jit(jax.value_and_grad(own, argnums=(0, 1, 2, 3)))

def turned(W1, b1, W2, b2):
    return loss(W1, b1, W2.T, b2)

def doubled(W1, b1, W2, b2):
    return 2 * loss(W1, b1, W2, b2)

def unsummed(W1, b1, W2, b2, x, t):
    return 0.5 * (jax.nn.sigmoid(W2 @ jax.nn.sigmoid(W1 @ x + b1) + b2) - t) ** 2
"""


@pytest.fixture
def jax_module(folder: Path) -> None:
    pytest.importorskip("jax", reason="JAX is not installed: pip install '.[frameworks]'")
    folder.joinpath("module.py").write_text(JAX, "utf-8")


@pytest.mark.usefixtures("jax_module")
@pytest.mark.parametrize("name", ["loss", "own", "flat", "table", "gradient", "both"])
def test_a_jax_loss_is_differentiated_and_a_gradient_taken_as_it_is(name: str) -> None:
    report = here("jax", name)
    assert (report.verdict, report.precision, report.points) == ("verified", "float32", 3), report.notes


@pytest.mark.usefixtures("jax_module")
@pytest.mark.parametrize(
    ("name", "mistake"), [("turned", ("weights_transposed_forward", 2)), ("doubled", ("loss_without_half", "all"))]
)
def test_a_mistake_in_a_jax_loss_is_named(name: str, mistake: tuple[str, Any]) -> None:
    report = here("jax", name)
    assert report.verdict == "wrong"
    assert mistake in mistakes(report)


@pytest.mark.usefixtures("jax_module")
def test_a_jax_loss_that_is_no_single_number_is_told_so() -> None:
    with pytest.raises(CallError, match=r"an array of shape \(2,\); .* is expected, or a loss, which is one number"):
        here("jax", "unsummed")


# ---- Keras -----------------------------------------------------------------------------------

KERAS = """
import keras, numpy as np
from keras import layers

def dense(turned=False):
    model = keras.Sequential([layers.Dense(2, activation="sigmoid"), layers.Dense(2, activation="sigmoid")])
    model.build((None, 2))
    W2 = np.array([[0.40, 0.45], [0.50, 0.55]])
    W1, b1, b2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.full(2, 0.35), np.full(2, 0.6)
    model.set_weights([W1.T, b1, W2 if turned else W2.T, b2])
    return model

def turned():
    return dense(True)

def lstm():
    return keras.Sequential([layers.LSTM(2), layers.Dense(1, activation="sigmoid")])

def gru():
    return keras.Sequential([layers.GRU(2), layers.Dense(1, activation="sigmoid")])

def rnn():
    return keras.Sequential([layers.SimpleRNN(2), layers.Dense(1, activation="sigmoid")])

def images():
    return keras.Sequential([layers.Conv2D(2, 2), layers.Flatten(), layers.Dense(1)])
"""

SEQUENCE = [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]


@pytest.fixture(params=["torch", "jax"])
def keras_module(folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keras", request.param):  # not imported here: Keras reads once which backend it runs on
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: pip install '.[frameworks,torch]'")
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    folder.joinpath("module.py").write_text(KERAS, "utf-8")


def of_keras(name: str, derivation: Derivation = MAZUR) -> Report:
    return sources.report(derivation, sources.read(f"keras:module.py:{name}", derivation))


@pytest.mark.usefixtures("keras_module")
def test_a_keras_kernel_has_a_column_per_unit() -> None:
    right, wrong = of_keras("dense"), of_keras("turned")
    assert (right.verdict, right.notes) == ("verified", ())
    assert wrong.verdict == "wrong"
    assert {("layout_transposed", 2), ("weights_transposed_forward", 2)} <= mistakes(wrong)


@pytest.mark.usefixtures("keras_module")
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_the_gates_of_keras_are_taken_apart(kind: str) -> None:
    assert of_keras(kind, recurrent(kind)).verdict == "verified"


@pytest.mark.usefixtures("keras_module")
def test_keras_images_with_channels_last_are_refused() -> None:
    report = of_keras("images", derive.differentiate("cnn"))
    assert report.verdict == "wrong"
    assert 'data_format="channels_first"' in report.notes[0]


def recurrent(kind: str) -> Derivation:
    """A recurrent layer of two units and a logistic unit, with drawn weights."""
    return derive.differentiate(
        {
            "examples": [{"inputs": SEQUENCE, "targets": [0.3]}],
            "layers": [
                {"type": kind, "units": 2, "bias": "per_unit"},
                {"units": 1, "bias": "per_unit", "activation": "logistic"},
            ],
            "initial": {"seed": 5, "low": -1, "high": 1, "decimals": 2},
            "loss": {"name": "half_squared_error"},
        }
    )


# ---- from a module to a problem --------------------------------------------------------------

IMAGE = json.dumps(np.sin(np.arange(16)).reshape(1, 4, 4).round(3).tolist())
STEPS = json.dumps(SEQUENCE)

SEQUENTIAL = {
    "mlp": (
        "nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2), nn.Sigmoid())",
        "[0.1, 0.4]",
        "[0.3, 0.2]",
    ),
    "batch": (
        "nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ELU(0.5), nn.Linear(3, 1))",
        "[[0.1, 0.4], [0.3, -0.2], [0.7, 0.5]]",
        "[[0.3], [0.2], [1]]",
    ),
    "norm": (
        """nn.Sequential(
            nn.Linear(2, 3), nn.LayerNorm(3, eps=1e-3), nn.LeakyReLU(0.2), nn.Linear(3, 3), nn.Softmax(-1)
        )""",
        "[0.1, 0.4]",
        "2",
    ),
    "classes": (
        "nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 3), nn.LogSoftmax(1))",
        "[[0.1, 0.4], [0.6, 0.2]]",
        "[2, 0]",
    ),
    "image": (
        """nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8, 2)
        )""",
        IMAGE,
        "[0.3, 0.2]",
    ),
    "images, normalized": (
        """nn.Sequential(
            nn.Conv2d(1, 2, (2, 3), stride=(2, 1)), nn.BatchNorm2d(2), nn.SiLU(), nn.MaxPool2d(2, 1), nn.Flatten(),
            nn.Linear(2, 2)
        )""",
        f"[{IMAGE}, {IMAGE}]",
        "[[0.3, 0.2], [0.1, 0.5]]",
    ),
    "words": ("nn.Sequential(nn.Embedding(5, 2), nn.Flatten(), nn.Linear(6, 2))", "[0, 2, 4]", "[0.3, 0.2]"),
    "off": (
        "nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5), nn.Softplus(), nn.Linear(3, 2)).eval()",
        "[0.1, 0.4]",
        "[1, 2]",
    ),
    "lstm": ("Last(nn.LSTM)", STEPS, "[0.3]"),
    "gru": ("Last(nn.GRU)", STEPS, "[0.3]"),
    "rnn": ("Last(nn.RNN, nonlinearity='relu')", STEPS, "[0.3]"),
    "stacked": ("Last(nn.LSTM, num_layers=2)", STEPS, "[0.3]"),
    "hidden": ("Hidden()", STEPS, "[0.3]"),
    "by hand": ("Written()", "[0.1, 0.4]", "[0.3, 0.2]"),
    "net input twice": ("Twice()", "[0.1, 0.4]", "[0.3, 0.2]"),
}

MODULE = """
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(3)

class Last(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.layer, self.out = kind(2, 3, batch_first=True, **options), nn.Linear(3, 1)
    def forward(self, x):
        sequence, state = self.layer(x)
        return torch.sigmoid(self.out(sequence[:, -1]))

class Hidden(Last):
    def __init__(self):
        super().__init__(nn.LSTM)
    def forward(self, x):
        _, (h, c) = self.layer(x)
        return self.out(h[-1])

class Written(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.W, self.b = nn.Linear(2, 2), nn.Parameter(torch.randn(2, 2)), nn.Parameter(torch.randn(2))
    def forward(self, x):
        h = F.relu(self.a(x))
        return torch.tanh(h @ self.W.t() + self.b) + h

class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
    def forward(self, x):
        z = self.a(x)
        return z.tanh() + z

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
        self.b.weight = self.a.weight
    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))

class Refused(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.a, self.b, self.what = nn.Linear(2, 2), nn.Linear(2, 2), what
    def forward(self, x):
        return self.what(self, x)
"""


def made(folder: Path, expression: str, **asked: Any) -> str:
    folder.joinpath("module.py").write_text(f"{MODULE}\nnet = {expression}\n", "utf-8")
    return problem_text("torch:module.py:net", Asked(**asked)).text


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_torch_module_becomes_a_problem_with_torchs_gradients(folder: Path, name: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    expression, inputs, targets = SEQUENTIAL[name]
    text = made(folder, expression, inputs=inputs, targets=targets)
    derivation = derive.differentiate(load_text(text))
    report = here("torch", "net", derivation)
    assert report.verdict == "verified", report.notes
    assert not [note for note in report.notes if "put in" in note or "is not" in note]


def test_every_module_that_is_known_is_tried() -> None:
    written = " ".join(expression for expression, _, _ in SEQUENTIAL.values()).lower()
    assert not [name for name in MODULES if f"nn.{name}(" not in written and f"(nn.{name}" not in written]


def test_the_weights_are_the_modules_digit_for_digit(folder: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    text = made(folder, "nn.Linear(2, 3)")
    torch.manual_seed(3)
    linear = torch.nn.Linear(2, 3)
    values = derive.differentiate(load_text(text)).values
    assert (np.float32(values["W1"]) == linear.weight.detach().numpy()).all()
    assert (np.float32(values["b1"]) == linear.bias.detach().numpy()).all()


@pytest.mark.parametrize("kind", ["bfloat16", "half"])
def test_a_module_of_few_bits_is_written_digit_for_digit_too(folder: Path, kind: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    few = f"nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).{kind}()"
    text = made(folder, few, inputs="[0.5, 0.25]", targets="[1]")
    assert here("torch", "net", derive.differentiate(load_text(text))).notes == ()


def test_without_numbers_inputs_and_targets_are_symbols(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    problem = load_text(made(folder, "nn.Sequential(nn.Linear(2, 3), nn.Softmax(-1))"))
    assert (problem.examples[0].inputs, problem.examples[0].targets) == (2, 3)
    assert problem.loss.name == "categorical_cross_entropy"
    image = load_text(made(folder, "nn.Conv2d(1, 2, 3)", shape=(1, 4, 5), title="Mine"))
    assert (image.title, derive.differentiate(image).program.shape("t")) == ("Mine", (1, 2, 2, 3))


def test_a_problem_of_symbols_is_checked_at_points_that_are_drawn(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    derivation = derive.differentiate(load_text(made(folder, "nn.Sequential(nn.Linear(2, 3), nn.Tanh())")))
    report = here("torch", "net", derivation)
    assert (report.verdict, report.points) == ("verified", 3), report.notes


def test_a_loss_that_has_softmax_in_it_gives_it_to_the_last_layer(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    folder.joinpath("module.py").write_text("from torch import nn\nnet = nn.Linear(2, 3)\n", "utf-8")
    found = problem_text("torch:module.py:net", Asked(loss="categorical_cross_entropy"))
    assert load_text(found.text).layers[-1].activation == "softmax"
    assert "softmax" in found.notes[0]


REFUSED = {
    "nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))": r"1 \(Dropout\): is random; call .eval\(\)",
    "nn.Sequential(nn.Linear(2, 2), nn.Bilinear(2, 2, 2))": "Bilinear",
    "nn.Sequential(nn.Linear(2, 2), nn.PReLU())": "PReLU.* has no counterpart",
    "nn.Conv2d(2, 2, 3, groups=2)": "groups = 2 has no counterpart in a problem; 1 has",
    "nn.Conv2d(2, 2, 3, padding='same')": "padding = 'same'",
    "nn.Sequential(nn.Linear(2, 2), nn.Softmax(0))": "dim = 0 is not the axis of the units",
    "nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).eval()": "running mean",
    "nn.Sequential(nn.Linear(2, 2), nn.GELU('tanh'))": "approximate = tanh",
    "nn.LSTM(2, 3)": "batch_first = False",
    "nn.Linear(2, 2, device='meta')": "weight is on the device meta, where tensors hold no numbers",
    "nn.LazyLinear(2)": "weight has no shape yet",
    "Refused(lambda m, x: torch.cumsum(m.a(x), -1))": "cumsum has no counterpart",
    "Refused(lambda m, x: m.a(x) * m.b(x))": "reads what an earlier layer gives: branches",
    "Refused(lambda m, x: m.a(x) if x.sum() > 0 else m.b(x))": "cannot be traced",
    "Refused(lambda m, x: m.a(x) + 1)": "add of a number",
    "Refused(lambda m, x: m.a(x)[0])": "takes the part",
    "Refused(lambda m, x: x)": "it has no layers",
    "Refused(lambda m, x: m.a(m.a(x).tanh()))": r"net: a \(Linear\) is called twice: the layers of",
    "Tied()": r"a \(Linear\) and b \(Linear\) have a weight in common",
    "Refused(lambda m, x: F.linear(m.a(x), m.a.weight))": r"a \(Linear\) and linear have a weight in common",
    "Refused(lambda m, x: x @ m.b.weight @ m.b.weight.t())": "matmul and matmul_1 have a weight in common",
    "Refused(lambda m, x: (m.a(x), m.b)[0].view(2, 2, 1))": "view to",
    "nn.Embedding(3, 2)": "--inputs: an embedding reads whole numbers",
    "nn.Conv2d(1, 2, 3)": "--shape: the shape of one input cannot be told from conv2d",
    "nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 2))": r"layers\[1\].weights: found an array of 2 × 3",
}


@pytest.mark.parametrize(("expression", "said"), REFUSED.items())
def test_what_has_no_counterpart_is_said_by_name(folder: Path, expression: str, said: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    with pytest.raises(ChainruleError, match=said):
        made(folder, expression)


ASKED = {
    "an unknown source": ("caffe:net.py:n", Asked(), 'found "caffe"'),
    "no name": ("torch:module.py", Asked(), "expected torch:module.py:name"),
    "no file": ("torch:there.py:net", Asked(), "there.py: no such file"),
    "an unknown loss": ("torch:module.py:net", Asked(loss="mse"), 'found "mse".*mean_squared_error'),
    "no JSON": ("torch:module.py:net", Asked(inputs="[0.1,"), "--inputs: is not JSON"),
    "too deep": ("torch:module.py:net", Asked(inputs="[[[0.1, 0.2]]]"), "--inputs: found .*expected"),
    "too few targets": (
        "torch:module.py:net",
        Asked(inputs="[[1, 2], [3, 4]]", targets="[0.1, 0.2]"),
        "there are 2 in",
    ),
}


@pytest.mark.parametrize(("source", "asked", "said"), ASKED.values(), ids=ASKED)
def test_what_is_asked_wrongly_is_said(folder: Path, source: str, asked: Asked, said: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    folder.joinpath("module.py").write_text("from torch import nn\nnet = nn.Linear(2, 2)\n", "utf-8")
    with pytest.raises(ChainruleError, match=said):
        problem_text(source, asked)


# ---- ONNX ------------------------------------------------------------------------------------


def graph(
    path: Path, nodes: list[Any], weights: dict[str, Any], shape: tuple[int, ...] = (1, 2), out: str = "y"
) -> None:
    """An ONNX file of these nodes, from x."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[frameworks]'")
    value = onnx.helper.make_tensor_value_info
    kind = onnx.TensorProto.FLOAT
    made = onnx.helper.make_graph(
        [onnx.helper.make_node(name, inputs, outputs, **options) for name, inputs, outputs, options in nodes],
        "graph",
        [value("x", kind, shape)],
        [value(out, kind, ["examples", "values"])],
        [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    opset = onnx.helper.make_opsetid("", 20)
    onnx.save(onnx.helper.make_model(made, opset_imports=[opset], ir_version=10), path)


def float32(values: Any) -> Any:
    return np.asarray(values, dtype=np.float32)


MAZUR_NODES = [
    ("Gemm", ["x", "W1", "b1"], ["z1"], {"transB": 1}),
    ("Sigmoid", ["z1"], ["a1"], {}),
    ("Transpose", ["W2"], ["T"], {"perm": [1, 0]}),
    ("MatMul", ["a1", "T"], ["m"], {}),
    ("Add", ["b2", "m"], ["z2"], {}),
    ("Sigmoid", ["z2"], ["y"], {}),
]
MAZUR_WEIGHTS = {
    "W1": float32([[0.15, 0.20], [0.25, 0.30]]),
    "b1": float32([0.35, 0.35]),
    "W2": float32([[0.40, 0.45], [0.50, 0.55]]),
    "b2": float32([0.6]),
}


def test_an_onnx_model_is_verified(folder: Path) -> None:
    graph(folder / "net.onnx", MAZUR_NODES, MAZUR_WEIGHTS)
    report = sources.report(MAZUR, sources.read("onnx:net.onnx", MAZUR))
    assert (report.verdict, report.points, report.notes) == ("verified", 3, ())


@pytest.mark.parametrize(
    ("changed", "mistake"),
    [
        ({"W2": MAZUR_WEIGHTS["W2"].T.copy()}, ("layout_transposed", 2)),
        ({}, ("wrong_activation_forward", 1)),
    ],
)
def test_a_mistake_in_an_onnx_model_is_named(folder: Path, changed: dict[str, Any], mistake: tuple[str, Any]) -> None:
    nodes = MAZUR_NODES if changed else [("Tanh", *node[1:]) if node[2] == ["a1"] else node for node in MAZUR_NODES]
    graph(folder / "net.onnx", nodes, MAZUR_WEIGHTS | changed)
    report = sources.report(MAZUR, sources.read("onnx:net.onnx", MAZUR))
    assert report.verdict == "wrong"
    assert mistake in mistakes(report)


def drawn(*shape: int) -> Any:
    return float32(np.random.default_rng(sum(shape)).normal(size=shape).round(2))


ONNX_GRAPHS = {
    "a network for images": (
        [
            ("Conv", ["x", "K", "b"], ["c"], {"pads": [1, 1, 1, 1], "strides": [1, 1], "kernel_shape": [3, 3]}),
            ("LeakyRelu", ["c"], ["r"], {"alpha": 0.25}),
            ("MaxPool", ["r"], ["p"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
            ("Flatten", ["p"], ["f"], {}),
            ("Gemm", ["f", "W", "d"], ["g"], {}),
            ("Softmax", ["g"], ["y"], {}),
        ],
        {"K": drawn(2, 1, 3, 3), "b": drawn(2), "W": drawn(8, 3), "d": drawn(3)},
        (1, 1, 4, 4),
    ),
    "pooled by means, reshaped": (
        [
            ("Conv", ["x", "K"], ["c"], {"strides": [2, 1]}),
            ("AveragePool", ["c"], ["p"], {"kernel_shape": [1, 2]}),
            ("Reshape", ["p", "n"], ["f"], {}),
            ("MatMul", ["f", "W"], ["m"], {}),
            ("Softplus", ["m"], ["y"], {}),
        ],
        {"K": drawn(1, 1, 2, 2), "n": np.array([1, -1]), "W": drawn(4, 2)},
        (1, 1, 4, 4),
    ),
    "normalized, with a sum": (
        [
            ("MatMul", ["x", "W"], ["m"], {}),
            ("Add", ["m", "b"], ["z"], {}),
            ("LayerNormalization", ["z", "g", "h"], ["n"], {"epsilon": 0.01}),
            ("Elu", ["n"], ["e"], {"alpha": 0.5}),
            ("Add", ["e", "z"], ["s"], {}),
            ("Dropout", ["s"], ["k"], {}),
            ("LogSoftmax", ["k"], ["y"], {"axis": -1}),
        ],
        {"W": drawn(2, 3), "b": drawn(3), "g": drawn(3), "h": drawn(3)},
        (1, 2),
    ),
    "the net input read twice": (
        [
            ("Gemm", ["x", "W"], ["z"], {}),
            ("Tanh", ["z"], ["a"], {}),
            ("Add", ["a", "z"], ["s"], {}),
            ("Selu", ["s"], ["l"], {}),
            ("Gelu", ["l"], ["y"], {}),
        ],
        {"W": drawn(2, 2)},
        (1, 2),
    ),
    "two biases that are equal, stored once": (
        [("Gemm", ["x", "W", "b"], ["h"], {}), ("Sigmoid", ["h"], ["a"], {}), ("Gemm", ["a", "V", "b"], ["y"], {})],
        {"W": drawn(2, 2), "V": drawn(2, 2) + 1, "b": drawn(2)},
        (1, 2),
    ),
}


@pytest.mark.parametrize("name", ONNX_GRAPHS)
def test_an_onnx_graph_becomes_a_problem_with_its_outputs(folder: Path, name: str) -> None:
    nodes, weights, shape = ONNX_GRAPHS[name]
    graph(folder / "net.onnx", nodes, weights, shape)
    reference = pytest.importorskip("onnx.reference").ReferenceEvaluator(str(folder / "net.onnx"))
    x = drawn(*shape)
    asked = Asked(inputs=json.dumps([[float(str(v)) for v in x.reshape(-1)]] if len(shape) == 2 else
                                    np.vectorize(lambda v: float(str(v)))(x).tolist()))  # fmt: skip
    derivation = derive.differentiate(load_text(problem_text("onnx:net.onnx", asked).text))
    (wanted,) = reference.run(None, {"x": x})
    last = [name for name in derivation.program.definitions if name.startswith("a")][-1]
    np.testing.assert_allclose(derivation.values[last] if derivation.has_numbers else _outputs(derivation, last, x),
                               wanted, rtol=2e-5, atol=1e-6)  # fmt: skip


def _outputs(derivation: Derivation, last: str, x: Any) -> Any:
    """An array of a problem whose targets are symbols: the outputs do not depend on them."""
    from derive.evaluate import floats as numbers
    from derive.verification.separating import floats

    given = {name: floats(array) for name, array in derivation.given.items()}
    given |= {"t": np.zeros(derivation.program.shape("t"))}
    return numbers.run(derivation.program.equations, given)[last]


ONNX_REFUSED = {
    "an operator": ([("Sin", ["x"], ["y"], {})], {}, "the operator Sin has no counterpart"),
    "a branch": (
        [("Gemm", ["x", "W"], ["a"], {}), ("Gemm", ["x", "W"], ["y"], {})],
        {"W": drawn(2, 2)},
        "reads what an earlier node gives",
    ),
    "a product of values": ([("MatMul", ["x", "x"], ["y"], {})], {}, "multiplies what two nodes give"),
    "a factor": ([("Gemm", ["x", "W"], ["y"], {"alpha": 2.0})], {"W": drawn(2, 2)}, "alpha = 2.0 has no counterpart"),
    "a weight that two nodes read": (
        [("Gemm", ["x", "W"], ["a"], {}), ("Transpose", ["W"], ["T"], {}), ("MatMul", ["a", "T"], ["y"], {})],
        {"W": drawn(2, 2)},
        r"W is read by two nodes \(Gemm, MatMul\): the layers of a problem share no weights",
    ),
    "an output in between": (
        [("Gemm", ["x", "W"], ["y"], {}), ("Tanh", ["y"], ["a"], {})],
        {"W": drawn(2, 2)},
        "its output is not what its last layer gives",
    ),
}


@pytest.mark.parametrize(("nodes", "weights", "said"), ONNX_REFUSED.values(), ids=ONNX_REFUSED)
def test_what_an_onnx_graph_has_without_counterpart_is_said(
    folder: Path, nodes: list[Any], weights: dict[str, Any], said: str
) -> None:
    graph(folder / "net.onnx", nodes, weights)
    with pytest.raises(ChainruleError, match=f"net.onnx: .*{said}"):
        problem_text("onnx:net.onnx", Asked())


# ---- layouts ---------------------------------------------------------------------------------


def held(name: str, value: Any) -> State:
    return State(name, lambda: np.asarray(value), lambda numbers: None)


A, B, C = np.arange(4.0).reshape(2, 2) + 1, np.arange(4.0).reshape(2, 2) + 9, np.arange(6.0).reshape(2, 3)

PAIRED = {
    "by order": ({"W1": A, "W2": B}, [np.zeros((2, 2)), np.ones((2, 2))], [("W1", 0, False), ("W2", 1, False)]),
    "by value": ({"W1": A, "W2": B}, [B, A], [("W1", 1, False), ("W2", 0, False)]),
    "by value, turned": ({"W1": A, "W2": B}, [A, B.T], [("W1", 0, False), ("W2", 1, True)]),
    "by shape, turned": ({"W1": C}, [np.zeros((3, 2))], [("W1", 0, True)]),
    "biases between": ({"W1": A, "W2": C}, [np.ones((2, 2)), np.ones(2), np.ones((2, 3))],
                       [("W1", 0, False), ("W2", 2, False)]),
    "one bias for all units": ({"W": A, "b": np.asarray(0.5)}, [np.ones((2, 2)), np.ones(2)],
                               [("W", 0, False), ("b", 1, False)]),
    "no place": ({"W": A}, [np.ones((3, 3))], []),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "expected"), PAIRED.values(), ids=PAIRED)
def test_states_are_paired_with_parameters(ours: Any, theirs: Any, expected: Any) -> None:
    states = [held(f"s{place}", value) for place, value in enumerate(theirs)]
    found = [(p.parameter, states.index(p.state), p.turned) for p in paired(ours, states, 1e-6)]
    assert found == expected


def test_a_shared_bias_has_the_sum_of_its_units_gradients() -> None:
    pair = Pair("b", (), held("bias", [0.5, 0.5]))
    assert pair.gradient(np.array([1.0, 2.0])) == 3
    assert pair.theirs(np.asarray(0.25)).tolist() == [0.25, 0.25]
    assert pair.same(np.asarray(0.5), 0.0)


def test_a_turned_array_is_turned_both_ways() -> None:
    pair = Pair("W", (2, 3), held("w", C.T), turned=True)
    assert pair.ours(C.T).tolist() == C.tolist()
    assert pair.theirs(C).tolist() == C.T.tolist()


# ---- the text of a file ----------------------------------------------------------------------


def test_tables_are_written_as_they_are_read() -> None:
    tomllib = pytest.importorskip("tomllib")
    tables = {
        "title": 'A "title" \\ with\nall of it \x7f',
        "count": 3,
        "flag": True,
        "examples": [{"inputs": {"shape": [1, 2]}}, {"inputs": [[Bare("0.1"), Bare("1e-05")]] * 12}],
        "loss": {"name": "nll"},
    }
    read = tomllib.loads(toml(tables, "made\nby hand"))
    assert read["title"] == tables["title"]
    assert read["examples"][1]["inputs"] == [[0.1, 1e-05]] * 12
    assert (read["count"], read["flag"], read["loss"]) == (3, True, {"name": "nll"})
    assert max(map(len, toml(tables).splitlines())) <= 100


def test_the_command_makes_a_file_that_can_be_rendered(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from typer.testing import CliRunner

    from render.cli import app

    folder.joinpath("module.py").write_text(textwrap.dedent(f"{MODULE}\nnet = nn.Linear(2, 2)"), "utf-8")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments))

    new = ("new", "net.toml", "--from", "torch:module.py:net", "--inputs", "[0.1, 0.2]", "--targets", "[1, 0]")
    assert run(*new).exit_code == 0
    assert run("render", "net.toml", "--to", "markdown", "--out", "pages").exit_code == 0
    assert run(*new).exit_code == 2  # it is there already, and stays
    assert run("new", "other.toml", "--shape", "2").exit_code == 2
    assert run("new", "other.json", "--from", "torch:module.py:net").exit_code == 2
    assert run("new", "other.toml", "--from", "torch:module.py:nit").exit_code == 2
    assert not folder.joinpath("other.toml").exists()
