"""Searching for tile sizes that are faster than the model's."""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import _candidates
from ._candidates import Tiles
from ._compiled import Compiled
from ._errors import warn
from ._lazy import core as _core
from ._trials import Layer, Trial, ratio

log = logging.getLogger("sparsam")

# Rounds of a first look, and of what decides; the part of the model's time that sizes
# may take to be kept, so that noise keeps none.
_LOOKS, _ROUNDS, _KEEP = 3, 9, 0.97


# Product -> the seconds of its fastest sizes, and these.
_Found = dict[str, tuple[float, Tiles]]


@dataclass(frozen=True)
class Tuned:
    """What was measured of a structured product.

    product        "spmm" (forward), "spmm_transposed" (backward to the input) or "sddmm"
                   (backward to the weight)
    structure      its text
    shape          tokens, inputs, outputs
    tiles          the fastest sizes; empty where they are the model's
    model_seconds  of one product alone, with what packs its operands
    seconds        the same with `tiles`. Those of one layer are chosen together, since
                   products that are cut alike share packed operands: one may be slower
    """

    product: str
    structure: str
    shape: tuple[int, int, int]
    tiles: Tiles
    model_seconds: float
    seconds: float


class _OutOfTime(Exception):
    pass


@dataclass
class _Clock:
    end: float
    verbose: bool

    def check(self):
        if time.monotonic() > self.end:
            raise _OutOfTime

    def say(self, text: str):
        if self.verbose:
            print(text, flush=True)


def tune(step: Compiled, path: str, seconds: float, verbose: bool) -> list[Tuned]:
    """Measures the products that are not in a file, or there with sizes that they cannot
    have, layer by layer, and adds them to it; see `Step.tune`."""
    layers: dict[tuple, list[_core.Product]] = {}
    missing = set()
    for product in step.products(path if os.path.exists(path) else ""):
        layers.setdefault(_layer(product), []).append(product)
        if product["measured"] is None or product["obstacle"]:
            missing.add(_layer(product))
        if product["obstacle"]:
            warn(_unusable(product, path))
    clock = _Clock(time.monotonic() + seconds, verbose)
    found = []
    for done, layer in enumerate(each for each in layers if each in missing):
        try:
            measured = _tune_layer(Layer(layers[layer], step.cpu), clock)
        except _OutOfTime:
            left = len(missing) - done
            log.warning("tuning took %g s; %d layers are left", seconds, left)
            break
        _core.add_tiles(
            path,
            [
                (product["key"], each.tiles, each.model_seconds, each.seconds)
                for product, each in zip(layers[layer], measured, strict=True)
            ],
        )
        found += measured
    return found


def _unusable(product: _core.Product, path: str) -> str:
    key, sizes = product["key"], product["measured"] or {}
    return (
        f"{key['product']} of {key['structure']}, {key['tokens']} x {key['inputs']} x "
        f"{key['outputs']}, is measured again: '{path}' has "
        f"{', '.join(f'{name} = {size}' for name, size in sizes.items())} for it, and "
        f"{product['obstacle']}"
    )


def _layer(product: _core.Product) -> tuple:
    """What products have in common that may share packed operands."""
    key = product["key"]
    return tuple(key[k] for k in ("structure", "element", "tokens", "inputs", "outputs"))


