"""Optimizers as specifications: what `torch.optim` computes, in operations that are traced
with the step.

The scalars that depend on the step count (bias corrections, schedules) are computed in
f64, as `torch.optim` does in Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

# A number, or a function of the number of steps that were taken before: a 0-d tensor of
# f64 to such a tensor.
Rate = float | Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """What all optimizers have.

    lr            the learning rate; a function of the number of steps taken before (a 0-d
                  f64 tensor) is a schedule
    weight_decay  as in `torch.optim`
    clip_norm     as `torch.nn.utils.clip_grad_norm_` over all gradients, before the
                  optimizer; None for no clipping
    """

    lr: Rate = 1e-3
    weight_decay: float = 0.0
    clip_norm: float | None = None

    def __post_init__(self):
        """Checks the options: TypeError for what is no number where one is, ValueError for
        numbers out of range."""
        if not callable(self.lr):
            self._check_type("lr", _is_number(self.lr), "a number or a function of one")
            self._check("lr", self.lr >= 0, "at least 0")
        self._check_number("weight_decay", lambda value: value >= 0, "at least 0")
        if self.clip_norm is not None:
            self._check_number("clip_norm", lambda value: value > 0, "more than 0")

    def _check_number(self, name: str, is_good: Callable[[float], bool], wanted: str):
        value = getattr(self, name)
        self._check_type(name, _is_number(value), "a number")
        self._check(name, is_good(value), wanted)

    def _check_bool(self, name: str):
        self._check_type(name, isinstance(getattr(self, name), bool), "True or False")

    def _check_type(self, name: str, good: bool, wanted: str):
        self._check(name, good, wanted, TypeError)

    def _check(self, name: str, good: bool, wanted: str, error=ValueError):
        # A comparison with NaN is false.
        if not good:
            raise error(
                f"{type(self).__name__}: {name} must be {wanted}, found "
                f"{getattr(self, name)!r}"
            )

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the state of one parameter, as `torch.optim` has them; each starts
        as zeros of its shape."""
        return ()

    def update(
        self, steps: Tensor, param: Tensor, grad: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The new parameter and its new state; `steps` were taken before, an i64."""
        raise NotImplementedError

    def rate(self, steps: Tensor) -> float | Tensor:
        """The learning rate after so many steps."""
        if not callable(self.lr):
            return self.lr
        rate = self.lr(steps.to(torch.float64))
        if not isinstance(rate, Tensor) or rate.numel() != 1:
            raise TypeError(
                f"{type(self).__name__}: lr must return a tensor of one number, found {rate!r}"
            )
        return rate.reshape(()).to(torch.float64)


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def widened(tensor: Tensor) -> Tensor:
    """A tensor in what PyTorch computes on it in: half precision in f32."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _op(compute: Callable, *tensors: Tensor) -> Tensor:
    """One operation of PyTorch on tensors of one type: those of half precision are computed
    on in f32, scalars among them, and rounded once."""
    return compute(*map(widened, tensors)).to(tensors[0].dtype)


def _scalar(factor: float | Tensor, like: Tensor) -> float | Tensor:
    """A factor for tensors as `like`; one that is a tensor is rounded once."""
    return factor.to(like.dtype) if isinstance(factor, Tensor) else factor


def scaled(tensor: Tensor, factor: float | Tensor) -> Tensor:
    """`tensor * factor`."""
    return _op(lambda x: x * _scalar(factor, x), tensor)


def _added(tensor: Tensor, other: Tensor, factor: float | Tensor) -> Tensor:
    """`tensor + factor * other`."""
    return _op(lambda x, y: x + _scalar(factor, x) * y, tensor, other)


def _power(base: float, steps: Tensor) -> Tensor:
    exponent = steps.to(torch.float64)
    # exp(0 * -inf) is not a number, but 0 ** steps is 0 for steps > 0.
    if base == 0:
        return torch.zeros_like(exponent)
    return torch.exp(exponent * math.log(base))


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """`torch.optim.SGD`."""

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False

    def __post_init__(self):
        """Checks the options."""
        super().__post_init__()
        self._check_number("momentum", lambda value: value >= 0, "at least 0")
        self._check_number("dampening", lambda value: not math.isnan(value), "a number")
        self._check_bool("nesterov")
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("SGD: nesterov needs a momentum and no dampening")

    @property
    def slots(self) -> tuple[str, ...]:
        """The momentum, where there is one."""
        return ("momentum_buffer",) if self.momentum else ()

    def update(self, steps, param, grad, state):
        """One step."""
        if self.weight_decay:
            grad = _added(grad, param, self.weight_decay)
        if self.momentum:
            damped: float | Tensor = 1.0
            if self.dampening:
                # The first momentum is the gradient itself.
                undamped = (steps == 0).to(torch.float64) * self.dampening
                damped = 1 - self.dampening + undamped
            momentum = scaled(state["momentum_buffer"], self.momentum)
            momentum = _added(momentum, grad, damped)
            state = {"momentum_buffer": momentum}
            grad = _added(grad, momentum, self.momentum) if self.nesterov else momentum
        rate = self.rate(steps)
        return _op(lambda p, g: p - _scalar(rate, p) * g, param, grad), state


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """`torch.optim.Adam`."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    amsgrad: bool = False

    def __post_init__(self):
        """Checks the options."""
        super().__post_init__()
        wanted = "two numbers of at least 0 and less than 1"
        is_pair = isinstance(self.betas, (tuple, list)) and all(
            map(_is_number, self.betas)
        )
        self._check_type("betas", is_pair, wanted)
        good = len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas)
        self._check("betas", good, wanted)
        self._check_number("eps", lambda value: value >= 0, "at least 0")
        self._check_bool("amsgrad")

    @property
    def slots(self) -> tuple[str, ...]:
        """The moments."""
        first = ("exp_avg", "exp_avg_sq")
        return (*first, "max_exp_avg_sq") if self.amsgrad else first

    def update(self, steps, param, grad, state):
        """One step."""
        rate = self.rate(steps)
        param, grad = self._decay(rate, param, grad)
        beta1, beta2 = self.betas
        before, mean = state, state["exp_avg"]
        mean = _op(lambda m, g: m + (1 - beta1) * (g - m), mean, grad)
        square = scaled(state["exp_avg_sq"], beta2)
        square = _op(lambda v, g: v + (1 - beta2) * (g * g), square, grad)
        state = {"exp_avg": mean, "exp_avg_sq": square}
        if self.amsgrad:
            square = torch.maximum(before["max_exp_avg_sq"], square)
            state["max_exp_avg_sq"] = square
        correction1 = 1 - _power(beta1, steps + 1)
        correction2 = torch.sqrt(1 - _power(beta2, steps + 1))
        root = _op(torch.sqrt, square)
        divisor = _op(lambda v: v / _scalar(correction2, v), root)
        divisor = _op(lambda v: v + self.eps, divisor)
        size = rate / correction1
        new = _op(lambda p, m, d: p - (m / d) * _scalar(size, p), param, mean, divisor)
        return new, state

    def _decay(self, rate, param, grad):
        """The parameter and the gradient that the moments take."""
        if self.weight_decay:
            grad = _added(grad, param, self.weight_decay)
        return param, grad


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """`torch.optim.AdamW`, with its weight decay of 0.01 by default."""

    weight_decay: float = 0.01

    def _decay(self, rate, param, grad):
        if self.weight_decay:
            param = scaled(param, 1 - rate * self.weight_decay)
        return param, grad
