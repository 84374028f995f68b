"""Tensors as the arrays that compiled programs work on, without copies where they are
contiguous, and arrays as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import ml_dtypes
import numpy as np
import torch

from .._arguments import Arrays
from .._trees import key_names

_DTYPES = {
    torch.float32: np.dtype("float32"),
    torch.float64: np.dtype("float64"),
    torch.float16: np.dtype("float16"),
    torch.bfloat16: np.dtype(ml_dtypes.bfloat16),
    torch.int64: np.dtype("int64"),
    torch.int32: np.dtype("int32"),
    torch.int16: np.dtype("int16"),
    torch.int8: np.dtype("int8"),
    torch.uint8: np.dtype("uint8"),
    torch.bool: np.dtype("bool"),
}


def numpy_dtype(dtype: torch.dtype) -> np.dtype:
    """NumPy's element type. Raises TypeError where the compiler has none."""
    if dtype not in _DTYPES:
        raise TypeError(
            f"tensors of {dtype} are not supported; there are "
            + ", ".join(str(known) for known in _DTYPES)
        )
    return _DTYPES[dtype]


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """The tensor's memory as an array; a copy where it is not contiguous."""
    tensor = tensor.detach().contiguous()
    if tensor.dtype is torch.bfloat16:
        # NumPy has no such type that DLPack could name.
        return np.from_dlpack(tensor.view(torch.int16)).view(ml_dtypes.bfloat16)
    return np.from_dlpack(tensor.resolve_neg().resolve_conj())


def to_torch(array: np.ndarray) -> torch.Tensor:
    """The array's memory as a tensor."""
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_dlpack(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_dlpack(array)


def check_tensor(what: str, leaf) -> torch.Tensor:
    """Raises TypeError or ValueError for anything but a dense tensor in host memory."""
    if not isinstance(leaf, torch.Tensor):
        raise TypeError(f"{what} must be a tensor, found {type(leaf).__name__}")
    if leaf.layout is not torch.strided:
        raise TypeError(f"{what} must be a dense tensor, found one of {leaf.layout}")
    if leaf.is_meta:
        raise ValueError(f"{what} is on the meta device: it has no values")
    if leaf.device.type != "cpu":
        raise ValueError(
            f"{what} must be on the CPU, found {leaf.device}; move it with .cpu()"
        )
    return leaf


def as_tensors(tree):
    """A tree of arrays as one of tensors."""
    return jax.tree.map(to_torch, tree)


def check_examples(batch: tuple):
    """Raises TypeError or ValueError for a batch of anything but tensors that the compiler
    knows, by path."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(batch):
        name = ".".join(("example_batch", *key_names(path)))
        numpy_dtype(check_tensor(f"'{name}'", leaf).dtype)


@dataclass(frozen=True)
class Wanted:
    """What a tensor of the user must be; see `sparsam._arguments.Wanted`."""

    what: str
    shape: tuple[int, ...]
    dtype: np.dtype
    given: torch.dtype

    def read(self, leaf: Any) -> np.ndarray:
        """The tensor as an array, itself where it is contiguous. Raises TypeError for
        another element type. The shape is the caller's to check."""
        tensor = check_tensor(self.what, leaf)
        if tensor.dtype is not self.given:
            raise TypeError(
                f"{self.what} must be of dtype {self.given}, found {tensor.dtype}"
            )
        return to_numpy(tensor)


class TorchArrays(Arrays):
    """Those of PyTorch. Examples without values are tensors on the meta device."""

    name = "torch"
    separator = "."

    def wanted(self, what, example):
        """What an argument must be where the step was compiled for `example`."""
        dtype = numpy_dtype(example.dtype)
        return Wanted(what, tuple(example.shape), dtype, example.dtype)

    def restored(self, what, shape, dtype, given):
        """What `wanted` returned, of which `given` is as text."""
        (kind,) = (known for known in _DTYPES if str(known) == given)
        return Wanted(what, shape, dtype, kind)

    def called(self, leaf):
        """The name of a parameter, or in the state."""
        return self.separator.join(leaf.keys[1:])

    def as_array(self, what, leaf):
        """Numbers of the user, in a tensor or in what NumPy takes."""
        if not isinstance(leaf, torch.Tensor):
            return super().as_array(what, leaf)
        numpy_dtype(check_tensor(what, leaf).dtype)
        return to_numpy(leaf)

    def as_shape(self, leaf):
        """An example without its values."""
        return torch.empty_like(leaf, device="meta")

    def reshaped(self, example, shape):
        """An example in another shape."""
        return example.new_empty(shape)
