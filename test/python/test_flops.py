"""What is left to compute after sparsam-propagate, against what the structures say."""

from __future__ import annotations

import dataclasses
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import reference
import structures
from models import CONVOLUTIONAL, MODELS, OPTIMIZERS, STACKED, Model
from oracle import Case
from slices import declared
from sparsam import _core
from structures import View, text_of
from walk import check_nothing_dense, dense_tensors, propagated, remarks

UNIT = 16
# For the models at unit 16: inputs and outputs are multiples of 16.
STRUCTURES = {
    "nm": "nm<2:8>",
    "nm in vectors": "nm<2:8, vector = 8>",
    "transposable": "nm<2:4, transposable>",
    "unstructured": "unstructured<density = 0.1>",
    "block": "block<8x16, density = 0.25>",
    "vnm": "vnm<8, 2:16>",
    "low_rank": "low_rank<6>",
    "low_rank of patterns": "low_rank<8, factors = nm<2:4>>",
    "monarch": "monarch<[4, 4], rank = 2>",
    "sum": "sum<low_rank<4>, nm<1:8>>",
    "lora on a pattern": "lora<4, base = nm<2:8, vector = 8>>",
    "lora": "lora<4, alpha = 8>",
    "frozen": "frozen",
    "dynamic": "dynamic<nm<2:8>>",
}
# Their storage has the dense tensor in it, and a dynamic pattern's gradient is dense.
DENSE_BY_DEFINITION = {"lora", "frozen", "dynamic"}


def all_in(model: Model, text: str, optimizer: str = "adamw") -> Case:
    return Case(model, OPTIMIZERS[optimizer](), dict.fromkeys(model.weights, text))


