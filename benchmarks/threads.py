"""What threads gain where their work is hard to cut: outputs that keep very different
numbers of inputs, and few tokens."""

from __future__ import annotations

from session import Session

STRUCTURES = ("unstructured<density = 0.1>", "nm<2:8, vector = 8>")
LAYER = 768, 3072
# Case: tokens, and how the size of an output's weights falls with its number: what is
# largest in the whole matrix is then in the first outputs.
CASES = {
    "outputs keep about as many": (512, 0.0),
    "outputs keep fewer and fewer": (512, 0.5),
    "64 tokens": (64, 0.0),
    "64 tokens, fewer and fewer": (64, 0.5),
    "16 tokens": (16, 0.0),
}


def measure(sessions: list[Session], layer=LAYER):
    for case, (tokens, decay) in CASES.items():
        shape = [tokens, *layer]
        # Structures that keep as many everywhere find nothing new in such weights.
        structures = STRUCTURES[:1] if decay else STRUCTURES
        for session in sessions:
            session.note(f"threads: {case}")
            made = [
                session.crew.make(
                    text, "sparsam", "products", shape=shape, structure=text, decay=decay
                )
                for text in structures
            ]
            session.measure("threads", {"case": case, "shape": shape}, made)
