"""What a step shares with all that it is refreshed to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ._gradients import Gradients

if TYPE_CHECKING:
    from ._step import Step

# Compiled steps that are kept besides those that the user holds.
_KEPT = 8


class Family:
    """What a step shares with all that it is refreshed to: the gradients, and the steps
    that were compiled."""

    def __init__(self, gradients: Gradients, first: Step):
        self.gradients = gradients
        self._pinned: dict[tuple, dict[str, str]] = {}
        self._steps: OrderedDict[tuple, Step] = OrderedDict()
        self._lock = threading.Lock()
        self._keep(first)

    def _keep(self, step: Step):
        """Remembers a step by its structures and its file of tile sizes."""
        key = _key(step.pinned), step.tiles
        self._steps[key] = step
        self._steps.move_to_end(key)
        if len(self._steps) > _KEPT:
            self._steps.popitem(last=False)

    def pin(self, structure: dict[str, str], find: Callable) -> dict[str, str]:
        """path -> structure text with its view; `find` asks the compiler for it."""
        with self._lock:
            if _key(structure) not in self._pinned:
                self._pinned[_key(structure)] = find(structure)
            return self._pinned[_key(structure)]

    def only(self, step: Step):
        """Forgets the steps besides one that was compiled again."""
        with self._lock:
            self._steps.clear()
            self._keep(step)

    def step(
        self, structure: dict[str, str], tiles: str, build: Callable[[dict], Step]
    ) -> Step:
        """The step of these structures (path -> text with its view), with a file of tile
        sizes."""
        with self._lock:
            found = self._steps.get((_key(structure), tiles)) or build(structure)
            self._keep(found)
            return found


def _key(structure: Mapping[str, str]) -> tuple:
    return tuple(sorted(structure.items()))
