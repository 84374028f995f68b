"""The roofline, and how time grows with the work, as pictures."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.ticker import LogLocator  # noqa: E402
from ratios import DENSE, PROGRAM, geometric_mean, median, peak  # noqa: E402
from tables import count_of  # noqa: E402
from tables_others import BEST_DENSE, WORK, lines  # noqa: E402

# Okabe and Ito's colours, which colour-blind people tell apart; each has its marker, too.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#8C8C3C",
)
MARKERS = "osD^vPX*"


def draw(data: dict, folder: Path) -> list[Path]:
    """The pictures of what there is."""
    made = []
    for threads in sorted({record["threads"] for record in data["products"]}):
        if peak(data, threads):
            name = "roofline.png" if threads == 1 else f"roofline-{threads}.png"
            made.append(roofline(data, threads, folder / name))
    if data["scaling"]:
        made.append(scaling(data, folder / "scaling.png"))
    return made


def bytes_moved(shape, weights: float) -> float:
    """At least: activations and gradients read and written, weights and their gradient."""
    tokens, inputs, outputs = shape
    return 4 * 2 * tokens * (inputs + outputs) + 2 * weights


def family(label: str) -> str:
    if label in DENSE:
        return "dense libraries"
    return "dense, compiled" if label == "dense" else label.split("<")[0]


def points(data: dict, threads: int) -> dict[str, list[tuple[float, float]]]:
    """Family -> operations a byte and operations a second, of each structure: geometric
    means over the shapes."""
    found: dict[str, list[tuple[float, float]]] = {}
    for record in data["products"]:
        if record["threads"] != threads:
            continue
        for label, seconds in record["seconds"].items():
            if not seconds or PROGRAM in label:
                continue
            facts = record["facts"][label]
            _, inputs, outputs = record["shape"]
            moved = bytes_moved(record["shape"], facts.get("bytes", 4 * inputs * outputs))
            point = facts["flops"] / moved, facts["flops"] / median(seconds)
            found.setdefault(label, []).append(point)
    families: dict[str, list[tuple[float, float]]] = {}
    for label, measured in found.items():
        intensity, rate = (geometric_mean(v) for v in zip(*measured, strict=True))
        families.setdefault(family(label), []).append((intensity, rate))
    return families


def roofline(data: dict, threads: int, path: Path) -> Path:
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    limit = peak(data, threads) / 1e9
    machine = next(r for r in data["machine"] if r["threads"] == threads)
    x = np.logspace(-0.5, 2.7, 200)
    for number, (level, rates) in enumerate(machine["read_gb_s"].items()):
        rate = max(rates)
        style = dict(color="#555555", linestyle=("-", "--", "-.", ":")[number % 4])
        label = f"{level}, {rate:.0f} GB/s"
        axes.plot(x, np.minimum(limit, rate * x), **style, label=label)
    axes.axhline(limit, color="black")
    axes.annotate(
        f"multiply-adds, {limit:.0f} GFLOP/s",
        (x[-1], limit),
        textcoords="offset points",
        xytext=(-4, 5),
        ha="right",
    )
    for number, (name, measured) in enumerate(points(data, threads).items()):
        axes.plot(
            [intensity for intensity, _ in measured],
            [rate / 1e9 for _, rate in measured],
            MARKERS[number % len(MARKERS)],
            color=COLORS[number % len(COLORS)],
            markeredgecolor="white",
            markersize=9,
            label=name,
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="operations a byte that must be moved (forward, backward-input, "
        "backward-weight)",
        ylabel="GFLOP/s",
        title=f"{data['run']['processor']}, {data['run']['bits']}-bit vectors, "
        f"{count_of(threads)}, geometric means over the shapes",
        ylim=(limit / 60, limit * 1.6),
    )
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(fontsize=8, loc="lower right", ncols=2)
    return _save(figure, path)


def scaling(data: dict, path: Path) -> Path:
    figure, both = plt.subplots(1, 2, figsize=(12, 5.5), layout="constrained")
    drawn = lines(data)
    for axes, (over, power) in zip(both, WORK.items(), strict=True):
        mine = [(n, x, s) for n, x, s in drawn if n.startswith(over)]
        for number, (name, x, seconds) in enumerate(mine):
            axes.plot(
                x,
                1e3 * np.array(seconds),
                MARKERS[number % len(MARKERS)] + "-",
                color=COLORS[number % len(COLORS)],
                label=name.split(": ")[1],
            )
        if mine:
            _, x, seconds = mine[0]
            line = seconds[-1] * (np.array(x) / x[-1]) ** power
            style = dict(color="#888888", linestyle="--", zorder=0)
            axes.plot(x, 1e3 * line, **style, label="as the work")
        if over == "density":
            _dense_line(data, axes)
        axes.set(xscale="log", yscale="log", xlabel=over, ylabel="ms")
        ticks = sorted({point for _, x, _ in mine for point in x})
        if over == "density":
            ticks = [0.05, 0.1, 0.25, 0.5, 1]
        axes.set_xticks(
            ticks, [f"{tick:.0%}" if tick <= 1 else str(tick) for tick in ticks]
        )
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(True, which="both", alpha=0.2)
        axes.legend(fontsize=8)
    both[0].set_title("time of the three products against density")
    both[1].set_title("and against the width of the layer")
    return _save(figure, path)


def _dense_line(data: dict, axes):
    """The best dense library, which knows no density."""
    times = [
        median(record["seconds"][name])
        for record in data["scaling"]
        if record["over"] == "density"
        for name in DENSE
        if record["seconds"].get(name)
    ]
    if times:
        axes.axhline(1e3 * min(times), color="black", linestyle=":", label=BEST_DENSE)


def _save(figure, path: Path) -> Path:
    temporary = path.with_suffix(".tmp")
    figure.savefig(temporary, dpi=120, format="png")
    plt.close(figure)
    temporary.replace(path)
    return path
