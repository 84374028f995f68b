"""Tile sizes around those that the compiler's model gives a structured product."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._lazy import core as _core

Tiles = dict[str, int]

# Vectors of tokens that a kernel may have in registers, and outputs of a part.
_HEIGHTS = (1, 2, 3, 4, 6, 8, 12)
_PARTS = (1, 2, 3, 4, 6, 8, 12, 16)
_JOBS = (1, 2, 3, 4, 6, 8)
# What a range of rows, and a chunk of tokens, is multiplied by.
_RANGES, _CHUNKS = (0.25, 0.5, 2, 4), (0.5, 2, 4)


def heights(product: _core.Product) -> list[int]:
    """Vectors of tokens, the model's first: those that the tokens fill."""
    model = product["tiles"]["token_vectors"]
    filled = -(-product["key"]["tokens"] // product["lanes"])
    return [model] + [h for h in _HEIGHTS if h <= filled and h != model]


def in_registers(product: _core.Product, height: int) -> list[Tiles]:
    """Sizes of what is in registers, at most four: of parts that fit the largest ones."""
    model, outputs = product["tiles"], product["outputs"]
    parts = sorted(
        {-(-outputs // -(-outputs // part)) for part in _PARTS if part <= outputs}
        | {model["part"]},
        reverse=True,
    )
    if product["key"]["product"] != "sddmm":
        fitting = [p for p in parts if (p + 1) * height < product["registers"]]
        return [
            {"part": part, "token_vectors": height}
            for part in (fitting or parts[-1:])[:3]
        ]
    pairs = [(model["part"], model["jobs"])]
    for part in parts:
        fitting = [
            jobs
            for jobs in _JOBS
            if (part + 1) * jobs < product["registers"]
            and (not product["jobs_in_vector"] or _suits_vector(product, jobs))
        ]
        pairs += [(part, jobs) for jobs in fitting[-1:]]
    return [
        {"part": part, "token_vectors": height, "jobs": jobs}
        for part, jobs in list(dict.fromkeys(pairs))[:4]
    ]


def ranges(product: _core.Product, tiles: Tiles) -> list[Tiles]:
    """The same sizes with smaller and larger ranges of rows, and with all of them."""
    height, rows = tiles["token_vectors"] * product["lanes"], product["rows"]
    key = product["key"]
    if key["product"] == "spmm_transposed" and product["outputs"] == 1:
        # Rows are outputs where single outputs are sorted, which the height decides, and
        # inputs where they are not.
        rows = min(key["inputs"], key["outputs"])
    most = rows if product["elements"] is None else product["elements"] // height
    unit, model = product["unit"], product["tiles"]["range"]
    sizes = {max(unit, int(model * factor) // unit * unit) for factor in _RANGES}
    sizes = {size for size in sizes | {rows} if size <= min(most, rows)}
    return [tiles | {"range": size} for size in sorted(sizes - {model})]


def chunks(product: _core.Product, tiles: Tiles) -> list[Tiles]:
    """The same sizes with fewer and more tokens between sums over lanes, and with all."""
    model, tokens = product["tiles"].get("chunk"), product["key"]["tokens"]
    if model is None or product["jobs_in_vector"]:
        return []
    sizes = {min(tokens, int(model * factor)) for factor in _CHUNKS} | {tokens}
    return [tiles | {"chunk": size} for size in sorted(sizes - {model, 0})]


def _suits_vector(product: _core.Product, jobs: int) -> bool:
    return jobs & (jobs - 1) == 0 and jobs <= product["lanes"]
