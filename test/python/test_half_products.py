"""The products of a step in half precision, bit for bit: of integers whose sums f32 holds
exactly, so that a result is the exact one rounded once, or it is wrong."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import reference
import sparsam

HALVES = {"bf16": jnp.bfloat16, "f16": jnp.float16}
# Tokens, inputs, outputs, and the largest integers of inputs and weights and of gradients;
# wide enough for several panels, and that what is summed needs more bits than are kept.
SIZES = {"small": (70, 64, 48, 31, 31), "large": (260, 512, 96, 23, 23)}
FACTORS = {"u": 31, "v": 1}
SIZE_OF_FACTORS = (16, 24, 20, 31, 3)
PATTERNS = [
    "dense",
    "nm<2:4>",
    "nm<2:8, vector = 8>",
    "nm<2:4, transposable>",
    "block<4x8, density = 0.5>",
    "unstructured<density = 0.6>",
    "vnm<8, 2:8>",
]
OPTIMIZER = optax.sgd(2.0**-10, momentum=0.5)


def train_step(params, state, x, g):
    """Leaves the weight gradient in the momentum and returns the other two products."""
    y, back = jax.vjp(lambda params, x: x @ params["w"], params, x)
    grads, dx = back(g)
    updates, state = OPTIMIZER.update(grads, state, params)
    return optax.apply_updates(params, updates), state, y, dx


def integers(rng, largest, shape, dtype):
    return np.asarray(rng.integers(-largest, largest + 1, shape), dtype)


def rounded(exact, dtype):
    assert np.abs(exact).max() < 2**24 and (exact == np.rint(exact)).all()
    assert np.abs(exact).max() < float(jnp.finfo(dtype).max)
    return exact.astype(np.float32).astype(dtype)


def product(a, b, dtype):
    """a @ b rounded once; the numbers are such that another rounding would show."""
    exact = rounded(a @ b, dtype)
    half = a.shape[1] // 2
    partial = rounded(a[:, :half] @ b[:half], dtype).astype(np.float64)
    again = (partial + a[:, half:] @ b[half:]).astype(np.float32).astype(dtype)
    assert (again != exact).any()
    return exact


def run(text, element, sizes, factors=()):
    """(storage, momentum, y, dx, x, g) of one step, the last two in f64. `factors` are the
    largest integers of the tensors of the storage, where compression would leave others."""
    tokens, inputs, outputs, largest, largest_gradient = sizes
    dtype, rng = HALVES[element], np.random.default_rng(31)
    params = {"w": integers(rng, largest, (inputs, outputs), dtype)}
    x = integers(rng, largest, (tokens, inputs), dtype)
    g = integers(rng, largest_gradient, (tokens, outputs), dtype)
    state = OPTIMIZER.init(params)
    structure = "dense" if text == "dense" else {"w": text}
    step = sparsam.compile(train_step, (params, state, x, g), structure=structure)
    p, s = step.compress(params, state)
    if factors:
        leaves, tree = jax.tree.flatten(p)
        made = (
            integers(rng, most, leaf.shape, leaf.dtype)
            for most, leaf in zip(factors, leaves, strict=True)
        )
        p = jax.tree.unflatten(tree, made)
    storage = {name: np.array(part) for name, part in step.storage(p)["w"].items()}
    p, s, y, dx = step(p, s, x, g)
    (momentum,) = step.storage(s).values()
    assert not any("computed dense first" in remark for remark in step.remarks)
    wide = (np.asarray(a, np.float64) for a in (x, g))
    return (storage, momentum, np.asarray(y), np.asarray(dx), *wide)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("element", HALVES)
@pytest.mark.parametrize("text", PATTERNS)
def test_products_of_patterns(text, element, size):
    dtype = HALVES[element]
    storage, momentum, y, dx, x, g = run(text, element, SIZES[size])
    inputs, outputs = x.shape[1], g.shape[1]
    structure = reference.parse(text, (0,), (inputs, outputs))
    if structure is None:
        w = storage["dense"].astype(np.float64)
        found, gradient = momentum["dense"], product(x.T, g, dtype)
    else:
        pattern = structure.pattern(storage)
        w = structure.densify(storage["values"].astype(np.float64), pattern)
        found = momentum["values"]
        gradient = reference.gather(structure, product(x.T, g, dtype), pattern)
    np.testing.assert_array_equal(y, product(x, w, dtype))
    np.testing.assert_array_equal(dx, product(g, w.T, dtype))
    np.testing.assert_array_equal(found, gradient)


@pytest.mark.parametrize("element", HALVES)
def test_products_of_factors(element):
    """What lies between the factors is not rounded at all."""
    dtype = HALVES[element]
    storage, momentum, y, dx, x, g = run(
        "low_rank<4>", element, SIZE_OF_FACTORS, FACTORS.values()
    )
    u, v = (storage[name].astype(np.float64) for name in "uv")
    np.testing.assert_array_equal(y, rounded(x @ u @ v, dtype))
    np.testing.assert_array_equal(dx, rounded(g @ v.T @ u.T, dtype))
    np.testing.assert_array_equal(momentum["u"], rounded(x.T @ (g @ v.T), dtype))
    np.testing.assert_array_equal(momentum["v"], rounded((x @ u).T @ g, dtype))
    twice = []
    for first, second in ((x @ u, v), (g @ v.T, u.T), (x.T, g @ v.T), ((x @ u).T, g)):
        narrow = (rounded(a, dtype).astype(np.float64) for a in (first, second))
        twice.append(rounded(np.matmul(*narrow), dtype) != rounded(first @ second, dtype))
    assert any(different.any() for different in twice)
