"""Calls of compiled functions: arrays in, the user's results out. Nothing here needs the
compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from . import _storage, _trees
from ._arguments import key_kind
from ._pairing import Leaf
from ._storage import Layout, Storage
from ._values import Value, user_dtype


def positions(program, name: str) -> tuple[tuple[int | None, int | None], ...]:
    """For each array of a program's function: the argument it is (None for one that only
    receives a result), and the result that is written to it."""
    (function,) = (f for f in program.functions() if f["name"] == name)
    found, position = [], 0
    for argument in function["arguments"]:
        if argument["role"] == "result":
            found.append((None, argument["result"]))
        else:
            found.append((position, argument["result"]))
            position += 1
    return tuple(found)


def bits(array: np.ndarray) -> np.ndarray:
    """The array as programs take it: bfloat16, which NumPy does not have, by its bits."""
    return array.view(np.uint16) if array.dtype.kind == "V" else array


@dataclass(frozen=True)
class Entry:
    """A function of a program.

    program    compiled now, or ahead of time
    arguments  on storage
    results    of the compiled function
    leaves     of the user's results
    positions  see the function of that name
    """

    program: Any
    name: str
    arguments: tuple[Value, ...]
    results: tuple[Value, ...]
    leaves: tuple[Leaf, ...]

    def __post_init__(self):
        # Looked up at every call.
        object.__setattr__(self, "positions", positions(self.program, self.name))
        object.__setattr__(
            self, "_result_of", {value.name: i for i, value in enumerate(self.results)}
        )

    def call(self, arrays: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """Runs on one array per argument; result -> array. Updated arguments are results
        without a copy."""
        results: dict[int, np.ndarray] = {}
        given = []
        for position, result in self.positions:
            if position is None:
                value = self.results[result]
                array = _storage.empty(value.shape, value.dtype)
            else:
                array = arrays[position]
            if result is not None:
                results[result] = array
            given.append(bits(array))
        self.program.call(self.name, given)
        return results

    def result_of(self, leaf: int, results: Mapping[int, np.ndarray]):
        """A flat result of the user's function, of those that `call` returned."""
        described = self.leaves[leaf]
        position = self._result_of[described.path]
        value = self.results[position]
        array = results[position].view(user_dtype(described, value))
        if described.dtype.startswith("key<"):
            return jax.random.wrap_key_data(array, impl=key_kind(described.dtype))
        return array


@dataclass(frozen=True)
class StepCall:
    """How a step takes its storage and its batch, and gives its results.

    roles     "params", and "state" where there is one, in the order of the handles
    layouts   of each role
    leaf_of   for each array on storage, the position of the user's leaf it belongs to
    sources   for each array on storage, the role that it is of; None for the batch
    template  the user's results, with places in them; see `sparsam._trees`
    """

    roles: tuple[str, ...]
    layouts: Mapping[str, Layout]
    leaf_of: tuple[int, ...]
    sources: tuple[str | None, ...]
    template: Any

    def __post_init__(self):
        # Flattened at every call, it would take longer than all else.
        places, tree = jax.tree.flatten(self.template)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_tree", tree)

    def handles(self, args: tuple) -> dict[str, Storage]:
        """The first arguments of a call, by role."""
        if len(args) < len(self.roles):
            raise TypeError(
                f"expected {' and '.join(self.roles)} first, found {len(args)} values"
            )
        return dict(zip(self.roles, args, strict=False))

    def run(
        self, entry: Entry, handles: Mapping[str, Storage], batch: Sequence[np.ndarray]
    ):
        """The tree of the user's results. Consumes the handles, but not where an exception
        is raised."""
        layouts = {role: handle.layout for role, handle in handles.items()}
        with _storage.taken(handles.values()) as taken:
            queues: dict[str | None, Iterator] = {
                role: iter(arrays) for role, arrays in zip(handles, taken, strict=True)
            }
            queues[None] = iter(batch)
            arrays = [next(queues[source]) for source in self.sources]
            return self._fill(entry, layouts, arrays, entry.call(arrays))

    def _fill(self, entry: Entry, layouts, arrays: Sequence[np.ndarray], results):
        updated: dict[str, list] = {role: [] for role in self.roles}
        for source, value, array in zip(
            self.sources, entry.arguments, arrays, strict=True
        ):
            if source:
                updated[source].append(
                    array if value.updates is None else results[value.updates]
                )

        def value(place):
            if isinstance(place, _trees.Handle):
                return Storage(updated[place.role], layouts[place.role], owned=True)
            if isinstance(place, _trees.Output):
                return entry.result_of(place.result, results)
            # Part of a larger tree that holds the state: a copy, the handle has it too.
            argument = self.leaf_of.index(place.argument)
            return np.array(results[entry.arguments[argument].updates])

        return self._tree.unflatten(map(value, self._places))


def check(handle, role: str, layout: Layout, verify: Callable[[Layout, list], None]):
    """Raises TypeError for anything but storage of a step, RuntimeError for a handle that
    a step consumed, and ValueError for arrays that were put into one and do not fit, or
    that `verify` refuses."""
    if not isinstance(handle, Storage):
        raise TypeError(
            f"expected the {role} storage that compress returned, found "
            f"{type(handle).__name__}"
        )
    if handle.role != role:
        raise TypeError(f"expected the {role} storage, found the {handle.role} storage")
    if handle.layout is not layout and not handle.layout.fits(layout):
        raise TypeError(
            f"expected the {role} storage of this step, found that of another step"
        )
    handle.adopt(verify)
