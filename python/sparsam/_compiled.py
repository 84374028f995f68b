"""One function compiled at one set of shapes, on storage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ._calling import Entry
from ._imported import ImportedStep
from ._lazy import core as _core
from ._lower import Lowered, lower, lower_for, products, text_after
from ._storage import Layout, Slot
from ._values import user_dtype


class Compiled:
    """One function at one set of shapes: imported, compiled, and its arguments known.

    leaf_of  for each array on storage, the position of the user's leaf it belongs to
    entry    the function in the program
    """

    def __init__(
        self,
        imported: ImportedStep,
        structure: Mapping[str, str],
        name: str,
        cpu: str = "",
        tiles: str = "",
    ):
        """`cpu` is this machine's by default, and `tiles` a file of tile sizes."""
        self.imported = imported
        self.structure = dict(structure)
        self.name = name
        self.cpu = cpu
        self.tiles = tiles
        self.lowered: Lowered = lower(imported.text, structure, name, cpu, tiles)
        self.signature = self.lowered.signatures[self.lowered.entry]
        self.entry = Entry(
            self.lowered.program,
            self.lowered.entry,
            self.signature.arguments,
            self.signature.results,
            imported.results,
        )
        by_path = {leaf.path: i for i, leaf in enumerate(imported.arguments)}
        self.leaf_of = [
            imported.params[value.param] if value.param else by_path[value.name]
            for value in self.signature.arguments
        ]

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
                    user_dtype(described, value),
                    self.lowered.pinned.get(value.param or value.state_of, ""),
                )
            )
        return Layout(role, tuple(slots), tree)

    def check_patterns(
        self,
        layout: Layout,
        arrays: list[np.ndarray],
        where: str = "the params storage",
    ):
        """Raises ValueError where the index arrays of parameters are no pattern of their
        structures; `where` is what holds them. The kernels rely on it and do not look."""
        patterns: dict[str, list] = {}
        for slot, array in zip(layout.slots, arrays, strict=True):
            if layout.role == "params" and slot.owner and slot.dtype.kind == "u":
                patterns.setdefault(slot.path, []).append((slot.owner, array))
        for path, parts in patterns.items():
            shape = self.imported.arguments[self.imported.params[path]].shape
            indices = [array.astype(np.int64) for _, array in parts]
            try:
                _core.check_pattern(parts[0][0], shape, indices)
            except ValueError as error:
                raise ValueError(f"'{path}' in {where}: {error}") from None
        self._check_groups(patterns, where)

    def _check_groups(self, patterns: Mapping[str, list], where: str):
        """Raises ValueError where parameters of a group hold different indices of it."""
        known: dict[str, tuple[str, np.ndarray]] = {}
        for path, parts in patterns.items():
            for group, (_, array) in zip(self.groups(path), parts, strict=False):
                first, indices = known.setdefault(group, (path, array))
                if (array != indices).any():
                    raise ValueError(
                        f"'{path}' in {where}: its indices of group '{group}' are not "
                        f"those of '{first}', with which it is coupled"
                    )

    def groups(self, path: str) -> list[str]:
        """The coupled groups of a parameter's structure, one an index tensor."""
        return self._sliced(path)[0]

    def kept_shape(self, path: str) -> tuple[int, ...]:
        """The shape of what a slice leaves of a parameter; its own under another structure."""
        return tuple(self._sliced(path)[1])

    def _sliced(self, path: str) -> tuple[list[str], list[int]]:
        shape = self.imported.arguments[self.imported.params[path]].shape
        text = self.lowered.pinned.get(path)
        return _core.sliced_axes(text, shape) if text else ([], list(shape))

    @cached_property
    def patterns(self) -> dict[str, _core.PatternInfo]:
        """path -> what selection needs to know, of the parameters with a pattern."""
        found = {}
        for path, text in self.lowered.pinned.items():
            shape = self.imported.arguments[self.imported.params[path]].shape
            if info := _core.describe_pattern(text, shape):
                found[path] = info
        return found

    def ir(self, stage: str) -> str:
        """The module as text after a stage."""
        return text_after(
            self.imported.text, self.structure, self.name, stage, self.cpu, self.tiles
        )

    def products(self, tiles: str = "") -> list[_core.Product]:
        """The structured products, on as many threads as there are now, with what a file
        of tile sizes has for them."""
        return products(self.imported.text, self.structure, self.name, self.cpu, tiles)

    def lowered_for(self, cpu: str) -> _core.Module:
        """The module on the way to machine code for a CPU."""
        return lower_for(self.imported.text, self.structure, self.name, cpu, self.tiles)
