"""Compiled functions on storage: the step's own, and others on the same storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import jax
import numpy as np

from . import _jax, _storage, _trees
from ._lower import Lowered, lower, text_after
from ._places import descend
from ._storage import Layout, Slot

if TYPE_CHECKING:
    from ._step import Step


class Compiled:
    """One function at one set of shapes: imported, compiled, and its arguments known.

    leaf_of  for each array on storage, the position of the user's leaf it belongs to
    """

    def __init__(
        self, imported: _jax.ImportedStep, structure: Mapping[str, str], name: str
    ):
        self.imported = imported
        self.structure = dict(structure)
        self.name = name
        self.lowered: Lowered = lower(imported.text, structure, name)
        self.signature = self.lowered.signatures[self.lowered.entry]
        by_path = {leaf.path: i for i, leaf in enumerate(imported.arguments)}
        self.leaf_of = [
            imported.params[value.param] if value.param else by_path[value.name]
            for value in self.signature.arguments
        ]
        self._result_of = {
            value.name: i for i, value in enumerate(self.signature.results)
        }

    def layout(self, role: str, leaves: set[int], prefix: int, tree) -> Layout:
        """The storage of the user's leaves; `prefix` keys lead to their tree."""
        numbers = {leaf: i for i, leaf in enumerate(sorted(leaves))}
        params = {position: path for path, position in self.imported.params.items()}
        slots = []
        for leaf, value in zip(self.leaf_of, self.signature.arguments, strict=True):
            if leaf not in leaves:
                continue
            described = self.imported.arguments[leaf]
            path = params.get(leaf) if role == "params" else None
            path = path or "/".join(described.keys[prefix:]) or described.path
            slots.append(
                Slot(
                    path,
                    described.path,
                    value.part,
                    numbers[leaf],
                    value.shape,
                    value.dtype,
                )
            )
        return Layout(role, tuple(slots), tree)

    def call(self, arrays: list) -> dict[int, np.ndarray]:
        """Runs on one array per argument; result -> array. Updated arguments are results
        without a copy."""
        results: dict[int, np.ndarray] = {}
        for position, result in self.lowered.positions(self.lowered.entry):
            if result is None:
                continue
            if position is None:
                value = self.signature.results[result]
                results[result] = _storage.empty(value.shape, value.dtype)
            else:
                results[result] = arrays[position]
        self.lowered.call(self.lowered.entry, arrays, results)
        return results

    def result_of(self, leaf: int) -> int:
        """The result on storage of a flat result of the user's function."""
        return self._result_of[self.imported.results[leaf].path]

    def ir(self, stage: str) -> str:
        """The module as text after a stage."""
        return text_after(self.imported.text, self.structure, self.name, stage)


class Function:
    """A function of stored parameters, compiled by `Step.compile_with`.

    remarks  what the compiler said about rewrites that did not apply and the like
    """

    def __init__(self, step: Step, fn: Callable, args: tuple, params: int | str):
        imported = _jax.import_function(fn, args, params)
        prefix = _jax.resolve(args, params, "params")
        tree = jax.tree.structure(descend(args, prefix))
        layout = step.layout("params")
        if len(prefix) > 1 or tree != layout.tree:
            raise ValueError(
                f"argument {params!r} of the function must be the parameters of the step, "
                f"{layout.tree}, found {tree}"
            )
        self._step = step
        self._position = int(prefix[0])
        self._leaves = set(_jax.subtree(list(imported.arguments), prefix).values())
        # A tree that is a single array takes its path from the name of the argument. The
        # structures are the step's with its views, whatever the first use is here.
        structure = {
            name: step.pinned[path]
            for path, name in zip(step.plan, imported.params, strict=True)
            if path in step.pinned
        }
        self._compiled = Compiled(
            imported, structure, getattr(fn, "__name__", "function")
        )
        own = self._compiled.layout("params", self._leaves, 1, tree)
        for mine, theirs in zip(own.slots, layout.slots, strict=True):
            if (mine.part, mine.shape, mine.dtype) != (
                theirs.part,
                theirs.shape,
                theirs.dtype,
            ):
                raise ValueError(
                    f"'{mine.path}' of the function is stored as {mine.dtype}"
                    f"{list(mine.shape)}, in the step as {theirs.dtype}{list(theirs.shape)}"
                )
        self._batch = _trees.Batch(
            {i: a for i, a in enumerate(args) if i != self._position}
        )

    @property
    def remarks(self) -> list[str]:
        """What the compiler said."""
        return list(self._compiled.lowered.remarks)

    def ir(self, stage: str) -> str:
        """The module as text after a stage; see `Step.ir`."""
        return self._compiled.ir(stage)

    def __call__(self, *args):
        """f(p, *others) in the order of the user's function. Does not consume p."""
        count = len(self._batch.positions) + 1
        if len(args) != count:
            raise TypeError(f"expected {count} arguments, found {len(args)}")
        p = args[self._position]
        self._step.check(p, "params")
        others = self._batch.read(args[: self._position] + args[self._position + 1 :])
        for name, wanted, array in zip(
            self._batch.names, self._batch.shapes, others, strict=True
        ):
            if array.shape != wanted:
                raise ValueError(
                    f"argument '{name}' must be of shape {wanted}, found {array.shape}"
                )
        stored, rest = iter(p.arrays()), iter(others)
        compiled = self._compiled
        results = compiled.call(
            [next(stored if leaf in self._leaves else rest) for leaf in compiled.leaf_of]
        )
        count = len(compiled.imported.results)
        leaves = [results[compiled.result_of(i)] for i in range(count)]
        return jax.tree.unflatten(compiled.imported.out_tree, leaves)
