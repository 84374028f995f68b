"""The tables of products: dense libraries, and structured weights against the best."""

from __future__ import annotations

import dataclasses

import aims
from ratios import (
    DENSE,
    PROGRAM,
    Figure,
    best,
    geometric_mean,
    mean,
    median,
    part_of_peak,
    ratio,
    scaled,
    spread,
)
from tables import (
    Table,
    count_of,
    milliseconds,
    name_of,
    of_threads,
    percent,
    shapes_of,
    threads_of,
)
from widths import dense_peers


def products(data: dict) -> list[Table]:
    records = data["products"]
    return [
        table
        for threads in threads_of(records)
        for table in (dense_products(data, threads), structured_products(data, threads))
    ]


def dense_products(data: dict, threads: int) -> Table:
    """The dense libraries in the first group of each shape."""
    records = of_threads(data["products"], threads)
    names = dense_peers(data["run"]["bits"])
    rows = []
    for shape in shapes_of(records):
        record = next(r for r in records if tuple(r["shape"]) == shape)
        row = [name_of(shape)]
        for name in names:
            seconds = record["seconds"].get(name)
            if not seconds:
                row.append(None)
                continue
            part = part_of_peak(data, record, name, record["facts"][name]["flops"])
            row.append(
                f"{milliseconds(median(seconds))} ±{100 * spread(seconds):.0f} %"
                + (f" ({percent(part)})" if part else "")
            )
        rows.append(row)
    title = f"Dense products, {count_of(threads)}: ms ± spread (% of peak)"
    return Table(title, ["shape", *names], rows)


def structured_products(data: dict, threads: int) -> Table:
    records = of_threads(data["products"], threads)
    shapes = shapes_of(records)
    found = {name for r in records for name in r["facts"] if name not in DENSE}
    labels = [label for label in aims.PRODUCTS if label in found]
    labels += sorted(name for name in found - set(labels) if PROGRAM not in name)
    rows = [product_row(data, records, shapes, label, threads == 1) for label in labels]
    columns = ["structure", "times the best dense", "program alone", "% of peak"]
    columns += [*map(name_of, shapes), "spread", "1 → 2 threads"]
    note = (
        "Geometric means over the shapes; the columns of shapes are times the best dense "
        "library. Of low_rank the aim is a part of the ratio of operations, shown with it."
    )
    title = f"Products with structured weights, {count_of(threads)}"
    return Table(title, columns, rows, note)


def product_row(data: dict, records, shapes, label: str, aimed: bool) -> list:
    bits = data["run"]["bits"]
    figures, programs, parts, spreads = {}, [], [], []
    saved = []
    for record in records:
        if not record["seconds"].get(label):
            continue
        dense = best(record)
        if figure := ratio(record, dense, label):
            figures[tuple(record["shape"])] = figure
            flops = record["facts"][label]["flops"]
            saved.append(record["facts"][dense]["flops"] / flops)
            parts.append(part_of_peak(data, record, label, flops))
            spreads.append(spread(record["seconds"][label]))
        programs.append(ratio(record, dense, label + PROGRAM))
    aim = aims.PRODUCTS.get(label) if aimed else None
    whole = mean(list(figures.values()), aim, bits)
    part = None
    if whole and aim and aims.is_ratio_of_flops(label):
        part = scaled(whole, 1 / geometric_mean(saved))
        whole = dataclasses.replace(whole, aim=None)
    known = [part for part in parts if part]
    return [
        label,
        [whole, part] if part else whole,
        mean([p for p in programs if p]),
        percent(geometric_mean(known)) if known else None,
        *(figures[s].value if s in figures else "missing" for s in shapes),
        f"{100 * max(spreads):.0f} %" if spreads else None,
        two_threads(data, label) if aimed else None,
    ]


def two_threads(data: dict, label: str) -> Figure | None:
    """How much faster two threads are, on the shape where they help least."""
    seconds = {
        (tuple(r["shape"]), r["threads"]): median(r["seconds"][label])
        for r in data["products"]
        if r["seconds"].get(label)
    }
    ratios = [
        seconds[shape, 1] / seconds[shape, 2]
        for shape, threads in seconds
        if threads == 2
        and (shape, 1) in seconds
        and shape not in aims.TOO_SMALL_FOR_THREADS
    ]
    bits = data["run"]["bits"]
    aim = aims.THREADS if aims.PRODUCTS.get(label) else None
    return Figure(min(ratios), aim=aim, bits=bits) if ratios else None
