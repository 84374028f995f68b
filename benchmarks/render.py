"""Tables for the terminal and for Markdown."""

from __future__ import annotations

import expected
import tables_others
import tables_products
import tables_steps
from ratios import Figure
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from tables import Table, count_of


def all_tables(data: dict) -> list[Table]:
    makers = (
        tables_others.machine,
        tables_products.products,
        tables_others.sparse,
        tables_steps.steps,
        tables_others.scaling,
        tables_others.threads,
        tables_others.missing,
    )
    return [table for make in makers for table in make(data)]


def missed(data: dict) -> list[str]:
    """Every aim that is not reached or has no figure, and everything of ours that was not
    measured."""
    found = [
        f"{table.title}: {row[0]}, {column}: {plain(figure)}"
        for table in all_tables(data)
        for row in table.rows
        for column, cell in zip(table.columns, row, strict=True)
        for figure in (cell if isinstance(cell, list) else [cell])
        if isinstance(figure, Figure) and not figure.met
    ]
    found += [
        f"{entry['what']} is missing: {entry['why']}"
        for entry in data["missing"]
        if entry["peer"] == "sparsam"
    ]
    return found + expected.absent(data)


def wrong(data: dict) -> list[str]:
    """Everything whose result is not what it should be."""
    return [
        f"{entry['what']} of {entry['peer']}, {count_of(entry['threads'])}: {entry['why']}"
        for entry in data["missing"]
        if entry.get("wrong")
    ]


def plain(figure: Figure) -> str:
    text = f"{figure.value:.2f}"
    if figure.low is not None:
        text += f" [{figure.low:.2f}, {figure.high:.2f}]"
    if figure.aim:
        text += f" ({'≤' if figure.aim.at_most else '≥'} {figure.aim.on(figure.bits):g})"
    return text


def _cell(cell, show) -> str:
    if isinstance(cell, list):
        return " · ".join(_cell(one, show) for one in cell if one is not None)
    if isinstance(cell, float):
        return f"{cell:.2f}"
    if isinstance(cell, Figure):
        return show(cell)
    return "" if cell is None else cell


def to_terminal(console: Console, tables: list[Table]):
    def show(figure: Figure) -> str:
        text = escape(plain(figure))
        if not figure.aim:
            return text
        return f"[{'green' if figure.met else 'red'}]{text}[/]"

    for table in tables:
        drawn = RichTable(title=table.title, caption=table.note or None)
        for number, column in enumerate(table.columns):
            drawn.add_column(column, justify="right" if number else "left")
        for row in table.rows:
            drawn.add_row(
                *(_cell(c, show) if not isinstance(c, str) else escape(c) for c in row)
            )
        console.print(drawn)


def to_markdown(tables: list[Table]) -> str:
    """Missed aims are in bold."""

    def show(figure: Figure) -> str:
        return plain(figure) if figure.met else f"**{plain(figure)}**"

    made = []
    for table in tables:
        made += [f"### {table.title}", ""]
        made += ["| " + " | ".join(table.columns) + " |"]
        made += ["|" + "|".join("---" for _ in table.columns) + "|"]
        for row in table.rows:
            cells = (_cell(cell, show).replace("|", "\\|") for cell in row)
            made += ["| " + " | ".join(cells) + " |"]
        made += ["", *([table.note, ""] if table.note else [])]
    return "\n".join(made)
