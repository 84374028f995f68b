"""What a step is besides code, as text in a bundle: trees, storage and batch."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pickle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from . import _trees
from ._arguments import Arrays, Batch
from ._calling import Entry, StepCall
from ._checkpoint import Record
from ._imported import no_check
from ._lazy import core as _core
from ._pairing import Leaf
from ._safetensors import BUNDLE_SUFFIX
from ._storage import Layout, Slot
from ._values import Value

if TYPE_CHECKING:
    from ._compiled import Compiled
    from ._step import Step

FILE, FORMAT = "python.json", 1
_PLACES = {
    "handle": _trees.Handle,
    "output": _trees.Output,
    "carried": _trees.Carried,
}


def save(
    path: str | os.PathLike,
    step: Step,
    compiled: Compiled,
    batch: Batch,
    record: Record,
    cpu: str | Sequence[str] | None,
):
    """Writes a step as a bundle; see `Step.save`."""
    path = os.fspath(path)
    if not path.endswith(BUNDLE_SUFFIX):
        raise ValueError(
            f"the step itself is saved as a bundle, '{path}' must end in {BUNDLE_SUFFIX}; to "
            "save storage, give it: save(path, p, s)"
        )
    cpus = _core.default_cpus() if cpu is None else [cpu] if isinstance(cpu, str) else cpu
    if not isinstance(cpus, Sequence) or not all(isinstance(name, str) for name in cpus):
        raise TypeError(
            "cpu must be the name of a CPU, such as 'host' or 'x86-64-v3', or a list of "
            f"such, found {cpu!r}"
        )
    if not cpus:
        raise ValueError("cpu=[]: name at least one, such as 'x86-64-v3' or 'host'")
    for name in cpus:
        _core.check_cpu(name)
    text = json.dumps(_describe(step, compiled, batch, record), indent=1)
    programs = [(compiled.lowered_for(name), name) for name in dict.fromkeys(cpus)]
    _core.Module.write_bundle(path, programs, {FILE: text})


@dataclasses.dataclass(frozen=True)
class Description:
    """A step of which the code is in a bundle.

    check   raises for the arrays of a batch that the step is wrong for
    record  what its checkpoints say of it
    """

    name: str
    call: StepCall
    batch: Batch
    check: Callable[[Sequence[np.ndarray]], None]
    structures: dict[str, str]
    record: Record


def framework_of(text: str) -> str:
    """The front end that a step came from, "jax" or "torch". Raises ValueError for another
    format."""
    described = json.loads(text)
    if described["format"] > FORMAT:
        raise ValueError(
            f"its {FILE} is of format {described['format']}, and this Sparsam reads format "
            f"{FORMAT}; save the step again"
        )
    return described["framework"]


def read(text: str, program, arrays: Arrays) -> Description:
    """What `save` wrote; `program` is the code."""
    found = json.loads(text)
    layouts = {
        role: Layout(role, tuple(map(_slot, slots)), None)
        for role, slots in found["storage"].items()
    }
    places = [_PLACES[kind](where) for kind, where in found["places"]]
    entry = Entry(
        program,
        found["entry"],
        tuple(map(_value, found["arguments"])),
        tuple(map(_value, found["results"])),
        tuple(map(_leaf, found["leaves"])),
    )
    call = StepCall(
        entry,
        tuple(found["roles"]),
        layouts,
        tuple(found["leaf_of"]),
        tuple(found["sources"]),
        jax.tree.unflatten(_tree(found["results_tree"]), places),
    )
    wanted = [
        arrays.restored(
            each["what"], tuple(each["shape"]), np.dtype(each["dtype"]), each["given"]
        )
        for each in found["batch"]["wanted"]
    ]
    batch = Batch.restored(
        tuple(found["batch"]["positions"]), _tree(found["batch"]["tree"]), wanted, arrays
    )
    check = _unpickle(found["check"]) if found["check"] else no_check
    record = Record(**found["checkpoint"])
    return Description(found["name"], call, batch, check, found["structures"], record)


def _describe(
    step: Step, compiled: Compiled, batch: Batch, record: Record
) -> dict[str, Any]:
    call, entry = step.call(compiled), compiled.entry
    places, tree = jax.tree.flatten(call.template)
    kinds = {kind: name for name, kind in _PLACES.items()}
    check = compiled.imported.check
    return {
        "format": FORMAT,
        "framework": step.framework.name,
        "name": compiled.name,
        "structures": compiled.lowered.pinned,
        "entry": entry.name,
        "roles": call.roles,
        "leaf_of": call.leaf_of,
        "sources": call.sources,
        "arguments": list(map(_plain, entry.arguments)),
        "results": list(map(_plain, entry.results)),
        "leaves": list(map(_plain, entry.leaves)),
        # Without its tree, which a handle brings along: it may have anything in it.
        "storage": {
            role: list(map(_plain, layout.slots)) for role, layout in call.layouts.items()
        },
        "places": [(kinds[type(place)], *dataclasses.astuple(place)) for place in places],
        "results_tree": _pickle("the tree of the results", tree),
        "batch": {
            "positions": batch.positions,
            "tree": _pickle("the tree of the batch", batch.tree),
            "wanted": [
                {
                    "what": each.what,
                    "shape": each.shape,
                    "dtype": each.dtype.name,
                    "given": str(each.given),
                }
                for each in batch.wanted
            ],
        },
        "checkpoint": _plain(record),
        "check": None if check is no_check else _pickle("the check of the batch", check),
    }


def _plain(record) -> dict[str, Any]:
    """A record as JSON has it."""
    fields = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    return {k: v.name if isinstance(v, np.dtype) else v for k, v in fields.items()}


def _record(kind, found: dict[str, Any]):
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
    if "dtype" in fields and kind is not Leaf:
        fields["dtype"] = np.dtype(fields["dtype"])
    return kind(**fields)


def _slot(found) -> Slot:
    return _record(Slot, found)


def _value(found) -> Value:
    return _record(Value, found)


def _leaf(found) -> Leaf:
    return _record(Leaf, found)


def _pickle(what: str, value) -> str:
    """Trees have types of the user and of libraries, which are found again by name."""
    try:
        return base64.b64encode(pickle.dumps(value)).decode()
    except Exception as error:
        raise ValueError(f"{what} cannot be saved: {error}") from error


def _unpickle(text: str):
    try:
        return pickle.loads(base64.b64decode(text))
    except Exception as error:
        raise ValueError(
            f"a tree of it cannot be restored, its types must be there as they were when "
            f"it was saved: {error}"
        ) from error


_tree = _unpickle
