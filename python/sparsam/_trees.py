"""The user's trees: their keys, where they differ, and results that become handles."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import jax


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


def key_names(path) -> tuple[str, ...]:
    """The keys of a JAX key path as text, without brackets and dots."""
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in path)


def children(node) -> tuple[list, Any]:
    """One level of a tree: its children, and how to put others in their place."""
    return jax.tree_util.tree_flatten(node, is_leaf=lambda other: other is not node)


def keyed_children(node) -> dict[tuple[str, ...], Any]:
    """One level of a tree: its children by their keys; none for a leaf."""
    pairs, _ = jax.tree_util.tree_flatten_with_path(
        node, is_leaf=lambda other: other is not node
    )
    return {key_names(path): child for path, child in pairs if path}


def difference(expected, found) -> tuple[tuple[str, ...], str, str]:
    """Where a tree first differs from a tree structure: the keys that lead there, what
    was expected and what was found. For trees that are known to differ."""
    return _difference(jax.tree.unflatten(expected, [0] * expected.num_leaves), found, ())


def _difference(expected, found, keys):
    mine, theirs = keyed_children(expected), keyed_children(found)
    wanted, given = _describe(expected), _describe(found)
    if wanted != given:
        return keys, wanted, given
    for key in dict.fromkeys([*mine, *theirs]):
        if key not in mine:
            return (*keys, *key), "nothing", _describe(theirs[key])
        if key not in theirs:
            return (*keys, *key), _describe(mine[key]), "nothing"
        if jax.tree.structure(mine[key]) != jax.tree.structure(theirs[key]):
            return _difference(mine[key], theirs[key], (*keys, *key))
    return keys, wanted, f"{given} with other static fields"


def _describe(node) -> str:
    if node is None:
        return "None"
    if jax.tree_util.all_leaves([node]):
        return "an array"
    kind = type(node).__name__
    return f"a {kind} of {len(node)}" if type(node) in (list, tuple) else f"a {kind}"


def result_template(
    out_tree,
    updates: dict[int, int],
    params: set[int],
    state: set[int],
    trees: Collection,
    stateless=None,
):
    """The tree of the results with handles in place of the parameters and the state.

    `params` and `state` are the positions of their arguments, and `trees` what they are
    each; `stateless` is the tree of a state that holds no arrays at all, such as that of
    plain SGD.

    A node that is exactly the parameters, or exactly the state, becomes the handle. One
    that is both (a `TrainState`) becomes the two, side by side. A tuple of results stays
    one, also where it has the parameters alone.
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

    def build(node):
        if (found := handles(node)) is not None:
            return found[0] if len(found) == 1 else found
        if isinstance(node, (Carried, Output)):
            return node
        below, tree = children(node)
        return jax.tree_util.tree_unflatten(tree, [build(child) for child in below])

    if type(root) not in (tuple, list) or out_tree in trees:
        return build(root)
    spliced = []
    for child in root:
        found = handles(child)
        spliced.extend(found if found is not None else [build(child)])
    return type(root)(spliced)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names in a message, the first of them where there are more."""
    names = list(names)
    text = ", ".join(f"'{name}'" for name in names[:most])
    return text + (f" and {len(names) - most} more" if len(names) > most else "")
