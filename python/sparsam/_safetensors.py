"""Files in the safetensors format: written as a whole or not at all, read a tensor at a time."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

# The ending of bundles, which are steps and no tensors.
BUNDLE_SUFFIX = ".sparsam"

# How the format calls the element types that have a name here.
_DTYPES = {
    "BOOL": "bool",
    "BF16": "bfloat16",
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}


@dataclass(frozen=True)
class Entry:
    """What the header of a file says of one tensor."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


class File:
    """An open file.

    entries   name -> shape and element type
    metadata  text by key
    """

    def __init__(self, path: str, handle: Any):
        """See `opened`."""
        self.path = path
        self.metadata: dict[str, str] = handle.metadata() or {}
        self.entries = {}
        for name in handle.keys():  # noqa: SIM118 the handle is no mapping
            part = handle.get_slice(name)
            dtype = part.get_dtype()
            self.entries[name] = Entry(
                tuple(part.get_shape()), _DTYPES.get(dtype, dtype.lower())
            )
        self._handle = handle

    def read(self, name: str) -> np.ndarray:
        """A tensor, of an element type that NumPy has."""
        return self._handle.get_tensor(name)


@contextmanager
def opened(path: str | os.PathLike) -> Iterator[File]:
    """A file for reading. Raises OSError where there is none, and ValueError for one that is
    not in the format, or not all of it."""
    path = os.fspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"'{path}' is a directory, expected a safetensors file")
    try:
        with safe_open(path, framework="np") as handle:
            yield File(path, handle)
    except SafetensorError as error:
        raise ValueError(
            f"'{path}' is no whole safetensors file, it may be truncated: {error}"
        ) from error


def write(
    path: str | os.PathLike,
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
) -> None:
    """Writes a file under a temporary name beside it and renames it: who reads `path` finds
    what was there or all of what is new, whatever interrupts the writing. Raises TypeError
    for an element type that the format does not have, and for metadata that is not text,
    and ValueError for the ending of bundles."""
    path = os.fspath(path)
    if path.endswith(BUNDLE_SUFFIX):
        raise ValueError(
            f"'{path}' ends as a bundle does, {BUNDLE_SUFFIX}, which holds a step and no "
            "storage: step.save(path); give a file of tensors another ending, "
            ".safetensors"
        )
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"metadata must map text to text, found {key!r}: {text!r}")
    for name, array in arrays.items():
        if array.dtype.name not in _DTYPES.values():
            raise TypeError(
                f"'{name}' is of dtype {array.dtype}, which safetensors lacks"
            )
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(8)}.tmp")
    # The format is row-major; its writer takes the bytes as they lie.
    arrays = {
        name: np.ascontiguousarray(array).reshape(array.shape)
        for name, array in arrays.items()
    }
    if os.path.isdir(path):
        raise IsADirectoryError(f"'{path}' is a directory, expected the path of a file")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        # The temporary name would tell the user nothing.
        raise OSError(
            error.errno,
            f"'{path}' cannot be written: no file can be made in the folder '{folder}' "
            f"({os.strerror(error.errno)})",
        ) from error
    try:
        mode = os.fstat(descriptor).st_mode
        os.close(descriptor)
        save_file(arrays, temporary, dict(metadata))
        # The package makes files for their owner alone; those that a user makes are not.
        os.chmod(temporary, stat.S_IMODE(mode))
        _flush(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, SafetensorError):
            raise OSError(f"'{path}' cannot be written: {error}") from error
        raise
    _flush(folder)


def _flush(path: str) -> None:
    """Has the system write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
