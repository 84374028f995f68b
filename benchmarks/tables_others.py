"""The tables of the machine, of sparse libraries, of scaling, and of what is missing."""

from __future__ import annotations

import aims
from ratios import Figure, best, mean, median, ratio, straightness
from tables import Table, count_of, milliseconds, name_of, of_threads, threads_of

BEST_DENSE = "best dense library"
# What is drawn against -> the power of it that work grows with.
WORK = {"density": 1, "width": 2}


def machine(data: dict) -> list[Table]:
    rows = []
    for record in data["machine"]:
        if record["gflops"]:
            reads = [f"{max(rates):.0f}" for rates in record["read_gb_s"].values()]
            rows.append([str(record["threads"]), f"{max(record['gflops']):.0f}", *reads])
    columns = ["threads", "GFLOP/s", "L1 GB/s", "L2 GB/s", "L3 GB/s", "DRAM GB/s"]
    title = f"The machine at most, vectors of {data['run']['bits']} bits"
    return [Table(title, columns, rows)] if rows else []


def sparse(data: dict) -> list[Table]:
    made = []
    for threads in threads_of(data["sparse"]):
        records = of_threads(data["sparse"], threads)
        made += [sparse_means(data, records, threads), sparse_details(records, threads)]
    return made


def sparse_means(data: dict, records: list[dict], threads: int) -> Table:
    """Of each product on each storage, all shapes and densities together."""
    rows = []
    kinds = dict.fromkeys((r["storage"], r["product"]) for r in records)
    for storage, product in kinds:
        row = [f"{storage} {product}"]
        for peer, aim in aims.SPARSE.items():
            found = (
                ratio(record, peer, "sparsam")
                for record in records
                if (record["storage"], record["product"]) == (storage, product)
            )
            known = [figure for figure in found if figure]
            row.append(mean(known, aim if threads == 1 else None, data["run"]["bits"]))
        rows.append(row)
    title = f"Sparse libraries on their ground, {count_of(threads)}: their time over ours"
    return Table(title, ["product", *aims.SPARSE], rows)


def sparse_details(records: list[dict], threads: int) -> Table:
    names = ["sparsam", *aims.SPARSE]
    rows = []
    for record in records:
        what = f"{record['storage']} {record['product']}"
        row = [what, name_of(record["shape"]), f"{record['density']:g}"]
        for name in names:
            seconds = record["seconds"].get(name)
            row.append(milliseconds(median(seconds)) if seconds else None)
        rows.append(row)
    title = f"The same in ms, {count_of(threads)}"
    return Table(title, ["product", "shape", "density", *names], rows)


def scaling(data: dict) -> list[Table]:
    rows = []
    bits = data["run"]["bits"]
    for name, x, seconds in lines(data):
        if len(x) < 3:
            continue
        slope, off = straightness(x, seconds)
        exponent = slope / WORK[name.split(":")[0]]
        ours = not name.endswith(BEST_DENSE)
        aims_of = (aims.EXPONENT, aims.STRAIGHTNESS) if ours else (None, None)
        figures = zip((abs(exponent - 1), off), aims_of, strict=True)
        cells = (Figure(value, aim=aim, bits=bits) for value, aim in figures)
        rows.append([name, f"{exponent:.2f}", *cells])
    columns = [
        "time against",
        "exponent of the work",
        "off 1",
        "farthest off the line, times",
    ]
    note = (
        "Straight lines through the points on log axes. The work of a layer grows as its "
        "density, and as the square of its width."
    )
    return [Table("How time grows with the work", columns, rows, note)] if rows else []


def threads(data: dict) -> list[Table]:
    # Results of before this part was there have none.
    records = data.get("threads", [])
    numbers = threads_of(records)
    if not numbers:
        return []
    found: dict[tuple[str, str], dict[int, float]] = {}
    for record in records:
        for structure, seconds in record["seconds"].items():
            if seconds:
                times = found.setdefault((record["case"], structure), {})
                times[record["threads"]] = median(seconds)
    rows = []
    for (case, structure), times in found.items():
        row = [case, structure]
        row += [milliseconds(times[n]) if n in times else None for n in numbers]
        first = times.get(numbers[0])
        row += [first / times[n] if first and n in times else None for n in numbers[1:]]
        rows.append(row)
    columns = ["case", "structure", *(f"{count_of(n)}, ms" for n in numbers)]
    columns += [f"{numbers[0]} → {count_of(n)}" for n in numbers[1:]]
    note = "Three products of 768 inputs and 3072 outputs; 512 tokens where not said."
    return [Table("What threads gain", columns, rows, note)]


def lines(data: dict) -> list[tuple[str, list[float], list[float]]]:
    """What is drawn: a name, what time grows with, and seconds."""
    found: dict[str, list[tuple[float, float]]] = {}
    for record in data["scaling"]:
        if record["over"] == "density":
            for label, density in record["at"].items():
                if seconds := record["seconds"].get(label):
                    name = f"density: {record['family']}"
                    found.setdefault(name, []).append((density, median(seconds)))
            continue
        dense = best(record)
        for name in [dense, *(n for n in record["seconds"] if "<" in n or n == "dense")]:
            if name and record["seconds"].get(name):
                text = BEST_DENSE if name == dense else _without_rank(name)
                point = (record["shape"][1], median(record["seconds"][name]))
                found.setdefault(f"width: {text}", []).append(point)
    return [(name, *map(list, zip(*sorted(p), strict=True))) for name, p in found.items()]


def _without_rank(label: str) -> str:
    return "dense, compiled by Sparsam" if label == "dense" else label


def missing(data: dict) -> list[Table]:
    entries = data["missing"]
    if not entries:
        return []
    rows = [[e["peer"], e["what"], str(e["threads"]), e["why"]] for e in entries]
    return [Table("Missing", ["peer", "what", "threads", "why"], rows)]
