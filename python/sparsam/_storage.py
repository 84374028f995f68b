"""Handles of the storage that a compiled step works on.

A `Storage` owns 64-byte aligned arrays that steps update in place. It is a pytree, so
that `jax.tree` functions and checkpoint writers see its arrays; a step consumes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

ALIGNMENT = 64


@dataclass(frozen=True)
class Slot:
    """One array of a storage.

    path    of the user's leaf, inside the parameter or state tree
    name    of the argument as a whole, such as "0/blocks/0/fc"
    part    "values", "indices", "u", "v", …; "dense" for the user's leaf itself
    leaf    position of the user's leaf in its own tree
    """

    path: str
    name: str
    part: str
    leaf: int
    shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True)
class Layout:
    """What the arrays of a storage are: of the "params" or of the "state"."""

    role: str
    slots: tuple[Slot, ...]
    tree: Any


def empty(shape: Sequence[int], dtype) -> np.ndarray:
    """An aligned array; the contents are not set."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


def copy(array) -> np.ndarray:
    """An aligned copy."""
    array = np.asarray(array)
    out = empty(array.shape, array.dtype)
    out[...] = array
    return out


def writable(array) -> np.ndarray:
    """The array as a step may update it in place: itself, or a copy of what was put into
    the tree from outside."""
    usable = (
        isinstance(array, np.ndarray)
        and array.flags.c_contiguous
        and array.flags.writeable
        and array.ctypes.data % ALIGNMENT == 0
    )
    return array if usable else copy(array)


class Storage:
    """The stored parameters, or the stored optimizer state, of a compiled step."""

    __slots__ = ("_arrays", "_layout")

    def __init__(self, arrays: Iterable[Any], layout: Layout):
        """Made by `Step.compress`, by steps, and by unflattening."""
        self._arrays = tuple(arrays)
        self._layout = layout

    @property
    def consumed(self) -> bool:
        """Whether a step took the arrays over."""
        return self._arrays is None

    @property
    def layout(self) -> Layout:
        """What the arrays are."""
        return self._layout

    @property
    def role(self) -> str:
        """ "params" or "state"."""
        return self._layout.role

    @property
    def nbytes(self) -> int:
        """The size of all arrays in bytes."""
        return sum(array.nbytes for array in self.arrays())

    def arrays(self) -> tuple:
        """The arrays in the order of the layout. Raises RuntimeError once consumed."""
        if self._arrays is None:
            raise RuntimeError(
                f"the {self._layout.role} storage was consumed by a step, which updated it in "
                f"place; use the storage that the step returned"
            )
        return self._arrays

    def take(self) -> tuple:
        """The arrays, leaving this handle consumed."""
        arrays = self.arrays()
        self._arrays = None
        return arrays

    def __repr__(self) -> str:
        what = f"{self._layout.role}, {len(self._layout.slots)} arrays"
        return f"<sparsam.Storage of {what}{', consumed' if self.consumed else ''}>"


def _flatten(storage: Storage):
    return storage.arrays(), storage.layout


def _flatten_with_keys(storage: Storage):
    keys = (
        jax.tree_util.DictKey(f"{slot.path}/{slot.part}") for slot in storage.layout.slots
    )
    return tuple(zip(keys, storage.arrays(), strict=True)), storage.layout


jax.tree_util.register_pytree_with_keys(
    Storage, _flatten_with_keys, lambda layout, arrays: Storage(arrays, layout), _flatten
)
