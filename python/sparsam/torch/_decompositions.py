"""What operations are taken apart into on the way to linalg."""

from __future__ import annotations

from functools import cache

import torch
from torch._decomp import core_aten_decompositions, decomposition_table
from torch.fx import GraphModule

aten = torch.ops.aten

# On values these are the identity.
_IDENTITIES = {
    aten.alias.default,
    aten.clone.default,
    aten.detach.default,
    aten.lift_fresh_copy.default,
}


@cache
def before_functionalization() -> dict:
    """Operations that write to an operand without saying so: functionalization would
    drop the update."""
    hidden = (aten.native_batch_norm.default,)
    return {op: decomposition_table[op] for op in hidden}


@cache
def after() -> dict:
    """Down to what the importer knows."""
    return dict(core_aten_decompositions()) | {aten.squeeze.dims: _squeeze}


def _squeeze(x, dims):
    dropped = {dim % x.ndim for dim in dims}
    shape = [n for i, n in enumerate(x.shape) if not (i in dropped and n == 1)]
    return x.reshape(shape)


def cleaned(graph: GraphModule) -> GraphModule:
    """The graph without identities and unused work."""
    for node in graph.graph.nodes:
        if node.target in _IDENTITIES:
            node.replace_all_uses_with(node.args[0])
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph
