"""The dense tree of stored state, for a program outside: at its own sizes, or smaller ones."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np

from ._arguments import key_kind
from ._form import Form
from ._storage import Dense, Storage


def dense_state(form: Form, p: Storage, s: Storage, smaller: bool):
    """The user's tree of state, of new arrays.

    With `smaller`, what is sliced comes without its removed entries: optimizer state of
    sliced parameters, and what else goes along their axes, such as the running statistics
    of a batch norm. Raises ValueError for state of factors, which no dense tensor has.
    """
    handles = {"params": p, "state": s}
    dense = form.dense(form.stored({role: h.arrays() for role, h in handles.items()}))
    if smaller:
        _drop_removed(dense, form, handles)
    leaves = []
    for position in form.places.positions("state"):
        leaf = form.arguments[position]
        if leaf.path not in dense:
            raise ValueError(
                f"the optimizer state '{leaf.path}' is that of factors, which have no dense "
                "form; step.storage(s) has it as it is stored"
            )
        array = np.array(dense[leaf.path])
        if leaf.dtype.startswith("key<"):
            array = jax.random.wrap_key_data(array, impl=key_kind(leaf.dtype))
        leaves.append(array)
    return jax.tree.unflatten(form.places.trees["state"], leaves)


def _drop_removed(dense: Dense, form: Form, handles: Mapping[str, Storage]):
    """Leaves what is kept of all that is sliced."""
    compiled = form.compiled
    indices: dict[str, np.ndarray] = {}
    for role, handle in handles.items():
        parts: dict[str, list[np.ndarray]] = {}
        for slot, array in zip(handle.layout.slots, handle.arrays(), strict=True):
            path = form.parameter_of(slot)
            if not path or not compiled.groups(path):
                continue
            if slot.dtype.kind == "u":
                parts.setdefault(path, []).append(array)
            else:
                dense[slot.name] = array.reshape(compiled.kept_shape(path))
        if role == "params":
            for path, arrays in parts.items():
                indices |= zip(compiled.groups(path), arrays, strict=True)
    for value in compiled.signature.arguments:
        for dim, group in enumerate(value.groups):
            if group:
                dense[value.name] = np.take(dense[value.name], indices[group], axis=dim)
