"""Compiling again for a batch of another shape."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import numpy as np

from ._arguments import Batch
from ._compiled import Compiled

log = logging.getLogger("sparsam")


class Variants:
    """One function, compiled for each set of shapes that its batch comes in.

    remarks  what the compiler said, and which further shapes it was compiled for
    """

    def __init__(self, name: str, batch: Batch, build: Callable, first: Compiled):
        """`build`: shapes of the batch -> Compiled, or ValueError or TypeError where the
        function does not take them; `first` is that of the examples."""
        self._name, self._batch, self._build = name, batch, build
        self._compiled = {batch.shapes: first}
        self._lock = threading.Lock()
        self.remarks = list(first.lowered.remarks)

    def at(self, arrays: list[np.ndarray]) -> Compiled:
        """The one for the arrays of a batch."""
        shapes = tuple([array.shape for array in arrays])
        if found := self._compiled.get(shapes):
            return found
        with self._lock:
            if shapes not in self._compiled:
                self._compiled[shapes] = self._compile(shapes)
            return self._compiled[shapes]

    def _compile(self, shapes) -> Compiled:
        wanted, shape = next(
            (wanted, shape)
            for wanted, shape in zip(self._batch.wanted, shapes, strict=True)
            if wanted.shape != shape
        )
        try:
            compiled = self._build(shapes)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{wanted.what} must be of shape {wanted.shape}, found {shape}, for which "
                f"'{self._name}' cannot be compiled: {error}"
            ) from error
        remark = f"{wanted.what} is of shape {shape}, not {wanted.shape}: compiled again for it"
        log.warning("%s: %s", self._name, remark)
        self.remarks.append(remark)
        return compiled
