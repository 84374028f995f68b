"""`sparsam.load`: steps that were compiled ahead of time. No LLVM is needed for them."""

from __future__ import annotations

import os

from . import _bundle, _calling
from ._arguments import Arrays
from ._runtime import Bundle
from ._storage import Layout


def load(path: str | os.PathLike) -> Loaded:
    """The step in a bundle of `Step.save`. What is in it becomes part of the process: open
    bundles that you trust only.

    Raises OSError for what is no whole bundle, and where none of its code runs on this
    machine, and ValueError for a bundle that no Python step was saved as.
    """
    path = os.fspath(path)
    bundle = Bundle.open(path)
    if _bundle.FILE not in bundle.files:
        raise ValueError(
            f"bundle '{path}' was not made by Step.save; sparsam-run takes it"
        )
    text = bundle.read(_bundle.FILE)
    try:
        framework = _bundle.framework_of(text)
        if framework == "torch":
            from .torch._loaded import Loaded as kind
        else:
            kind = Loaded
        return kind(path, bundle, _bundle.read(text, bundle, kind.framework))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"bundle '{path}': {error}") from error


class Loaded:
    """A step that was compiled ahead of time; see `load`.

    cpu         what the code is for that this machine runs
    cpus        what the bundle has code for
    structures  parameter path -> structure text, of what has one
    """

    framework = Arrays()

    def __init__(self, path: str, bundle: Bundle, description: _bundle.Description):
        """See `load`."""
        self._path, self._description = path, description
        self.cpu, self.cpus = bundle.cpu, bundle.cpus
        self.structures = dict(description.structures)

    def __call__(self, *args):
        """Runs one step, as the step that was saved does: (p, s, *batch) -> its results.

        Consumes p and s and updates their arrays in place. Raises as that step does, and
        ValueError for a batch of another shape.
        """
        described = self._description
        handles = described.call.handles(args)
        for role, handle in handles.items():
            self.check(handle, role)
        batch = described.batch.read(args[len(handles) :])
        for wanted, array in zip(described.batch.wanted, batch, strict=True):
            if array.shape != wanted.shape:
                raise ValueError(
                    f"{wanted.what} must be of shape {wanted.shape}, found {array.shape}; "
                    "a step that is loaded is not compiled for another"
                )
        described.check(batch)
        return described.call.run(described.entry, handles, batch)

    def check(self, handle, role: str):
        """Raises TypeError for anything but storage of the step that was saved,
        RuntimeError for a handle that a step consumed, and ValueError for arrays that were
        put into one and do not fit."""
        layout = self._description.call.layouts[role]
        _calling.check(handle, role, layout, self._check_patterns)

    def layout(self, role: str) -> Layout:
        """What the arrays of the "params" or the "state" are."""
        return self._description.call.layouts[role]

    def __repr__(self) -> str:
        return (
            f"<sparsam.Loaded {self._description.name} for {self.cpu} of '{self._path}'>"
        )

    def _check_patterns(self, layout: Layout, arrays: list):
        pass
