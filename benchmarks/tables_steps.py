"""The tables of whole steps: time, compilation and memory."""

from __future__ import annotations

import aims
from ratios import Figure, best, median, part_of_peak, ratio, spread
from tables import Table, count_of, milliseconds, percent

TORCH = ("torch", "torch.compile")


def steps(data: dict) -> list[Table]:
    return [step_table(data, record) for record in data["steps"]]


def step_table(data: dict, record: dict) -> Table:
    rows = [step_row(data, record, name) for name in record["seconds"]]
    columns = ["step", "ms", "spread", "times JAX", "times the best PyTorch"]
    columns += ["% of peak", "compile s", "times JAX's", "peak memory MB", "times JAX's"]
    title = f"A training step of the {record['model']}, {count_of(record['threads'])}"
    note = (
        "Memory is what a step holds at once: arguments, results and temporaries. "
        "PyTorch does not plan it and has none; eager PyTorch compiles nothing."
    )
    return Table(title, columns, rows, note)


def step_row(data: dict, record: dict, name: str) -> list:
    seconds, facts = record["seconds"][name], record["facts"][name]
    bits, ours = data["run"]["bits"], facts["peer"] == "sparsam"
    aimed = ours and record["threads"] == aims.STEP_THREADS
    wanted = aims.STEPS.get(record["model"], {}).get(name) if aimed else None
    against_torch = aims.PYTORCH if aimed else None
    gpt = aimed and record["model"] == "gpt"

    def timed(over: str | None, aim) -> Figure | None:
        found = ratio(record, over, name) if over != name else None
        return found and Figure(found.value, found.low, found.high, aim, bits)

    def against_jax(fact: str, aim) -> Figure | None:
        theirs = record["facts"].get("jax", {}).get(fact)
        if not ours or not theirs or fact not in facts:
            return None
        return Figure(facts[fact] / theirs, aim=aim, bits=bits)

    flops = facts.get("flops", record["flops"])
    compiled, memory = facts.get("compile_seconds"), facts.get("memory")
    return [
        name,
        milliseconds(median(seconds)) if seconds else "missing",
        f"{100 * spread(seconds):.0f} %" if seconds else None,
        timed("jax", wanted),
        timed(best(record, TORCH), against_torch) if ours else None,
        percent(part_of_peak(data, record, name, flops)),
        None if compiled is None else f"{compiled:.1f}",
        against_jax("compile_seconds", aims.COMPILATION if gpt else None),
        None if memory is None else f"{memory / 1e6:.0f}",
        against_jax("memory", aims.MEMORY if gpt and name == "dense" else None),
    ]
