"""Averages over windows of pictures, and their derivatives."""

from __future__ import annotations

import itertools

import torch

aten = torch.ops.aten


def _windows(x, sizes):
    """The extents of the windows that an adaptive pooling divides a picture into; None
    where they overlap."""
    picture = x.shape[-2:]
    if any(n % m for n, m in zip(picture, sizes, strict=True)):
        return None
    return [n // m for n, m in zip(picture, sizes, strict=True)]


def adaptive_avg_pool2d(x, sizes):
    if (window := _windows(x, sizes)) is None:
        return NotImplemented
    (rows, columns), (height, width) = sizes, window
    split = x.reshape(*x.shape[:-2], rows, height, columns, width)
    return split.sum((-3, -1)) / (height * width)


def adaptive_avg_pool2d_backward(grad, x):
    if (window := _windows(x, grad.shape[-2:])) is None:
        return NotImplemented
    height, width = window
    rows, columns = grad.shape[-2:]
    wide = (grad / (height * width))[..., :, None, :, None]
    wide = wide.expand(*grad.shape[:-2], rows, height, columns, width)
    return wide.reshape(x.shape)


def avg_pool2d_backward(
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
