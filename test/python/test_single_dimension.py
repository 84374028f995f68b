"""Parameters with one output or one input, whose products a framework may write without
that dimension."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from models import OPTIMIZERS, Model, mlp
from oracle import Case, check_case

PATTERNS = ["nm<2:4>", "unstructured<density = 0.5>"]
FACTORS = [
    "low_rank<1>",
    "lora<1, alpha = 1>",
    "lora<1, alpha = 2, base = nm<2:4>>",
    "sum<low_rank<1>, nm<2:4>>",
]


def regression(sizes) -> Model:
    """Of one number, as a value function or a reward is."""
    made = mlp(1, sizes)

    def loss(params, x, y):
        for i in range(len(params)):
            layer = params[f"layer{i}"]
            x = jnp.tanh(x @ layer["w"] + layer["b"])
        return ((x - y) ** 2).mean()

    def make_batch(rng):
        draw = rng.standard_normal
        return tuple(draw((13, n)).astype(np.float32) for n in (sizes[0], sizes[-1]))

    return dataclasses.replace(made, batch=make_batch, loss=loss)


@pytest.mark.parametrize("optimizer", ["nesterov", "adamw"])
@pytest.mark.parametrize("text", PATTERNS + FACTORS)
def test_one_output(text, optimizer):
    """The view is the default one: in = [0]."""
    model = regression((6, 16, 1))
    check_case(Case(model, OPTIMIZERS[optimizer](), {"layer1/w": text}, seed=1))


@pytest.mark.parametrize("text", ["low_rank<1>", "lora<1, alpha = 1>"])
def test_one_input(text):
    model = regression((1, 16, 3))
    check_case(Case(model, OPTIMIZERS["adamw"](), {"layer0/w": text}, seed=2))
