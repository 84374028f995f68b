"""Parameters stacked along layers, as `lax.scan` and `jax.checkpoint` use them, against the
oracle."""

import re

import pytest
from models import OPTIMIZERS, STACKED
from oracle import Case, case, check_case
from walk import check_nothing_dense, propagated

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
    check_nothing_dense(one, propagated(one), step.remarks)


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
