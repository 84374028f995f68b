"""Dense gradients of a step, also of entries that its structures leave out."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from ._arguments import Batch
from ._imported import ImportedStep
from ._lower import Lowered, lower_gradients
from ._storage import Dense


class Gradients:
    """What `sparsam-extract-gradients` makes of a step, compiled on first use for each set
    of shapes that the batch comes in."""

    def __init__(
        self,
        name: str,
        batch: Batch,
        importer: Callable[[tuple], ImportedStep],
        first: ImportedStep,
        cpu: str = "",
    ):
        """`importer`: shapes of the batch -> the step; `first` is that of the examples."""
        self._cpu = cpu
        self._name, self._batch, self._import, self._first = name, batch, importer, first
        self._lowered: dict[tuple, tuple[ImportedStep, Lowered]] = {}
        self._lock = threading.Lock()

    def at(self, dense: Dense, batch: list) -> dict[str, np.ndarray]:
        """The gradient of each parameter that has one, by path.

        `dense` has the dense parameters and state by the names of the step's arguments,
        without state that is not known as a dense tensor.
        """
        shapes = tuple(array.shape for array in batch)
        with self._lock:
            if shapes not in self._lowered:
                self._lowered[shapes] = self._compile(shapes)
        imported, lowered = self._lowered[shapes]
        imported.check(batch)
        signature = lowered.signatures[lowered.entry]
        positions = {leaf.path: i for i, leaf in enumerate(imported.arguments)}
        carried = {**dense, **self._named(imported, batch)}
        arguments = []
        for value in signature.arguments:
            position = imported.params.get(value.param, positions.get(value.name))
            name = imported.arguments[position].path
            if name not in carried:
                raise ValueError(
                    f"the gradients depend on '{name}', optimizer state of "
                    f"'{value.state_of}', which its factors do not keep as a dense tensor"
                )
            arguments.append(carried[name])
        results = lowered.call_new(lowered.entry, arguments)
        return {v.gradient_of: r for v, r in zip(signature.results, results, strict=True)}

    def _named(self, imported: ImportedStep, batch: list) -> dict[str, np.ndarray]:
        """The arrays of the batch by the names of their arguments."""
        others = {str(position) for position in self._batch.positions}
        names = [leaf.path for leaf in imported.arguments if leaf.keys[0] in others]
        return dict(zip(names, batch, strict=True))

    def _compile(self, shapes) -> tuple[ImportedStep, Lowered]:
        imported = self._first
        if shapes != self._batch.shapes:
            try:
                imported = self._import(shapes)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"'{self._name}' cannot be compiled for a batch of the shapes "
                    f"{', '.join(map(str, shapes))}: {error}"
                ) from error
        return imported, lower_gradients(imported.text, self._name, self._cpu)
