"""Ratios, means and parts of the peak, from what was measured."""

from __future__ import annotations

import dataclasses

import numpy as np
from aims import Aim
from widths import dense_peers

# Every dense library that a run may have.
DENSE = tuple(dense_peers(512))
PROGRAM = " (program)"


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number, its spread over the rounds where it has one, and its aim where it has one."""

    value: float
    low: float | None = None
    high: float | None = None
    aim: Aim | None = None
    bits: int = 512

    @property
    def met(self) -> bool:
        return self.aim is None or self.aim.met(self.value, self.bits)


def median(seconds: list[float]) -> float:
    return float(np.median(seconds))


def spread(seconds: list[float]) -> float:
    """The distance of the middle half of the rounds, against the median."""
    low, high = np.percentile(seconds, (25, 75))
    return float((high - low) / np.median(seconds))


def best(record: dict, names=DENSE) -> str | None:
    """The fastest of some libraries in a record's rounds."""
    present = [name for name in names if record["seconds"].get(name)]
    return min(present, key=lambda name: median(record["seconds"][name]), default=None)


def ratio(record: dict, over: str | None, name: str) -> Figure | None:
    """How many times faster `name` is than `over`: the median over the rounds, in each of
    which both ran."""
    seconds = record["seconds"]
    if not over or not seconds.get(over) or not seconds.get(name):
        return None
    rounds = min(len(seconds[over]), len(seconds[name]))
    ratios = np.array(seconds[over][:rounds]) / np.array(seconds[name][:rounds])
    return Figure(float(np.median(ratios)), float(ratios.min()), float(ratios.max()))


def geometric_mean(values) -> float:
    values = list(values)
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def mean(figures: list[Figure], aim: Aim | None = None, bits: int = 512) -> Figure | None:
    """The geometric mean, of the spreads, too."""
    if not figures:
        return None
    return Figure(
        geometric_mean(f.value for f in figures),
        geometric_mean(f.low or f.value for f in figures),
        geometric_mean(f.high or f.value for f in figures),
        aim,
        bits,
    )


def scaled(figure: Figure, factor: float) -> Figure:
    low, high = (v and v * factor for v in (figure.low, figure.high))
    return dataclasses.replace(figure, value=figure.value * factor, low=low, high=high)


def peak(data: dict, threads: int) -> float | None:
    """Floating-point operations a second that the machine can do at most: the most of all
    rounds, since nothing makes it faster."""
    for record in data["machine"]:
        if record["threads"] == threads and record["gflops"]:
            return 1e9 * max(record["gflops"])
    return None


def part_of_peak(data: dict, record: dict, name: str, flops: float) -> float | None:
    limit = peak(data, record["threads"])
    seconds = record["seconds"].get(name)
    return flops / median(seconds) / limit if limit and seconds else None


def straightness(x: list[float], seconds: list[float]) -> tuple[float, float]:
    """Of points on log axes: the slope of the straight line through them, and how many
    times the farthest one is off it."""
    logs = np.log(np.array(x)), np.log(np.array(seconds))
    slope, start = np.polyfit(*logs, 1)
    off = np.abs(logs[1] - (slope * logs[0] + start)).max()
    return float(slope), float(np.exp(off))
