"""Checkpoints of a step: its storage in a safetensors file and back, and files of dense
parameters into storage. See docs/Checkpoints.md for the names and the metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from . import _storage
from ._compiled import Compiled
from ._compress import Arrays, Compressor
from ._lazy import core as _core
from ._names import check_fits, dense_name, entries_of, tensor_name
from ._places import Places
from ._safetensors import Entry, File, opened, write
from ._storage import Layout, Slot, Storage

FORMAT, STRUCTURES, TENSORS = (
    "sparsam.format",
    "sparsam.structures",
    "sparsam.tensors",
)
_VERSION = "1"


@dataclass(frozen=True)
class Record:
    """What a file says of a step.

    names       role -> what the tensor of each slot is called
    tensors     name -> what it is to the step
    parameters  path -> structure, shape and dtype of the dense tensor
    """

    names: Mapping[str, list[str]]
    tensors: Mapping[str, dict[str, str]]
    parameters: Mapping[str, dict[str, Any]]


def save_storage(
    path, handles: Mapping[str, Storage], record: Record, extra: Mapping[str, str]
):
    """Writes the storage of each role; see `Step.save`."""
    if reserved := [key for key in extra if str(key).startswith("sparsam.")]:
        raise ValueError(
            f"the metadata key {reserved[0]!r} is reserved, call it otherwise"
        )
    tensors = {}
    for role, handle in handles.items():
        for name, array in zip(record.names[role], handle.arrays(), strict=True):
            _check_numbers(f"'{name}'", role, array)
            tensors[name] = array
    described = {name: record.tensors[name] for name in tensors}
    metadata = {
        FORMAT: _VERSION,
        STRUCTURES: json.dumps(record.parameters),
        TENSORS: json.dumps(described),
    }
    write(path, tensors, {**extra, **metadata})


def read_storage(
    file: File,
    record: Record,
    layouts: Mapping[str, Layout],
    verify: Callable[[Layout, list], None],
    only_params: bool = False,
) -> list[Storage]:
    """The handles of each role, of a file whose structures are the step's. `verify` raises
    for arrays that are no storage."""
    wanted = {
        name: [Entry(slot.shape, slot.dtype.name)]
        for role, layout in layouts.items()
        for name, slot in zip(record.names[role], layout.slots, strict=True)
    }
    check_fits(file, wanted, "step", only_params=only_params)
    handles = []
    for role, layout in layouts.items():
        arrays = [_storage.copy(file.read(name)) for name in record.names[role]]
        for name, array in zip(record.names[role], arrays, strict=True):
            _check_numbers(f"'{name}' in '{file.path}'", role, array)
        verify(layout, arrays)
        handles.append(Storage(arrays, layout, owned=True))
    return handles


class Checkpoints:
    """What `Step.save` and `Step.load` do."""

    def __init__(
        self,
        compiled: Compiled,
        places: Places,
        layouts: dict[str, Layout],
        compressor: Compressor,
    ):
        self._compiled = compiled
        self._arguments = compiled.imported.arguments
        self._params = compiled.imported.params
        self._pinned = compiled.lowered.pinned
        self._places = places
        self._layouts = layouts
        self._compressor = compressor
        self._positions = {leaf.path: i for i, leaf in enumerate(self._arguments)}
        self._updated = {
            (self._arguments[leaf].path, value.part)
            for leaf, value in zip(
                compiled.leaf_of, compiled.signature.arguments, strict=True
            )
            if value.updates is not None
        }

    def save(self, path, handles: Mapping[str, Storage], extra: Mapping[str, str]):
        """Writes the storage of each role; see `Step.save`."""
        save_storage(path, handles, self.record(), extra)

    def load(self, path, state) -> tuple[list[Storage], dict[str, float]]:
        """The handles by role, and path -> damage where the file's parameters are dense."""
        with opened(path) as file:
            saved = saved_parameters(file)
            if all(text == "dense" for text in saved.values()):
                return self._load_dense(file, state)
            self._check_structures(file, saved)
            return self._load_structured(file, state), {}

    def record(self) -> Record:
        """What a file says of the step. Raises ValueError where two tensors would have one
        name."""
        names: dict[str, list[str]] = {}
        tensors: dict[str, dict[str, str]] = {}
        for role, layout in self._layouts.items():
            for slot in layout.slots:
                kind, where = self._kind(role, slot)
                name = tensor_name(kind, where, slot.part)
                if name in tensors:
                    raise ValueError(
                        f"two tensors would both be called '{name}' in the file; rename "
                        f"'{slot.name}'"
                    )
                names.setdefault(role, []).append(name)
                tensors[name] = {"of": kind, "path": where, "part": slot.part}
                if role == "params":
                    tensors[name]["role"] = self._role(slot)
        parameters = {
            path: {
                "structure": self._pinned.get(path, "dense"),
                "shape": list(self._arguments[position].shape),
                "dtype": self._arguments[position].dtype,
            }
            for path, position in self._params.items()
        }
        return Record(names, tensors, parameters)

    def _kind(self, role: str, slot: Slot) -> tuple[str, str]:
        """What a slot is in a file, and its path there: one of the parameters, of the state,
        or of what else is carried in their arguments."""
        keys = self._arguments[self._positions[slot.name]].keys
        prefix = self._places.prefix[role]
        if keys[: len(prefix)] == prefix:
            return role, slot.path
        return "carried", slot.name

    def _role(self, slot: Slot) -> str:
        """What a tensor of a parameter is to the step."""
        if (slot.name, slot.part) in self._updated:
            return "trainable"
        return "index" if slot.owner and slot.dtype.kind == "u" else "frozen"

    def _check_structures(self, file: File, saved: Mapping[str, str]):
        bad = [
            f"'{path}' is stored as {text}, this step has {self._pinned.get(path, 'dense')}"
            for path, text in saved.items()
            if path in self._params and not self._same_structure(path, text)
        ]
        if bad:
            raise ValueError(
                f"'{file.path}' holds parameters of another structure; compile a step with "
                f"structure=sparsam.saved_structures({file.path!r}) for it, from which "
                "densify and compress lead to other structures:\n  " + "\n  ".join(bad)
            )

    def _same_structure(self, path: str, text: str) -> bool:
        """Whether `text`, which may leave out what is the default, is the parameter's own."""
        own = self._pinned.get(path, "dense")
        if "dense" in (text, own):
            return text == own
        try:
            shape = self._arguments[self._params[path]].shape
            return _core.pinned_structure(text, shape) == own
        except ValueError:
            return False

    def _load_structured(self, file: File, state) -> list[Storage]:
        roles = [r for r in self._places.roles if r == "params" or state is None]
        handles = read_storage(
            file,
            self.record(),
            {role: self._layouts[role] for role in roles},
            lambda layout, arrays: self._compiled.check_patterns(
                layout, arrays, f"'{file.path}'"
            ),
            only_params=state is not None,
        )
        if state is not None:
            (p,) = handles
            dense = self._compressor.densify(p)
            found, _ = self._compressor.compress(dense, state, pattern=p)
            handles += found[1:]
        return handles

    def _load_dense(self, file: File, state) -> tuple[list[Storage], dict[str, float]]:
        """Through `compress`, as dense parameters and state of the user are."""
        leaves: Arrays = {}
        roles = [r for r in self._places.roles if r == "params" or state is None]
        names: dict[str, int] = {}
        for role in roles:
            for slot in self._layouts[role].slots:
                position = self._positions[slot.name]
                kind, where = self._kind(role, slot)
                above = 0 if kind == "carried" else len(self._places.prefix[role])
                keys = self._arguments[position].keys[above:]
                names[dense_name(file, kind, where, keys)] = position
        wanted = {
            name: entries_of(self._places.wanted(position))
            for name, position in names.items()
        }
        check_fits(file, wanted, "step", only_params=state is not None)
        for name, position in names.items():
            array = file.read(name)
            _check_numbers(
                f"'{name}' in '{file.path}'", self._places.role(position), array
            )
            dtype = self._places.wanted(position).dtype
            leaves[position] = array.astype(dtype, copy=False)
        if state is not None:
            leaves |= self._places.read("state", state)
        return self._compressor.compress_leaves(leaves)


