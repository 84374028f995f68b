"""What operations are taken apart into on the way to linalg."""

from __future__ import annotations

import itertools
import math
import threading
from functools import cache

import torch
from torch._decomp import core_aten_decompositions, decomposition_table
from torch.fx import GraphModule

from . import _pooling

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
    return dict(core_aten_decompositions()) | {
        aten._adaptive_avg_pool2d.default: _pooling.adaptive_avg_pool2d,
        aten._adaptive_avg_pool2d_backward.default: _pooling.adaptive_avg_pool2d_backward,
        aten.avg_pool2d_backward.default: _pooling.avg_pool2d_backward,
        aten.constant_pad_nd.default: _pad,
        aten.empty_permuted.default: _empty,
        aten.sgn.default: _sign,
        aten.sign.default: _sign,
        aten.index_put.default: _index_put,
        aten.mean.default: _mean,
        aten.mean.dim: _mean,
        aten.split_with_sizes.default: _split,
        aten.squeeze.dims: _squeeze,
        aten.sum.default: _sum,
        aten.sum.dim_IntList: _sum,
        aten.var_mean.correction: _var_mean,
    }


def _pad(x, pad, value=0):
    # The derivative of padding pads by a negative number, which cuts off.
    if min(pad, default=0) >= 0:
        return NotImplemented
    for i, (low, high) in enumerate(zip(pad[::2], pad[1::2], strict=True)):
        dim = x.ndim - 1 - i
        if low < 0 or high < 0:
            x = aten.slice.Tensor(x, dim, max(-low, 0), x.shape[dim] - max(-high, 0))
    pad = [max(n, 0) for n in pad]
    return aten.constant_pad_nd.default(x, pad, value) if any(pad) else x


def _empty(size, physical_layout, **options):
    return aten.empty.memory_format(size, **options)


def _sign(x):
    return (x > 0).to(x.dtype) - (x < 0).to(x.dtype)


_counted = threading.local()


def _index_put(x, indices, values, accumulate=False):
    # The importer drops what is put at an index that counts from the end.
    if getattr(_counted, "inside", False):
        return NotImplemented

    def from_start(index, size):
        if index is None or index.dtype is torch.bool:
            return index
        return torch.where(index < 0, index + size, index)

    indices = [from_start(i, n) for i, n in zip(indices, x.shape, strict=False)]
    _counted.inside = True
    try:
        return aten.index_put.default(x, indices, values, accumulate)
    finally:
        _counted.inside = False


def _split(x, sizes, dim=0):
    ends = list(itertools.accumulate(sizes))
    return [
        aten.slice.Tensor(x, dim, end - size, end)
        for size, end in zip(sizes, ends, strict=True)
    ]


def _squeeze(x, dims):
    dropped = {dim % x.ndim for dim in dims}
    shape = [n for i, n in enumerate(x.shape) if not (i in dropped and n == 1)]
    return x.reshape(shape)


def _is_half(tensor: torch.Tensor) -> bool:
    """Whether PyTorch computes with f32 inside of operations on such a tensor."""
    return tensor.dtype in (torch.float16, torch.bfloat16)


def _sum(x, dim=None, keepdim=False, *, dtype=None):
    # The importer adds up in the type of the result, PyTorch in f32: in bf16 a sum of ones
    # stays at 256.
    if not _is_half(x):
        return NotImplemented
    made = aten.sum.dim_IntList(x.to(torch.float32), dim, keepdim)
    return made.to(dtype or x.dtype)


def _mean(x, dim=None, keepdim=False, *, dtype=None):
    if not _is_half(x):
        return NotImplemented
    made = aten.mean.dim(x.to(torch.float32), dim, keepdim)
    return made.to(dtype or x.dtype)


def _var_mean(x, dim=None, *, correction=None, keepdim=False):
    # The importer has a variance in f64.
    dims = [d % x.ndim for d in (dim or range(x.ndim))]
    count = math.prod(x.shape[d] for d in dims)
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    divisor = max(count - (1 if correction is None else correction), 0)
    var = (centred * centred).sum(dims, keepdim=keepdim) / divisor
    return var, mean if keepdim else mean.reshape(var.shape)


def clean(graph: GraphModule):
    """Removes identities and unused work."""
    for node in graph.graph.nodes:
        if node.target in _IDENTITIES:
            node.replace_all_uses_with(node.args[0])
    graph.graph.eliminate_dead_code()
    graph.recompile()
