"""The arrays that the user passes: what they must be, and reading them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import _trees
from ._pairing import Leaf


def is_key(leaf) -> bool:
    """Whether it is a typed random key, of which arrays only hold the data."""
    dtype = getattr(leaf, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key)


def key_kind(dtype) -> str:
    """The name of the kind of random keys that have this element type."""
    return _key_kinds()[str(dtype)]


@cache
def _key_kinds() -> dict[str, str]:
    kinds = ("threefry2x32", "rbg", "unsafe_rbg")
    return {str(jax.random.key(0, impl=kind).dtype): kind for kind in kinds}


def as_shape(leaf):
    """An example without its values. A Python scalar stays, for JAX's weak types."""
    if isinstance(leaf, (bool, int, float)):
        return leaf
    if not hasattr(leaf, "dtype"):
        leaf = np.asarray(leaf)
    return jax.ShapeDtypeStruct(
        leaf.shape, leaf.dtype, weak_type=getattr(leaf, "weak_type", False)
    )


def check_concrete(what: str, array):
    """Raises TypeError for what JAX traces."""
    if isinstance(array, jax.core.Tracer):
        raise TypeError(
            f"{what} is traced by JAX: what is compiled cannot be called inside of jax.jit, "
            "jax.grad, jax.vmap or lax.scan; call it with arrays"
        )


@dataclass(frozen=True)
class Wanted:
    """What an array of the user must be.

    what   how messages call it
    given  the element type of the example: a random key's, or one that JAX may have
           narrowed to `dtype`
    """

    what: str
    shape: tuple[int, ...]
    dtype: np.dtype
    given: Any

    @staticmethod
    def like(what: str, example) -> Wanted:
        """What is wanted where the step was compiled for `example`."""
        data = example if hasattr(example, "dtype") else np.asarray(example)
        given = data.dtype
        if is_key(example):
            data = jax.eval_shape(jax.random.key_data, as_shape(example))
        dtype = np.dtype(jax.dtypes.canonicalize_dtype(data.dtype))
        return Wanted(what, tuple(data.shape), dtype, given)

    def read(self, leaf) -> np.ndarray:
        """The leaf as a row-major array of the dtype, itself where it is one. What JAX
        narrowed in the example (64 bits to 32) is narrowed again.

        Raises TypeError for another element type. The shape is the caller's to check.
        """
        # Steps read all that they are called with: what needs no more is handed on at once.
        kind = type(leaf)
        if (
            (kind is np.ndarray or issubclass(kind, np.generic))
            and leaf.dtype is self.dtype is self.given
            and leaf.flags.c_contiguous
        ):
            return leaf if kind is np.ndarray else np.array(leaf)
        if isinstance(leaf, (bool, int, float)):
            return self._read_scalar(leaf)
        check_concrete(self.what, leaf)
        if isinstance(leaf, jax.ShapeDtypeStruct):
            raise TypeError(f"{self.what} was only given as a shape")
        if isinstance(leaf, jax.Array) and leaf.is_deleted():
            raise ValueError(f"{self.what} is a JAX array that was deleted")
        found = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
        keys = jnp.issubdtype(self.given, jax.dtypes.prng_key)
        if found.dtype != self.given and (keys or found.dtype != self.dtype):
            wanted = self.given if keys else self.dtype
            raise TypeError(f"{self.what} must be of dtype {wanted}, found {found.dtype}")
        array = np.asarray(jax.random.key_data(leaf) if keys else found)
        return np.ascontiguousarray(array, dtype=self.dtype).reshape(array.shape)

    def _read_scalar(self, leaf) -> np.ndarray:
        kinds = (jnp.bool_, jnp.integer, jnp.floating)
        first = 0 if isinstance(leaf, bool) else 1 if isinstance(leaf, int) else 2
        if any(jnp.issubdtype(self.dtype, kind) for kind in kinds[first:]):
            with suppress(OverflowError):
                return np.array(leaf, self.dtype)
        raise TypeError(f"{self.what} must be {self.dtype}, found {leaf!r}")