def saved_parameters(file: File) -> dict[str, str]:
    """path -> structure text of a checkpoint's parameters; empty for a file that no step
    saved."""
    if FORMAT not in file.metadata:
        return {}
    if (version := file.metadata[FORMAT]) != _VERSION:
        raise ValueError(
            f"'{file.path}' is a checkpoint of format {version}; this Sparsam reads "
            f"format {_VERSION}"
        )
    try:
        parameters = json.loads(file.metadata[STRUCTURES])
        found = {path: entry["structure"] for path, entry in parameters.items()}
        if not all(isinstance(text, str) for text in found.values()):
            raise TypeError("a structure is not text")
        return found
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"'{file.path}': the metadata '{STRUCTURES}' is damaged: {error!r}"
        ) from error


def saved_structures(path: str | os.PathLike) -> dict[str, str]:
    """What the parameters in a checkpoint are stored as, as the `structure` argument of
    `sparsam.compile`: path -> text. Empty where all are dense."""
    with opened(path) as file:
        saved = saved_parameters(file)
    return {name: text for name, text in saved.items() if text != "dense"}


def _check_numbers(what: str, role: str, array: np.ndarray):
    """Raises ValueError for parameters that are not finite and for state that is not a
    number: such a file could not be gone on from. State may be infinite, as the best loss
    so far is at the start."""
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return
    bad = ~np.isfinite(array) if role == "params" else np.isnan(array)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{what} has {array[index]} at {index}")
