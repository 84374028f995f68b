"""What a step may not do, by its place in the source."""

from __future__ import annotations

import torch
from torch.fx import GraphModule

from .._core import CompileError
from ._places import place_of

aten = torch.ops.aten


def check(graph: GraphModule, draws: bool):
    """Raises ValueError for random numbers that are left, and CompileError for what has no
    way to linalg but is no error on it. `draws`: whether some random numbers are known."""
    _refuse_random(graph, draws)
    for node in graph.graph.nodes:
        if reason := _UNKNOWN.get(node.target, lambda node: None)(node):
            raise CompileError(
                f"{node.target}{place_of(node)} cannot be compiled: {reason}"
            )


def _refuse_random(graph: GraphModule, draws: bool):
    for node in graph.graph.nodes:
        tags = getattr(node.target, "tags", ())
        if torch.Tag.nondeterministic_seeded in tags:
            found = f"{node.target}{place_of(node)}"
            raise ValueError(
                f"a step draws by dropout, bernoulli, rand and rand_like, found {found}; "
                "give other random numbers as a part of the batch"
                if draws
                else f"the function draws random numbers ({found}), which only a step does; "
                "call model.eval() first"
            )


def _convolution(node) -> str | None:
    backward = node.target is aten.convolution_backward.default
    transposed, groups = node.args[7 if backward else 6], node.args[9 if backward else 8]
    if groups != 1:
        return f"a convolution of {groups} groups of channels has no lowering"
    return "a transposed convolution has no lowering" if transposed else None


_UNKNOWN = {
    aten.convolution.default: _convolution,
    aten.convolution_backward.default: _convolution,
    aten.sort.default: lambda node: "sorting has no lowering",
    aten.sort.stable: lambda node: "sorting has no lowering",
    aten.topk.default: lambda node: "sorting has no lowering",
}
