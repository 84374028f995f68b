"""Handles of the storage that a compiled step works on.

A `Storage` owns 64-byte aligned arrays that steps update in place. It is a pytree, so
that `jax.tree` functions and checkpoint writers see its arrays; a step consumes it.
What has to outlive the next step is to be copied out (`Step.storage` does).
"""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ._arguments import check_concrete

ALIGNMENT = 64

# What is stored: (name of the step's argument, part) -> array.
Stored = dict[tuple[str, str], np.ndarray]
# Dense tensors: name of the step's argument -> array.
Dense = dict[str, np.ndarray]


@dataclass(frozen=True)
class Slot:
    """One array of a storage.

    path    of the user's leaf, inside the parameter or state tree
    name    of the argument as a whole, such as "0/blocks/0/fc"
    part    "values", "indices", "u", "v", …; "dense" for the user's leaf itself
    leaf    position of the user's leaf in its own tree
    owner   what the parameter that it belongs to is stored as; "" for dense
    """

    path: str
    name: str
    part: str
    leaf: int
    shape: tuple[int, ...]
    dtype: np.dtype
    owner: str


@dataclass(frozen=True)
class Layout:
    """What the arrays of a storage are: of the "params" or of the "state".

    tree  the user's; None for a step that is loaded, which does not know
    """

    role: str
    slots: tuple[Slot, ...]
    tree: Any

    def fits(self, other: Layout) -> bool:
        """Whether storage of the one is storage of the other."""
        if self.tree is not None and other.tree is not None and self.tree != other.tree:
            return False
        return (self.role, self.slots) == (other.role, other.slots)

    def named(self, arrays: Iterable[np.ndarray]) -> Stored:
        """The arrays of the slots by name and part."""
        return {
            (slot.name, slot.part): array
            for slot, array in zip(self.slots, arrays, strict=True)
        }


def allocation(shape: Sequence[int], dtype) -> Callable[[], np.ndarray]:
    """Makes aligned arrays; their contents are not set."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize + ALIGNMENT
    # A third of the time that `ctypes.data` of the array takes.
    addressof, start = ctypes.addressof, ctypes.c_char.from_buffer

    def allocate():
        raw = np.empty(size, np.uint8)
        return np.ndarray(shape, dtype, raw, -addressof(start(raw)) % ALIGNMENT)

    return allocate


def empty(shape: Sequence[int], dtype) -> np.ndarray:
    """An aligned array; the contents are not set."""
    return allocation(shape, dtype)()


def copy(array, dtype=None) -> np.ndarray:
    """An aligned copy, in another type if one is given."""
    array = np.asarray(array)
    out = empty(array.shape, array.dtype if dtype is None else dtype)
    out[...] = array
    return out


def full(slot: Slot, value) -> np.ndarray:
    """An aligned array for a slot, of one number everywhere."""
    array = empty(slot.shape, slot.dtype)
    array.fill(value)
    return array


# Handles change hands one at a time.
_taking = threading.Lock()


class Storage:
    """The stored parameters, or the stored optimizer state, of a compiled step."""

    __slots__ = ("_arrays", "_layout", "_owned")

    def __init__(self, arrays: Iterable[Any], layout: Layout, owned: bool = False):
        """Made by `Step.compress` and by steps, which own the arrays, and by unflattening,
        which may put anything in their place."""
        self._arrays = tuple(arrays)
        self._layout = layout
        self._owned = owned

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

    def adopt(self, verify: Callable[[Layout, list], None]):
        """Takes copies of arrays that came by unflattening, once they are known to fit, so
        that no step writes into what others hold. Nothing is done for arrays of its own.

        Raises RuntimeError once consumed, ValueError for another shape or element type, by
        path and part, and what `verify` raises about the copies.
        """
        if self._owned and self._arrays is not None:
            return
        with _taking:
            arrays = self.arrays()
            if self._owned:
                return
            copies = [
                _fitting(slot, array, self.role)
                for slot, array in zip(self._layout.slots, arrays, strict=True)
            ]
            verify(self._layout, copies)
            self._arrays, self._owned = tuple(copies), True

    def __reduce__(self):
        return Storage, (self.arrays(), self._layout)

    def __repr__(self) -> str:
        what = f"{self._layout.role}, {len(self._layout.slots)} arrays"
        return f"<sparsam.Storage of {what}{', consumed' if self.consumed else ''}>"


def _fitting(slot: Slot, given, role: str) -> np.ndarray:
    """A copy for a slot of what was put there."""
    part = "" if slot.part == "dense" else f"{slot.part} of "
    what = f"{part}'{slot.path}' in the {role} storage"
    check_concrete(what, given)
    if isinstance(given, jax.Array) and given.is_deleted():
        raise ValueError(f"{what} is a JAX array that was deleted")
    array = np.asarray(given)
    if (array.shape, array.dtype) != (slot.shape, slot.dtype):
        raise ValueError(
            f"{what} must be {slot.dtype}{list(slot.shape)}, found "
            f"{array.dtype}{list(array.shape)}"
        )
    return copy(array)


class taken:
    """A block in which the arrays of handles are taken; they are consumed unless an
    exception leaves the block. Of several threads that take one handle, one gets it."""

    __slots__ = ("_handles", "_held")

    def __init__(self, handles: Iterable[Storage]):
        self._handles = tuple(handles)
        self._held: list[tuple] = []

    def __enter__(self) -> list[tuple]:
        try:
            for handle in self._handles:
                with _taking:
                    self._held.append(handle.arrays())
                    handle._arrays = None
        except BaseException:
            self._give_back()
            raise
        return self._held

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self._give_back()

    def _give_back(self):
        for handle, arrays in zip(self._handles, self._held, strict=False):
            handle._arrays = arrays


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
