"""Benchmarks against JAX/XLA, PyTorch, NumPy, sparse libraries and the machine itself.

tools/dev bench [--quick] [--only products steps] [--threads 1 2] [--cpu x86-64-v3]
tools/dev bench RESULTS... [--check] [--only products] [--markdown docs/Performance.md]

Prints tables with ratios, parts of the peak and what is aimed at, and writes them, all
numbers as JSON and pictures into a folder. docs/Performance.md tells how to read them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

import expected
import machine
import page
import plan
import plots
import products
import render
import scaling
import sparse
import steps
import threads
from results import PARTS, Results, Unreadable, load
from rich.console import Console
from session import Session, note
from turns import Crew
from widths import CPUS, get_width


class Parser(argparse.ArgumentParser):
    """One whose errors are a line, without a summary of all options."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse() -> argparse.Namespace:
    summary, _, rest = __doc__.partition("\n\n")
    parser = Parser(
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a few minutes: fewer shapes, 3 rounds")
    add(
        "--only",
        nargs="+",
        choices=PARTS,
        help="parts to measure or to show; all by default",
    )
    add("--threads", type=int, nargs="+", help="1 2 by default")
    add("--cpu", choices=CPUS, default="host", help="what all may use of the processor")
    add("--repeats", type=int, help="rounds that count; 7 by default")
    add("--shapes", nargs="+", type=shape, help="of layers: TOKENSxINPUTSxOUTPUTS")
    add("--structures", nargs="+", help="of products; those that have an aim by default")
    add("--out", type=Path, default=Path("build/bench"), help="a folder")
    what = "exit with 1 where an aim is missed or has no figure"
    add("--check", action="store_true", help=what)
    add("--markdown", type=Path, metavar="PAGE", help="write RESULTS into a page")
    what = "results.json of runs, to be shown again instead of measuring"
    add("results", nargs="*", type=Path, metavar="RESULTS", help=what)
    options = parser.parse_args()
    if options.markdown and not options.results:
        parser.error("--markdown needs the RESULTS that are to be on the page")
    cores = len(os.sched_getaffinity(0))
    if wrong := [n for n in options.threads or [] if not 1 <= n <= cores]:
        given = f"--threads {' '.join(map(str, wrong))}"
        parser.error(f"{given}: this process may use {cores} processors")
    try:
        options.width = get_width(options.cpu)
    except ValueError as error:
        parser.error(f"--cpu {options.cpu}: {error}")
    if options.repeats is None:
        options.repeats = 3 if options.quick else 7
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    return options


def shape(text: str) -> tuple[int, int, int]:
    tokens, inputs, outputs = sizes = tuple(map(int, text.split("x")))
    if min(sizes) < 1:
        raise ValueError
    return tokens, inputs, outputs


def measure(asked: dict, sessions: dict[int, Session]):
    """Every part of a plan. Numbers of threads follow one another as closely as they can,
    since the machine changes."""

    def of(part: str) -> list[Session]:
        wanted = asked.get(part, {"threads": []})["threads"]
        return [session for number, session in sessions.items() if number in wanted]

    def measure_machine():
        for session in of("machine"):
            machine.measure(session)

    measure_machine()
    if timed := of("products"):
        what = asked["products"]
        products.measure(timed, what["shapes"], what["structures"])
    for session in of("steps"):
        for name, labels in asked["steps"]["models"].items():
            steps.measure(session, name, labels, {})
    measure_machine()
    for session in of("sparse"):
        what = asked["sparse"]
        sparse.measure(session, what["shapes"], what["densities"])
    for session in of("scaling"):
        scaling.measure(session)
    if timed := of("threads"):
        threads.measure(timed)
    for part in ("sparse", "scaling"):
        if part in asked and not asked[part]["threads"]:
            note(f"{part} is of one thread, which --threads leaves out")


def run(options: argparse.Namespace) -> dict:
    """Measures, and writes what it finds."""
    width = options.width
    given = vars(options).items()
    arguments = {k: str(v) for k, v in given if k != "width" and v not in (None, [])}
    asked = plan.make(
        options.only, options.threads, options.quick, options.shapes, options.structures
    )
    results = Results(options.out / "results.json", width, arguments, asked)
    log = options.out / "libraries.log"
    log.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        sessions = {}
        for number in sorted(set(options.threads or plan.THREADS)):

            def missing(peer, what, why, wrong, number=number):
                note(f"{'wrong' if wrong else 'missing'}: {peer} ({what}): {why}")
                results.missing(peer, what, why, number, wrong)

            cores = results.data["run"]["processors"]
            if number > cores:
                missing("machine", "all", f"it has {cores} processors", False)
                continue
            crew = stack.enter_context(Crew(number, width, log, missing))
            sessions[number] = Session(
                number, options.repeats, options.quick, crew, results
            )
        measure(asked, sessions)
    results.save()
    tables = options.out / "tables.md"
    tables.write_text(render.to_markdown(render.all_tables(results.data)))
    pictures = plots.draw(results.data, options.out)
    note(f"wrote {', '.join(map(str, [results.path, tables, *pictures]))}")
    return results.data


def restrict(data: dict, parts: list[str] | None) -> dict:
    """Results as if the run had been asked for these parts alone."""
    if not parts:
        return data
    asked = data.get("plan") or plan.make()
    left_out = {part: [] for part in PARTS if part not in parts}
    return {
        **data,
        **left_out,
        "plan": {part: what for part, what in asked.items() if part in parts},
    }


def main():
    options = parse()
    try:
        given = [restrict(load(path), options.only) for path in options.results]
        if options.markdown:
            page.fill(options.markdown, options.results)
    except Unreadable as error:
        sys.exit(f"error: {error}")
    # Where nobody looks, lines may be as long as the tables are wide.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    missed, not_asked, wrong = [], [], []
    for data in given or [run(options)]:
        render.to_terminal(console, render.all_tables(data))
        missed += render.missed(data)
        not_asked += expected.not_asked(data)
        wrong += render.wrong(data)
    if options.check and not_asked:
        print("not asked for, and not checked:", *dict.fromkeys(not_asked), sep="\n")
    failures = {"a result is wrong": wrong, "an aim is missed": missed}
    if not options.check:
        del failures["an aim is missed"]
    if lines := [f"{what}:\n" + "\n".join(all) for what, all in failures.items() if all]:
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
