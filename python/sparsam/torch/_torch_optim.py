"""Instances of `torch.optim` as specifications, and their state."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ._optimizers import SGD, Adam, AdamW, Optimizer

# What of a parameter group a specification takes, by the exact class: a subclass may
# compute something else.
_TAKEN = {
    torch.optim.SGD: (SGD, ("lr", "momentum", "dampening", "weight_decay", "nesterov")),
    torch.optim.Adam: (Adam, ("lr", "betas", "eps", "weight_decay", "amsgrad")),
    torch.optim.AdamW: (AdamW, ("lr", "betas", "eps", "weight_decay", "amsgrad")),
}


@dataclass(frozen=True)
class Groups:
    """The parameter groups of an instance of `torch.optim`, each with its specification."""

    optimizer: torch.optim.Optimizer
    specs: tuple[Optimizer, ...]
    clip_norm: float | None

    def of(self, model: torch.nn.Module) -> dict[str, Optimizer]:
        """Parameter name -> its specification, of those that the optimizer trains."""
        names = {id(param): name for name, param in model.named_parameters()}
        found = {}
        for spec, group in zip(self.specs, self.optimizer.param_groups, strict=True):
            for param in group["params"]:
                if id(param) not in names:
                    raise ValueError(
                        "the optimizer has a parameter of shape "
                        f"{tuple(param.shape)} that is none of the model's; make it from "
                        "the parameters of the model that is compiled"
                    )
                if param.requires_grad:
                    found[names[id(param)]] = spec
        return {name: found[name] for name in names.values() if name in found}


def from_optimizer(
    optimizer: torch.optim.Optimizer, clip_norm: float | None = None
) -> Groups:
    """The specification of an instance of `torch.optim.SGD`, `Adam` or `AdamW`, with its
    parameter groups as they are now, and with clipping of the gradients' norm.

    `sparsam.torch.compile` takes the instance itself, too. The instance is only read.
    """
    kind = type(optimizer)
    if kind not in _TAKEN:
        raise TypeError(
            f"the optimizer must be one of torch.optim.SGD, Adam and AdamW, found "
            f"{kind.__module__}.{kind.__qualname__}"
        )
    spec, names = _TAKEN[kind]
    specs = []
    for group in optimizer.param_groups:
        if group.get("maximize"):
            raise ValueError(f"{kind.__name__}(maximize=True) is not supported")
        if kind is torch.optim.Adam and group.get("decoupled_weight_decay"):
            raise ValueError("Adam(decoupled_weight_decay=True) is AdamW; use that")
        values = {name: _number(group[name]) for name in names}
        specs.append(spec(**values, clip_norm=clip_norm))
    return Groups(optimizer, tuple(specs), clip_norm)


def _number(value):
    if isinstance(value, Tensor):
        return value.item()
    return tuple(map(_number, value)) if isinstance(value, (tuple, list)) else value


def state_of(
    optimizer: torch.optim.Optimizer,
    model: torch.nn.Module,
    specs: dict[str, Optimizer],
) -> tuple[int, dict[tuple[str, str], Tensor]]:
    """The steps that an instance took, and (slot, parameter name) -> its state. What it
    has no state of yet starts as zeros."""
    names = {id(param): name for name, param in model.named_parameters()}
    steps: dict[int, str] = {}
    found = {}
    for param, state in optimizer.state.items():
        name = names.get(id(param))
        if name not in specs or not any(v is not None for v in state.values()):
            continue
        # SGD does not count its steps; whether there was one is all that it needs.
        steps.setdefault(int(state.get("step", 1)), name)
        slots = {"max_exp_avg_sqs": "max_exp_avg_sq"}
        for key, value in state.items():
            slot = slots.get(key, key)
            if slot in specs[name].slots and value is not None:
                found[slot, name] = value
    if len(steps) > 1:
        (a, one), (b, other) = list(steps.items())[:2]
        raise ValueError(
            f"the optimizer took {a} steps for '{one}' and {b} for '{other}'; a compiled step "
            "counts all parameters together"
        )
    return next(iter(steps), 0), found
