"""Calls of compiled functions: arrays in, the user's results out. Nothing here needs the
compiler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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

    # What calls look up is made once: it would take longer than all else.
    def __post_init__(self):
        places = positions(self.program, self.name)
        object.__setattr__(self, "positions", places)
        values = self.arguments + self.results
        as_bits = any(value.dtype.kind == "V" for value in values)
        object.__setattr__(self, "_as_bits", as_bits)
        plan = tuple(
            (position, result, position is None and self._allocation(result))
            for position, result in places
        )
        object.__setattr__(self, "_plan", plan)
        numbers = {value.name: i for i, value in enumerate(self.results)}
        outputs = tuple(
            self._output(leaf, numbers[leaf.path]) if leaf.path in numbers else None
            for leaf in self.leaves
        )
        object.__setattr__(self, "_outputs", outputs)

    def _allocation(self, result: int) -> Callable[[], np.ndarray]:
        value = self.results[result]
        return _storage.allocation(value.shape, value.dtype)

    def _output(self, leaf: Leaf, result: int) -> tuple[int, np.dtype, str | None]:
        """The result that a leaf is, as what type, and the kind of random key it holds."""
        kind = key_kind(leaf.dtype) if leaf.dtype.startswith("key<") else None
        return result, user_dtype(leaf, self.results[result]), kind

    def call(self, arrays: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """Runs on one array per argument; result -> array. Updated arguments are results
        without a copy."""
        results: dict[int, np.ndarray] = {}
        given = []
        for position, result, allocate in self._plan:
            array = allocate() if position is None else arrays[position]
            if result is not None:
                results[result] = array
            given.append(array)
        if self._as_bits:
            given = list(map(bits, given))
        self.program.call(self.name, given)
        return results

    def result_of(self, leaf: int, results: Mapping[int, np.ndarray]):
        """A flat result of the user's function, of those that `call` returned."""
        position, dtype, key = self._outputs[leaf]
        array = results[position]
        if array.dtype is not dtype:
            array = array.view(dtype)
        return array if key is None else jax.random.wrap_key_data(array, impl=key)


@dataclass(frozen=True)
class StepCall:
    """How a step takes its storage and its batch, and gives its results.

    roles     "params", and "state" where there is one, in the order of the handles
    layouts   of each role
    leaf_of   for each array on storage, the position of the user's leaf it belongs to
    sources   for each array on storage, the role that it is of; None for the batch
    template  the user's results, with places in them; see `sparsam._trees`
    """

    entry: Entry
    roles: tuple[str, ...]
    layouts: Mapping[str, Layout]
    leaf_of: tuple[int, ...]
    sources: tuple[str | None, ...]
    template: Any

    def __post_init__(self):
        places, tree = jax.tree.flatten(self.template)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_tree", tree)
        # Where each array is: in the handle of a role or in the batch, which is the last.
        origins, counts = (*self.roles, None), Counter()
        picks = []
        for source in self.sources:
            picks.append((origins.index(source), counts[source]))
            counts[source] += 1
        object.__setattr__(self, "_picks", tuple(picks))
        # Of each role, the arrays that it consists of afterwards: an argument, or a result.
        updated: dict[str, list] = {role: [] for role in self.roles}
        for i, (source, value) in enumerate(
            zip(self.sources, self.entry.arguments, strict=True)
        ):
            if source:
                updated[source].append((i, value.updates))
        object.__setattr__(self, "_updated", updated)

    def handles(self, args: tuple) -> dict[str, Storage]:
        """The first arguments of a call, by role."""
        if len(args) < len(self.roles):
            raise TypeError(
                f"expected {' and '.join(self.roles)} first, found {len(args)} values"
            )
        return dict(zip(self.roles, args, strict=False))

    def run(self, handles: Mapping[str, Storage], batch: Sequence[np.ndarray]):
        """The tree of the user's results. Consumes the handles, but not where an exception
        is raised before they are updated."""
        with _storage.taken(handles.values()) as taken:
            origins = (*taken, batch)
            arrays = [origins[origin][number] for origin, number in self._picks]
            results = self.entry.call(arrays)
        # From here on the arrays are updated: nothing may give them back.
        return self._fill(handles, arrays, results)

    def _fill(self, handles: Mapping[str, Storage], arrays: Sequence, results: Mapping):
        return self._tree.unflatten(
            [self._value(place, handles, arrays, results) for place in self._places]
        )

    def _value(self, place, handles, arrays, results):
        kind = type(place)
        if kind is _trees.Output:
            return self.entry.result_of(place.result, results)
        if kind is _trees.Handle:
            stored = [
                arrays[i] if updates is None else results[updates]
                for i, updates in self._updated[place.role]
            ]
            return Storage(stored, handles[place.role].layout, owned=True)
        # Part of a larger tree that holds the state: a copy, the handle has it too.
        argument = self.leaf_of.index(place.argument)
        return np.array(results[self.entry.arguments[argument].updates])


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
