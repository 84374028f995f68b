"""The oracle of `oracle`, for modules: PyTorch's own step of the re-parametrised module.

A parameter with a pattern is W * mask; one with factors is U @ V in its matrix view. The
gradients are autograd's, and an instance of `torch.optim` runs on the masked tensor or on
the factors.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import numpy as np
import reference
import sparsam.torch
import torch
from patterns import Pattern
from reference import LowRank
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

    def __post_init__(self):
        torch.manual_seed(self.seed)
        self.module = self.model.make()
        self.module.train()
        with torch.no_grad():
            # Constants become distinct, biases that start as zeros among them.
            for parameter in self.module.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        generator = torch.Generator().manual_seed(self.seed)
        self.batches = [self.model.batch(generator) for _ in range(STEPS)]
        contracted = weights(self.module)
        shapes = {name: tuple(p.shape) for name, p in self.module.named_parameters()}
        self.structures = {
            name: reference.parse(text, contracted[name], shapes[name])
            for name, text in self.texts.items()
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


class Reference:
    """STEPS steps of the re-parametrised module, from what is stored."""

    def __init__(self, case: Case, storage):
        self.case, self.storage = case, storage
        self.indices = {
            name: structure.pattern(storage[name])
            for name, structure in case.structures.items()
            if isinstance(structure, Pattern)
        }

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
            cast = [t.to(dtype) if t.is_floating_point() else t for t in batch]
            values = {
                f"module.{name}": self._dense(name, leaves[name]) for name in leaves
            }
            loss = functional_call(wrapped, values, tuple(cast))
            optimizer.zero_grad()
            loss.backward()
            if case.optimizer.clip_norm:
                torch.nn.utils.clip_grad_norm_(flat, case.optimizer.clip_norm)
            optimizer.step()
            losses.append(loss.item())
        return {
            "loss": {"loss": np.array(losses)},
            "params": self._arrays(leaves, lambda leaf: leaf.detach(), ""),
            "state": self._state(leaves, optimizer),
            "buffers": {name: b.numpy() for name, b in module.named_buffers()},
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
            structure = self.case.structures.get(name)
            if isinstance(structure, LowRank):
                parts = self.storage[name]
                found[name] = {part: leaf(parts[part]) for part in ("u", "v")}
                continue
            dense = self.case.module.get_parameter(name).detach().numpy()
            if isinstance(structure, Pattern):
                dense = dense * reference.mask_of(structure, self.indices[name])
            found[name] = {"dense": leaf(dense)}
        return found

    def _dense(self, name, parts):
        structure = self.case.structures.get(name)
        if isinstance(structure, LowRank):
            product = parts["u"] @ parts["v"]
            # One contracted dimension: the matrix is the tensor or its transpose.
            return product if structure.inputs == (0,) else product.T
        if isinstance(structure, Pattern):
            mask = torch.tensor(reference.mask_of(structure, self.indices[name]))
            return parts["dense"] * mask.to(parts["dense"].dtype)
        return parts["dense"]

    def _arrays(self, leaves, value: Callable, prefix: str):
        found = {}
        for name, parts in leaves.items():
            structure = self.case.structures.get(name)
            for part, leaf in parts.items():
                array = value(leaf).numpy()
                if isinstance(structure, Pattern):
                    mask = reference.mask_of(structure, self.indices[name])
                    # The epsilon of a second moment is all that may be outside.
                    assert np.abs(array * (1 - mask)).max() < 1e-25, name
                    array = reference.gather(structure, array, self.indices[name])
                suffix = "" if part == "dense" else f"/{part}"
                found[f"{prefix}{name}{suffix}"] = array
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
        for part, array in parts.items():
            if part in ("dense", "values"):
                found[path] = array
            elif part != "indices":
                found[f"{path}/{part}"] = array
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
    return [
        f"{kind} {line}"
        for kind in found
        for line in reference.check(
            found[kind], [single[kind] for single in singles], double[kind]
        )
    ]


def check_case(case: Case) -> None:
    """The whole oracle for one case."""
    step = case.compile()
    for name, text in case.texts.items():
        assert step.plan[name].structure.startswith(text.removesuffix(">")), name
    p, s = step.compress()
    storage = step.storage(p)
    lines = misses(case, storage, run(step, case, p, s))
    assert not lines, "\n".join(lines)
