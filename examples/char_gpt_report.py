"""What the demo shows at the end: a table, a picture, a page that needs no other file."""

from __future__ import annotations

import base64
import dataclasses
import html
import io
from pathlib import Path

import matplotlib
import numpy as np
from rich.table import Table

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

COLORS = ("#7f8c8d", "#c0392b")
# The first steps fill caches and start threads.
WARM_UP = 3


@dataclasses.dataclass
class History:
    """Of one run: seconds and bits per character of each step, and the evaluations."""

    seconds: list[float] = dataclasses.field(default_factory=list)
    train: list[float] = dataclasses.field(default_factory=list)
    evaluated: list[int] = dataclasses.field(default_factory=list)
    validation: list[float] = dataclasses.field(default_factory=list)

    def step(self, seconds: float, bits: float):
        self.seconds.append(seconds)
        self.train.append(bits)

    def evaluation(self, step: int, bits: float):
        self.evaluated.append(step)
        self.validation.append(bits)

    def median_ms(self) -> float:
        return 1e3 * float(np.median(self.seconds[WARM_UP:] or self.seconds))


@dataclasses.dataclass
class Run:
    history: History
    compile_seconds: float
    parameter_bytes: int
    state_bytes: int


@dataclasses.dataclass
class Summary:
    """`structure` is what was asked for, `plan` what each parameter got."""

    title: str
    structure: dict[str, str]
    plan: dict[str, str]
    runs: dict[str, Run]

    def rows(self) -> list[tuple[str, ...]]:
        """What is measured, each run, and the second against the first."""
        first, second = self.runs.values()

        def row(what, unit, value, better="x less"):
            a, b = value(first), value(second)
            against = f"{a / b:.2f}{better}" if better else f"{b - a:+.3f}"
            return (what, f"{a:.4g} {unit}", f"{b:.4g} {unit}", against)

        mib = 1 << 20
        return [
            row(
                "time a step (median)", "ms", lambda r: r.history.median_ms(), "x faster"
            ),
            row("parameters", "MiB", lambda r: r.parameter_bytes / mib),
            row("optimizer state", "MiB", lambda r: r.state_bytes / mib),
            row("validation", "bits a character", lambda r: r.history.validation[-1], ""),
            row(
                "training (last tenth)",
                "bits a character",
                lambda r: float(
                    np.mean(r.history.train[-max(1, len(r.history.train) // 10) :])
                ),
                "",
            ),
            row("compile time", "s", lambda r: r.compile_seconds),
        ]


def table(summary: Summary) -> Table:
    """For the terminal."""
    shown = Table(title=summary.title)
    for column, justify in zip(
        ("", *summary.runs, "structured"), ("left", *["right"] * 3), strict=True
    ):
        shown.add_column(column, justify=justify)
    for row in summary.rows():
        shown.add_row(*row)
    return shown


def _smooth(values: list[float], window: int) -> np.ndarray:
    """Means over the last `window` values, fewer at the start."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    end = np.arange(1, len(values) + 1)
    start = np.maximum(end - window, 0)
    return (sums[end] - sums[start]) / (end - start)


def picture(summary: Summary) -> bytes:
    """Loss by step and by time, and bars of time and memory, as PNG."""
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.8), width_ratios=(3, 3, 1.3, 1.6))
    for (name, run), color in zip(summary.runs.items(), COLORS, strict=True):
        history = run.history
        smooth = _smooth(history.train, max(1, len(history.train) // 30))
        clock = np.cumsum(history.seconds)
        for axis, x in ((axes[0], np.arange(1, len(smooth) + 1)), (axes[1], clock)):
            axis.plot(x, smooth, color=color, alpha=0.45, linewidth=1.2)
            at = [x[step - 1] for step in history.evaluated]
            axis.plot(at, history.validation, "o-", color=color, markersize=4, label=name)
    axes[0].set(xlabel="steps", ylabel="bits a character")
    axes[1].set(xlabel="seconds of training")
    axes[0].legend(
        title="validation (training: thin)", frameon=False, fontsize=8, title_fontsize=8
    )

    names = [name.split(",")[0] for name in summary.runs]
    times = [run.history.median_ms() for run in summary.runs.values()]
    bars = axes[2].bar(names, times, color=COLORS)
    axes[2].bar_label(bars, fmt="%.0f", fontsize=8)
    axes[2].set_title("ms a step", fontsize=9)
    params = np.array([run.parameter_bytes for run in summary.runs.values()]) / (1 << 20)
    state = np.array([run.state_bytes for run in summary.runs.values()]) / (1 << 20)
    axes[3].bar(names, params, color=COLORS)
    bars = axes[3].bar(names, state, bottom=params, color=COLORS, alpha=0.5)
    axes[3].bar_label(bars, [f"{total:.1f}" for total in params + state], fontsize=8)
    axes[3].set_title("MiB: parameters, state (pale)", fontsize=9)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    for axis in axes[:2]:
        axis.grid(alpha=0.25)
    figure.suptitle(summary.title, fontsize=10)
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    return buffer.getvalue()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sparsam demo</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; color: #222 }}
table {{ border-collapse: collapse; margin: 1em 0 }}
td, th {{ padding: .3em .9em; border-bottom: 1px solid #ddd; text-align: right }}
td:first-child, th:first-child {{ text-align: left }} img {{ max-width: 100% }} code {{ font-size: 13px }}
</style></head><body><h1>Sparsam demo</h1><p>{title}. Both runs start from the same weights and see
the same batches, a step of one after a step of the other, on the same machine.</p>
<table><tr>{header}</tr>{rows}</table><img alt="Loss, time and memory of both runs"
src="data:image/png;base64,{picture}"><h2>Structures</h2><table><tr><th>parameters</th><th>structure
</th></tr>{structures}</table><details><summary>every parameter</summary><table>{plan}</table></details>
</body></html>
"""


def page(summary: Summary, png: bytes) -> str:
    """The whole report as one HTML file."""

    def cells(values, tag="td"):
        return "".join(f"<{tag}>{html.escape(value)}</{tag}>" for value in values)

    def lines(pairs):
        return "".join(
            f"<tr><td><code>{html.escape(a)}</code></td><td><code>{html.escape(b)}</code></td></tr>"
            for a, b in pairs
        )

    return _PAGE.format(
        title=html.escape(summary.title),
        header=cells(("", *summary.runs, "structured"), "th"),
        rows="".join(f"<tr>{cells(row)}</tr>" for row in summary.rows()),
        picture=base64.b64encode(png).decode(),
        structures=lines(summary.structure.items()),
        plan=lines(summary.plan.items()),
    )


def write(summary: Summary, folder: Path) -> list[Path]:
    """Writes the picture and the page; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    png = picture(summary)
    paths = [folder / "char_gpt.png", folder / "char_gpt.html"]
    paths[0].write_bytes(png)
    paths[1].write_text(page(summary, png))
    return paths
