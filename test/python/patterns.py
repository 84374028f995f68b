"""The pattern structures as NumPy has them: what they select, and where their entries are."""

from __future__ import annotations

import dataclasses
import functools
import re
from itertools import combinations, product

import numpy as np


def index_dtype(limit):
    """Indices below `limit` as they are stored."""
    return np.uint32 if limit > 65536 else np.uint16


def count_at(density, total):
    return int(np.floor(density * total + 0.5))


def largest(scores, count):
    """The columns of the `count` largest of each row, ascending; ties to the lower one."""
    return np.sort(np.argsort(-scores, axis=-1, kind="stable")[..., :count], axis=-1)


def random_columns(rng, rows, columns, count):
    """`count` different columns a row, ascending."""
    return largest(rng.random((rows, columns)), count)


@functools.cache
def transposable_masks(n, m):
    """All m x m masks with n entries in each row and column."""
    rows = np.array([np.isin(range(m), kept) for kept in combinations(range(m), n)])
    choices = np.stack(np.meshgrid(*[np.arange(len(rows))] * m), -1).reshape(-1, m)
    masks = rows[choices]
    return masks[(masks.sum(1) == n).all(-1)]


@dataclasses.dataclass(frozen=True)
class NM:
    """N of M inputs, shared by `vector` outputs."""

    n: int
    m: int
    vector: int = 1
    transposable: bool = False

    @property
    def text(self):
        extra = ", transposable" * self.transposable
        return f"nm<{self.n}:{self.m}{extra}{f', vector = {self.vector}' if self.vector > 1 else ''}>"

    def index_tensors(self, inputs, outputs):
        shape = (outputs // self.vector, inputs // self.m * self.n)
        return {"indices": (shape, index_dtype(inputs))}

    def values_shape(self, inputs, outputs):
        return (outputs // self.vector, inputs // self.m * self.n, self.vector)

    def _pattern(self, kept):
        """From the kept members [N/V][groups][n]."""
        first = np.arange(kept.shape[1])[:, None] * self.m
        return {"indices": (kept + first).reshape(kept.shape[0], -1)}

    def select(self, matrix):
        inputs, outputs = matrix.shape
        if self.transposable:
            m = self.m
            blocks = np.abs(matrix).T.reshape(outputs // m, m, inputs // m, m)
            masks = transposable_masks(self.n, m)
            totals = np.einsum("bogi,xoi->bgx", blocks.astype(np.float64), masks)
            best = masks[totals.argmax(-1)].transpose(0, 2, 1, 3)
            kept = best.reshape(outputs, -1, m).nonzero()[2]
            return self._pattern(kept.reshape(outputs, -1, self.n))
        blocks = np.abs(matrix).reshape(inputs, outputs // self.vector, self.vector)
        scores = blocks.sum(-1, dtype=matrix.dtype).T
        return self._pattern(largest(scores.reshape(scores.shape[0], -1, self.m), self.n))

    def random(self, rng, inputs, outputs):
        groups = inputs // self.m
        if self.transposable:
            kept = np.zeros((outputs, groups, self.n), int)
            for g, block in product(range(groups), range(outputs // self.m)):
                # A circulant pattern, its rows and columns permuted.
                circulant = (np.arange(self.m)[:, None] + np.arange(self.n)) % self.m
                rows = slice(block * self.m, (block + 1) * self.m)
                members = rng.permutation(self.m)[circulant]
                kept[rows, g] = np.sort(members)[rng.permutation(self.m)]
            return self._pattern(kept)
        rows = outputs // self.vector * groups
        kept = random_columns(rng, rows, self.m, self.n)
        return self._pattern(kept.reshape(-1, groups, self.n))

    def entries(self, pattern, inputs, outputs):
        """(inputs, outputs) of each stored entry, of the shape of the values."""
        rows = pattern["indices"].astype(int)[:, :, None]
        blocks = np.arange(rows.shape[0])[:, None, None] * self.vector
        return np.broadcast_arrays(rows, blocks + np.arange(self.vector))


@dataclasses.dataclass(frozen=True)
class Block:
    """The same number of r x c blocks for each c outputs."""

    r: int
    c: int
    density: float

    @property
    def text(self):
        return f"block<{self.r}x{self.c}, density = {self.density}>"

    def _stored(self, inputs):
        return count_at(self.density, inputs // self.r)

    def index_tensors(self, inputs, outputs):
        shape = (outputs // self.c, self._stored(inputs))
        return {"indices": (shape, index_dtype(inputs // self.r))}

    def values_shape(self, inputs, outputs):
        return (outputs // self.c, self._stored(inputs), self.r, self.c)

    def select(self, matrix):
        inputs, outputs = matrix.shape
        blocks = np.abs(matrix).reshape(inputs // self.r, self.r, -1, self.c)
        scores = blocks.sum((1, 3), dtype=matrix.dtype).T
        return {"indices": largest(scores, self._stored(inputs))}

    def random(self, rng, inputs, outputs):
        kept = random_columns(
            rng, outputs // self.c, inputs // self.r, self._stored(inputs)
        )
        return {"indices": kept}

    def entries(self, pattern, inputs, outputs):
        indices = pattern["indices"].astype(int)[:, :, None, None]
        rows = indices * self.r + np.arange(self.r)[:, None]
        blocks = np.arange(rows.shape[0])[:, None, None, None] * self.c
        return np.broadcast_arrays(rows, blocks + np.arange(self.c))


@dataclasses.dataclass(frozen=True)
class Unstructured:
    density: float

    @property
    def text(self):
        return f"unstructured<density = {self.density}>"

    def index_tensors(self, inputs, outputs):
        count = count_at(self.density, inputs * outputs)
        return {
            "positions": ((outputs + 1,), np.uint32),
            "indices": ((count,), index_dtype(inputs)),
        }

    def values_shape(self, inputs, outputs):
        return (count_at(self.density, inputs * outputs),)

    def _pattern(self, chosen, inputs, outputs):
        """From the numbers of entries in output-major order."""
        ends = np.bincount(chosen // inputs, minlength=outputs).cumsum()
        return {"positions": np.concatenate([[0], ends]), "indices": chosen % inputs}

    def select(self, matrix):
        inputs, outputs = matrix.shape
        scores = np.abs(matrix).T.reshape(1, -1)
        chosen = largest(scores, count_at(self.density, matrix.size))[0]
        return self._pattern(chosen, inputs, outputs)

    def random(self, rng, inputs, outputs):
        total = inputs * outputs
        chosen = random_columns(rng, 1, total, count_at(self.density, total))[0]
        return self._pattern(chosen, inputs, outputs)

    def entries(self, pattern, inputs, outputs):
        positions = pattern["positions"].astype(int)
        columns = np.repeat(np.arange(outputs), np.diff(positions))
        return pattern["indices"].astype(int), columns


@dataclasses.dataclass(frozen=True)
class VNM:
    """V outputs share 4 of each M inputs, and each output keeps N of those."""

    v: int
    n: int
    m: int

    @property
    def text(self):
        return f"vnm<{self.v}, {self.n}:{self.m}>"

    def index_tensors(self, inputs, outputs):
        groups = inputs // self.m
        return {
            "columns": ((outputs // self.v, groups * 4), index_dtype(inputs)),
            "indices": ((outputs, groups * self.n), np.uint16),
        }

    def values_shape(self, inputs, outputs):
        return (outputs, inputs // self.m * self.n)

    def _pattern(self, shared, kept):
        """From the groups' members [N/V][groups][4] and which of them [N][groups][n]."""
        first = np.arange(shared.shape[1])[:, None] * self.m
        return {
            "columns": (shared + first).reshape(shared.shape[0], -1),
            "indices": kept.reshape(kept.shape[0], -1),
        }

    def select(self, matrix):
        inputs, outputs = matrix.shape
        groups = np.abs(matrix).T.reshape(outputs, -1, self.m)
        blocks = groups.reshape(outputs // self.v, self.v, -1, self.m)
        shared = largest(blocks.sum(1, dtype=matrix.dtype), 4)
        own = np.take_along_axis(groups, np.repeat(shared, self.v, axis=0), axis=2)
        return self._pattern(shared, largest(own, self.n))

    def random(self, rng, inputs, outputs):
        groups, blocks = inputs // self.m, outputs // self.v
        shared = random_columns(rng, blocks * groups, self.m, 4).reshape(blocks, -1, 4)
        kept = random_columns(rng, outputs * groups, 4, self.n)
        return self._pattern(shared, kept.reshape(outputs, groups, self.n))

    def entries(self, pattern, inputs, outputs):
        columns = pattern["columns"].astype(int).reshape(outputs // self.v, -1, 4)
        members = pattern["indices"].astype(int).reshape(outputs, -1, self.n)
        shared = np.repeat(columns, self.v, axis=0)
        rows = np.take_along_axis(shared, members, axis=2).reshape(outputs, -1)
        return np.broadcast_arrays(rows, np.arange(outputs)[:, None])


PATTERNS = NM | Block | Unstructured | VNM
_NUMBER = r"([\d.e-]+)"


def parse(text):
    """The structure's text in the default view, as it is written above; None for another."""
    if match := re.fullmatch(
        r"nm<(\d+):(\d+)(, transposable)?(?:, vector = (\d+))?>", text
    ):
        return NM(int(match[1]), int(match[2]), int(match[4] or 1), bool(match[3]))
    if match := re.fullmatch(rf"block<(\d+)x(\d+), density = {_NUMBER}>", text):
        return Block(int(match[1]), int(match[2]), float(match[3]))
    if match := re.fullmatch(rf"unstructured<density = {_NUMBER}>", text):
        return Unstructured(float(match[1]))
    if match := re.fullmatch(r"vnm<(\d+), (\d+):(\d+)>", text):
        return VNM(*(int(group) for group in match.groups()))
    return None


def densify(structure, values, pattern, inputs, outputs):
    dense = np.zeros((inputs, outputs), values.dtype)
    dense[structure.entries(pattern, inputs, outputs)] = values
    return dense


def restrict(structure, matrix, pattern):
    return matrix[structure.entries(pattern, *matrix.shape)]


@dataclasses.dataclass(frozen=True)
class Pattern:
    """A pattern structure on a parameter; `inputs` are the contracted dimensions, `stack`
    those of stacked layers."""

    structure: PATTERNS
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    stack: tuple[int, ...] = ()

    @property
    def matrix_shape(self):
        inputs = int(np.prod([self.shape[d] for d in self.inputs]))
        layers = int(np.prod([self.shape[d] for d in self.stack]))
        return inputs, int(np.prod(self.shape)) // inputs // layers

    def pattern(self, stored) -> dict[str, np.ndarray]:
        """The index tensors of a parameter's storage."""
        return {name: stored[name] for name in self.index_names}

    def densify(self, values, pattern):
        """The dense matrix of a storage, behind the stacked dimensions."""
        sizes = [self.shape[d] for d in self.stack]
        dense = np.zeros((*sizes, *self.matrix_shape), values.dtype)
        for place in np.ndindex(*sizes):
            own = {name: indices[place] for name, indices in pattern.items()}
            dense[place] = densify(self.structure, values[place], own, *self.matrix_shape)
        return dense

    @property
    def index_names(self):
        return list(self.structure.index_tensors(*self.matrix_shape))
