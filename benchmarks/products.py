"""The three products of a layer: forward, backward-input and backward-weight, by dense
libraries and on structured weights, with all packing."""

from __future__ import annotations

import aims
from session import Session
from turns import Candidate
from widths import dense_peers as dense_names

# Structures that take turns with the dense libraries at a time.
GROUP = 6


def dense_flops(shape) -> int:
    tokens, inputs, outputs = shape
    return 6 * tokens * inputs * outputs


def dense_peers(session: Session, shape) -> list[Candidate | None]:
    names = dense_names(session.crew.width.bits)
    made = [session.crew.make(p, p, "products", shape=list(shape)) for p in names]
    for candidate in filter(None, made):
        candidate.facts["flops"] = dense_flops(shape)
    return made


def structured(session: Session, shape, label: str) -> Candidate | None:
    text = aims.resolve(label, *shape[1:])
    return session.crew.make(
        label, "sparsam", "products", shape=list(shape), structure=text
    )


def program_of(candidate: Candidate | None) -> Candidate | None:
    """What is timed of a structure once more: its program, without the call from Python."""
    if candidate is None:
        return None
    return Candidate(
        f"{candidate.name} (program)",
        candidate.worker,
        candidate.key,
        candidate.facts,
        "run_program",
    )


def measure(sessions: list[Session], shapes, labels: list[str]):
    """Of one group of structures after another, on each number of threads."""
    for shape in shapes:
        for first in range(0, len(labels), GROUP):
            for session in sessions:
                measure_group(session, shape, labels[first : first + GROUP])


def measure_group(session: Session, shape, labels: list[str]):
    session.note(f"products of {'×'.join(map(str, shape))}: {', '.join(labels)}")
    peers = dense_peers(session, shape)
    ours = [structured(session, shape, label) for label in labels]
    programs = list(map(program_of, ours))
    session.measure("products", {"shape": list(shape)}, peers + ours + programs)
