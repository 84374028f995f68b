"""How time grows with the work: against density, and against the width of a layer."""

from __future__ import annotations

from products import dense_peers, structured
from session import Session

TOKENS = 512
DENSITY_WIDTH = 1024
DENSITIES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
# Family: density -> structure.
FAMILIES = {
    "unstructured": {d: f"unstructured<density = {d}>" for d in DENSITIES},
    "nm, vector = 8": {
        1 / 16: "nm<1:16, vector = 8>",
        1 / 8: "nm<1:8, vector = 8>",
        2 / 8: "nm<2:8, vector = 8>",
        2 / 4: "nm<2:4, vector = 8>",
        3 / 4: "nm<3:4, vector = 8>",
        1.0: "nm<4:4, vector = 8>",
    },
    "block, 16 × 16": {d: f"block<16x16, density = {d}>" for d in DENSITIES},
}
WIDTHS = (128, 256, 512, 1024, 2048)
AT_WIDTHS = (
    "dense",
    "nm<2:8, vector = 8>",
    "block<16x16, density = 0.25>",
    "unstructured<density = 0.1>",
    "low_rank<K/8>",
)


def measure(session: Session):
    shape = (TOKENS, DENSITY_WIDTH, DENSITY_WIDTH)
    for family, structures in FAMILIES.items():
        session.note(f"time against density: {family}")
        peers = dense_peers(session, shape)
        ours = [structured(session, shape, label) for label in structures.values()]
        labels = {label: density for density, label in structures.items()}
        record = {"over": "density", "family": family, "shape": shape, "at": labels}
        session.measure("scaling", record, peers + ours)
    for width in WIDTHS:
        session.note(f"time against width: {width}")
        shape = (TOKENS, width, width)
        peers = dense_peers(session, shape)
        ours = [structured(session, shape, label) for label in AT_WIDTHS]
        session.measure("scaling", {"over": "width", "shape": shape}, peers + ours)
