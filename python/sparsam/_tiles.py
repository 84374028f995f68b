"""The file of tile sizes that a step is compiled with."""

from __future__ import annotations

import os


def default_path() -> str:
    """`$SPARSAM_TILES`, or else `tiles.json` in the user's cache folder."""
    if named := os.environ.get("SPARSAM_TILES"):
        return os.path.abspath(named)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "sparsam", "tiles.json")


def resolve(tiles: str | os.PathLike | bool | None) -> str:
    """The whole path of the file; empty for none."""
    if tiles is None or tiles is False:
        return ""
    if tiles is True:
        return default_path()
    if not isinstance(tiles, (str, os.PathLike)):
        raise TypeError(
            f"tiles must be the path of a file of tile sizes, or True for the user's own; "
            f"found {tiles!r}"
        )
    path = os.path.abspath(os.fspath(tiles))
    if "'" in path:
        raise ValueError(f'tiles="{path}": the compiler takes no path with a quote in it')
    return path
