"""Results as the benchmarks write them, made up, and the benchmarks' command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import expected
import scaling

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def bench(*arguments):
    command = [sys.executable, str(BENCHMARKS / "run.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))


def products_record(seconds, threads=1, shape=(512, 768, 3072), flops=None):
    dense = ("numpy", "numpy AVX2", "jax", "torch")
    facts = {name: {"peer": name, "flops": 100} for name in dense}
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


def planned(asked: dict, bits: int = 512) -> dict:
    """Results that have all that the aims of a plan need, in which ours are a hundred times
    as fast as any peer and grow as the work does."""
    data = results(plan=asked)
    data["run"]["bits"] = bits
    for part, records in made(asked, bits).items():
        data[part] = list(records.values())
    return data


def made(asked: dict, bits: int) -> dict[str, dict]:
    """Part -> place and threads -> record, of all that is needed."""
    found: dict[str, dict] = {"products": {}, "sparse": {}, "steps": {}, "scaling": {}}
    for aim in expected.aims_of(asked, bits):
        for need in aim.needs:
            fresh = {**place(need), "threads": need.threads, "seconds": {}, "facts": {}}
            records = found[need.part]
            record = records.setdefault((need.place, need.threads), fresh)
            for name, what in need.items:
                fill(record, need, name, what)
    return found


def place(need) -> dict:
    """What `expected.place_of` reads."""
    if need.part == "products":
        return {"shape": [int(n) for n in need.place.split("×")]}
    if need.part == "steps":
        return {"model": need.place, "flops": 100}
    if need.part == "sparse":
        kind, shape = need.place.split(", ")
        storage, product, _, density = kind.split()
        sizes = [int(n) for n in shape.split("×")]
        kinds = {"storage": storage, "product": product, "density": float(density)}
        return {"shape": sizes, **kinds}
    if need.place.startswith("width"):
        width = int(need.place.split()[1])
        return {"over": "width", "shape": [512, width, width]}
    family = need.place.removeprefix("density: ")
    at = {label: d for d, label in scaling.FAMILIES[family].items()}
    return {"over": "density", "family": family, "at": at, "shape": [512, 1024, 1024]}


PEERS = ("numpy", "numpy AVX2", "jax", "torch", "torch.compile", "scipy", "sparsifier")


def fill(record: dict, need, name: str, what: str):
    ours = name not in PEERS
    facts = record["facts"].setdefault(name, {"peer": "sparsam" if ours else name})
    facts["flops"] = 100
    if what != expected.TIME:
        facts[what] = 1.0 if ours else 10.0
        return
    seconds = (0.01 if ours else 1.0) / need.threads
    if need.part == "scaling":
        seconds = record["at"][name] if "at" in record else record["shape"][1] ** 2
    record["seconds"][name] = [seconds] * 3
