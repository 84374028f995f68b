"""Scatters that write windows into what they index, against JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparsam
from jax import lax

RNG = np.random.default_rng(0)
W = RNG.standard_normal((8, 6)).astype(np.float32)
X = RNG.standard_normal((5, 3, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def step():
    def train(params, x):
        loss = lambda w: jnp.mean((x[0] @ w[:4]) ** 2)  # noqa: E731
        return {"w": params["w"] - 0.1 * jax.grad(loss)(params["w"])}

    return sparsam.compile(train, ({"w": W}, X), state=None)


def scatter(update=lax.scatter_add, **numbers):
    """A scatter of windows of X at indices of two components."""
    numbers = lax.ScatterDimensionNumbers(**numbers)

    def apply(w, x, i):
        return update(w, i, x, numbers, mode=lax.GatherScatterMode.FILL_OR_DROP)

    return apply


FUNCTIONS = {
    "rows": lambda w, x, i: w.at[1:3].add(x[0, :2, :1]),
    "columns": lambda w, x, i: w.at[:, 1:3].add(x[0, 0, :2]),
    "both": lambda w, x, i: w.at[2:5, 1:5].multiply(x[0]),
    "one of both": lambda w, x, i: w.at[2:3, 1:5].add(x[0, :1]),
    "minimum": lambda w, x, i: w.at[0:3].min(x[0, :, :1]),
    "beside an index": lambda w, x, i: w.at[1:4, i[:, 0]].add(x[:, :, 0].T),
    "windows of both": scatter(
        update_window_dims=(1, 2),
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=(0, 1),
    ),
    "windows that are set": scatter(
        lax.scatter,
        update_window_dims=(1, 2),
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=(1, 0),
    ),
    "windows before the batch": lambda w, x, i: scatter(
        update_window_dims=(0, 1),
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=(0, 1),
    )(w, x.transpose(1, 2, 0), i),
    "a batch of operands": lambda w, x, i: jax.vmap(
        lambda w, x, i: lax.scatter_add(
            w,
            i[:1],
            x[0],
            lax.ScatterDimensionNumbers(
                update_window_dims=(0,),
                inserted_window_dims=(),
                scatter_dims_to_operand_dims=(0,),
            ),
        )
    )(w[:5], x, i),
}

# Windows of 3 x 4 in 8 x 6: inside, at the end, past it in one or both, and before 0.
PLACES = np.array([[0, 0], [5, 2], [6, 1], [3, 3], [-1, 0]], np.int32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_windows(step, name):
    function = FUNCTIONS[name]
    compiled = step.compile_with(
        lambda params, x, i: function(params["w"], x, i), ({"w": W}, X, PLACES)
    )
    found = compiled(step.compress({"w": W}), X, PLACES)
    expected = jax.jit(function)(W, X, PLACES)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert not np.array_equal(expected, W[: len(expected)])


def test_a_structured_parameter():
    """The gradient through a scatter into a parameter."""

    def train(params, x):
        loss = lambda w: jnp.mean((x[0] @ w.at[0:2].add(x[0, :2, :1])[:4]) ** 2)  # noqa: E731
        return {"w": params["w"] - 0.1 * jax.grad(loss)(params["w"])}

    step = sparsam.compile(train, ({"w": W}, X), state=None, structure={"w": "nm<2:4>"})
    p = step.compress({"w": W})
    dense = jax.tree.map(np.array, step.densify(p))
    expected = np.where(dense["w"] != 0, train(dense, X)["w"], 0)
    found = step.densify(step(p, X))["w"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
