"""Scores of the entries of parameters, by which patterns are selected.

Every function here returns path -> array of the parameter's shape, in f64; larger scores
are kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from . import _trees
from ._arguments import Arrays

# What `Step.scores` accumulates, and whether it needs gradients.
KINDS = {"movement": True, "signed_movement": True, "gradient": True, "change": False}
# What `Step.refresh` takes by name, and whether it needs a batch.
NAMES = {
    "magnitude": False,
    "gradient": True,
    "movement": True,
    "random": False,
    "rigl": True,
}


@dataclass(frozen=True)
class Scores:
    """Scores that accumulate over batches, of a step and what it is refreshed to; made by
    `Step.scores`.

    kind    what is accumulated
    steps   how many batches are in it
    arrays  path -> array of the parameter's shape, in f64
    """

    kind: str
    steps: int
    arrays: dict[str, np.ndarray] = field(repr=False)


def check_kind(kind: str):
    """Raises ValueError for a kind of scores that there is not."""
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: there are {', '.join(map(repr, KINDS))}")


def check_name(score: str):
    """Raises ValueError for a score that there is not under this name."""
    if score == "change":
        raise ValueError(
            "score='change' needs what the weights were: take start = step.scores(p, "
            "kind='change') at the start, and give score=start"
        )
    if score not in NAMES:
        raise ValueError(
            f"score={score!r}: there are {', '.join(map(repr, NAMES))}, what step.scores "
            "returned, and arrays by path"
        )


def check_finite(arrays: Mapping[str, np.ndarray], what: str):
    """Raises ValueError for an array with infinities or NaN."""
    for path, array in arrays.items():
        if not np.isfinite(np.asarray(array, np.float64)).all():
            raise ValueError(f"{what} '{path}' are not finite")


def accumulate(
    kind: str,
    weights: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray] | None,
    before: Scores | None,
) -> Scores:
    """One batch more."""
    arrays = {}
    for path, weight in weights.items():
        w = weight.astype(np.float64)
        if gradients is None:
            arrays[path] = np.abs(w)
            continue
        if path not in gradients:
            continue
        g = gradients[path].astype(np.float64)
        if kind == "gradient":
            arrays[path] = np.abs(g)
        else:
            arrays[path] = np.abs(w * g) if kind == "movement" else -w * g
        if before is not None:
            known = before.arrays.get(path)
            if known is None or known.shape != w.shape:
                raise ValueError(
                    f"acc has no scores of '{path}': they are of another step"
                )
            arrays[path] += known
    check_finite(arrays, "the scores of")
    return Scores(kind, (before.steps if before else 0) + 1, arrays)


def magnitude(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """|w|."""
    return {path: np.abs(w.astype(np.float64)) for path, w in weights.items()}


def random(shapes: Mapping[str, tuple], seed: int) -> dict[str, np.ndarray]:
    """Uniform in [0, 1), of each parameter by its path and the seed alone."""
    return {
        path: np.random.default_rng([seed, zlib.crc32(path.encode())]).random(shape)
        for path, shape in shapes.items()
    }


def of_handle(
    handle: Scores,
    weights: Mapping[str, np.ndarray],
    active: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """What was accumulated, not below zero. An entry that is off the pattern now has not
    moved: all that are on it come first, but for gradients, which every entry has."""
    missing = [path for path in weights if path not in handle.arrays]
    if missing:
        raise ValueError(
            f"the scores have nothing for {_trees.listed(missing)}, of which no gradient was found"
        )
    found = {}
    for path, weight in weights.items():
        given = handle.arrays[path]
        if given.shape != weight.shape:
            raise ValueError(
                f"the scores of '{path}' are of shape {given.shape}, the parameter of "
                f"{weight.shape}: they are of another step"
            )
        if handle.kind == "change":
            given = np.abs(weight.astype(np.float64)) - given
        if handle.kind == "gradient":
            found[path] = given
        else:
            found[path] = _above(given, active.get(path))
    return found


def of_user(
    given: Any, shapes: Mapping[str, tuple], tree, paths, framework: Arrays
) -> dict[str, np.ndarray]:
    """The user's arrays: by path, or in the tree of the parameters.

    shapes     of the parameters whose patterns are selected
    tree       of the parameters; paths: those of its leaves, None for one of no parameter
    framework  whose arrays they are
    """
    if isinstance(given, Mapping) and given and set(given) <= {p for p in paths if p}:
        arrays = dict(given)
    elif jax.tree.structure(given) == tree:
        leaves = jax.tree.leaves(given)
        arrays = {path: leaf for path, leaf in zip(paths, leaves, strict=True) if path}
    elif isinstance(given, Mapping) and all(isinstance(key, str) for key in given):
        unknown = [key for key in given if key not in paths]
        raise ValueError(
            f"score has {_trees.listed(unknown) if unknown else 'no arrays'}; expected arrays by "
            f"the paths {_trees.listed(shapes)}, or the tree of the parameters"
        )
    else:
        keys, expected, found = _trees.difference(tree, given)
        raise ValueError(
            f"score: expected arrays by path, or {expected} at "
            f"'{'/'.join(keys)}' as the parameters are, found {found}"
        )
    missing = [path for path in shapes if path not in arrays]
    if missing:
        raise ValueError(f"score has no array for {_trees.listed(missing)}")
    return {
        path: _read(path, framework.as_array(f"score of '{path}'", arrays[path]), shape)
        for path, shape in shapes.items()
    }


def _read(path: str, array: np.ndarray, shape: tuple) -> np.ndarray:
    """One array of the user, not below zero."""
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise TypeError(f"score of '{path}' must be of numbers, found {array.dtype}")
    if array.shape != shape:
        raise ValueError(
            f"score of '{path}' must be of the parameter's shape {shape}, found "
            f"{array.shape}"
        )
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"score of '{path}' has {array[index]} at {index}")
    lowest = array.min(initial=0.0)
    return array - lowest if lowest < 0 else array


def _above(scores: np.ndarray, active: np.ndarray | None) -> np.ndarray:
    """The scores moved to zero and up, those of active entries above all others."""
    if active is None:
        active = np.ones(scores.shape, bool)
    if not active.any():
        return np.zeros(scores.shape)
    kept = scores[active]
    lowest, spread = kept.min(), kept.max() - kept.min()
    # Above zero by more than the sum of what rounding loses.
    floor = (spread or 1.0) * 1e-3
    return np.where(active, scores - lowest + floor, 0.0)
