"""What is stored of parameters and state through dense tensors to another structure."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from ._compiled import Compiled
from ._lift import lift
from ._lower import Lowered, Signature, lower_refresh
from ._storage import Dense, Stored


class Moves:
    """The functions of `sparsam-make-refresh` for one step, compiled on first use.

    patterns  path -> structure text with its view, of the parameters with a pattern
    """

    def __init__(self, compiled: Compiled):
        self._names = compiled.imported.names
        self.patterns = {
            path: compiled.lowered.pinned[path] for path in compiled.patterns
        }
        self._compiled = compiled
        self._made: Lowered | None = None
        self._lock = threading.Lock()

    def densify(self, stored: Stored) -> Dense:
        """The dense tensors of pattern parameters and of their state."""
        return _names(self._call("densify", stored))

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
        # Rankings and users give views, such as transposed ones.
        given = {
            (self._names[path], "dense"): np.ascontiguousarray(array)
            for path, array in scores.items()
        }
        return self._call("select", given)

    def restrict(self, dense: Dense, indices: Stored) -> Stored:
        """What is stored on patterns of the dense parameters and state."""
        return self._call("restrict", _whole(dense) | indices)

    def sums(self, stored: Stored) -> Dense:
        """The dense tensors that factors make, also what the model does not read of them."""
        return _names(self._call("sum", stored))

    def lift(self, stored: Stored) -> Dense:
        """Dense optimizer state of factor parameters, where it scales with the gradient or
        its square: that which projects to the state of the factors. In f32 where the state
        is in half precision, which does not suffice to find it."""
        signature = self._signature("spread")
        degrees = {value.name: value.degree for value in signature.results}
        parts = {
            (value.name, value.part): stored[value.name, value.part].astype(value.dtype)
            for value in signature.arguments
            if value.state_of
        }
        factors = {key: array for key, array in stored.items() if key[0] not in degrees}

        def project(dense: Dense) -> Stored:
            return self._call("project", _whole(dense) | factors)

        def spread(state: Stored) -> Dense:
            return _names(self._call("spread", state | factors))

        return lift(parts, degrees, project, spread)

    def project(self, dense: Dense, factors: Stored) -> Stored:
        """What dense state is for the factors; other state counts as zeros."""
        given = {
            (value.name, value.part): np.zeros(value.shape, value.dtype)
            for value in self._signature("project").arguments
            if value.state_of
        }
        return self._call("project", factors | given | _whole(dense))

    def _call(self, name: str, given: Stored) -> Stored:
        if name in ("select", "restrict", "densify") and not self.patterns:
            return {}
        if not self._signature(name).arguments:
            return {}
        return self._lowered().call_named(name, given, self._names)

    def _signature(self, name: str) -> Signature:
        return self._lowered().signatures.get(name, Signature((), ()))

    def _lowered(self) -> Lowered:
        with self._lock:
            if self._made is None:
                compiled = self._compiled
                self._made = lower_refresh(
                    compiled.imported.text,
                    compiled.lowered.pinned,
                    compiled.name,
                    compiled.cpu,
                )
            return self._made


def _whole(dense: Dense) -> Stored:
    return {(name, "dense"): array for name, array in dense.items()}


def _names(stored: Stored) -> Dense:
    return {name: array for (name, _), array in stored.items()}
