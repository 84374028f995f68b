"""Other functions on the storage of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax

from . import _jax, _trees
from ._arguments import Batch
from ._compiled import Compiled
from ._imported import ImportedStep
from ._places import descend
from ._variants import Variants

if TYPE_CHECKING:
    from ._step import Step


class Function:
    """A function of stored parameters, compiled by `Step.compile_with`.

    remarks  what the compiler said about rewrites that did not apply and the like
    """

    def __init__(
        self,
        step: Step,
        importer: Callable[[tuple], ImportedStep],
        name: str,
        args: tuple,
        params: int | str,
    ):
        """`importer`: example arguments -> the function as annotated MLIR."""
        prefix = _jax.resolve(args, params, "params")
        tree = step.layout("params").tree
        given = descend(args, prefix)
        if len(prefix) > 1:
            raise ValueError(
                f"params={params!r}: the parameters must be an argument of their own"
            )
        if jax.tree.structure(given) != tree:
            keys, expected, found = _trees.difference(tree, given)
            raise ValueError(
                f"argument '{'/'.join((*prefix, *keys))}' must be the parameters of the step: "
                f"expected {expected}, found {found}"
            )
        self._step, self._import, self._name = step, importer, name
        self._position = int(prefix[0])
        arrays = step.framework
        self._example = jax.tree.map(arrays.as_shape, given)
        self._batch = Batch(
            {i: a for i, a in enumerate(args) if i != self._position}, arrays
        )
        self._first = self._compile(args)
        self._variants = Variants(
            self._name,
            self._batch,
            lambda shapes: self._compile(self._examples(shapes)),
            self._first,
        )

    @property
    def remarks(self) -> list[str]:
        """What the compiler said."""
        return list(self._variants.remarks)

    def ir(self, stage: str) -> str:
        """The module as text after a stage; see `Step.ir`."""
        return self._first.ir(stage)

    def __call__(self, *args):
        """f(p, *others) in the order of the user's function. Does not consume p.

        Others of another shape compile the function again for it, with a remark.
        """
        count = len(self._batch.positions) + 1
        if len(args) != count:
            raise TypeError(f"expected {count} arguments, found {len(args)}")
        p = args[self._position]
        self._step.check(p, "params")
        others = self._batch.read(args[: self._position] + args[self._position + 1 :])
        compiled = self._variants.at(others)
        compiled.imported.check(others)
        leaves = self._leaves(compiled)
        stored, rest = iter(p.arrays()), iter(others)
        results = compiled.entry.call(
            [next(stored if leaf in leaves else rest) for leaf in compiled.leaf_of]
        )
        count = len(compiled.imported.results)
        values = [compiled.entry.result_of(i, results) for i in range(count)]
        return jax.tree.unflatten(compiled.imported.out_tree, values)

    def _examples(self, shapes) -> tuple:
        found = self._batch.shaped(shapes) | {self._position: self._example}
        return tuple(found[i] for i in range(len(found)))

    def _leaves(self, compiled: Compiled) -> set[int]:
        """The positions of the parameters among the flat arguments."""
        prefix = (str(self._position),)
        return set(_jax.subtree(list(compiled.imported.arguments), prefix).values())

    def _compile(self, args: tuple) -> Compiled:
        imported = self._import(args)
        step, layout = self._step, self._step.layout("params")
        # A tree that is a single array takes its path from the name of the argument. The
        # structures are the step's with its views, whatever the first use is here.
        structure = {
            name: step.pinned[path]
            for path, name in zip(step.plan, imported.params, strict=True)
            if path in step.pinned
        }
        compiled = Compiled(imported, structure, self._name, step.cpu, step.tiles)
        own = compiled.layout("params", self._leaves(compiled), 1, layout.tree)
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
        return compiled
