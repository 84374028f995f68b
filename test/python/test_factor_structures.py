"""What factor structures do beside the table of `structures`, which test_oracle.py runs."""

import jax
import numpy as np
import optax
import pytest
import sparsam
from models import MODELS, OPTIMIZERS
from oracle import Case, check_case


def make(model: str, optimizer: str, texts, seed=0) -> Case:
    built = MODELS[model](4)
    chosen = {path: texts[i % len(texts)] for i, path in enumerate(built.weights)}
    return Case(built, OPTIMIZERS[optimizer](), chosen, seed)


@pytest.mark.parametrize("optimizer", ["nesterov", "adamw"])
def test_variants(optimizer):
    """Ranks at which a weight is formed, a soft threshold that outputs share, square
    blocks; 20 x 28, 28 x 12 and 12 x 12."""
    texts = [
        "tensor_train<[4, 5], [7, 4], ranks = [6]>",
        "dynamic<nm<1:4, vector = 4>, soft = true>",
        "monarch<[4, 4]>",
    ]
    check_case(make("mlp", optimizer, texts, seed=7))


def test_a_frozen_parameter_is_in_no_norm():
    """Where only one parameter is trained, clipping sees its gradient alone."""
    texts = {"layer0/w": "frozen", "layer1/w": "frozen", "layer2/w": "dense"}
    one = Case(MODELS["mlp"](4), OPTIMIZERS["adamw"](), texts, seed=3)
    step = one.compile()
    check_case(one, step)
    p, s = step.compress(one.params, one.state)
    before = step.storage(p)["layer0/w"]["dense"].copy()
    for x, y in one.batches[:2]:
        p, s, _ = step(p, s, x, y)
    np.testing.assert_array_equal(step.storage(p)["layer0/w"]["dense"], before)
    assert not any(path.endswith("layer0/w") for path in step.storage(s))


def test_frozen_takes_any_rank():
    """A bias and a scalar, which have no inputs."""

    def train(params, state, x, y):
        def loss(p):
            return (((x @ p["w"] + p["b"]) * p["scale"] - y) ** 2).mean()

        value, grads = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    optimizer = optax.adam(1e-2)
    rng = np.random.default_rng(0)
    params = {
        "w": rng.standard_normal((6, 4)).astype(np.float32),
        "b": rng.standard_normal(4).astype(np.float32),
        "scale": np.float32(1.5),
    }
    x = rng.standard_normal((5, 6)).astype(np.float32)
    y = rng.standard_normal((5, 4)).astype(np.float32)
    step = sparsam.compile(
        train, (params, optimizer.init(params), x, y), structure={"b": "frozen"}
    )
    p, s = step.compress(params, optimizer.init(params))
    reference_params, state = params, optimizer.init(params)
    for _ in range(5):
        p, s, loss = step(p, s, x, y)
        new, state, expected = jax.jit(train)(reference_params, state, x, y)
        reference_params = new | {"b": params["b"]}
        np.testing.assert_allclose(loss, expected, rtol=1e-5)
    dense = step.densify(p)
    np.testing.assert_array_equal(dense["b"], params["b"])
    np.testing.assert_allclose(dense["w"], reference_params["w"], rtol=1e-4)
