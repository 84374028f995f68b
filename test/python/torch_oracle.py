"""The oracle of `oracle`, for modules: PyTorch's own step of the re-parametrised module.

A parameter with a pattern is W * mask; one with factors is what `composed` builds of them in
its matrix view, through which autograd differentiates by JAX. The rest of the gradients are
autograd's own, and an instance of `torch.optim` runs on the masked tensor or on the factors.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import reference
import sparsam.torch
import torch
from composed import Composed
from oracle import factor_of, patterned
from patterns import Pattern
from structures import View, texts_of
from torch.func import functional_call
from torch_models import Model, weights

STEPS = 10


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """A specification, and what it stands for.

    make(parameters) -> the instance of torch.optim
    """

    spec: object
    make: Callable
    clip_norm: float | None = None


OPTIMIZERS = {
    "momentum": Optimizer(
        sparsam.torch.SGD(lr=0.02, momentum=0.9),
        lambda ps: torch.optim.SGD(ps, lr=0.02, momentum=0.9),
    ),
    "adamw": Optimizer(
        sparsam.torch.AdamW(lr=3e-3, weight_decay=0.1, clip_norm=0.3),
        lambda ps: torch.optim.AdamW(ps, lr=3e-3, weight_decay=0.1),
        clip_norm=0.3,
    ),
}


def _cast(batch, dtype) -> list[torch.Tensor]:
    return [t.to(dtype) if t.is_floating_point() else t for t in batch]


def _array(tensor: torch.Tensor) -> np.ndarray:
    """As NumPy has it; bfloat16, which that has not, in f32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()


class _Loss(torch.nn.Module):
    def __init__(self, module, loss):
        super().__init__()
        self.module = module
        self._loss = loss

    def forward(self, *batch):
        return self._loss(self.module, *batch)


@dataclasses.dataclass
class Case:
    """A module, an optimizer, and the structure text of each parameter by its name."""

    model: Model
    optimizer: Optimizer
    texts: dict[str, str]
    seed: int = 0
    dtype: torch.dtype = torch.float32

    def __post_init__(self):
        torch.manual_seed(self.seed)
        self.module = self.model.make()
        self.module.train()
        with torch.no_grad():
            # Constants become distinct, biases that start as zeros among them.
            for parameter in self.module.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        self.module.to(self.dtype)
        generator = torch.Generator().manual_seed(self.seed)
        batches = [self.model.batch(generator) for _ in range(STEPS)]
        self.batches = [_cast(batch, self.dtype) for batch in batches]
        contracted = weights(self.module)
        shapes = {name: tuple(p.shape) for name, p in self.module.named_parameters()}
        self.structures = {
            name: reference.parse(text, contracted[name], shapes[name])
            for name, text in self.texts.items()
            if text != "dense"
        }

    def compile(self) -> sparsam.torch.Step:
        return sparsam.torch.compile(
            self.module,
            self.model.loss,
            self.optimizer.spec,
            self.batches[0],
            structure=self.texts or "dense",
        )


def case(model: Model, optimizer: str, text: str | None, seed: int) -> Case:
    """One structure on all linear layers."""
    texts = dict.fromkeys(weights(model.make()), text) if text else {}
    return Case(model, OPTIMIZERS[optimizer], texts, seed)


def views(model: Model) -> dict[str, View]:
    """Of the weights that every structure fits."""
    module = model.make()
    found = {}
    for name, contracted in weights(module).items():
        view = View.of(module.get_parameter(name).shape, contracted)
        if math.prod(view.inputs) % 4 == math.prod(view.outputs) % 4 == 0:
            found[name] = view
    return found


def mixed_case(model: Model, optimizer: str, hand: int, turn: int, seed: int) -> Case:
    """The weights of a module, each with another structure of one hand."""
    texts = texts_of(views(model), hand, turn)
    return Case(model, OPTIMIZERS[optimizer], texts, seed)