def pieces(sizes) -> list[int]:
    """Two, as near to each other as can be where it is one dimension that is cut."""
    *first, last = sizes
    if first:
        return [math.prod(first), last]
    small = next(d for d in range(math.isqrt(last), 0, -1) if last % d == 0)
    return [small, last // small]


def tensor_train(view: View) -> str:
    """Of which no product is cheaper with the dense tensor."""
    return f"tensor_train<{pieces(view.inputs)}, {pieces(view.outputs)}, ranks = [2]>"


def monarch(view: View) -> str:
    blocks = [
        math.prod(sizes[:-1]) if sizes[1:] else 2 for sizes in (view.inputs, view.outputs)
    ]
    return f"monarch<{blocks}, rank = 2>"


def all_of(model: Model, structure: str, optimizer: str = "adamw") -> Case:
    """The same of a structure whose text depends on the sizes."""
    bare = Case(model, OPTIMIZERS[optimizer](), {})
    make = {"tensor_train": tensor_train, "monarch": monarch}.get(
        structure, lambda view: text_of(structure, view)
    )
    texts = {
        path: make(View.of(bare.shapes[path], contracted, model.stacked.get(path, ())))
        for path, contracted in model.weights.items()
    }
    return dataclasses.replace(bare, texts=texts)


def made(model: Model, name: str, optimizer: str = "adamw") -> Case:
    if name in STRUCTURES:
        return all_in(model, STRUCTURES[name], optimizer)
    return all_of(model, name, optimizer)


def gpt(name: str) -> Case:
    return made(MODELS["gpt"](UNIT), name)


def structured_flops(one: Case, rows: int, without_input=()) -> int:
    """By the structures' own counts: forward, backward to the input (which the first layer
    of a model has none of) and backward to the weight."""
    total = 0
    for path, leaf in reference.paths(one.params).items():
        if path not in one.model.weights:
            continue
        stack = one.model.stacked.get(path, ())
        text = one.texts.get(path, "dense")
        if text == "dense":
            flops = gradient = (
                2 * leaf.size // int(np.prod([leaf.shape[d] for d in stack]))
            )
        else:
            if not text.startswith("slice"):
                view = f"in = {list(one.model.weights[path])}"
                view += f", stack = {list(stack)}" if stack else ""
                separator = ", " if "<" in text else ""
                text = text.removesuffix(">") + (separator or "<") + view + ">"
            cost = _core.structure_cost(text, list(leaf.shape))
            flops, gradient = cost["flops_per_row"], cost["gradient_flops_per_row"]
        layers = int(np.prod([leaf.shape[d] for d in stack]))
        products = 1 if path in without_input else 2
        total += layers * rows * (products * flops + gradient)
    return total


def attention(one: Case, width: int) -> int:
    """The products of the GPT's scores and values, three each, of heads so wide in all."""
    (batch, time), layers = one.batches[0][0].shape, len(one.params["blocks"])
    return 3 * layers * 2 * 2 * batch * time * time * width


def attention_and_head(one: Case) -> int:
    """The products of the GPT that no structured parameter is in."""
    vocab, width = one.params["wte"].shape
    return attention(one, width) + 3 * 2 * one.batches[0][0].size * width * vocab


@pytest.mark.parametrize("name", ["dense", "tensor_train", *STRUCTURES])
def test_products_of_a_gpt(name):
    """Within 2 % of the sum of the structures' own counts."""
    one = gpt(name)
    module = propagated(one)
    found = module.flops()["main"]
    expected = structured_flops(one, one.batches[0][0].size)
    rest = attention_and_head(one)
    assert sum(found.values()) - rest == pytest.approx(expected, rel=0.02), found
    patterned = any(word in STRUCTURES.get(name, "") for word in ("nm", "block", "unstr"))
    assert (found["spmm"] > 0) == patterned
    assert found["einsums"] == found["convolutions"] == 0
    if name != "dense" and name not in DENSE_BY_DEFINITION:
        check_nothing_dense(one, module, remarks(module))


# Of 80 entries of the width, 112 neurons and 2 heads of 40; what divides what is kept of
# one divides none of another.
SLICED = {
    "width": {"wpe": "slice<keep = 44>"},
    "neurons": {"*/fc": "slice<keep = 0.25>"},
    "heads": {"*/qkv": "slice<keep = 1>"},
    "all": {
        "wpe": "slice<keep = 44>",
        "*/fc": "slice<keep = 0.25>",
        "*/qkv": "slice<keep = 1>",
    },
}


@pytest.mark.parametrize("what", SLICED)
def test_products_of_a_sliced_gpt(what):
    """The head's embedding is sliced in its width, and so it counts as what it stores."""
    model = MODELS["gpt"](UNIT)
    model = dataclasses.replace(model, weights=model.weights | {"wte": (1,)})
    one = declared(model, OPTIMIZERS["adamw"](), SLICED[what])
    module = propagated(one)
    found = module.flops()["main"]
    expected = structured_flops(one, one.batches[0][0].size)
    rest = attention(one, 80 // 2 if "*/qkv" in SLICED[what] else 80)
    assert sum(found.values()) - rest == pytest.approx(expected, rel=0.02), found
    assert sum(found.values()) == found["contractions"]
    check_nothing_dense(one, module, remarks(module))


@pytest.mark.parametrize("name", ["nm", "block", "low_rank", "monarch"])
def test_a_loop_counts_as_often_as_it_runs(name):
    one = all_in(STACKED["scan_mlp"](UNIT), STRUCTURES[name])
    one.texts.pop("head")
    found = propagated(one).flops()["main"]
    batch, (pixels, width) = len(one.batches[0][0]), one.params["stem"].shape
    stem = 2 * 2 * batch * pixels * width
    # Forward and backward are two loops: x * U, which both need, is computed in each.
    first = {"low_rank": 6, "monarch": 4 * 2}.get(name, 0)
    again = len(one.params["layers"]["w"]) * 2 * batch * width * first
    expected = structured_flops(one, batch) + stem + again
    assert sum(found.values()) == expected, found


def test_the_first_layer_has_no_backward_to_its_input():
    one = all_in(MODELS["mlp"](UNIT), STRUCTURES["nm"])
    found = propagated(one).flops()["main"]
    expected = structured_flops(one, len(one.batches[0][0]), {"layer0/w"})
    assert sum(found.values()) == found["spmm"] + found["sddmm"] == expected


SPARSE = [name for name in STRUCTURES if name not in DENSE_BY_DEFINITION]
# Each structure with each model, and the optimizers in turn.
WALKS = [
    (model, name, ["momentum", "lion", "rmsprop"][(number + turn) % 3])
    for turn, model in enumerate(["mlp", "mixer", "scan_mlp", "scan_gpt"])
    for number, name in enumerate(["tensor_train", *SPARSE])
]


@pytest.mark.parametrize("model, name, optimizer", WALKS)
def test_no_tensor_is_as_large_as_the_parameter(model, name, optimizer):
    one = made((MODELS | STACKED)[model](UNIT), name, optimizer)
    module = propagated(one)
    check_nothing_dense(one, module, remarks(module))


# All of `structures` but those that store what is dense.
CONVOLVED = [
    name
    for name in structures.STRUCTURES
    if name not in ("dense", "frozen", "lora") and not name.startswith("dynamic")
]


# At which no factor or activation is as large as another parameter.
CONVOLVED_UNITS = {"resnet": 16, "vit": 12}


@pytest.mark.parametrize("name", CONVOLVED)
@pytest.mark.parametrize("model", CONVOLUTIONAL)
def test_no_tensor_is_as_large_as_a_filter(model, name):
    one = all_of(CONVOLUTIONAL[model](CONVOLVED_UNITS[model]), name)
    module = propagated(one)
    check_nothing_dense(one, module, remarks(module))


def test_a_step_says_what_its_products_cost():
    one = all_in(MODELS["mlp"](4), "nm<2:4>")
    found = one.compile().flops
    expected = structured_flops(one, len(one.batches[0][0]), {"layer0/w"})
    assert found["spmm"] + found["sddmm"] == expected
    assert found["contractions"] == found["convolutions"] == 0


@pytest.mark.parametrize(
    "text, shape, message",
    [
        ("nm<2:4", [8, 4], "does not parse"),
        ("nm<2:4>", [8], "needs inputs that are a multiple of M = 4"),
        ("low_rank<9>", [8, 4], "has a rank larger than the shape"),
    ],
)
def test_costs_that_are_not_known(text, shape, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        _core.structure_cost(text, shape)


def products_of_gradients():
    """Muon without its iterations: what it does to a gradient has products in it."""

    def update(grads, state, params=None):
        return jax.tree.map(lambda g: g @ g.T @ g if g.ndim == 2 else g, grads), state

    return optax.chain(
        optax.GradientTransformation(lambda params: optax.EmptyState(), update),
        optax.sgd(0.01),
    )


def norms_of_rows():
    """What Adafactor does: it reduces along one dimension."""

    def update(grads, state, params=None):
        def scale(g):
            return g / (1e-6 + jnp.sqrt((g * g).sum(-1, keepdims=True)))

        return jax.tree.map(lambda g: scale(g) if g.ndim == 2 else g, grads), state

    return optax.chain(
        optax.GradientTransformation(lambda params: optax.EmptyState(), update),
        optax.sgd(0.01),
    )


def tied_embedding() -> Case:
    model = dataclasses.replace(MODELS["gpt"](UNIT), weights={"wte": (1,)})
    return all_in(model, "nm<2:8>")


def with_optimizer(optimizer) -> Case:
    model = MODELS["mlp"](UNIT)
    texts = dict.fromkeys(model.weights, "nm<2:8>")
    return Case(model, optimizer, texts, mark=True)


# All that leaves a tensor of a structured parameter's size, why, and what is said of it.
UNAVOIDABLE = {
    "frozen stores it": (lambda: gpt("frozen"), None),
    "lora on a dense base stores it": (lambda: gpt("lora"), None),
    "dynamic stores it, and its gradient is dense": (lambda: gpt("dynamic"), None),
    "rows are looked up in a pattern": (tied_embedding, '"wte" of .* is made dense'),
    "the optimizer multiplies gradients": (
        lambda: with_optimizer(products_of_gradients()),
        "its optimizer is not elementwise in the gradient",
    ),
    "the optimizer reduces rows": (
        lambda: with_optimizer(norms_of_rows()),
        "made dense|dense first",
    ),
}


@pytest.mark.parametrize("why", UNAVOIDABLE)
def test_what_cannot_be_avoided(why):
    """Each of these is dense still, else it is no reason any more; and each that is not what
    the structure itself stores is a remark."""
    make, said = UNAVOIDABLE[why]
    one = make()
    module = propagated(one)
    assert set(dense_tensors(one, module)) == set(one.texts)
    if said:
        assert any(re.search(said, remark) for remark in remarks(module))
