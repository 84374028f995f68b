"""Benchmarks against JAX/XLA, PyTorch, NumPy, sparse libraries and the machine itself.

tools/dev bench [--quick] [--only products steps] [--threads 1 2] [--cpu x86-64-v3]
tools/dev bench RESULTS... [--check] [--markdown docs/Performance.md]

Prints tables with ratios, parts of the peak and what is aimed at, and writes them, all
numbers as JSON and pictures into a folder. docs/Performance.md tells how to read them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

import aims
import machine
import page
import plots
import products
import render
import scaling
import sparse
import steps
import threads
from results import PARTS, Results, load
from rich.console import Console
from session import Session, note
from turns import Crew
from widths import CPUS, get_width

QUICK_SHAPES = [(512, 768, 3072)]
QUICK_PRODUCTS = [
    "nm<2:8, vector = 8>",
    "block<16x16, density = 0.25>",
    "unstructured<density = 0.1>",
    "low_rank<K/4>",
    "dense",
]
QUICK_STEPS = {"gpt": ["dense", "nm<2:8, vector = 8>", "low_rank<K/4>"]}


def parse() -> argparse.Namespace:
    summary, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a few minutes: fewer shapes, 3 rounds")
    add("--only", nargs="+", choices=PARTS, help="parts to measure; all by default")
    add("--threads", type=int, nargs="+", help="1 2 by default")
    add("--cpu", choices=CPUS, default="host", help="what all may use of the processor")
    add("--repeats", type=int, help="rounds that count; 7 by default")
    add("--shapes", nargs="+", type=shape, help="of layers: TOKENSxINPUTSxOUTPUTS")
    add("--structures", nargs="+", help="of products; those that have an aim by default")
    add("--out", type=Path, default=Path("build/bench"), help="a folder")
    add("--check", action="store_true", help="exit with 1 where an aim is missed")
    add("--markdown", type=Path, metavar="PAGE", help="write RESULTS into a page")
    what = "results.json of runs, to be shown again instead of measuring"
    add("results", nargs="*", type=Path, metavar="RESULTS", help=what)
    options = parser.parse_args()
    if options.markdown and not options.results:
        parser.error("--markdown needs the RESULTS that are to be on the page")
    cores = len(os.sched_getaffinity(0))
    options.threads = options.threads or [n for n in (1, 2) if n <= cores]
    if wrong := [n for n in options.threads if not 1 <= n <= cores]:
        given = f"--threads {' '.join(map(str, wrong))}"
        parser.error(f"{given}: this process may use {cores} processors")
    if options.repeats is None:
        options.repeats = 3 if options.quick else 7
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    return options


def shape(text: str) -> tuple[int, int, int]:
    tokens, inputs, outputs = map(int, text.split("x"))
    return tokens, inputs, outputs


def measure(options: argparse.Namespace, sessions: dict[int, Session]):
    """Every part. Numbers of threads follow one another as closely as they can, since the
    machine changes."""
    parts = options.only or (PARTS[:1] + PARTS[1:4:2] if options.quick else PARTS)
    every = list(sessions.values())
    serial = sessions.get(1)

    def measure_machine():
        for session in every if "machine" in parts else []:
            machine.measure(session)

    measure_machine()
    if "products" in parts:
        shapes = options.shapes or (QUICK_SHAPES if options.quick else aims.SHAPES)
        labels = QUICK_PRODUCTS if options.quick else list(aims.PRODUCTS)
        timed = [serial or every[0]] if options.quick else every
        products.measure(timed, shapes, options.structures or labels)
    if "steps" in parts:
        models = (
            QUICK_STEPS if options.quick else {m: list(a) for m, a in aims.STEPS.items()}
        )
        for session in every[-1:] if options.quick else every:
            for name, labels in models.items():
                steps.measure(session, name, labels, {})
    measure_machine()
    if "sparse" in parts and serial:
        sparse.measure(serial, options.shapes or sparse.SHAPES)
    if "scaling" in parts and serial:
        scaling.measure(serial)
    if "threads" in parts:
        threads.measure(every)
    if not serial and {"sparse", "scaling"} & set(parts):
        note("sparse and scaling are of one thread, which --threads leaves out")


def run(options: argparse.Namespace) -> dict:
    """Measures, and writes what it finds."""
    width = get_width(options.cpu)
    arguments = {k: str(v) for k, v in vars(options).items() if v not in (None, [])}
    results = Results(options.out / "results.json", width, arguments)
    log = options.out / "libraries.log"
    log.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        sessions = {}
        for number in sorted(set(options.threads)):

            def missing(peer, what, why, number=number):
                note(f"missing: {peer} ({what}): {why}")
                results.missing(peer, what, why, number)

            crew = stack.enter_context(Crew(number, width, log, missing))
            sessions[number] = Session(
                number, options.repeats, options.quick, crew, results
            )
        measure(options, sessions)
    results.save()
    tables = options.out / "tables.md"
    tables.write_text(render.to_markdown(render.all_tables(results.data)))
    pictures = plots.draw(results.data, options.out)
    note(f"wrote {', '.join(map(str, [results.path, tables, *pictures]))}")
    return results.data


def main():
    options = parse()
    if options.markdown:
        page.fill(options.markdown, options.results)
    # Where nobody looks, lines may be as long as the tables are wide.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    missed = []
    for data in [load(path) for path in options.results] or [run(options)]:
        render.to_terminal(console, render.all_tables(data))
        missed += render.missed(data)
    if options.check and missed:
        sys.exit("an aim is missed:\n" + "\n".join(missed))


if __name__ == "__main__":
    main()