class _ByJax(torch.autograd.Function):
    """A function of JAX, differentiated by JAX."""

    @staticmethod
    def forward(ctx, function, *tensors):
        ctx.function = function
        ctx.save_for_backward(*tensors)
        return _call_jax(function.forward, tensors)[0]

    @staticmethod
    def backward(ctx, gradient):
        return None, *_call_jax(ctx.function.backward, (gradient, *ctx.saved_tensors))


def _call_jax(function, tensors) -> list[torch.Tensor]:
    with jax.enable_x64(tensors[0].dtype is torch.float64):
        dtype = str(tensors[0].dtype).removeprefix("torch.")
        results = function(*(jnp.asarray(_array(t), dtype) for t in tensors))
        return [
            torch.tensor(np.asarray(result, np.float64)).to(tensors[0].dtype)
            for result in results
        ]


class _Differentiable:
    """A function of JAX, of arrays to one array, as one of tensors."""

    def __init__(self, function):
        def backward(gradient, *arrays):
            return jax.vjp(function, *arrays)[1](gradient)

        self.forward = jax.jit(lambda *arrays: (function(*arrays),))
        self.backward = jax.jit(backward)

    def __call__(self, *tensors):
        return _ByJax.apply(self, *tensors)


class Reference:
    """STEPS steps of the re-parametrised module, from what is stored."""

    def __init__(self, case: Case, storage):
        self.case = case
        self.known = patterned(case.structures, storage)
        self.masks = {
            path: reference.mask_of(pattern, indices)
            for path, (pattern, indices) in self.known.items()
        }
        self.starts, self.builds, self.penalties = {}, {}, {}
        for name, structure in case.structures.items():
            if isinstance(structure, Pattern):
                continue
            parts = structure.dense(storage[name])
            self.starts[name] = {part: parts[part] for part in structure.trained}
            frozen = {part: parts[part] for part in structure.frozen}
            self.builds[name] = self._build(name, structure, frozen)
            if structure.penalty:
                self.penalties[name] = self._penalty(structure)

    def _build(self, name, structure: Composed, frozen):
        """The parameter of its trained factors, in their order."""

        def build(*arrays):
            dtype = arrays[0].dtype if arrays else None
            factors = {part: jnp.asarray(f, dtype) for part, f in frozen.items()}
            for part, array in zip(structure.trained, arrays, strict=True):
                mask = self.masks.get(f"{name}/{part}", np.ones(()))
                factors[part] = array * jnp.asarray(mask, dtype)
            return reference.from_matrix(structure, structure.build(factors))

        return _Differentiable(build) if structure.trained else np.asarray(build())

    @staticmethod
    def _penalty(structure: Composed):
        def penalty(*arrays):
            return structure.penalty(dict(zip(structure.trained, arrays, strict=True)))

        return _Differentiable(penalty)

    def run(self, dtype: torch.dtype, nudge: int | None = None) -> dict:
        """{"loss", "params", "state", "buffers"}, each name -> array, in the form of
        `found`. With a `nudge`, a seed, parameters start a rounding error away."""
        case = self.case
        module = copy.deepcopy(case.module).to(dtype)
        leaves = self._leaves(module, dtype, nudge)
        flat = [leaf for parts in leaves.values() for leaf in parts.values()]
        optimizer, losses = case.optimizer.make(flat), []
        wrapped = _Loss(module, case.model.loss)
        for batch in case.batches:
            cast = _cast(batch, dtype)
            values = {
                f"module.{name}": self._dense(name, leaves[name], dtype)
                for name in leaves
            }
            loss = functional_call(wrapped, values, tuple(cast))
            losses.append(loss.item())
            for name, penalty in self.penalties.items():
                loss = loss + penalty(*leaves[name].values())
            optimizer.zero_grad()
            loss.backward()
            if case.optimizer.clip_norm:
                torch.nn.utils.clip_grad_norm_(flat, case.optimizer.clip_norm)
            optimizer.step()
        return {
            "loss": {"loss": np.array(losses)},
            "params": self._arrays(leaves, lambda leaf: leaf, ""),
            "state": self._state(leaves, optimizer),
            "buffers": {name: _array(b) for name, b in module.named_buffers()},
        }

    def _leaves(self, module, dtype, nudge):
        rng = np.random.default_rng(nudge)

        def leaf(array):
            steps = np.zeros(()) if nudge is None else rng.integers(-1, 2, array.shape)
            epsilon = torch.finfo(dtype).eps
            tensor = torch.tensor(np.asarray(array, np.float64) * (1 + steps * epsilon))
            return tensor.to(dtype).requires_grad_()

        found = {}
        for name, _ in module.named_parameters():
            dense = _array(self.case.module.get_parameter(name))
            parts = self.starts.get(name, {"dense": dense * self.masks.get(name, 1)})
            found[name] = {part: leaf(array) for part, array in parts.items()}
        return found

    def _dense(self, name, parts, dtype):
        build = self.builds.get(name)
        if isinstance(build, np.ndarray):
            return torch.tensor(build).to(dtype)
        if build:
            return build(*parts.values())
        if name in self.masks:
            return parts["dense"] * torch.tensor(self.masks[name]).to(dtype)
        return parts["dense"]

    def _arrays(self, leaves, value: Callable, prefix: str):
        found = {}
        for name, parts in leaves.items():
            for part, leaf in parts.items():
                path = f"{name}/{part}" if name in self.starts else name
                array = _array(value(leaf))
                if path in self.known:
                    # The epsilon of a second moment is all that may be outside.
                    assert np.abs(array * (1 - self.masks[path])).max() < 1e-25, path
                    pattern, indices = self.known[path]
                    array = reference.gather(pattern, array, indices)
                found[f"{prefix}{path}"] = array
        return found

    def _state(self, leaves, optimizer):
        slots = self.case.optimizer.spec.slots
        state = {}
        for slot in slots:
            used = {
                name: parts
                for name, parts in leaves.items()
                if all(
                    optimizer.state[leaf].get(slot) is not None for leaf in parts.values()
                )
            }
            zeros = {name: parts for name, parts in leaves.items() if name not in used}
            state |= self._arrays(
                used, lambda x, s=slot: optimizer.state[x][s], f"{slot}."
            )
            state |= self._arrays(zeros, torch.zeros_like, f"{slot}.")
        return {name: array for name, array in state.items()}