def _tune_layer(layer: Layer, clock: _Clock) -> list[Tuned]:
    kinds = list(layer.products)
    model: dict[str, Tiles | None] = dict.fromkeys(kinds)
    first = next(iter(layer.products.values()))
    key = first["key"]
    shape = (key["tokens"], key["inputs"], key["outputs"])
    clock.say(f"{key['structure']}, {' x '.join(map(str, shape))}")

    looks = {
        height: _best(
            layer,
            {k: _candidates.in_registers(p, height) for k, p in layer.products.items()},
            clock,
        )
        for height in _candidates.heights(first)
    }

    def total(height: int) -> float:
        return sum(seconds for seconds, _ in looks[height].values())

    # The best two, and the model's own height, where one product alone may gain.
    own = first["tiles"]["token_vectors"]
    refined = []
    for height in dict.fromkeys((*sorted(looks, key=total)[:2], own)):
        found = looks[height]
        for more in (_candidates.ranges, _candidates.chunks):
            found = _refine(layer, found, more, clock)
        refined.append(found)
    # Each with its own best height, too, which may repay packing operands twice.
    refined.append(
        {k: min((each[k] for each in refined), key=lambda one: one[0]) for k in kinds}
    )
    chosen: list[Trial] = []
    for found in refined:
        sizes = {kind: tiles for kind, (_, tiles) in found.items()}
        if sizes not in chosen:
            chosen.append(sizes)
    winner, seconds = _decide(layer, model, chosen, own, clock)
    if any(winner.values()):
        # Once more by itself: the best of several was lucky, too.
        winner, seconds = _decide(layer, model, [winner], own, clock)
    for kind in kinds:
        before, after = seconds[kind]
        clock.say(
            f"  {kind}: {before * 1e6:.1f} us -> {after * 1e6:.1f} us "
            f"with {winner[kind] or 'the model'}"
        )
    return [
        Tuned(kind, key["structure"], shape, winner[kind] or {}, *seconds[kind])
        for kind in kinds
    ]


def _refine(
    layer: Layer,
    found: _Found,
    more: Callable[[_core.Product, Tiles], list[Tiles]],
    clock: _Clock,
) -> _Found:
    """The same with the fastest of one more size, for the products that have it."""
    sizes = {
        kind: [tiles, *more(layer.products[kind], tiles)]
        for kind, (_, tiles) in found.items()
    }
    sizes = {kind: each for kind, each in sizes.items() if len(each) > 1}
    return found | _best(layer, sizes, clock) if sizes else found


def _best(layer: Layer, sizes: dict[str, list[Tiles]], clock: _Clock) -> _Found:
    """The fastest sizes of each product, and its seconds, each product by itself."""
    clock.check()
    trials = [(kind, tiles) for kind, each in sizes.items() for tiles in each]
    times = layer.seconds([{kind: tiles} for kind, tiles in trials], _LOOKS)
    found: _Found = {}
    for (kind, tiles), rounds in zip(trials, times, strict=True):
        # The least: what disturbs makes it longer.
        if kind not in found or min(rounds) < found[kind][0]:
            found[kind] = min(rounds), tiles
    return found


def _decide(
    layer: Layer, model: Trial, chosen: Iterable[Trial], own: int, clock: _Clock
) -> tuple[Trial, dict[str, tuple[float, float]]]:
    """The model's sizes or faster ones, and the seconds of each product with the model's
    and with these."""
    clock.check()
    options: list[Trial] = [model, *chosen]
    singles = [{k: tiles} for option in options for k, tiles in option.items()]
    times = layer.seconds([*options, *singles], _ROUNDS)
    kinds, count = list(model), len(options)

    def single(option: int, kind: str) -> list[float]:
        return times[count + option * len(kinds) + kinds.index(kind)]

    best, winner, number = 1.0, dict(model), 0
    for i, option in enumerate(options[1:], 1):
        gain, sizes = ratio(times[i], times[0]), dict(option)
        if all(not tiles or tiles["token_vectors"] == own for tiles in option.values()):
            # They share packed operands as the model's do: each is decided by itself.
            sizes = {
                k: tiles if tiles and ratio(single(i, k), single(0, k)) <= _KEEP else None
                for k, tiles in option.items()
            }
            parts = [single(i if sizes[k] else 0, k) for k in kinds]
            gain = ratio(
                [sum(times) for times in zip(*parts, strict=True)],
                [
                    sum(times)
                    for times in zip(*(single(0, k) for k in kinds), strict=True)
                ],
            )
        elif gain > _KEEP:
            continue
        if gain < best and any(sizes.values()):
            best, winner, number = gain, sizes, i
    seconds = {
        kind: (
            statistics.median(single(0, kind)),
            statistics.median(single(number if winner[kind] else 0, kind)),
        )
        for kind in kinds
    }
    return winner, seconds
