"""A PyTorch module beside a problem: its parameters, its outputs, its autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy

from derive.frameworks import modules
from derive.frameworks.layouts import Numbers, State
from derive.frameworks.modules import Error
from derive.frameworks.required import framework
from derive.frameworks.tensors import Operations, Tensor
from derive.verification.runner import AbsentError, Found, Task, UserError, guarded, loaded, thing

GATES = {"RNN": ("",), "LSTM": ("_i", "_f", "_g", "_o"), "GRU": ("_r", "_z", "_n")}
"""The gates whose matrices torch stacks in one, in its order."""


def run(task: Task) -> Found:
    """Check a module, or what a class or function of that name makes."""
    torch = framework("torch", "torch:")
    module = module_in(torch, task)
    return modules.run(task, TorchModule(torch, task, module))


def module_in(torch: Any, task: Task) -> Any:
    """The nn.Module under a name of a file: an instance, or what a class or function without arguments gives."""
    found = thing(loaded(task), task.path, task.name)
    if not isinstance(found, torch.nn.Module) and callable(found):
        found = guarded(task.path, task.name, found)
    if not isinstance(found, torch.nn.Module):
        raise AbsentError(f"{task.path}: {task.name} is a {type(found).__name__}; a torch.nn.Module is expected")
    _check_numbers(torch, f"{task.path}: {task.name}", found)
    return found


def _check_numbers(torch: Any, place: str, module: Any) -> None:
    """Raise UserError where a module has tensors without numbers in them."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if torch.nn.parameter.is_lazy(tensor):
            raise UserError(f"{place}: {name} has no shape yet: a lazy module has to be called once before")
        if tensor.is_meta:
            raise UserError(f"{place}: {name} is on the device meta, where tensors hold no numbers")


