"""Dense parameters and state into storage, and storage back into dense parameters."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from . import _storage
from ._compiled import Compiled
from ._lower import Signature
from ._places import Places
from ._storage import Dense, Layout, Storage, Stored

Arrays = dict[int, np.ndarray]


class Compressor:
    """What the module's companions `@compress` and `@densify` do, on NumPy arrays."""

    def __init__(self, compiled: Compiled, places: Places, layouts: dict[str, Layout]):
        self._compiled = compiled
        self._lowered = compiled.lowered
        self._arguments = compiled.imported.arguments
        self._params = compiled.imported.params
        self._factors = set(compiled.lowered.pinned) - set(compiled.patterns)
        self._state = [value for value in compiled.signature.arguments if value.state_of]
        self._places = places
        self._layouts = layouts
        self._by_path = {leaf.path: i for i, leaf in enumerate(self._arguments)}

    def compress(
        self, params, state, pattern: Storage | None
    ) -> tuple[list[Storage], dict]:
        """The handles by role, and path -> |W - stored W| / |W|."""
        leaves = self._places.read("params", params) | self._places.read("state", state)
        return self.compress_leaves(leaves, pattern)

    def compress_leaves(
        self, leaves: Arrays, pattern: Storage | None = None
    ) -> tuple[list[Storage], dict]:
        """The same of dense arrays by their position among the step's arguments."""
        self._check_finite(leaves)
        starts = self._fresh_values(leaves)
        arrays = self._structured(leaves, pattern) if self._lowered.structures else {}
        for (name, _), array in arrays.items():
            if name in starts:
                array.fill(starts[name])
        handles = []
        for role in self._places.roles:
            order = sorted(self._places.leaves[role])
            stored = []
            for slot in self._layouts[role].slots:
                array = arrays.get((slot.name, slot.part))
                stored.append(
                    _storage.copy(leaves[order[slot.leaf]]) if array is None else array
                )
            handles.append(Storage(stored, self._layouts[role], owned=True))
        return handles, self._damage(handles[0], leaves)

    def densify(self, p: Storage, smaller: bool = False):
        """The user's tree of dense parameters, of new arrays; if `smaller`, what is sliced
        without its removed entries."""
        dense = (
            self.densify_structured(p.layout.named(p.arrays()))
            if self._lowered.structures
            else {}
        )
        if smaller:
            dense |= self._kept(p)
        leaves: Arrays = {}
        for slot, array in zip(p.layout.slots, p.arrays(), strict=True):
            if slot.leaf not in leaves:
                structured = dense.get(slot.path)
                leaves[slot.leaf] = np.array(array) if structured is None else structured
        return jax.tree.unflatten(p.layout.tree, [leaves[i] for i in range(len(leaves))])

    def _kept(self, p: Storage) -> dict[str, np.ndarray]:
        """path -> the smaller array, of what is sliced."""
        return {
            slot.path: np.array(array).reshape(self._compiled.kept_shape(slot.path))
            for slot, array in zip(p.layout.slots, p.arrays(), strict=True)
            if slot.dtype.kind != "u" and self._compiled.groups(slot.path)
        }

    def _check_finite(self, leaves: Arrays):
        for path, position in self._params.items():
            structure = self._lowered.structures.get(path)
            values = leaves[position]
            bad = ~np.isfinite(values)
            if bad.any():
                index = tuple(int(i) for i in np.argwhere(bad)[0])
                raise ValueError(
                    f"parameter '{path}' has {values[index]} at {index}"
                    + (f"; {structure} cannot be chosen from it" if structure else "")
                )

    def _fresh_values(self, leaves: Arrays) -> dict[str, Any]:
        """The value that each fresh state of a factor parameter starts at, by the state's
        name.

        Fresh state is one number everywhere (zero, 0.1 for Adagrad), and an optimizer that
        is elementwise starts the state of the factors at that number as well. Other state
        is projected by `@compress` where it takes it, and refused where it does not.
        """
        taken = {value.name for value in self._signature("compress").arguments}
        found = {}
        for value in self._state:
            if value.state_of not in self._factors or value.name in found:
                continue
            state = leaves[self._by_path[value.name]]
            if (fresh := fresh_value([state])) is not None:
                found[value.name] = fresh
            elif value.name not in taken:
                raise ValueError(self.why_not_projected(value.name, value.state_of))
            elif not np.isfinite(state).all():
                raise ValueError(
                    f"the optimizer state '{value.name}' of '{value.state_of}' is not finite"
                )
        return found

    def why_not_projected(self, name: str, path: str) -> str:
        """The message for state that cannot become that of factors."""
        return (
            f"the optimizer state '{name}' of '{path}' is not fresh (one finite number "
            f"everywhere): {self._lowered.structures.get(path, 'dense')} has factors, and "
            "only state that the optimizer makes of the gradient or of its square becomes "
            "theirs; start with fresh state"
        )

    def takes(self, name: str) -> bool:
        """Whether `@compress` takes a dense tensor."""
        return any(v.name == name for v in self._signature("compress").arguments)

    def given(self, dense: Dense) -> Stored:
        """The arguments of `@compress`, zeros for state that is missing."""
        found = {(name, "dense"): array for name, array in dense.items()}
        for value in self._signature("compress").arguments:
            if value.state_of and value.name not in dense:
                found[value.name, "dense"] = np.zeros(value.shape, value.dtype)
        return found

    def _signature(self, name: str) -> Signature:
        return self._lowered.signatures.get(name, Signature((), ()))

    def call(self, name: str, given: Stored) -> Stored:
        """Calls a companion on arrays by (argument, part); returns its results likewise."""
        return self._lowered.call_named(name, given, self._compiled.imported.names)

    def _structured(self, leaves: Arrays, pattern: Storage | None):
        dense = {(self._arguments[i].path, "dense"): leaf for i, leaf in leaves.items()}
        if pattern is None:
            return self.call("compress", dense)
        kept = {
            key: array
            for key, array in pattern.layout.named(pattern.arrays()).items()
            if key[1] != "dense" and array.dtype.kind == "u"
        }
        copies = {key: _storage.copy(array) for key, array in kept.items()}
        return self.call("compress_on_pattern", dense | kept) | copies

    def densify_structured(self, stored: Stored) -> dict[str, np.ndarray]:
        """path -> dense array, of arrays by (argument, part)."""
        found = self.call("densify", stored)
        return {
            path: found[self._arguments[self._params[path]].path, "dense"]
            for path in self._lowered.structures
        }

    def _damage(self, p: Storage, leaves: Arrays) -> dict[str, float]:
        if not self._lowered.structures:
            return {}
        damage = {}
        for path, stored in self.densify_structured(p.layout.named(p.arrays())).items():
            dense = leaves[self._params[path]]
            size = float(np.linalg.norm(dense.ravel()))
            lost = float(np.linalg.norm((dense - stored).ravel()))
            damage[path] = lost / size if size else 0.0
        return damage


def fresh_value(parts: list[np.ndarray]):
    """The one finite number that all of a state is, if it is one."""
    values = [part.flat[0] for part in parts if part.size]
    first = values[0] if values else None
    if first is None or not np.isfinite(first):
        return None
    return first if all((part == first).all() for part in parts) else None
