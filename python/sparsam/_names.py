"""Names of tensors in checkpoints, and whether a file has those that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ._arguments import Wanted
from ._safetensors import Entry, File

# What begins the names of tensors that are not parameters.
_OTHERS = ("state:", "carried:")
_MOST_SHOWN = 10


def tensor_name(kind: str, path: str, part: str = "dense") -> str:
    """The name of a part of one of the "params", of the "state", or of what is "carried"
    with them. A dense parameter has the name that others give it: its path."""
    name = path if kind == "params" else f"{kind}:{path}"
    return name if part == "dense" else f"{name}:{part}"


def dense_name(file: File, kind: str, path: str, keys: Iterable[str]) -> str:
    """The name of a dense tensor in a file that may join the keys of paths with `.`."""
    name, dotted = tensor_name(kind, path), tensor_name(kind, ".".join(keys))
    return dotted if name not in file.entries and dotted in file.entries else name


def entries_of(wanted: Wanted) -> list[Entry]:
    """What an array of the user may be in a file: what JAX narrows (64 bits to 32) may come
    in its own width."""
    dtypes = [wanted.dtype.name]
    if isinstance(wanted.given, np.dtype):
        dtypes.append(wanted.given.name)
    return [Entry(wanted.shape, dtype) for dtype in dict.fromkeys(dtypes)]


def check_fits(
    file: File, wanted: Mapping[str, list[Entry]], what: str, only_params: bool
):
    """Raises ValueError for tensors that are missing in the file, not in `what` it is for, or
    of another shape or element type than any of those wanted. With `only_params` the state
    in the file does not matter."""
    bad = [f"'{name}' is missing" for name in wanted if name not in file.entries]
    for name, entry in file.entries.items():
        if name not in wanted:
            if not (only_params and name.startswith(_OTHERS)):
                bad.append(f"'{name}' is not in the {what}")
        elif entry not in wanted[name]:
            bad.append(f"'{name}' must be {wanted[name][0]}, found {entry}")
    if not bad:
        return
    state = [name for name in wanted if name.startswith(_OTHERS)]
    hint = ""
    if state and not any(name in file.entries for name in state):
        hint = " and has no optimizer state; give it as state=, fresh for example"
    more = [f"and {len(bad) - _MOST_SHOWN} more"] if len(bad) > _MOST_SHOWN else []
    raise ValueError(
        f"'{file.path}' does not fit the {what}{hint}:\n  "
        + "\n  ".join(bad[:_MOST_SHOWN] + more)
    )