class TorchModule:
    """A module with its state read part by part: the stacked matrices of recurrent layers are taken apart."""

    def __init__(self, torch: Any, task: Task, module: Any) -> None:
        self.torch, self.task, self.module = torch, task, module
        learned = [p for p in module.parameters() if p.dtype.is_floating_point]
        self.dtype = learned[0].dtype if learned else torch.float32
        self.unit = float(torch.finfo(self.dtype).eps)
        self.kind = str(self.dtype).removeprefix("torch.")
        self.operations = _operations(torch, self.dtype)
        self.notes: list[str] = []
        self._parts = list(parts(torch, module))
        self._alone = False
        for part in module.modules():
            if "Dropout" in type(part).__name__ and part.training and getattr(part, "p", 1) > 0:
                part.eval()
                self.notes.append("dropout was switched off")

    def states(self) -> list[State]:
        """The learned arrays in the order of their definition."""
        return [State(p.name, p.read, p.write, p.learned) for p in self._parts]

    def tensor(self, array: Numbers) -> Tensor:
        """A tensor of the module's type."""
        return self.torch.tensor(np.asarray(array, dtype=np.float64)).to(self.dtype)

    def own_error(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """The module's own ``loss(outputs, targets)``."""
        own = getattr(self.module, "loss", None)
        if not callable(own):
            return None
        return lambda outputs, target: guarded(self.task.path, "loss", lambda: own(outputs, target))

    def outputs(self, x: Numbers) -> Numbers:
        """The outputs as numbers."""
        with self.torch.no_grad():
            return numbers_of(self._forward(x).double())

    def gradients(self, x: Numbers, error: Error) -> tuple[Numbers, dict[str, Numbers]]:
        """The error, and what autograd leaves in each part's .grad."""
        self.module.zero_grad(set_to_none=True)
        whole = error(self._forward(x), {part.name: part.live() for part in self._parts})
        if whole.ndim:
            raise UserError(
                f"{self.task.path}: {self.task.name}: its loss has the shape {tuple(whole.shape)}, not one number"
            )
        if whole.requires_grad:
            guarded(self.task.path, self.task.name, whole.backward)
        without = [p.name for p in self._parts if p.learned and p.gradient() is None]
        frozen = [p.name for p in self._parts if not p.learned]
        self._say(f"no gradient reaches {', '.join(without)}" if without else "")
        self._say(f"{', '.join(frozen)}: frozen (requires_grad is False), not compared" if frozen else "")
        found = {
            p.name: np.zeros_like(p.read()) if (g := p.gradient()) is None else g for p in self._parts if p.learned
        }
        return numbers_of(whole), found

    def _say(self, note: str) -> None:
        if note and note not in self.notes:
            self.notes.append(note)

    def _forward(self, x: Numbers) -> Tensor:
        """The outputs; of one example alone where the module wants no axis of examples."""
        whole = any(isinstance(part, self.torch.nn.Embedding) for part in self.module.modules())
        inputs = self.torch.tensor(np.asarray(x, dtype=np.int64)) if whole else self.tensor(x)
        tries = [inputs, inputs[0]] if len(x) == 1 and inputs.ndim > 1 else [inputs]
        tries = tries[1:] if self._alone else tries
        try:
            return self._called(tries[0])
        except UserError:
            if len(tries) == 1:
                raise
            try:
                found = self._called(tries[1])
            except UserError:
                return self._called(tries[0])  # the first failure is the one to tell
            self._alone = True
            self._say("x: handed over without the axis of examples")
            return found

    def _called(self, inputs: Tensor) -> Tensor:
        found = guarded(self.task.path, self.task.name, lambda: self.module(inputs))
        found = found[0] if isinstance(found, tuple | list) and found else found
        if not isinstance(found, self.torch.Tensor):
            raise UserError(f"{self.task.path}: {self.task.name}: gave a {type(found).__name__}; a tensor is expected")
        return found


class Part:
    """A parameter, a gate's share of one, or two biases that are added."""

    def __init__(self, torch: Any, name: str, tensors: Sequence[Any], rows: slice | None = None) -> None:
        self.torch, self.name, self.tensors, self.rows = torch, name, tensors, rows
        self.learned = all(tensor.requires_grad for tensor in tensors)

    def _cut(self, tensor: Any) -> Any:
        return tensor if self.rows is None else tensor[self.rows]

    def read(self) -> Numbers:
        """The numbers: two biases added."""
        return np.asarray(sum(numbers_of(self._cut(tensor)) for tensor in self.tensors))

    def live(self) -> Any:
        """The same as autograd has it."""
        first, *others = (self._cut(tensor) for tensor in self.tensors)
        return sum(others, start=first)

    def write(self, numbers: Numbers) -> None:
        """Put numbers in; of two biases into the first, the second becomes 0."""
        with self.torch.no_grad():
            for place, tensor in enumerate(self.tensors):
                own = self.torch.tensor(np.array(numbers if place == 0 else 0 * numbers, dtype=np.float64))
                self._cut(tensor).copy_(own.to(tensor.dtype))

    def gradient(self) -> Numbers | None:
        """What autograd left; that of two added biases is the same."""
        found = self.tensors[0].grad
        return None if found is None else numbers_of(self._cut(found))


def numbers_of(tensor: Any) -> Numbers:
    """A tensor's numbers; bfloat16, which NumPy does not have, as float32."""
    found = tensor.detach().cpu()
    return np.asarray((found.float() if str(found.dtype) == "torch.bfloat16" else found).numpy())


def parts(torch: Any, module: Any) -> Iterator[Part]:
    """The parts of a module's state, in the order in which a problem's layers have theirs."""
    seen: set[int] = set()
    for prefix, owner in module.named_modules():
        if isinstance(owner, torch.nn.RNNBase):
            yield from _of_recurrent(torch, prefix, owner)
            seen |= {id(p) for p in owner.parameters()}
    ordered = []
    for name, parameter in module.named_parameters():
        if id(parameter) not in seen:
            ordered.append((name, Part(torch, name, [parameter])))
    yield from (part for _, part in ordered)


def _of_recurrent(torch: Any, prefix: str, owner: Any) -> Iterator[Part]:
    """A recurrent layer's W, U and b, gate by gate, for each of its layers and directions."""
    gates = next(gates for kind, gates in GATES.items() if owner.mode.startswith(kind))
    size = owner.hidden_size
    dot = f"{prefix}." if prefix else ""
    for layer in range(owner.num_layers):
        for back in ("", "_reverse") if owner.bidirectional else ("",):
            end = f"_l{layer}{back}"

            def at(stem: str, end: str = end) -> Any:
                return getattr(owner, f"{stem}{end}")

            rows = {gate: slice(k * size, (k + 1) * size) for k, gate in enumerate(gates)}
            for stem in ("weight_ih", "weight_hh"):
                for gate, cut in rows.items():
                    yield Part(torch, f"{dot}{stem}{end}{gate}", [at(stem)], cut)
            if not owner.bias:
                continue
            apart = owner.mode == "GRU"
            for gate, cut in rows.items():
                both = [at("bias_ih")] if apart and gate == "_n" else [at("bias_ih"), at("bias_hh")]
                yield Part(torch, f"{dot}bias{end}{gate}", both, cut)
            if apart:
                yield Part(torch, f"{dot}bias_hh{end}_n", [at("bias_hh")], rows["_n"])


def _operations(torch: Any, dtype: Any) -> Operations:
    functions = {
        sympy.exp: torch.exp,
        sympy.log: torch.log,
        sympy.tanh: torch.tanh,
        sympy.Abs: torch.abs,
        sympy.sin: torch.sin,
        sympy.cos: torch.cos,
        sympy.erf: torch.erf,
    }
    return Operations(
        functions,
        torch.where,
        torch.einsum,
        lambda x, axes, keep: torch.sum(x, dim=axes, keepdim=keep) if axes else x,
        lambda x, axes: x.permute(*axes),
        lambda x, shape: x.reshape(shape),
        lambda x, axis: torch.softmax(x, dim=axis),
        lambda x, axis: torch.log_softmax(x, dim=axis),
        lambda tensors: torch.cat(tensors),
        lambda x, places: x[torch.as_tensor(np.asarray(places))],
        lambda number: torch.tensor(number, dtype=dtype),
    )
