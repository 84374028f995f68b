"""Every structure, as text for a parameter of any sizes, and cases in which each parameter of
a model has another one.

One compiled step tests as many structures as the model has weights: what is measured is each
tensor by itself, and a failure names the structure of its parameter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from math import prod

from models import OPTIMIZERS, Model
from oracle import Case


@dataclasses.dataclass(frozen=True)
class View:
    """The sizes of the contracted dimensions of a parameter and of the others."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @staticmethod
    def of(shape, contracted, stacked=()) -> View:
        rest = (d for d in range(len(shape)) if d not in (*contracted, *stacked))
        return View(tuple(shape[d] for d in contracted), tuple(shape[d] for d in rest))


def _two(sizes) -> list[int]:
    """Two pieces that cut through no dimension, where there are several. They do cut
    through what a model splits its activations into, such as heads."""
    *first, last = sizes
    return [prod(first), last] if first else [last // 2, 2]


def _three(sizes) -> list[int]:
    *first, last = sizes
    if len(first) > 1:
        return [first[0], prod(first[1:]), last]
    return [first[0], last // 2, 2] if first else [last // 4, 2, 2]


def _vnm(view: View) -> str:
    """Of the fewest inputs to a group of which some are not shared."""
    inputs = prod(view.inputs)
    return f"vnm<4, 2:{next(m for m in range(5, inputs + 1) if inputs % m == 0)}>"


def _tensor_train(view: View) -> str:
    """Of two cores or of three, by whether it narrows."""
    narrows = prod(view.inputs) > prod(view.outputs)
    cut, ranks = (_two, [3]) if narrows else (_three, [3, 2])
    return f"tensor_train<{cut(view.inputs)}, {cut(view.outputs)}, ranks = {ranks}>"


def _blocks(sizes) -> int:
    """So many blocks as there are places in front of the last dimension."""
    return prod(sizes[:-1]) if len(sizes) > 1 else 2


def _monarch(view: View) -> str:
    blocks = [_blocks(sizes) for sizes in (view.inputs, view.outputs)]
    rank = 2 if prod(view.inputs) > prod(view.outputs) else 1
    return f"monarch<{blocks}, rank = {rank}>"


# Name -> the text, for inputs and outputs that are multiples of 4; or what makes it of a
# View.
STRUCTURES: dict[str, str | Callable[[View], str]] = {
    "dense": "dense",
    "nm": "nm<2:4>",
    "low_rank": "low_rank<3>",
    "dynamic": "dynamic<nm<2:4>>",
    "unstructured": "unstructured<density = 0.3>",
    "lora": "lora<3, alpha = 6>",
    "nm vector": "nm<1:4, vector = 4>",
    "tensor_train": _tensor_train,
    "frozen": "frozen",
    "block": "block<4x2, density = 0.5>",
    "monarch": _monarch,
    "dynamic decay": "dynamic<nm<1:4, vector = 4>, decay = 0.1>",
    "transposable": "nm<2:4, transposable>",
    "sum": "sum<low_rank<2>, nm<1:4>>",
    "vnm": _vnm,
    "low_rank of patterns": "low_rank<4, factors = nm<2:4>>",
    "dynamic soft": "dynamic<nm<2:4>, soft = true>",
    "lora on a pattern": "lora<2, base = nm<2:4, vector = 4>>",
}


def text_of(structure: str, view: View) -> str:
    text = STRUCTURES[structure]
    return text if isinstance(text, str) else text(view)


def deal(count: int, turn: int) -> list[list[str]]:
    """All structures in hands of `count`, each once but for what fills up the last; another
    `turn` deals them to other places."""
    names = list(STRUCTURES)
    start = 7 * turn % len(names)
    names = names[start:] + names[:start]
    return [
        [names[(first + i) % len(names)] for i in range(count)]
        for first in range(0, len(names), count)
    ]


def hands(weights) -> int:
    """How many it takes to deal all structures."""
    return -(-len(STRUCTURES) // len(weights))


def texts_of(views: dict[str, View], hand: int, turn: int) -> dict[str, str]:
    """Path -> the text of another structure each, of one hand."""
    dealt = deal(len(views), turn)[hand]
    return {
        path: text_of(structure, view)
        for (path, view), structure in zip(views.items(), dealt, strict=True)
    }


def mixed_case(
    model: Model, optimizer: str, hand: int, *, turn=0, seed=0, mark=False
) -> Case:
    """The parameters of a model, each with another structure of one hand."""
    bare = Case(model, OPTIMIZERS[optimizer](), {}, seed, mark)
    views = {
        path: View.of(bare.shapes[path], contracted, model.stacked.get(path, ()))
        for path, contracted in model.weights.items()
    }
    return dataclasses.replace(bare, texts=texts_of(views, hand, turn))
