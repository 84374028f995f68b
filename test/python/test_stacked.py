"""Parameters stacked along layers, as `lax.scan` and `jax.checkpoint` use them, against the
oracle."""

import re

import numpy as np
import pytest
from models import OPTIMIZERS, STACKED
from oracle import Case, case, check_case


def tensor_shapes(text: str, function: str = "main") -> set[tuple[int, ...]]:
    """The shapes of all tensors in a function of a module that is printed."""
    start = text.index(f"@{function}(")
    end = text.find("\n  func.func ", start)
    types = re.findall(r"tensor<((?:\d+x)+)\w+", text[start : None if end < 0 else end])
    return {tuple(map(int, found[:-1].split("x"))) for found in types}


def dense_shapes(one, path: str) -> set[tuple[int, ...]]:
    """The shapes that a parameter's tensor, all layers of it and one, may take."""
    structure = one.structures[path]
    stack = [structure.shape[d] for d in structure.stack]
    k = int(np.prod([structure.shape[d] for d in structure.inputs]))
    n = int(np.prod(structure.shape)) // k // int(np.prod(stack))
    rest = [d for d in range(len(structure.shape)) if d not in structure.stack]
    layers = [(k, n), (n, k), tuple(structure.shape[d] for d in rest)]
    prefixes = [(), tuple(stack), (1,) * len(stack)]
    return {(*prefix, *layer) for prefix in prefixes for layer in layers}


def check_nothing_dense(one, step) -> None:
    assert not [r for r in step.remarks if re.search("made dense|dense first|forms", r)]
    shapes = tensor_shapes(step.ir("propagate"))
    for path in one.structures:
        assert not shapes & dense_shapes(one, path), path


CASES = [
    ("scan_mlp", "momentum", "nm vector 4"),
    ("scan_mlp", "adamw", "low_rank"),
    ("scan_gpt", "lion", "nm vector 4"),
    ("scan_gpt", "momentum", "low_rank"),
]


@pytest.mark.parametrize("model, optimizer, structure", CASES)
def test_step(model, optimizer, structure):
    number = CASES.index((model, optimizer, structure))
    one = case(model, optimizer, structure, seed=number, mark=number % 2 == 0)
    step = one.compile()
    check_case(one, step)
    for path, chosen in one.structures.items():
        if chosen.stack:
            assert "stack = [0]" in step.plan[path].structure
    check_nothing_dense(one, step)


COMPOSED = [
    "lora<3, alpha = 6>",
    "tensor_train<[4, 5], [5, 4], ranks = [3]>",
    "sum<low_rank<2>, nm<1:4>>",
    "low_rank<4, factors = nm<2:4>>",
]


@pytest.mark.parametrize("structure", COMPOSED)
def test_every_structure_stacks(structure):
    """Nothing in the rules names one: no layer of a parameter is made dense. The numbers are
    test_oracle.py's."""
    number = COMPOSED.index(structure)
    model = STACKED["scan_mlp"](4)
    one = Case(model, OPTIMIZERS["adamw"](), {"layers/w": structure}, number)
    step = one.compile()
    # Where a pattern takes its part of the gradient too, a layer's is made for both.
    words = "made dense|dense first" + ("" if structure.startswith("sum") else "|needs")
    assert not [r for r in step.remarks if re.search(words, r)]
