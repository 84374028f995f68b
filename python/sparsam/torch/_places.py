"""Where operations come from in the user's source."""

from __future__ import annotations

import os
import re

import torch
from torch.fx import Graph, Node

_OWN = tuple(
    os.path.dirname(path) for path in (torch.__file__, os.path.dirname(__file__))
)


def keep_one_frame(graph: Graph):
    """Leaves each operation with the innermost frame of the user's source, or a library's,
    of all that called it."""
    for node in graph.nodes:
        frames = re.findall(r'( *File "([^"]+)", line \d+.*\n?.*)', _trace(node))
        outside = [frame for frame, path in frames if not path.startswith(_OWN)]
        kept = outside or [frame for frame, _ in frames]
        node.meta["stack_trace"] = kept[-1] if kept else None


def place_of(node: Node) -> str:
    """` at FILE:LINE`, or nothing where that is not known."""
    found = re.findall(r'File "([^"]+)", line (\d+)', _trace(node))
    return f" at {found[-1][0]}:{found[-1][1]}" if found else ""


def _trace(node: Node) -> str:
    return node.meta.get("stack_trace") or ""
