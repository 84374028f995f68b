"""Conversions between floating-point types in compiled steps, bit for bit."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import sparsam

# NumPy warns of overflow and of NaN, which are meant.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
HALF = [ml_dtypes.bfloat16, np.float16]


def converted(x, dtype):
    """`x` as `dtype`, in a compiled step."""

    def step(p, s, x):
        return {"w": p["w"] * 0.5}, s, x.astype(dtype)

    with jax.enable_x64(True):
        p = {"w": np.ones(2, np.float32)}
        made = sparsam.compile(step, (p, {}, x))
        return np.array(made(*made.compress(p, {}), x)[-1])


def nearest(value, dtype):
    """The number of `dtype` next to a finite one, of two the one with an even last bit."""
    first = np.asarray(value, np.float32).astype(dtype).view(np.int16)
    best = None
    for bits in range(int(first) - 1, int(first) + 2):
        found = np.int16(np.array(bits).astype(np.int16)).view(dtype)
        if not np.isfinite(found):
            continue
        key = (abs(Fraction(float(found)) - Fraction(float(value))), bits & 1)
        best = min(best, (key, found)) if best else (key, found)
    largest = float(ml_dtypes.finfo(dtype).max)
    last = largest - float(np.nextafter(dtype(largest), dtype(0)))
    if abs(float(value)) >= largest + last / 2:
        return dtype(np.copysign(np.inf, value))
    return best[1]


def check_nearest(x, dtype):
    found = converted(x, dtype)
    wanted = np.array([nearest(value, dtype) for value in x])
    np.testing.assert_array_equal(found.view(np.int16), wanted.view(np.int16))


def between(rng, dtype, count):
    """Numbers of f64 halfway between two of `dtype`, and next to that."""
    bits = rng.integers(1, 0x7F00 if dtype is not np.float16 else 0x7B00, count, np.int16)
    low, high = bits.view(dtype).astype(np.float64), (bits + 1).view(dtype).astype(float)
    half = (low + high) / 2 * rng.choice([-1, 1], count)
    return np.concatenate([half, np.nextafter(half, 0), np.nextafter(half, 2 * half)])


@pytest.mark.parametrize("source", [np.float64, np.float32])
@pytest.mark.parametrize("dtype", HALF)
def test_rounding_to_half(dtype, source):
    rng = np.random.default_rng(0)
    scaled = rng.standard_normal(2000) * 10.0 ** rng.uniform(-46, 39, 2000)
    x = np.concatenate([between(rng, dtype, 2000), scaled]).astype(source)
    x = x[np.isfinite(x)]
    check_nearest(x, dtype)


@pytest.mark.parametrize("source", [np.float64, np.float32])
@pytest.mark.parametrize("dtype", HALF)
def test_what_is_not_finite(dtype, source):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 3e38, -3e38], source)
    if source is np.float64:
        x = np.append(x, [1e300, -1e300, 1e-300, -1e-300])
    found = converted(x, dtype)
    with np.errstate(over="ignore"):
        wanted = x.astype(np.float32).astype(dtype)
    assert np.isnan(found[2])
    both = np.isnan(wanted)
    assert np.array_equal(np.isnan(found), both)
    np.testing.assert_array_equal(
        found.view(np.int16)[~both], wanted.view(np.int16)[~both]
    )


@pytest.mark.parametrize("source", [np.int64, np.int32, np.uint32])
@pytest.mark.parametrize("dtype", HALF)
def test_integers(dtype, source):
    """Integers that f32 would round to a tie."""
    x = np.array([2**24 + 2**16 + 1, 2**25 + 2**17 + 1, 2**24 + 1, 7, 0], source)
    if dtype is np.float16:
        x = np.array([2049, 2051, 4097, 65519, 7, 0], source)
    check_nearest(x, dtype)


@pytest.mark.parametrize("target", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", HALF)
def test_half_is_exact_in_wider_types(dtype, target):
    bits = np.arange(-(2**15), 2**15).astype(np.int16)
    x = bits.view(dtype)
    found = converted(x, target)
    np.testing.assert_array_equal(found, x.astype(target))


def test_no_call_is_left_to_the_compiler_library():
    """LLVM computes in bf16 by a call for each number, where the machine cannot."""

    def step(p, s, x):
        with jax.enable_x64(True):
            rate = jnp.float64(0.1) ** s["n"].astype(jnp.float64)

        def loss(p):
            return jnp.square(jnp.tanh(jax.nn.relu(x @ p["w"]))).mean()

        w = p["w"] - rate.astype(jnp.bfloat16) * jax.grad(loss)(p)["w"]
        return {"w": w}, {"n": s["n"] + 1}

    with jax.enable_x64(True):
        p = {"w": np.ones((8, 8), ml_dtypes.bfloat16)}
        s, x = {"n": np.int32(1)}, np.ones((4, 8), ml_dtypes.bfloat16)
        made = sparsam.compile(step, (p, s, x), structure={"w": "nm<2:4>"})
        assert "bf16" in made.ir("to-cpu")
        assert "bf16" not in made.ir("lower-to-llvm")
