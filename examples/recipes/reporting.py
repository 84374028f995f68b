"""What the recipes share besides the task: their options and their table."""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table


def parse(documentation: str, steps: int, seeds: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=documentation.split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=steps, help="steps of a training")
    parser.add_argument("--seeds", type=int, default=seeds, help="runs to average over")
    return parser.parse_args()


def table(runs: list[dict[str, float]], unit: str = "accuracy, %", digits: int = 1):
    """Mean, lowest and highest of each row over the runs."""
    shown = Table("", unit, "lowest", "highest")
    for name in runs[0]:
        values = np.array([run[name] for run in runs])
        figures = values.mean(), values.min(), values.max()
        shown.add_row(name, *(f"{figure:.{digits}f}" for figure in figures))
    Console().print(shown)
