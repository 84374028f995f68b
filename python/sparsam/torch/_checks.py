"""Indices that a batch brings: checked before a step, which clamps them.

PyTorch raises for an index outside of what it indexes; a compiled step cannot, in the
middle of its work. What computes an index from nothing but the batch is cut out of the graph
and run on the batch before the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.fx import Graph, GraphModule, Node

from . import _arrays

aten = torch.ops.aten


def _along(node: Node):
    operand, dim, index = node.args[:3]
    return [(index, 0, operand.meta["val"].shape[dim] if operand.meta["val"].ndim else 1)]


def _indexed(node: Node):
    shape = node.args[0].meta["val"].shape
    return [
        (index, -size, size)
        for index, size in zip(node.args[1], shape, strict=False)
        if index is not None and index.meta["val"].dtype is not torch.bool
    ]


# Operation -> its indices, each with the least it may be and what it must be less than.
_INDICES = {
    aten.embedding.default: lambda n: [(n.args[1], 0, n.args[0].meta["val"].shape[0])],
    aten.gather.default: _along,
    aten.index_select.default: _along,
    aten.index.Tensor: _indexed,
}


@dataclass(frozen=True)
class IndexChecks:
    """The indices of one graph that come from the batch alone.

    compute  leaves of the batch -> indices
    bounds   of each index: the least, what it must be less than, and from which
             arguments it is
    """

    compute: GraphModule
    bounds: tuple[tuple[int, int, str], ...]

    def __call__(self, batch: Sequence[np.ndarray]):
        """Raises IndexError for the leaves of a batch that lead to an index out of range."""
        if not self.bounds:
            return
        indices = self.compute(*map(_arrays.to_torch, batch))
        for index, (least, size, names) in zip(indices, self.bounds, strict=True):
            if not index.numel():
                continue
            for found in (int(index.min()), int(index.max())):
                if not least <= found < size:
                    raise IndexError(
                        f"{names} gives the index {found}, which is out of range for "
                        f"{size} entries"
                    )


def find_checks(module: GraphModule, names: dict[int, str]) -> IndexChecks:
    """The checks of a graph; `names`: position of a leaf of the batch -> what it is called,
    in order."""
    placeholders = [n for n in module.graph.nodes if n.op == "placeholder"]
    batch = {placeholders[i]: name for i, name in names.items()}
    needs: dict[Node, set[Node] | None] = {}
    for node in module.graph.nodes:
        needs[node] = _needs(node, batch, needs)

    graph, copies = Graph(), {}
    for node in batch:
        copies[node] = graph.placeholder(node.name)

    def copy(node: Node) -> Node:
        if node not in copies:
            for operand in node.all_input_nodes:
                copy(operand)
            copies[node] = graph.node_copy(node, lambda n: copies[n])
            # The copies that made memory contiguous are gone from the graph.
            if node.target is aten.view.default:
                copies[node].target = aten.reshape.default
        return copies[node]

    outputs, bounds = [], []
    for node in module.graph.nodes:
        for index, least, size in _INDICES.get(node.target, lambda n: [])(node):
            if needs[index]:
                outputs.append(copy(index))
                called = " and ".join(
                    name for n, name in batch.items() if n in needs[index]
                )
                bounds.append((least, size, called))
    graph.output(tuple(outputs))
    return IndexChecks(GraphModule(module, graph), tuple(bounds))


def _needs(node: Node, batch, needs) -> set[Node] | None:
    """The leaves of the batch that integer work is computed from; None for other work."""
    if node.op == "placeholder":
        return {node} if node in batch else None
    if node.op == "get_attr":
        return set()
    value = node.meta.get("val")
    if node.op != "call_function" or not isinstance(value, torch.Tensor):
        return None
    if value.is_floating_point() or value.is_complex():
        return None
    found = [needs[operand] for operand in node.all_input_nodes]
    return None if None in found else set().union(*found)
