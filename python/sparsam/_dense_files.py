"""Safetensors files of the user's own dense trees."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ._arguments import Wanted, is_key, key_kind
from ._names import check_fits, dense_name, entries_of, tensor_name
from ._safetensors import opened, write
from ._trees import key_names


def save_dense(
    path: str | os.PathLike,
    params,
    state=None,
    metadata: Mapping[str, str] | None = None,
    separator: str = "/",
) -> None:
    """Writes trees of arrays into a safetensors file: dense parameters, and the optimizer
    state if it is given. A tensor is called by its path, that of a state after `state:`.

    `metadata` is text of yours; some readers want {"format": "pt"}. `separator` goes between
    the keys of a path. Replaces a file as a whole or not at all. Raises ValueError where
    two arrays have one name or one has none, and for a path that ends in `.sparsam`, which
    is a bundle's.
    """
    tensors: dict[str, np.ndarray] = {}
    for kind, tree in (("params", params), ("state", state)):
        for keys, leaf in _leaves(tree):
            if kind == "params" and not keys:
                raise ValueError(
                    "the parameters are a single array, which has no name; save "
                    "{name: array}"
                )
            name = tensor_name(kind, separator.join(keys))
            if name in tensors:
                raise ValueError(f"two arrays would both be called '{name}' in the file")
            tensors[name] = np.asarray(
                jax.random.key_data(leaf) if is_key(leaf) else leaf
            )
    write(path, tensors, metadata or {})


def load_dense(path: str | os.PathLike, params, state=None):
    """The trees in a file that `save_dense` or somebody else wrote: the parameters, or
    (parameters, state) where an example of the state is given.

    `params` and `state` are examples, arrays or shapes of them, of the same trees. Names may
    have `/` or `.` between the keys. Raises OSError for a file that cannot be read and
    ValueError, which names the tensors, for one that does not fit.
    """
    with opened(path) as file:
        examples = {"params": params, "state": state}
        names: dict[str, list[str]] = {}
        wanted: dict[str, Wanted] = {}
        for kind, tree in examples.items():
            names[kind] = []
            for keys, leaf in _leaves(tree):
                name = dense_name(file, kind, "/".join(keys), keys)
                names[kind].append(name)
                wanted[name] = Wanted.like(f"'{name}'", leaf)
        entries = {name: entries_of(value) for name, value in wanted.items()}
        check_fits(file, entries, "example", only_params=state is None)
        found = {
            kind: jax.tree.unflatten(
                jax.tree.structure(tree),
                [
                    _like(leaf, file.read(name))
                    for name, leaf in zip(names[kind], jax.tree.leaves(tree), strict=True)
                ],
            )
            for kind, tree in examples.items()
        }
    return found["params"] if state is None else (found["params"], found["state"])


def _leaves(tree) -> list[tuple[tuple[str, ...], Any]]:
    flat, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [(key_names(path), leaf) for path, leaf in flat]


def _like(example, array: np.ndarray):
    """An array of a file as what the example is: an array, a random key, a number."""
    if is_key(example):
        # The kind of the key goes by its element type, which a shape has as well.
        return jax.random.wrap_key_data(array, impl=key_kind(example.dtype))
    return array.item() if isinstance(example, (bool, int, float)) else array