def flatten(stored, structures) -> dict[str, np.ndarray]:
    """`step.storage(...)` as name -> tensor, patterns by their values, factors one by one."""
    found = {}
    for path, parts in stored.items():
        structure = structures.get(reference.owner_of(path, structures))
        for part, array in parts.items():
            if isinstance(structure, Composed):
                if name := factor_of(structure, part):
                    found[f"{path}/{name}"] = array
            elif part in ("dense", "values"):
                found[path] = array
    return found


def run(step, case: Case, p, s) -> dict:
    """The steps of a case, and what is then stored, in the form of `Reference.run`."""
    losses = []
    for batch in case.batches:
        p, s, loss = step(p, s, *batch)
        losses.append(loss.item())
    state = flatten(step.storage(s), case.structures)
    assert state.pop("step") == len(case.batches)
    prefix = "buffers."
    return {
        "loss": {"loss": np.array(losses)},
        "params": flatten(step.storage(p), case.structures),
        "state": {k: v for k, v in state.items() if not k.startswith(prefix)},
        "buffers": {
            k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)
        },
    }


def misses(case: Case, storage, found) -> list[str]:
    """What of `found` misses the criterion, a line a tensor."""
    oracle = Reference(case, storage)
    singles = [oracle.run(torch.float32, nudge) for nudge in (None, 1, 2)]
    double = oracle.run(torch.float64)
    return reference.misses(found, singles, double, case.texts)


def check_case(case: Case) -> None:
    """The whole oracle for one case."""
    step = case.compile()
    for name, text in case.texts.items():
        assert step.plan[name].structure.split("<")[0] == text.split("<")[0], name
    p, s = step.compress()
    storage = step.storage(p)
    lines = misses(case, storage, run(step, case, p, s))
    assert not lines, "\n".join(lines)
