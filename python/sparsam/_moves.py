"""Pattern parameters and their state through the dense tensor to another pattern."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from . import _core, _storage
from ._compiled import Compiled
from ._lower import Lowered, lower_refresh

# The arrays of storage: (name of the step's argument, part) -> array.
Stored = dict[tuple[str, str], np.ndarray]
# Dense arrays by the name of the step's argument.
Dense = dict[str, np.ndarray]


class Moves:
    """The functions of `sparsam-make-refresh` for one step, compiled on first use.

    patterns  path -> structure text with its view, of the parameters with a pattern
    """

    def __init__(self, compiled: Compiled):
        imported = compiled.imported
        self._names = {
            path: imported.arguments[position].path
            for path, position in imported.params.items()
        }
        self.patterns = {
            path: text
            for path, text in compiled.lowered.pinned.items()
            if describe(text, imported.arguments[imported.params[path]].shape)
        }
        self._compiled = compiled
        self._made: Lowered | None = None
        self._lock = threading.Lock()

    def densify(self, stored: Stored) -> Dense:
        """The dense tensors of pattern parameters and of their state."""
        return {name: array for (name, _), array in self._call("densify", stored).items()}

    def mask(self, stored: Stored) -> dict[str, np.ndarray]:
        """path -> where a pattern parameter stores an entry."""
        ones = {
            key: np.ones_like(array) if array.dtype.kind != "u" else array
            for key, array in stored.items()
        }
        dense = self.densify(ones)
        return {path: dense[self._names[path]] != 0 for path in self.patterns}

    def select(self, scores: Mapping[str, np.ndarray]) -> Stored:
        """The index arrays of the patterns that the scores (path -> f64 array, not below
        zero) choose."""
        given = {(self._names[path], "dense"): array for path, array in scores.items()}
        return self._call("select", given)

    def restrict(self, dense: Dense, indices: Stored) -> Stored:
        """What is stored on patterns of the dense parameters and state."""
        given = {(name, "dense"): array for name, array in dense.items()}
        return self._call("restrict", given | indices)

    def _call(self, name: str, given: Stored) -> Stored:
        if not self.patterns:
            return {}
        lowered = self._lowered()
        signature = lowered.signatures[name]

        def key(value):
            return self._names.get(value.param, value.name), value.part

        results = {
            i: _storage.empty(v.shape, v.dtype) for i, v in enumerate(signature.results)
        }
        lowered.call(name, [given[key(value)] for value in signature.arguments], results)
        return {key(value): results[i] for i, value in enumerate(signature.results)}

    def _lowered(self) -> Lowered:
        with self._lock:
            if self._made is None:
                compiled = self._compiled
                self._made = lower_refresh(
                    compiled.imported.text, compiled.lowered.pinned, compiled.name
                )
            return self._made


def describe(text: str, shape) -> _core.PatternInfo | None:
    """What the compiler says about a structure; None for one that is no pattern."""
    return _core.describe_pattern(text, list(shape))
