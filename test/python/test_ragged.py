"""Kernels whose work is cut for threads: where outputs keep very different numbers, where
tokens are few. Every number of threads gives the same bits."""

import numpy as np
import patterns
import pytest
from sparsam import _core
from test_products import (
    assert_close,
    call,
    compile_function,
    nan,
    products,
    stored_pattern,
)


@pytest.fixture(autouse=True)
def _restore_threads():
    threads = _core.num_threads()
    yield
    _core.set_num_threads(threads)


def power_law(inputs, outputs):
    return np.minimum(inputs, inputs / np.arange(1, outputs + 1) ** 0.8).astype(int)


# How many inputs each output keeps, of a matrix of inputs x outputs.
RAGGED = {
    "empty outputs": lambda i, o: np.where(np.arange(o) % 3 == 1, i // 2, 0),
    "one full output": lambda i, o: np.where(np.arange(o) == o // 3, i, 0),
    "the last output": lambda i, o: np.where(np.arange(o) == o - 1, i, 0),
    "a dense half": lambda i, o: np.where(np.arange(o) < o // 2, i // 3, 1),
    "a power law": power_law,
    "a power law that rises": lambda i, o: power_law(i, o)[::-1],
    "nothing": lambda i, o: np.zeros(o, int),
}


def ragged(rng, inputs, counts):
    """A structure that stores so many entries, and a pattern with these of each output."""
    chosen = [np.sort(rng.choice(inputs, count, replace=False)) for count in counts]
    pattern = {
        "positions": np.concatenate([[0], np.cumsum(counts)]),
        "indices": np.concatenate(chosen).astype(int),
    }
    density = counts.sum() / (inputs * len(counts))
    return patterns.Unstructured(density), pattern


def results_over_threads(structure, pattern, tokens, inputs, outputs, rng, **options):
    """The three products by each number of threads, and exactly."""
    x = rng.standard_normal((tokens, inputs)).astype(np.float32)
    dy = rng.standard_normal((tokens, outputs)).astype(np.float32)
    values = rng.standard_normal(structure.values_shape(inputs, outputs))
    values = values.astype(np.float32)
    stored = stored_pattern(structure, pattern, inputs, outputs)
    program = compile_function(
        products(structure, tokens, inputs, outputs, "f32"), **options
    )
    found = []
    for threads in (1, 2, 3, 7):
        _core.set_num_threads(threads)
        y, dx, dv = (nan(a.shape, np.float32) for a in (dy, x, values))
        call(program, "forward", [x, values, *stored], [y])
        call(program, "backward", [x, dy, values, *stored], [dx, dv])
        found.append((y, dx, dv))
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    dense = patterns.densify(
        structure, values.astype(np.float64), pattern, inputs, outputs
    )
    gradient = patterns.restrict(structure, x.T @ dy, pattern)
    return found, (x @ dense, dy @ dense.T, gradient)


def check(structure, pattern, tokens, inputs, outputs, rng, **options):
    found, exact = results_over_threads(
        structure, pattern, tokens, inputs, outputs, rng, **options
    )
    for one, reference in zip(found[0], exact, strict=True):
        assert_close(one, reference, "f32")
    for more in found[1:]:
        for one, another in zip(found[0], more, strict=True):
            np.testing.assert_array_equal(one.view(np.uint32), another.view(np.uint32))


@pytest.mark.parametrize("vector_bits", [256, 512])
@pytest.mark.parametrize("kind", RAGGED)
@pytest.mark.parametrize(
    ("tokens", "inputs", "outputs"),
    [
        pytest.param(3, 33, 5, id="one share"),
        pytest.param(16, 520, 211, id="few tokens"),
        pytest.param(77, 300, 1031, id="two panels"),
        pytest.param(500, 700, 258, id="many panels"),
    ],
)
def test_ragged_outputs(kind, tokens, inputs, outputs, vector_bits):
    rng = np.random.default_rng(tokens)
    counts = RAGGED[kind](inputs, outputs)
    structure, pattern = ragged(rng, inputs, counts)
    check(structure, pattern, tokens, inputs, outputs, rng, vector_bits=vector_bits)


@pytest.mark.parametrize("tokens", [1, 16, 40, 130])
@pytest.mark.parametrize(
    ("text", "inputs", "outputs"),
    [
        ("nm<2:8, vector = 8>", 520, 344),
        ("nm<2:4>", 260, 213),
        ("nm<3:7, vector = 3>", 357, 99),
        ("block<16x16, density = 0.25>", 528, 176),
        ("block<3x5, density = 0.5>", 360, 85),
        ("vnm<4, 2:8>", 264, 124),
    ],
)
def test_few_tokens(text, inputs, outputs, tokens):
    rng = np.random.default_rng(tokens)
    structure = patterns.parse(text)
    pattern = structure.random(rng, inputs, outputs)
    check(structure, pattern, tokens, inputs, outputs, rng)
