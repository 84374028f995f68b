"""Where operations come from in the user's source."""

from __future__ import annotations

import os
import re

import torch
from torch.fx import Graph, Node

_TORCH = os.path.dirname(torch.__file__)
_SPARSAM = os.path.dirname(os.path.dirname(__file__))


def keep_one_frame(graph: Graph):
    """Leaves each operation with the innermost frame that called it of the user's source
    or a library's, or else of PyTorch's. Only the `forward` of modules is recorded."""
    for node in graph.nodes:
        found = re.findall(r'( *File "([^"]+)", line \d+.*\n?.*)', _trace(node))
        frames = [frame for frame, path in found if not path.startswith(_SPARSAM)]
        outside = [frame for frame in frames if f'"{_TORCH}' not in frame]
        node.meta["stack_trace"] = (outside or frames or [None])[-1]


def place_of(node: Node) -> str:
    """` at FILE:LINE`, or nothing where that is not known."""
    found = re.findall(r'File "([^"]+)", line (\d+)', _trace(node))
    return f" at {found[-1][0]}:{found[-1][1]}" if found else ""


def _trace(node: Node) -> str:
    return node.meta.get("stack_trace") or ""
