"""Steps of modules that were compiled ahead of time."""

from __future__ import annotations

from .. import _load
from . import _arrays


class Loaded(_load.Loaded):
    """A step of a module; see `sparsam.load`."""

    framework = _arrays.TorchArrays()

    def __call__(self, *args):
        """Runs one step: (p, s, *batch) -> p, s, the loss and the further results, as
        tensors. See `sparsam.Loaded`."""
        p, s, *results = super().__call__(*args)
        return (p, s, *_arrays.as_tensors(results))
