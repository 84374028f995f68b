"""Rankings over more than what a structure ranks by itself: RigL, equal shares of rows,
and all parameters together. They work on the units that a pattern keeps or drops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ._core import PatternInfo


def per_output(scores: np.ndarray, info: PatternInfo) -> np.ndarray:
    """Scores that every output has alike, the better ones of each first: the ranking over
    the whole parameter then takes as many of each output, but for rounding."""
    matrices = _matrices(scores, info)
    layers, inputs, outputs = matrices.shape
    order = np.argsort(-matrices, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(inputs)[None, :, None], axis=1)
    # Between outputs of one rank the score decides, below the step from rank to rank.
    largest = matrices.max(initial=0.0) or 1.0
    return _back(inputs - 1 - ranks + matrices / (2 * largest), scores.shape, info)


def rigl(
    weight: np.ndarray,
    gradient: np.ndarray,
    active: np.ndarray,
    fraction: float,
    info: PatternInfo,
) -> np.ndarray:
    """Scores by which a pattern drops the `fraction` of its units of smallest magnitude
    and grows by the gradient among all others (Evci et al. 2020)."""
    units = _unit_sums(np.abs(_matrices(weight.astype(np.float64), info)), info)
    on = _unit_sums(_matrices(active.astype(np.float64), info), info) > 0
    grown = np.abs(gradient.astype(np.float64))
    room = _unit_size(info) * len(units)
    kept = np.zeros(on.shape, bool)
    for layer, (sums, mask) in enumerate(zip(units, on, strict=True)):
        count = min(int(mask.sum()), round(info["entries"] / room))
        stay = count - int(np.floor(fraction * count + 0.5))
        order = np.argsort(-np.where(mask, sums, -1.0), axis=None, kind="stable")
        kept[layer].flat[order[:stay]] = True
    entries = _back(_spread(kept, info), weight.shape, info).astype(bool) & active
    # Above whatever a column of entries that are not kept can add up to.
    tier = (grown.max(initial=0.0) or 1.0) * (1 + max(_matrices(weight, info).shape[1:]))
    largest = np.abs(weight).max(initial=0.0) or 1.0
    return np.where(entries, tier * (1 + np.abs(weight) / largest), grown)


def densities(
    scores: Mapping[str, np.ndarray], infos: Mapping[str, PatternInfo]
) -> dict[str, float]:
    """The density of each parameter where all units of all parameters are in one ranking,
    by the mean score of their entries, and as many entries are kept as the structures
    would keep together. No parameter loses its last unit."""
    means, sizes, owners = [], [], []
    for number, (path, info) in enumerate(infos.items()):
        size = _unit_size(info)
        sums = _unit_sums(_matrices(scores[path], info), info).ravel()
        means.append(sums / size)
        sizes.append(np.full(sums.size, size))
        owners.append(np.full(sums.size, number))
    mean, size, owner = map(np.concatenate, (means, sizes, owners))
    budget = sum(info["entries"] for info in infos.values())
    order = np.argsort(-mean, kind="stable")
    chosen = order[np.cumsum(size[order]) <= budget]
    counts = np.bincount(owner[chosen], minlength=len(infos))
    totals = np.bincount(owner, minlength=len(infos))
    return {
        path: max(int(count), 1) / int(total)
        for path, count, total in zip(infos, counts, totals, strict=True)
    }


def _unit_size(info: PatternInfo) -> int:
    return info["unit"][0] * info["unit"][1]


def _matrices(array: np.ndarray, info: PatternInfo) -> np.ndarray:
    """layers x inputs x outputs."""
    order = [*info["stack"], *info["inputs"], *info["outputs"]]
    inputs = int(np.prod([array.shape[dim] for dim in info["inputs"]], dtype=np.int64))
    outputs = int(np.prod([array.shape[dim] for dim in info["outputs"]], dtype=np.int64))
    return array.transpose(order).reshape(-1, inputs, outputs)


def _back(matrices: np.ndarray, shape: tuple, info: PatternInfo) -> np.ndarray:
    """The parameter whose matrices these are."""
    order = [*info["stack"], *info["inputs"], *info["outputs"]]
    return matrices.reshape([shape[dim] for dim in order]).transpose(np.argsort(order))


def _unit_sums(matrices: np.ndarray, info: PatternInfo) -> np.ndarray:
    """layers x inputs / rows x outputs / columns."""
    layers, inputs, outputs = matrices.shape
    rows, columns = info["unit"]
    split = matrices.reshape(layers, inputs // rows, rows, outputs // columns, columns)
    return split.sum(axis=(2, 4))


def _spread(units: np.ndarray, info: PatternInfo) -> np.ndarray:
    """Each unit's value at its entries."""
    rows, columns = info["unit"]
    return units.repeat(rows, axis=1).repeat(columns, axis=2)
