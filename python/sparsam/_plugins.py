"""Structures from shared libraries."""

from __future__ import annotations

import os

from ._lazy import core as _core


def load_plugin(path: str | os.PathLike) -> None:
    """Loads a shared library with structures of its own, as `sparsam-opt` does with
    `--load-dialect-plugin`; steps that are compiled from now on know them.

    Raises OSError for a file that is no such library.
    """
    try:
        _core.load_plugin(os.path.abspath(path))
    except RuntimeError as error:
        raise OSError(f"cannot load the plugin '{os.fspath(path)}': {error}") from None
