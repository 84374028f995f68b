"""What operations are taken apart into on the way to linalg."""

from __future__ import annotations

import itertools
import math
import threading
from functools import cache

import torch
from torch._decomp import core_aten_decompositions, decomposition_table
from torch.fx import GraphModule

from .._core import CompileError
from ._places import place_of

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
        aten._adaptive_avg_pool2d.default: _adaptive_avg_pool2d,
        aten._adaptive_avg_pool2d_backward.default: _adaptive_avg_pool2d_backward,
        aten.avg_pool2d_backward.default: _avg_pool2d_backward,
        aten.constant_pad_nd.default: _pad,
        aten.empty_permuted.default: _empty,
        aten.sgn.default: _sign,
        aten.sign.default: _sign,
        aten.index_put.default: _index_put,
        aten.split_with_sizes.default: _split,
        aten.squeeze.dims: _squeeze,
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


def _windows(x, sizes):
    """The extents of the windows that an adaptive pooling divides a picture into; None
    where they overlap."""
    picture = x.shape[-2:]
    if any(n % m for n, m in zip(picture, sizes, strict=True)):
        return None
    return [n // m for n, m in zip(picture, sizes, strict=True)]


def _adaptive_avg_pool2d(x, sizes):
    if (window := _windows(x, sizes)) is None:
        return NotImplemented
    (rows, columns), (height, width) = sizes, window
    split = x.reshape(*x.shape[:-2], rows, height, columns, width)
    return split.sum((-3, -1)) / (height * width)


def _adaptive_avg_pool2d_backward(grad, x):
    if (window := _windows(x, grad.shape[-2:])) is None:
        return NotImplemented
    height, width = window
    rows, columns = grad.shape[-2:]
    wide = (grad / (height * width))[..., :, None, :, None]
    wide = wide.expand(*grad.shape[:-2], rows, height, columns, width)
    return wide.reshape(x.shape)


def _avg_pool2d_backward(
    grad, x, kernel, stride, padding, ceil_mode, count_include_pad, divisor=None
):
    kernel, padding = _pair(kernel), _pair(padding)
    stride = _pair(stride) if stride else kernel
    if ceil_mode or (any(padding) and not count_include_pad):
        return NotImplemented
    grad = grad / (divisor or kernel[0] * kernel[1])
    height, width = (n + 2 * p for n, p in zip(x.shape[-2:], padding, strict=True))
    (down, right), (rows, columns) = stride, grad.shape[-2:]
    total = 0
    for i, j in itertools.product(range(kernel[0]), range(kernel[1])):
        # What one place of all windows takes.
        lines = grad.new_zeros(*grad.shape[:-1], width)
        end = j + (columns - 1) * right + 1
        lines = aten.slice_scatter.default(lines, grad, -1, j, end, right)
        taken = grad.new_zeros(*grad.shape[:-2], height, width)
        end = i + (rows - 1) * down + 1
        total = total + aten.slice_scatter.default(taken, lines, -2, i, end, down)
    top, left = padding
    total = aten.slice.Tensor(total, -2, top, top + x.shape[-2])
    return aten.slice.Tensor(total, -1, left, left + x.shape[-1])


def _pair(values):
    return list(values) * 2 if len(values) == 1 else list(values)


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


def _var_mean(x, dim=None, *, correction=None, keepdim=False):
    # The importer has a variance in f64.
    dims = [d % x.ndim for d in (dim or range(x.ndim))]
    count = math.prod(x.shape[d] for d in dims)
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    divisor = max(count - (1 if correction is None else correction), 0)
    var = (centred * centred).sum(dims, keepdim=keepdim) / divisor
    return var, mean if keepdim else mean.reshape(var.shape)


def refuse(graph: GraphModule):
    """Raises CompileError for what has no way to linalg and is not an error there."""
    for node in graph.graph.nodes:
        if reason := _UNKNOWN.get(node.target, lambda node: None)(node):
            raise CompileError(
                f"{node.target}{place_of(node)} cannot be compiled: {reason}"
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


def clean(graph: GraphModule):
    """Removes identities and unused work."""
    for node in graph.graph.nodes:
        if node.target in _IDENTITIES:
            node.replace_all_uses_with(node.args[0])
    graph.graph.eliminate_dead_code()
    graph.recompile()
