"""Benchmarks: a GPT training step through Sparsam against JAX/XLA on the CPU.

Prints a table with the ratios and what is aimed at, and writes all numbers as JSON.

    tools/dev bench [--quick] [--threads 1 2] [--out build/bench.json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
SPEED = {"dense": 1.2, "nm": 2.5, "low_rank": 2.5}
MEMORY = {"nm": 0.27}
COMPILE = {"dense": 4.0}


def aim(targets: dict[str, float], name: str) -> float | None:
    return targets.get(name.split("<")[0])


def ratios(result: dict, name: str) -> np.ndarray:
    """JAX's seconds over ours, round by round."""
    return np.array(result["seconds"]["jax"]) / np.array(result["seconds"][name])


def measure(threads: int, arguments: list[str]) -> dict:
    command = [
        sys.executable,
        str(HERE / "measure.py"),
        "--threads",
        str(threads),
        *arguments,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"the measurement on {threads} threads failed")
    return json.loads(done.stdout)


def shown(
    value: float, wanted: float | None, at_least: bool, digits: int = 2
) -> tuple[str, bool]:
    """A number beside its aim, and whether it is reached."""
    text = f"{value:.{digits}f}"
    if wanted is None:
        return text, True
    good = value >= wanted if at_least else value <= wanted
    color = "green" if good else "red"
    return f"[{color}]{text}[/] ({'≥' if at_least else '≤'} {wanted:g})", good


def speed_table(results: list[dict]) -> tuple[Table, bool]:
    table = Table(title="A training step against JAX/XLA (median; spread of the ratio)")
    for column in ("threads", "step", "ms", "GFLOP/s dense", "times JAX", "spread"):
        table.add_column(column, justify="left" if column == "step" else "right")
    good = True
    for result in results:
        for name, seconds in result["seconds"].items():
            median = float(np.median(seconds))
            cells = [str(result["threads"]), name, f"{1e3 * median:.0f}"]
            rate = (
                f"{result['flops'] / median / 1e9:.0f}"
                if name in ("jax", "dense")
                else ""
            )
            cells.append(rate)
            if name != "jax":
                ratio = ratios(result, name)
                text, reached = shown(float(np.median(ratio)), aim(SPEED, name), True)
                good &= reached
                cells += [text, f"{ratio.min():.2f} – {ratio.max():.2f}"]
            table.add_row(*cells)
        table.add_section()
    return table, good


def cost_table(results: list[dict]) -> tuple[Table, bool]:
    """Compile time and memory, of the run with the most threads."""
    result = max(results, key=lambda r: r["threads"])
    table = Table(title="Compile time, and memory of the linear layers with their state")
    for column in ("step", "compile s", "times JAX's", "memory against dense"):
        table.add_column(column, justify="left" if column == "step" else "right")
    good, jax_seconds = True, result["compile_seconds"]["jax"]
    for name, seconds in result["compile_seconds"].items():
        cells = [name, f"{seconds:.1f}"]
        if name != "jax":
            compiled, one = shown(seconds / jax_seconds, aim(COMPILE, name), False)
            memory, two = shown(result["memory"][name], aim(MEMORY, name), False, 3)
            good &= one and two
            cells += [compiled, memory]
        table.add_row(*cells)
    return table, good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=9, help="rounds that count")
    parser.add_argument(
        "--quick", action="store_true", help="3 rounds, the most threads only"
    )
    parser.add_argument("--width", type=int, default=512, help="of the model")
    parser.add_argument("--layers", type=int, default=4, help="of the model")
    parser.add_argument(
        "--check", action="store_true", help="fail where an aim is missed"
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()

    cores = len(os.sched_getaffinity(0))
    threads = [n for n in options.threads if n <= cores]
    if not threads:
        parser.error(f"this process may use {cores} processors")
    repeats = options.repeats
    if options.quick:
        threads, repeats = threads[-1:], 3
    arguments = [
        f"--repeats={repeats}",
        f"--width={options.width}",
        f"--layers={options.layers}",
    ]
    results = [measure(n, arguments) for n in threads]

    console, good = Console(), True
    for table in (speed_table, cost_table):
        drawn, reached = table(results)
        console.print(drawn)
        good &= reached
    summary = [
        {
            **result,
            "ratios": {
                name: {
                    "median": float(np.median(ratios(result, name))),
                    "rounds": ratios(result, name).tolist(),
                }
                for name in result["seconds"]
                if name != "jax"
            },
        }
        for result in results
    ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(summary, indent=1) + "\n")
    console.print(f"wrote {options.out}")
    if options.check and not good:
        sys.exit("an aim is missed")


if __name__ == "__main__":
    main()
