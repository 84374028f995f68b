"""What a front end hands to the compiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._pairing import Leaf


def no_check(batch: Sequence[np.ndarray]) -> None:
    """That of a step that is right for every batch."""


@dataclass(frozen=True)
class ImportedStep:
    """A step as annotated MLIR, and how its flat arguments and results are trees.

    text       generic-form MLIR; the function `main` has one argument a leaf
    arguments  the leaves of the arguments, in order
    results    the leaves of the results, in order (without marked gradients)
    in_tree    the tree of the tuple of arguments
    out_tree   the tree of the result
    params     path inside the parameter tree -> position of the argument
    state      positions of the arguments that are optimizer state
    updates    position of an argument -> position of the result that is its new value
    marked     the parameters whose gradient is marked
    check      raises for the arrays of a batch that the step is wrong for
    unchanged  positions of arguments that are their own new value, where that is known
    """

    text: str
    arguments: tuple[Leaf, ...]
    results: tuple[Leaf, ...]
    in_tree: Any
    out_tree: Any
    params: dict[str, int]
    state: tuple[int, ...]
    updates: dict[int, int]
    marked: tuple[str, ...]
    check: Callable[[Sequence[np.ndarray]], None] = no_check
    unchanged: frozenset[int] = frozenset()

    @property
    def names(self) -> dict[str, str]:
        """Path of a parameter -> the name of its argument."""
        return {path: self.arguments[i].path for path, i in self.params.items()}
