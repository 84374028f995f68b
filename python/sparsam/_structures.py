"""The user's structures: globs over parameter paths, and the plan they come to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ._reasons import Reasons
from ._storage import Layout, Slot


@dataclass(frozen=True)
class Cost:
    """What a parameter stores, and what its dense tensor would: entries and bytes,
    indices included."""

    entries: int
    bytes: int
    dense_entries: int
    dense_bytes: int


@dataclass
class Choice:
    """What was decided for one parameter.

    structure  the text inside `#sparsam.…`, or "dense"
    reason     why
    cost       what is stored
    damage     |W - stored W| / |W| (Frobenius) of what this step stored last by `compress`,
               or by a `refresh` that chose its pattern; None before it. One step may serve
               several models
    """

    structure: str
    reason: str
    cost: Cost
    damage: float | None = None


@dataclass(frozen=True)
class Group:
    """An axis of several parameters, of which `slice` keeps some entries in all of them.

    size      how many entries it has
    members   where parameters have it, as "blocks/0/fc:1"; the first is its name
    obstacle  why it cannot be sliced; empty where it can
    """

    size: int
    members: tuple[str, ...]
    obstacle: str = ""


def make_groups(found) -> dict[str, Group]:
    """The groups that the core found, by name."""
    return {
        group["name"]: Group(group["size"], tuple(group["members"]), group["obstacle"])
        for group in found
    }


def normalise(structure) -> dict[str, str]:
    """The `structure` argument of `sparsam.compile` as glob -> text."""
    if structure == "auto":
        raise NotImplementedError(
            'structure="auto" comes later; give structures by glob, or "dense"'
        )
    if structure == "dense":
        return {}
    if not isinstance(structure, Mapping):
        advice = ""
        if isinstance(structure, str):
            advice = f"; for all parameters write {{'*': {structure!r}}}"
        raise TypeError(
            f'structure must be {{glob: text}} or "dense", found {structure!r}{advice}'
        )
    for glob, text in structure.items():
        if not isinstance(glob, str) or not isinstance(text, str):
            raise TypeError(f"structure must map text to text, found {glob!r}: {text!r}")
        if text == "auto":
            raise NotImplementedError(f"structure 'auto' (for '{glob}') comes later")
        if not text.strip():
            raise ValueError(f"structure for '{glob}' is empty; leave it out for dense")
        if bad := set("=;\"'{}") & set(glob):
            raise ValueError(
                f"structure glob '{glob}' must not contain {' '.join(sorted(bad))}"
            )
        # Names of groups are in double quotes, which come in pairs.
        bad = set(";'{}") & set(text) | ({'"'} if text.count('"') % 2 else set())
        if bad:
            raise ValueError(
                f"structure {text!r} (for '{glob}') does not parse: unexpected "
                f"{' '.join(sorted(bad))}"
            )
    return dict(structure)


def matches(glob: str, path: str) -> bool:
    """`*` stands for any text, `/` included; everything else for itself."""
    pattern = ".*".join(re.escape(piece) for piece in glob.split("*"))
    return re.fullmatch(pattern, path, re.DOTALL) is not None


def assign(structure: Mapping[str, str], paths: Iterable[str]) -> dict[str, str]:
    """path -> the glob that decides it. The first match wins; ValueError for a glob that
    matches no path at all."""
    paths = list(paths)
    for glob in structure:
        if not any(matches(glob, path) for path in paths):
            raise ValueError(
                f"structure glob '{glob}' matches no parameter; there are: "
                + ", ".join(paths[:40])
                + (f" and {len(paths) - 40} more" if len(paths) > 40 else "")
            )
    found = {}
    for path in paths:
        glob = next((glob for glob in structure if matches(glob, path)), None)
        if glob is not None:
            found[path] = glob
    return found


def option(structure: Mapping[str, str]) -> str:
    """The `structures` option of sparsam-apply-structure."""
    return ";".join(f"{glob}={text}" for glob, text in structure.items())


def make_plan(
    chosen: Mapping[str, str], reasons: Reasons, leaves: Mapping, layout: Layout
) -> dict[str, Choice]:
    """The plan of a compiled step.

    chosen  path -> text, as compiled; reasons: why
    leaves  path -> the user's leaf: its shape and dtype
    """
    stored: dict[str, list[Slot]] = {}
    for slot in layout.slots:
        stored.setdefault(slot.path, []).append(slot)
    plan = {}
    for path, leaf in leaves.items():
        dense = _count(leaf.shape)
        cost = Cost(
            entries=sum(_count(s.shape) for s in stored[path] if s.dtype.kind != "u"),
            bytes=sum(_count(s.shape) * s.dtype.itemsize for s in stored[path]),
            dense_entries=dense,
            dense_bytes=dense * np.dtype(leaf.dtype).itemsize,
        )
        text, damage = chosen.get(path, "dense"), None if path in chosen else 0.0
        plan[path] = Choice(text, reasons.of(path), cost, damage)
    return plan


def _count(shape) -> int:
    return int(np.prod(shape, dtype=np.int64))
