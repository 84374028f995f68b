"""The structure `slice` as NumPy has it, and the oracle's case of a sliced model."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import reference
from oracle import Case, compare, run
from patterns import Pattern, index_dtype, largest
from sparsam import _jax, _lower


@dataclasses.dataclass(frozen=True)
class Axis:
    """`keep` entries of a group; a segment is (offset, outer, size, inner) of a side."""

    group: str
    keep: int
    rows: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[int, ...], ...]

    @property
    def size(self):
        return (self.rows or self.columns)[0][2]

    def entries_of(self, side, length):
        """Which entry of the axis each of `length` rows or columns is; -1 for none."""
        found = np.full(length, -1)
        for offset, outer, size, inner in side:
            run = np.tile(np.repeat(np.arange(size), inner), outer)
            found[offset : offset + len(run)] = run
        return found


@dataclasses.dataclass(frozen=True)
class Slice:
    axes: tuple[Axis, ...]

    def names(self):
        single = len(self.axes) == 1
        return ["indices" if single else f"indices{i}" for i in range(len(self.axes))]

    def index_tensors(self, inputs, outputs):
        return {
            name: ((axis.keep,), index_dtype(axis.size))
            for name, axis in zip(self.names(), self.axes, strict=True)
        }

    def _kept(self, pattern, side, length):
        kept = np.ones(length, bool)
        for name, axis in zip(self.names(), self.axes, strict=True):
            entries = axis.entries_of(getattr(axis, side), length)
            kept &= (entries < 0) | np.isin(entries, pattern[name].astype(int))
        return kept.nonzero()[0]

    def entries(self, pattern, inputs, outputs):
        rows = self._kept(pattern, "rows", inputs)
        return np.broadcast_arrays(rows[:, None], self._kept(pattern, "columns", outputs))


def parse(text: str, shape) -> Pattern:
    """A complete structure on a parameter of this shape."""
    axes = []
    for piece in re.split(r'group = (?=")', text)[1:]:
        group, keep = re.match(r'"([^"]*)", keep = (\d+)', piece).groups()
        sides = {
            side: tuple(
                tuple(map(int, re.split("[:x]", segment)))
                for segment in re.split(", ", match[1])
            )
            if (match := re.search(rf"{side} = \[([^\]]*)\]", piece))
            else ()
            for side in ("rows", "columns")
        }
        axes.append(Axis(group, int(keep), **sides))
    return Pattern(Slice(tuple(axes)), tuple(range(len(shape) - 1)), tuple(shape))


def declared(model, optimizer, requests) -> Case:
    """A case of what the requests are completed to."""
    case = Case(model, optimizer, {})
    args = (case.params, case.state, *case.batches[0])
    imported = _jax.import_step(case.train_step, args, 0, 1)
    case.texts = _lower.pin(imported.text, requests, "step")
    return case


def compiled(model, optimizer, requests, seed=0, mark=False):
    """(case, step): the case has what the requests were completed to."""
    case = Case(model, optimizer, {}, seed, mark)
    case.texts = requests
    step = case.compile()
    leaves = reference.paths(case.params)
    case.structures = {
        path: parse(text, leaves[path].shape) for path, text in step.pinned.items()
    }
    return case, step


def scores(case) -> dict[str, np.ndarray]:
    """Group -> the sum of squares of each entry over all parameters that have it."""
    leaves = reference.paths(case.params)
    sums: dict[str, np.ndarray] = {}
    for path, structure in case.structures.items():
        squares = reference.to_matrix(structure, leaves[path].astype(np.float64)) ** 2
        for axis in structure.structure.axes:
            total = sums.setdefault(axis.group, np.zeros(axis.size))
            for dim, side in enumerate((axis.rows, axis.columns)):
                entries = axis.entries_of(side, squares.shape[dim])
                np.add.at(
                    total, entries[entries >= 0], squares.sum(1 - dim)[entries >= 0]
                )
    return sums


def check_selection(case, storage):
    """All parameters of a group keep its entries of largest sums."""
    expected = {}
    for path, structure in case.structures.items():
        names = structure.structure.names()
        for name, axis in zip(names, structure.structure.axes, strict=True):
            total = scores(case)[axis.group] if axis.group not in expected else None
            if total is not None:
                expected[axis.group] = largest(total[None], axis.keep)[0]
            np.testing.assert_array_equal(
                storage[path][name], expected[axis.group], f"{path} {name}"
            )


def check(case, step):
    """The whole oracle."""
    p, s = step.compress(case.params, case.state)
    storage = step.storage(p)
    check_selection(case, storage)
    leaves = reference.paths(case.params)
    for path, structure in case.structures.items():
        values = reference.gather(
            structure, leaves[path], structure.pattern(storage[path])
        )
        np.testing.assert_array_equal(storage[path]["values"], values, path)
    lines = compare(case, storage, run(step, case, p, s))
    assert not lines, "\n".join(lines)
