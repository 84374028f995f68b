"""Where the backward pass of an unmarked JAX step ends, and so what its gradients are."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from sparsam._jax import import_step

RNG = np.random.default_rng(0)
PARAMS = {
    "w": RNG.standard_normal((24, 8)).astype(np.float32),
    "scale": np.float32(1.5),
    "shift": np.float32(0.5),
}
X = RNG.standard_normal((6, 24)).astype(np.float32)
Y = RNG.standard_normal((6, 8)).astype(np.float32)


def error(params, x, y, w):
    return jnp.mean((params["scale"] * (x @ w) + params["shift"] - y) ** 2)


# The last work of their backward passes is elementwise, or a softmax's, as an optimizer's is.
LOSSES = {
    "softmax": lambda p, x, y: error(p, x, y, jax.nn.softmax(p["w"], 0)),
    "tanh": lambda p, x, y: error(p, x, y, jnp.tanh(p["w"])),
    "absolute": lambda p, x, y: error(p, x, y, p["w"]) + 0.1 * jnp.abs(p["w"]).sum(),
    "exponential": lambda p, x, y: error(p, x, y, p["w"]) + 0.1 * jnp.exp(p["w"]).sum(),
    "square": lambda p, x, y: error(p, x, y, p["w"]) + 0.1 * (p["w"] ** 2).sum(),
}
OPTIMIZERS = {
    "sgd": optax.sgd(0.05),
    "clipped": optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(0.1)),
    "signs": optax.sign_sgd(0.01),
    "adamw": optax.chain(optax.clip_by_global_norm(0.1), optax.adamw(1e-2)),
}


def make_step(optimizer, grad):
    def step(params, state, x, y):
        updates, state = optimizer.update(grad(params, x, y), state, params)
        return optax.apply_updates(params, updates), state, x.sum()

    return step


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_unmarked_steps_are_those_of_the_masked_parameter(loss, optimizer):
    optimizer = OPTIMIZERS[optimizer]
    grad = jax.grad(LOSSES[loss])
    state = optimizer.init(PARAMS)
    step = sparsam.compile(
        make_step(optimizer, grad), (PARAMS, state, X, Y), structure={"w": "nm<2:8>"}
    )
    p, s = step.compress(PARAMS, state)
    params = step.densify(p)
    mask = params["w"] != 0

    def masked(params, x, y):
        found = grad(params, x, y)
        return found | {"w": found["w"] * mask}

    reference = jax.jit(make_step(optimizer, masked))
    for _ in range(5):
        p, s, _ = step(p, s, X, Y)
        params, state, _ = reference(params, state, X, Y)
        params = params | {"w": params["w"] * mask}
    for name, value in step.densify(p).items():
        np.testing.assert_allclose(value, params[name], rtol=1e-4, atol=1e-5)


def marked(grad, optimizer=OPTIMIZERS["adamw"]):
    step = make_step(optimizer, grad)
    return import_step(step, (PARAMS, optimizer.init(PARAMS), X, Y), 0, 1).marked


GRAD = jax.grad(LOSSES["softmax"])


@pytest.mark.parametrize(
    "grad",
    [
        GRAD,
        jax.jit(GRAD),
        jax.jit(lambda *args: jax.jit(GRAD)(*args)),
        lambda *args: jax.vjp(lambda p: LOSSES["tanh"](p, *args[1:]), args[0])[1](1.0)[0],
        jax.grad(jax.checkpoint(LOSSES["softmax"])),
        lambda *args: jax.tree.map(lambda g: 2 * g, GRAD(*args)),
    ],
    ids=["grad", "jit", "two jits", "vjp", "checkpoint", "scaled"],
)
def test_gradients_are_found(grad):
    assert sorted(marked(grad, optax.sgd(0.1))) == sorted(PARAMS)


def of_parts(params, x, y):
    parts = jax.tree.map(lambda a: a.reshape(2, 3, -1), (x, y))
    zeros = jax.tree.map(jnp.zeros_like, params)

    def add(total, part):
        return jax.tree.map(jnp.add, total, GRAD(params, *part)), None

    return jax.lax.scan(add, zeros, parts)[0]


def of_two(params, x, y):
    return jax.tree.map(
        jnp.add, GRAD(params, x, y), jax.grad(LOSSES["tanh"])(params, x, y)
    )


def of_examples(params, x, y):
    each = jax.vmap(GRAD, (None, 0, 0))(params, x[:, None], y[:, None])
    return jax.tree.map(lambda g: g.mean(0), each)


@pytest.mark.parametrize("grad", [of_parts, of_two, of_examples])
def test_gradients_that_are_more_than_one_value_are_not_guessed(grad):
    assert marked(grad) == ()


def test_a_loop_beside_a_backward_pass_is_not_left_out():
    """The gradient is a sum of which one part is in sight."""

    def grad(params, x, y):
        decay = jax.grad(lambda p: 0.1 * (p["w"] ** 2).sum())(params)
        return jax.tree.map(jnp.add, of_parts(params, x, y), decay)

    assert marked(grad) == ()


def test_numbers_that_meet_in_a_norm_leave_the_rest_found():
    """Two parameters of one entry reach each other's update through the norm of all."""
    assert marked(GRAD, OPTIMIZERS["clipped"]) == ("w",)


@pytest.mark.parametrize("mark", [False, True])
def test_operations_keep_their_place_in_the_source(mark):
    def step(params, x):
        grads = jax.grad(lambda p: ((x @ p["w"]) ** 2).sum())(params)
        grads = sparsam.gradient(grads) if mark else grads
        return jax.tree.map(lambda p, g: p - 0.1 * jnp.tanh(g), params, grads)

    imported = import_step(step, ({"w": PARAMS["w"]}, X), 0)
    assert imported.marked == ("w",)
    assert "test_backward.py" in imported.text
    assert "jit(step)/tanh" in imported.text
