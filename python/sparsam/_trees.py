"""How the user's trees of arguments and results become handles and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Handle:
    """The place of a handle in the results: "params" or "state"."""

    role: str


@dataclass(frozen=True)
class Output:
    """The place of a plain result, by its position among the flat results."""

    result: int


@dataclass(frozen=True)
class Carried:
    """The place of one updated array, by the position of its argument."""

    argument: int


def children(node) -> tuple[list, Any]:
    """One level of a tree: its children, and how to put others in their place."""
    return jax.tree_util.tree_flatten(node, is_leaf=lambda other: other is not node)


def result_template(
    out_tree, updates: dict[int, int], params: set[int], state: set[int], stateless=None
):
    """The tree of the results with handles in place of the parameters and the state.

    `params` and `state` are the positions of their arguments; `stateless` is the tree of a
    state that holds no arrays at all, such as that of plain SGD.

    A node that is exactly the parameters, or exactly the state, becomes the handle. One
    that is both (a `TrainState`) becomes the two, side by side.
    """
    argument = {result: position for position, result in updates.items()}
    leaves = [
        Carried(argument[i]) if i in argument else Output(i)
        for i in range(out_tree.num_leaves)
    ]
    root = jax.tree_util.tree_unflatten(out_tree, leaves)

    def handles(node) -> tuple[Handle, ...] | None:
        places = jax.tree_util.tree_leaves(node)
        if stateless is not None and jax.tree_util.tree_structure(node) == stateless:
            return (Handle("state"),)
        if not places or not all(isinstance(place, Carried) for place in places):
            return None
        found = {place.argument for place in places}
        both = (Handle("params"), Handle("state"))
        for wanted, result in (
            (params, both[:1]),
            (state, both[1:]),
            (params | state, both),
        ):
            if found == wanted:
                return result
        return None

    def build(node, is_root=False):
        if (found := handles(node)) is not None:
            return found[0] if len(found) == 1 and not is_root else found
        if isinstance(node, (Carried, Output)):
            return node
        below, tree = children(node)
        if is_root and type(node) in (tuple, list):
            spliced = []
            for child in below:
                found = handles(child)
                spliced.extend(found if found is not None else [build(child)])
            return type(node)(spliced)
        return jax.tree_util.tree_unflatten(tree, [build(child) for child in below])

    found = build(root, is_root=True)
    # A step whose only result is the parameters returns them, not a tuple of one.
    return found[0] if handles(root) is not None and len(found) == 1 else found


def fill(template, value: Callable):
    """The template with `value(place)` for each place."""
    return jax.tree.map(value, template)


def leaf_array(leaf):
    """A leaf as an array; random keys as their data."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key):
        if isinstance(leaf, jax.ShapeDtypeStruct):
            return jax.eval_shape(jax.random.key_data, leaf)
        return jax.random.key_data(leaf)
    return leaf


def shape_and_dtype(leaf) -> tuple[tuple[int, ...], Any]:
    """Of an array, a shape or a Python scalar."""
    if hasattr(leaf, "dtype"):
        return tuple(leaf.shape), leaf.dtype
    array = np.asarray(leaf)
    return array.shape, array.dtype


def key_text(path) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


class Batch:
    """The arguments of a call that are neither parameters nor state."""

    def __init__(self, arguments: dict[int, Any]):
        """`arguments`: position in the user's function -> example."""
        self.positions = tuple(arguments)
        leaves, self.tree = jax.tree_util.tree_flatten_with_path(
            tuple(arguments.values())
        )
        self.names = [
            "/".join(filter(None, (str(self.positions[path[0].idx]), key_text(path[1:]))))
            for path, _ in leaves
        ]
        self._examples = [
            jax.ShapeDtypeStruct(*shape_and_dtype(leaf)) for _, leaf in leaves
        ]
        data = [shape_and_dtype(leaf_array(leaf)) for _, leaf in leaves]
        self.given = [dtype for _, dtype in data]
        self.dtypes = [
            np.dtype(jax.dtypes.canonicalize_dtype(dtype)) for dtype in self.given
        ]
        self.shapes = tuple(shape for shape, _ in data)

    def read(self, arguments: tuple) -> list[np.ndarray]:
        """The arrays of a call, without copies where they are arrays of the right type.

        Raises TypeError for another number, tree or element type of arguments, and
        ValueError for another rank, both with the path.
        """
        if len(arguments) != len(self.positions):
            raise TypeError(
                f"expected {len(self.positions)} arguments after the parameters"
                f" and state, found {len(arguments)}"
            )
        leaves, tree = jax.tree_util.tree_flatten(arguments)
        if tree != self.tree:
            raise TypeError(
                f"the tree of the arguments is {tree}, but it was {self.tree}"
            )
        arrays = []
        for i, leaf in enumerate(leaves):
            name, wanted = self.names[i], self.dtypes[i]
            if isinstance(leaf, (bool, int, float)):
                array = np.asarray(leaf)
                if not np.can_cast(array.dtype, wanted, "same_kind"):
                    raise TypeError(f"argument '{name}' must be {wanted}, found {leaf!r}")
                array = array.astype(wanted)
            else:
                array = np.asarray(leaf_array(leaf))
                # What JAX narrowed when it was compiled (64 bits to 32) is narrowed again.
                if array.dtype != wanted and array.dtype != self.given[i]:
                    raise TypeError(
                        f"argument '{name}' must be of dtype {wanted}, found {array.dtype}"
                    )
                array = np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)
            if array.ndim != len(self.shapes[i]):
                raise ValueError(
                    f"argument '{name}' must be of shape {self.shapes[i]}, found {array.shape}"
                )
            arrays.append(array)
        return arrays

    def shaped(self, shapes) -> dict[int, Any]:
        """Examples of other shapes: position -> tree of shapes."""
        leaves = [
            example if shape == old else jax.ShapeDtypeStruct(shape, example.dtype)
            for example, shape, old in zip(
                self._examples, shapes, self.shapes, strict=True
            )
        ]
        return dict(
            zip(
                self.positions,
                jax.tree_util.tree_unflatten(self.tree, leaves),
                strict=True,
            )
        )
