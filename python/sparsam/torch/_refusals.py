"""What a step may not do, by its place in the source."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.fx import GraphModule, Node

from .._errors import CompileError
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


def check_backward(nodes: Iterable[Node]):
    """Raises ValueError for random numbers that a backward pass draws: those of a forward
    pass that it repeats, which would be other numbers."""
    for node in filter(_is_random, nodes):
        raise ValueError(
            f"the backward pass draws random numbers again ({node.target}), as activation "
            "checkpointing does, which would be others than in the forward "
            "pass; switch checkpointing off, or set the rate of dropout to 0"
        )


def _is_random(node: Node) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def _refuse_random(graph: GraphModule, draws: bool):
    for node in graph.graph.nodes:
        if _is_random(node):
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
