"""What a step stores, and how it comes there from dense tensors and goes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._compiled import Compiled
from ._compress import Compressor
from ._lower import pin
from ._moves import Moves
from ._places import Places
from ._storage import Dense, Layout, Slot, Storage, Stored


class Form:
    """The storage of one step by the names of its arguments.

    shapes   path of a parameter -> its shape
    names    path of a parameter -> the name of its argument
    pinned   path -> structure text with its view, of the structured ones
    moves    between patterns and dense tensors
    slots    of all roles
    """

    def __init__(
        self,
        compiled: Compiled,
        places: Places,
        layouts: dict[str, Layout],
        compressor: Compressor,
    ):
        self.compiled, self.places, self.layouts = compiled, places, layouts
        self._compressor = compressor
        self.arguments = compiled.imported.arguments
        self._positions = positions = compiled.imported.params
        self.shapes = {path: self.arguments[i].shape for path, i in positions.items()}
        self.names = compiled.imported.names
        self.pinned = compiled.lowered.pinned
        self.moves = Moves(compiled)
        self.slots = [slot for layout in layouts.values() for slot in layout.slots]
        self._parameters = {
            self.names.get(value.param, value.name): value.param or value.state_of
            for value in compiled.signature.arguments
        }

    def pin(self, structure: Mapping[str, str]) -> dict[str, str]:
        """path -> structure text with its view, as the compiler finds it."""
        return pin(self.compiled.imported.text, structure, self.compiled.name)

    def parameter_of(self, slot: Slot) -> str:
        """The path of the parameter that a slot is, or is state of; "" for neither."""
        return self._parameters[slot.name]

    def is_state(self, slot: Slot) -> bool:
        """Whether a slot is optimizer state of a parameter."""
        path = self.parameter_of(slot)
        return bool(path) and slot.name != self.names[path]

    def leaf_paths(self) -> list[str | None]:
        """For each leaf of the tree of parameters its path; None for one that is none of
        them, such as an integer."""
        paths = {position: path for path, position in self._positions.items()}
        return [paths.get(leaf) for leaf in sorted(self.places.leaves["params"])]

    def stored(self, arrays: Mapping[str, Iterable]) -> Stored:
        """The arrays of each role by name and part."""
        found: Stored = {}
        for role, own in arrays.items():
            found |= self.layouts[role].named(own)
        return found

    def handles(self, stored: Stored, roles: Iterable[str]) -> list[Storage]:
        """Handles, which own the arrays."""
        return [
            Storage(
                [stored[slot.name, slot.part] for slot in self.layouts[role].slots],
                self.layouts[role],
                owned=True,
            )
            for role in roles
        ]

    def dense(self, stored: Stored) -> Dense:
        """All dense tensors of what is stored, but not the state of factors."""
        found = {name: array for (name, _), array in stored.items()}
        for slot in self.slots:
            if slot.owner:
                found.pop(slot.name, None)
        found |= self.moves.densify(stored)
        if set(self.pinned) - set(self.moves.patterns):
            for path, array in self._compressor.densify_structured(stored).items():
                found.setdefault(self.names[path], array)
        return found

    def factorize(self, dense: Dense) -> Stored:
        """What `@compress` makes of dense parameters and state; of state that it takes and
        that is not given, zeros."""
        return self._compressor.call("compress", self._compressor.given(dense))

    def check_projected(self, slot: Slot):
        """Raises ValueError for state that cannot become that of factors."""
        if not self._compressor.takes(slot.name):
            path = self.parameter_of(slot)
            raise ValueError(self._compressor.why_not_projected(slot.name, path))

    def state(self, tree) -> Dense:
        """Dense optimizer state that the user gives, by name."""
        read = self.places.read("state", tree)
        return {self.arguments[position].path: array for position, array in read.items()}
