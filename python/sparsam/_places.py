"""Where parameters, state and batch are in the arguments of the user's step."""

from __future__ import annotations

import logging
from typing import Any

import jax
import numpy as np

from . import _jax, _trees
from ._arguments import Arrays, Batch, Wanted
from ._imported import ImportedStep

log = logging.getLogger("sparsam")


def descend(args: tuple, keys) -> Any:
    """The node of the arguments at the keys."""
    node = args
    for key in keys:
        node = _trees.keyed_children(node)[(key,)]
    return node


class Places:
    """The leaves of a step's arguments by their role.

    roles   "params", and "state" where there is one, in the order of the handles
    leaves  role -> positions of its leaves among all
    prefix  role -> keys that lead to its tree
    trees   role -> its tree
    batch   the other arguments
    """

    def __init__(
        self, args: tuple, imported: ImportedStep, params, state, arrays: Arrays
    ):
        self.arguments = imported.arguments
        self.prefix: dict[str, tuple] = {}
        self.trees: dict[str, Any] = {}
        self.leaves: dict[str, set[int]] = {"params": set(), "state": set()}
        for role, where in (("params", params), ("state", state)):
            if where is not None:
                self.prefix[role] = prefix = _jax.resolve(args, where, role)
                self.trees[role] = jax.tree.structure(descend(args, prefix))
                self.leaves[role] = set(self._under(prefix))
        self.leaves["state"] -= self.leaves["params"]
        self.roles = tuple(self.prefix)
        carriers = {int(prefix[0]) for prefix in self.prefix.values()}
        self._take_rest(args, carriers)
        self._roles = {
            leaf: role for role in reversed(self.roles) for leaf in self.leaves[role]
        }
        self._whole_trees = {i: jax.tree.structure(args[i]) for i in carriers}
        self._carriers = {i: jax.tree.map(arrays.as_shape, args[i]) for i in carriers}
        self._wanted = [
            arrays.wanted(f"'{arrays.called(leaf)}'", example)
            for leaf, example in zip(self.arguments, jax.tree.leaves(args), strict=True)
        ]
        self._count = len(args)
        self.batch = Batch(
            {i: arg for i, arg in enumerate(args) if i not in carriers}, arrays
        )

    def role(self, leaf: int) -> str | None:
        """The role of a leaf; None for the batch."""
        return self._roles.get(leaf)

    def wanted(self, leaf: int) -> Wanted:
        """What the array of a leaf must be."""
        return self._wanted[leaf]

    def examples(self, shapes) -> tuple:
        """Arguments as shapes, for a batch of the given shapes."""
        found = self._carriers | self.batch.shaped(shapes)
        return tuple(found[i] for i in range(self._count))

    def read(self, role: str, tree) -> dict[int, np.ndarray]:
        """The dense arrays of a role that the user gives, by position. Raises ValueError for
        another tree or shape, and TypeError for another element type."""
        if role not in self.roles:
            if tree is not None:
                raise TypeError("this step was compiled without state (state=None)")
            return {}
        structure = jax.tree.structure(tree)
        argument = int(self.prefix[role][0])
        if structure == self.trees[role]:
            positions = self.positions(role)
        elif structure == self._whole_trees[argument]:
            positions = self._under((str(argument),))
        elif tree is None:
            raise ValueError(
                f"the {role} is missing: this step has {role}, so give compress both"
            )
        else:
            keys, expected, found = _trees.difference(self.trees[role], tree)
            where = f"'{'/'.join(keys)}' of the {role}" if keys else f"the {role}"
            raise ValueError(f"{where}: expected {expected}, found {found}")
        leaves = dict(zip(positions, jax.tree.leaves(tree), strict=True))
        if role == "state":
            left_out = [self.arguments[i].path for i in self._rest if i not in leaves]
            if left_out:
                log.warning(
                    "%s carried with the state but not given: taken from the example "
                    "arguments; give all of argument %d as state for present values",
                    ", ".join(f"'{path}'" for path in left_out)
                    + (" is" if len(left_out) == 1 else " are"),
                    argument,
                )
            leaves = self._rest | leaves
        return {
            i: self._array(i, leaf) for i, leaf in leaves.items() if self.role(i) == role
        }

    def positions(self, role: str) -> list[int]:
        """The positions of all leaves of a role's tree, in its order."""
        return self._under(self.prefix[role])

    def _under(self, prefix) -> list[int]:
        return list(_jax.subtree(list(self.arguments), prefix).values())

    def _take_rest(self, args, carriers):
        """What else is in the arguments that hold parameters and state, such as the counter
        of a `TrainState`, is carried with the state."""
        taken = self.leaves["params"] | self.leaves["state"]
        rest = [
            i
            for i, leaf in enumerate(self.arguments)
            if int(leaf.keys[0]) in carriers and i not in taken
        ]
        if rest and "state" not in self.roles:
            named = self.arguments[rest[0]].path
            raise ValueError(
                f"'{named}' is in the argument of the parameters but is none of them; say "
                f"what is state, for example state={named.split('/')[0]}"
            )
        flat = jax.tree.leaves(args)
        self._rest = {i: flat[i] for i in rest}
        self.leaves["state"] |= set(rest)

    def _array(self, position: int, leaf) -> np.ndarray:
        wanted = self._wanted[position]
        array = wanted.read(leaf)
        if array.shape != wanted.shape:
            raise ValueError(
                f"{wanted.what} must be {wanted.dtype}{list(wanted.shape)}, found "
                f"{array.dtype}{list(array.shape)}"
            )
        return array
