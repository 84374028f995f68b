"""Results as the benchmarks write them, made up, and the benchmarks' command."""

import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def bench(*arguments):
    command = [sys.executable, str(BENCHMARKS / "run.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))


def products_record(seconds, threads=1, shape=(512, 768, 3072), flops=None):
    facts = {name: {"peer": name, "flops": 100} for name in ("numpy", "jax", "torch")}
    for name in seconds:
        facts.setdefault(name, {"peer": "sparsam", "flops": (flops or {}).get(name, 100)})
    return {"shape": shape, "threads": threads, "seconds": seconds, "facts": facts}


def results(**parts):
    run = {
        "bits": 512,
        "processor": "a processor",
        "processors": 2,
        "started": "2026-01-01T00:00:00",
        "versions": {"jax": "1"},
    }
    empty = dict.fromkeys(
        ("machine", "products", "sparse", "steps", "scaling", "threads"), []
    )
    return {"format": 1, "run": run, "missing": [], **empty, **parts}
