"""The matrices that every library multiplies."""

from __future__ import annotations

import numpy as np


def matrices(shape: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of `tokens`, `inputs`, `outputs`: activations x, weights w and gradients dy."""
    tokens, inputs, outputs = shape
    rng = np.random.default_rng(0)
    shapes = (tokens, inputs), (inputs, outputs), (tokens, outputs)
    x, w, dy = (rng.standard_normal(s, np.float32) for s in shapes)
    return x, w, dy


def sparse_weights(shape: list[int], block: int, density: float) -> np.ndarray:
    """Weights that are zero but for square blocks, as many in each column of blocks, at
    random places: a pattern that every library can store as it is."""
    _, w, _ = matrices(shape)
    rows, columns = (size // block for size in w.shape)
    kept = int(density * rows + 0.5)
    rng = np.random.default_rng(1)
    mask = np.zeros((rows, columns), bool)
    for column in range(columns):
        mask[rng.permutation(rows)[:kept], column] = True
    return w * np.kron(mask, np.ones((block, block), np.float32))


class Wrong(ValueError):
    """A result that is not what it should be."""


def error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, against the largest entry."""
    largest = np.abs(expected).max()
    return float(np.abs(found - expected).max() / (largest if largest > 0 else 1))


def check(name: str, found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4):
    """Fails where a product is wrong: a time of it would mean nothing."""
    off = error(np.asarray(found), expected)
    if not off <= tolerance:
        raise Wrong(f"{name} is off by {off:.1e} of its largest entry")
