"""Whole training steps, forward, backward and optimizer, by JAX, PyTorch and Sparsam."""

from __future__ import annotations

import math

import aims
from networks import MODELS
from session import Session

# Losses of the first steps are compared, so that all train the same model.
CHECKED = 3
# Rounding carries them a little apart.
TOLERANCE = 1e-3


def structure_of(model, label: str):
    """The text or the globs of a labelled structure for a model."""
    if label == "dense":
        return "dense"
    text, others = aims.resolve(label, model.width, model.width), {}
    if label == aims.LORA:
        text = "lora<8, alpha = 16, base = nm<2:8, vector = 8>>"
        others = {"*": "frozen"}
    return dict.fromkeys(model.LINEAR, text) | others


def peers(quick: bool) -> list[str]:
    """What a run sets the steps against."""
    return ["jax", "torch", *([] if quick else ["torch.compile"])]


def measure(session: Session, name: str, labels: list[str], sizes: dict):
    model = MODELS[name](**sizes)
    options = {"model": name, "sizes": sizes, "check_steps": CHECKED}
    make = session.crew.make

    def compiling(peer: str):
        session.note(f"{name}: compiling {peer}")

    compiling("jax")
    candidates = [make("jax", "jax", "step", **options)]
    candidates += [make("torch", "torch", "step", compiled=False, **options)]
    if session.quick:
        why = "a quick run does not wait for its compilation"
        session.results.missing("torch", "torch.compile", why, session.threads)
    else:
        compiling("torch.compile")
        more = {"compiled": True, **options}
        candidates += [make("torch.compile", "torch", "step", **more)]
    for label in labels:
        compiling(label)
        structure = structure_of(model, label)
        candidates += [make(label, "sparsam", "step", structure=structure, **options)]
    candidates = [c for c in candidates if c and is_right(session, candidates, c)]
    record = {"model": name, "sizes": sizes, "flops": model.flops}
    session.note(f"{name}: rounds")
    session.measure("steps", record, candidates)


def is_right(session: Session, candidates, candidate) -> bool:
    """Whether it computes what it should: dense ones JAX's losses, structures finite ones,
    which their process has compared with those of the same step on dense parameters. What
    does not is missing, with its losses."""
    losses = candidate.facts["losses"]
    expected = losses
    if candidate.worker.peer != "sparsam" or candidate.name == "dense":
        dense = [c.facts["losses"] for c in candidates if c and c.name == "jax"]
        expected = (dense or [losses])[0]
    close = all(
        math.isclose(a, b, rel_tol=TOLERANCE) and math.isfinite(a)
        for a, b in zip(losses, expected, strict=True)
    )
    if not close:
        why = f"its losses are {losses}, not {expected}"
        session.results.missing(
            candidate.worker.peer, candidate.name, why, session.threads, wrong=True
        )
    return close