class Arrays:
    """What a framework's arrays are to the compiler; here those of JAX.

    name       of the framework
    separator  between the keys of a path in messages
    """

    name = "jax"
    separator = "/"

    def wanted(self, what: str, example) -> Wanted:
        """What an argument must be where the step was compiled for `example`."""
        return Wanted.like(what, example)

    def restored(
        self, what: str, shape: tuple[int, ...], dtype: np.dtype, given: str
    ) -> Wanted:
        """What `wanted` returned, of which `given` is as text."""
        if given.startswith("key<"):
            kind = jax.random.key(0, impl=key_kind(given)).dtype
            return Wanted(what, shape, dtype, kind)
        return Wanted(what, shape, dtype, np.dtype(given))

    def called(self, leaf: Leaf) -> str:
        """How messages call a leaf of the parameters or the state."""
        return leaf.path

    def as_array(self, what: str, leaf) -> np.ndarray:
        """Numbers of the user of any element type, called `what` in messages."""
        return np.asarray(leaf)

    def as_shape(self, leaf):
        """An example without its values."""
        return as_shape(leaf)

    def reshaped(self, example, shape: tuple[int, ...]):
        """An example, of those that `as_shape` returned, in another shape."""
        # The data of a random key has dimensions of its own behind.
        return jax.ShapeDtypeStruct(shape[: len(example.shape)], example.dtype)


class Batch:
    """The arguments of a call that are neither parameters nor state."""

    def __init__(self, arguments: dict[int, Any], arrays: Arrays):
        """`arguments`: position in the user's function -> example."""
        self._arrays = arrays
        self.positions = tuple(arguments)
        leaves, self.tree = jax.tree_util.tree_flatten_with_path(
            tuple(arguments.values())
        )
        self.wanted = [
            arrays.wanted(f"argument '{self.name(_trees.key_names(path))}'", leaf)
            for path, leaf in leaves
        ]
        self._examples = [arrays.as_shape(leaf) for _, leaf in leaves]

    @classmethod
    def restored(cls, positions, tree, wanted: list, arrays: Arrays) -> Batch:
        """One without examples."""
        batch = cls({}, arrays)
        batch.positions, batch.tree, batch.wanted = positions, tree, wanted
        return batch

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the examples."""
        return tuple(wanted.shape for wanted in self.wanted)

    def read(self, arguments: tuple) -> list[np.ndarray]:
        """The arrays of a call, without copies where they are arrays of the right type.

        Raises TypeError for another number, tree or element type of arguments, and
        ValueError for another rank, both with the path.
        """
        if len(arguments) != len(self.positions):
            raise TypeError(
                f"expected {len(self.positions)} arguments besides the storage, found "
                f"{len(arguments)}"
            )
        leaves, tree = jax.tree_util.tree_flatten(arguments)
        if tree != self.tree:
            keys, expected, found = _trees.difference(self.tree, arguments)
            raise TypeError(
                f"argument '{self.name(keys)}': expected {expected}, found {found}"
            )
        arrays = []
        for wanted, leaf in zip(self.wanted, leaves, strict=True):
            array = wanted.read(leaf)
            if array.ndim != len(wanted.shape):
                raise ValueError(
                    f"{wanted.what} must be of shape {wanted.shape}, found {array.shape}"
                )
            arrays.append(array)
        return arrays

    def name(self, keys: tuple[str, ...]) -> str:
        """A path inside the tuple of these arguments as one inside all of them."""
        return self._arrays.separator.join((str(self.positions[int(keys[0])]), *keys[1:]))

    def shaped(self, shapes) -> dict[int, Any]:
        """Examples of other shapes: position -> tree of shapes."""
        leaves = [
            example if shape == wanted.shape else self._arrays.reshaped(example, shape)
            for example, shape, wanted in zip(
                self._examples, shapes, self.wanted, strict=True
            )
        ]
        return dict(
            zip(
                self.positions,
                jax.tree_util.tree_unflatten(self.tree, leaves),
                strict=True,
            )
        )
