"""`sparsam.load`: steps that were compiled ahead of time. No LLVM is needed for them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from . import _bundle, _calling
from ._arguments import Arrays
from ._checkpoint import read_storage, save_storage, saved_parameters
from ._runtime import Bundle
from ._safetensors import opened
from ._storage import Layout, Storage


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
    except ValueError as error:
        raise ValueError(f"bundle '{path}': {error}") from error
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"bundle '{path}': its {_bundle.FILE} is damaged: {error!r}"
        ) from error


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
        return described.call.run(handles, batch)

    def save(
        self,
        path: str | os.PathLike,
        p: Storage,
        s: Storage | None = None,
        metadata: Mapping[str, str] | None = None,
    ):
        """Writes storage into a safetensors file, as `Step.save` does."""
        handles = {"params": p} if s is None else {"params": p, "state": s}
        for role, handle in handles.items():
            self.check(handle, role)
        save_storage(path, handles, self._description.record, metadata or {})

    def load(self, path: str | os.PathLike):
        """Storage from a safetensors file: (p, s), or p alone for a step without state.

        The file is one that `save` wrote, of this step or of the one that was saved. Raises
        as `Step.load` does, and ValueError for dense parameters, which only the compiler's
        step can put into storage.
        """
        record, layouts = self._description.record, self._description.call.layouts
        with opened(path) as file:
            saved = saved_parameters(file)
            own = {path: entry["structure"] for path, entry in record.parameters.items()}
            for name in dict.fromkeys([*own, *saved]):
                mine, theirs = own.get(name, "absent"), saved.get(name, "dense")
                if mine != theirs:
                    raise ValueError(
                        f"'{file.path}': '{name}' is {theirs} there, and {mine} in the step "
                        "that was loaded, which takes storage of its own structures only"
                    )
            handles = read_storage(file, record, layouts, self._check_patterns)
        return tuple(handles) if len(handles) > 1 else handles[0]

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
        """Raises ValueError where the index arrays of parameters are no pattern of their
        structures. The kernels rely on it and do not look."""
        call = self._description.call
        entry, sources = call.entry, call.sources
        own = iter(zip(layout.slots, arrays, strict=True))
        slots, given = [], []
        for position, _ in entry.positions:
            mine = position is not None and sources[position] == layout.role
            slot, array = next(own) if mine else (None, None)
            slots.append(slot)
            given.append(None if array is None else _calling.bits(array))
        if fault := entry.program.check_patterns(entry.name, given):
            number, reason = fault
            raise ValueError(
                f"'{slots[number].path}' in the {layout.role} storage: {reason}"
            )
