"""Tables of results: what they are made of, and the parts that all of them use."""

from __future__ import annotations

import dataclasses

from ratios import Figure


@dataclasses.dataclass
class Table:
    """rows: of cells, which are text, a `Figure`, a list of these, or None for nothing."""

    title: str
    columns: list[str]
    rows: list[list]
    note: str = ""

    @property
    def figures(self) -> list[Figure]:
        cells = (cell for row in self.rows for cell in row)
        flat = (one for c in cells for one in (c if isinstance(c, list) else [c]))
        return [one for one in flat if isinstance(one, Figure)]


def milliseconds(seconds: float) -> str:
    ms = 1e3 * seconds
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}"


def percent(part: float | None) -> str | None:
    return None if part is None else f"{100 * part:.0f} %"


def name_of(shape) -> str:
    return "×".join(map(str, shape))


def threads_of(records: list[dict]) -> list[int]:
    return sorted({record["threads"] for record in records})


def of_threads(records: list[dict], threads: int) -> list[dict]:
    return [record for record in records if record["threads"] == threads]


def shapes_of(records: list[dict]) -> list[tuple]:
    return list(dict.fromkeys(tuple(record["shape"]) for record in records))


def count_of(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"
