"""Arguments and results of compiled functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ._pairing import Leaf


@dataclass(frozen=True)
class Value:
    """An argument or a result of a function on storage.

    groups  of a carried argument that is no parameter, the sliced group that each of its
            dimensions has all entries of, "" for none; empty where there is none at all
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    name: str = ""
    param: str = ""
    state_of: str = ""
    part: str = "dense"
    updates: int | None = None
    gradient_of: str = ""
    degree: int | None = None
    groups: tuple[str, ...] = ()

    @staticmethod
    def read(value: Mapping) -> Value:
        attributes = value["attributes"]
        return Value(
            tuple(value["shape"]),
            np.dtype(value["dtype"]),
            attributes.get("sparsam.name", ""),
            attributes.get("sparsam.param", ""),
            attributes.get("sparsam.state_of", ""),
            attributes.get("sparsam.part", "dense"),
            attributes.get("sparsam.updates"),
            attributes.get("sparsam.gradient_of", ""),
            attributes.get("sparsam.degree"),
            _texts(attributes.get("sparsam.groups", "")),
        )


def _texts(printed: str) -> tuple[str, ...]:
    """The strings of an array attribute as MLIR prints it."""
    escaped = re.findall(r'"([^"]*)"', printed)
    return tuple(
        re.sub(
            rb"\\([0-9A-F]{2}|\\)",
            lambda match: b"\\" if match[1] == b"\\" else bytes([int(match[1], 16)]),
            text.encode(),
        ).decode()
        for text in escaped
    )


def user_dtype(leaf: Leaf, value: Value) -> np.dtype:
    """What an array on storage is to the user: the compiler's integers have no sign."""
    if value.dtype.kind != "i":
        return value.dtype
    unsigned = leaf.dtype.startswith(("uint", "key<"))
    return np.dtype(f"u{value.dtype.name}") if unsigned else value.dtype
