"""Random numbers of a step: arithmetic on a seed, the count of steps and the place of an
entry.

The generator is Squares (Widynski 2020, arXiv:2004.06278), which makes 32 bits of a key and
a 64-bit counter in four rounds. Each drawing in the step has a key of its own; the counter is
the number of steps taken and the entry.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

aten = torch.ops.aten


def key(seed: int, drawing: int) -> int:
    """The key of one drawing, in the manner of the paper: eight hexadecimal digits that
    differ and are not zero, then eight that differ, of which the last is odd."""
    digits = random.Random(f"{seed}/{drawing}")
    high = digits.sample(range(1, 16), 8)
    last = digits.choice(range(1, 16, 2))
    low = digits.sample([digit for digit in range(16) if digit != last], 7)
    return int("".join(f"{digit:x}" for digit in (*high, *low, last)), 16)


def bits(counter: Tensor, key: int) -> Tensor:
    """32 random bits of each counter. All is i64, whose sums and products drop what does not
    fit, as the paper's do."""
    key -= 2**64 if key >= 2**63 else 0
    x = y = counter * key
    z = y + key
    x = _swapped(x * x + y)
    x = _swapped(x * x + z)
    x = _swapped(x * x + y)
    return _high(x * x + z)


def _swapped(x: Tensor) -> Tensor:
    return _high(x) | (x * 2**32)


def _high(x: Tensor) -> Tensor:
    # The shift repeats the sign.
    return _shifted(x, 32) & (2**32 - 1)


def _shifted(x: Tensor, places: int) -> Tensor:
    return torch.bitwise_right_shift(x, torch.full((), places, dtype=x.dtype))


class Drawings:
    """The random numbers of one graph.

    Drawings are numbered as they come; `steps` is the count of steps, a 0-d i64, which is
    set when the graph is traced.
    """

    def __init__(self, seed: int):
        """Nothing is drawn yet."""
        self._seed = seed
        self._count = 0
        self.steps: Tensor | None = None

    def decompositions(self) -> dict[object, Callable]:
        """What random operations are in arithmetic."""
        return {
            aten.bernoulli.default: self._bernoulli_of,
            aten.bernoulli.p: self._bernoulli,
            aten.native_dropout.default: self._dropout,
            aten.rand.default: self._rand,
            aten.rand_like.default: self._rand_like,
        }

    def uniform(self, shape, dtype: torch.dtype = torch.float32) -> Tensor:
        """Numbers of at least 0 and less than 1, in as many bits as `dtype` has, 32 at most:
        none is rounded up to 1."""
        entries = torch.arange(torch.Size(shape).numel()).reshape(shape)
        drawn = bits(self.steps * 2**32 + entries, key(self._seed, self._count))
        self._count += 1
        digits = min(32, 1 - round(math.log2(torch.finfo(dtype).eps)))
        return _shifted(drawn, 32 - digits).to(dtype) * 2.0**-digits

    def _bernoulli_of(self, p, generator=None):
        if generator is not None:
            return NotImplemented
        return (self.uniform(p.shape) < p).to(p.dtype)

    def _bernoulli(self, x, p=0.5, generator=None):
        if generator is not None:
            return NotImplemented
        return (self.uniform(x.shape) < p).to(x.dtype)

    def _dropout(self, x, p, train):
        if train is False:
            return x.clone(), torch.ones_like(x, dtype=torch.bool)
        kept = self.uniform(x.shape) >= p
        return x * kept.to(x.dtype) * (1 / (1 - p) if p < 1 else 0.0), kept

    def _rand(self, size, dtype=None, **options):
        return self.uniform(size, dtype or torch.get_default_dtype())

    def _rand_like(self, x, dtype=None, **options):
        return self.uniform(x.shape, dtype or x.dtype)
