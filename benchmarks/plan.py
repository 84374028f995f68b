"""What a run is to measure: all that there is, or what was asked for.

A run keeps its plan in its results: they are checked against it later.
"""

from __future__ import annotations

import aims
import sparse
import steps
from results import PARTS

QUICK_PARTS = ("machine", "products", "steps")
THREADS = (1, 2)

QUICK_SHAPES = [(512, 768, 3072)]
QUICK_PRODUCTS = [
    "nm<2:8, vector = 8>",
    "block<16x16, density = 0.25>",
    "unstructured<density = 0.1>",
    "low_rank<K/4>",
    "dense",
]
QUICK_STEPS = {"gpt": ["dense", "nm<2:8, vector = 8>", "low_rank<K/4>"]}


def make(parts=None, threads=None, quick=False, shapes=None, structures=None) -> dict:
    """Part -> what it goes through, numbers of threads among that, as JSON may hold it.
    What is None is not restricted."""
    threads = sorted(set(threads or THREADS))
    serial = [1] if 1 in threads else []
    models = QUICK_STEPS if quick else {name: list(a) for name, a in aims.STEPS.items()}
    every = {
        "machine": {"threads": threads},
        "products": {
            "threads": threads[:1] if quick else threads,
            "shapes": shapes or (QUICK_SHAPES if quick else aims.SHAPES),
            "structures": structures
            or (QUICK_PRODUCTS if quick else list(aims.PRODUCTS)),
        },
        "sparse": {
            "threads": serial,
            "shapes": shapes or sparse.SHAPES,
            "densities": sparse.densities(quick),
        },
        "steps": {
            "threads": threads[-1:] if quick else threads,
            "peers": steps.peers(quick),
            "models": models,
        },
        "scaling": {"threads": serial},
        "threads": {"threads": threads},
    }
    wanted = parts or (QUICK_PARTS if quick else PARTS)
    return {part: every[part] for part in PARTS if part in wanted}
