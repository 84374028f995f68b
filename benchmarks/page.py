"""Puts the tables and pictures of finished runs into a page of the documentation."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import plots
import render
from results import load

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def fill(page: Path, paths: list[Path]):
    """Replaces what is between the marks of `page`; pictures go into `images` beside it."""
    try:
        text = page.read_text()
    except OSError as error:
        sys.exit(f"error: {page}: {error.strerror}")
    if BEGIN not in text or END not in text:
        sys.exit(f"{page}: expected the marks '{BEGIN}' and '{END}'")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    sections = [section(path, page.parent / "images") for path in paths]
    page.write_text("\n".join([before + BEGIN, "", *sections, END]) + after)


def section(path: Path, images: Path) -> str:
    data = load(path)
    run = data["run"]
    images.mkdir(exist_ok=True)
    made = [
        f"## {run['processor']}, vectors of {run['bits']} bits",
        "",
        f"{run['started'][:10]}, {run['processors']} processors; "
        + ", ".join(f"{peer} {v}" for peer, v in sorted(run["versions"].items()))
        + ". In brackets the least and the most of the rounds; (≥ …) is an aim, and "
        "**bold** one that is missed.",
        "",
    ]
    for picture in plots.draw(data, path.parent):
        name = f"bench-{run['bits']}-{picture.name}"
        shutil.copyfile(picture, images / name)
        made += [f"![{picture.stem}](images/{name})", ""]
    made.append(render.to_markdown(render.all_tables(data)))
    return "\n".join(made)
