"""Measures one GPT step on a number of threads and prints JSON; `run.py` calls it.

JAX's step and the compiled ones take turns in one process, so that what else the machine
does meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--repeats", type=int, default=9)
parser.add_argument("--width", type=int, default=512)
parser.add_argument("--layers", type=int, default=4)
options = parser.parse_args()

# Before JAX starts its threads: it has one for each processor that it may use.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
os.environ["OMP_NUM_THREADS"] = str(options.threads)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax  # noqa: E402
import numpy as np  # noqa: E402
import sparsam  # noqa: E402
from gpt import LINEAR, Gpt  # noqa: E402

# Rounding carries the two a little apart in the first steps.
LOSS_TOLERANCE = 1e-3


def note(text: str):
    print(text, file=sys.stderr, flush=True)


class Dense:
    """JAX's own step."""

    def __init__(self, model: Gpt):
        self.params, self.state = model.init(0)
        x, y = model.batch_of(0)
        start = time.perf_counter()
        jitted = jax.jit(model.step, donate_argnums=(0, 1))
        self.step = jitted.lower(self.params, self.state, x, y).compile()
        self.compile_seconds = time.perf_counter() - start

    def run(self, x, y) -> float:
        self.params, self.state, loss = self.step(self.params, self.state, x, y)
        jax.block_until_ready((self.params, self.state, loss))
        return float(loss)


class Structured:
    """The same step through Sparsam, the linear layers of one structure."""

    def __init__(self, model: Gpt, structure: str):
        params, state = model.init(0)
        globs = {f"blocks/*/{name}": structure for name in LINEAR}
        start = time.perf_counter()
        self.step = sparsam.compile(
            model.step, (params, state, *model.batch_of(0)), structure=globs
        )
        self.compile_seconds = time.perf_counter() - start
        self.params, self.state = self.step.compress(params, state)
        self.memory = self._memory()

    def _memory(self) -> float:
        """Bytes of the linear layers and their optimizer state, against dense ones."""
        linear = [p for p in self.step.plan if p.rsplit("/", 1)[-1] in LINEAR]
        dense = 3 * sum(self.step.plan[path].cost.dense_bytes for path in linear)
        stored = 0
        for handle in (self.params, self.state):
            for path, parts in self.step.storage(handle).items():
                if any(path.endswith(name) for name in linear):
                    stored += sum(array.nbytes for array in parts.values())
        return stored / dense

    def run(self, x, y) -> float:
        self.params, self.state, loss = self.step(self.params, self.state, x, y)
        return float(loss)


def main():
    model = Gpt(width=options.width, layers=options.layers)
    texts = {
        "dense": "dense",
        "nm<2:8, vector = 8>": "nm<2:8, vector = 8>",
        f"low_rank<{model.width // 8}>": f"low_rank<{model.width // 8}>",
    }
    note(f"{options.threads} threads: compiling with JAX")
    runs = {"jax": Dense(model)}
    for name, text in texts.items():
        note(f"{options.threads} threads: compiling {name}")
        runs[name] = Structured(model, text)
    seconds = {name: [] for name in runs}
    # Two rounds to warm up: caches, threads, pages.
    for number in range(-2, options.repeats):
        x, y = model.batch_of(number + 3)
        losses = {}
        for name, run in runs.items():
            start = time.perf_counter()
            losses[name] = run.run(x, y)
            if number >= 0:
                seconds[name].append(time.perf_counter() - start)
        if not np.isclose(losses["dense"], losses["jax"], rtol=LOSS_TOLERANCE):
            sys.exit(f"the dense step has loss {losses['dense']}, JAX's {losses['jax']}")
        if not all(map(np.isfinite, losses.values())):
            sys.exit(f"a loss is not finite: {losses}")
        note(f"{options.threads} threads: round {number + 3} of {options.repeats + 2}")
    json.dump(
        {
            "threads": options.threads,
            "flops": model.flops,
            "seconds": seconds,
            "compile_seconds": {name: run.compile_seconds for name, run in runs.items()},
            "compile_phases": {name: runs[name].step.seconds for name in texts},
            "memory": {name: runs[name].memory for name in texts},
        },
        sys.stdout,
    )


main()
