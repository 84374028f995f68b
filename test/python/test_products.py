"""Structured products and conversions, compiled for the CPU, against NumPy in f64."""

import numpy as np
import pytest
from sparsam import _core

DTYPES = {"f32": np.float32, "f64": np.float64}
# Largest error against f64, relative to the largest entry of the reference.
TOLERANCE = {"f32": 2e-5, "f64": 1e-13}


def structure(n, m, vector):
    return f"#sparsam.nm<{n}:{m}, vector = {vector}>"


def index_dtype(inputs):
    return ("i32", np.uint32) if inputs > 65536 else ("i16", np.uint16)


def compile_function(text, vector_bits=0):
    module = _core.Module.parse(text)
    module.run(f"sparsam-to-cpu{{vector-bits={vector_bits}}}")
    return module.compile()


def call(program, name, inputs, results):
    """Calls a function whose results are all out-parameters; they start as NaN."""
    (function,) = [f for f in program.functions() if f["name"] == name]
    given, free = iter(inputs), iter(results)
    program.call(
        name,
        [next(given if a["role"] == "input" else free) for a in function["arguments"]],
    )


def nan(shape, dtype):
    return np.full(shape, np.nan, dtype)


def random_pattern(rng, n, m, inputs, blocks):
    groups = np.arange(0, inputs, m)
    return np.array(
        [
            np.concatenate([g + np.sort(rng.permutation(m)[:n]) for g in groups])
            for _ in range(blocks)
        ]
    )


def densify(values, indices, inputs):
    blocks, _, vector = values.shape
    dense = np.zeros((inputs, blocks * vector), np.float64)
    for block in range(blocks):
        dense[indices[block], block * vector : (block + 1) * vector] = values[block]
    return dense


def restrict(dense, indices, vector):
    return np.stack(
        [dense[kept, b * vector : (b + 1) * vector] for b, kept in enumerate(indices)]
    )


def assert_close(result, reference, element):
    error = np.abs(result - reference).max() / max(np.abs(reference).max(), 1e-30)
    assert error < TOLERANCE[element], error


def products(n, m, vector, tokens, inputs, outputs, element):
    """The three products of a linear layer, as functions of their own."""
    blocks, kept = outputs // vector, inputs // m * n
    x, y = f"tensor<{tokens}x{inputs}x{element}>", f"tensor<{tokens}x{outputs}x{element}>"
    v = f"tensor<{blocks}x{kept}x{vector}x{element}>"
    i = f"tensor<{blocks}x{kept}x{index_dtype(inputs)[0]}>"
    s = structure(n, m, vector)
    return f"""
    func.func @forward(%x: {x}, %v: {v}, %i: {i}) -> {y} {{
      %init = tensor.empty() : {y}
      %y = sparsam.spmm %x, %v, %i into %init {{structure = {s}}} : ({x}, {v}, {i}, {y}) -> {y}
      return %y : {y}
    }}
    func.func @backward(%x: {x}, %dy: {y}, %v: {v}, %i: {i}) -> ({x}, {v}) {{
      %x_init = tensor.empty() : {x}
      %dx = sparsam.spmm %dy, %v, %i into %x_init {{structure = {s}, transposed}}
          : ({y}, {v}, {i}, {x}) -> {x}
      %v_init = tensor.empty() : {v}
      %dv = sparsam.sddmm %x, %dy on %i into %v_init {{structure = {s}}}
          : ({x}, {y}, {i}, {v}) -> {v}
      return %dx, %dv : {x}, {v}
    }}"""


def check_products(n, m, vector, tokens, inputs, outputs, element, seed=0, vector_bits=0):
    rng = np.random.default_rng(seed)
    dtype = DTYPES[element]
    x = rng.standard_normal((tokens, inputs)).astype(dtype)
    dy = rng.standard_normal((tokens, outputs)).astype(dtype)
    indices = random_pattern(rng, n, m, inputs, outputs // vector)
    values = rng.standard_normal((*indices.shape, vector)).astype(dtype)
    stored = indices.astype(index_dtype(inputs)[1])
    program = compile_function(
        products(n, m, vector, tokens, inputs, outputs, element), vector_bits
    )

    y, dx, dv = nan(dy.shape, dtype), nan(x.shape, dtype), nan(values.shape, dtype)
    call(program, "forward", [x, values, stored], [y])
    call(program, "backward", [x, dy, values, stored], [dx, dv])
    dense = densify(values, indices, inputs)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, x @ dense, element)
    assert_close(dx, dy @ dense.T, element)
    assert_close(dv, restrict(x.T @ dy, indices, vector), element)


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize("vector", [1, 2, 4, 8, 16])
def test_products_at_odd_sizes(vector, element):
    rng = np.random.default_rng(vector)
    for n, m in (
        [(1, 2), (1, 4), (2, 4), (2, 8), (4, 8)] if element == "f32" else [(2, 4)]
    ):
        tokens, groups, blocks = rng.integers(1, [140, 20, 12])
        check_products(n, m, vector, tokens, m * groups, vector * blocks, element, seed=m)


@pytest.mark.parametrize(
    ("n", "m", "vector", "tokens", "inputs", "outputs"),
    [
        pytest.param(1, 1, 1, 1, 1, 1, id="one entry"),
        pytest.param(4, 4, 3, 5, 8, 6, id="all kept, odd vector"),
        pytest.param(2, 4, 12, 33, 24, 36, id="a vector of two parts"),
        pytest.param(2, 8, 8, 64, 512, 96, id="whole panels"),
        pytest.param(
            2, 8, 8, 600, 1536, 24, id="several chunks of tokens and ranges of inputs"
        ),
        pytest.param(1, 4, 4, 65, 10000, 12, id="inputs beyond the cache"),
        pytest.param(1, 4, 1, 65, 2048, 70, id="load-bound ranges"),
        pytest.param(1, 8, 2, 3, 65544, 4, id="indices of 32 bits"),
        pytest.param(1, 8, 2, 3, 65536, 4, id="the last index of 16 bits"),
    ],
)
def test_products_at_the_edges(n, m, vector, tokens, inputs, outputs):
    check_products(n, m, vector, tokens, inputs, outputs, "f32")


@pytest.mark.parametrize("vector_bits", [128, 256, 512])
@pytest.mark.parametrize("vector", [1, 2, 4, 8, 12])
def test_products_for_each_vector_width(vector, vector_bits):
    """Kernels of any width run on any machine; LLVM splits vectors that are too wide."""
    check_products(2, 8, vector, 77, 88, 5 * vector, "f32", vector, vector_bits)
    check_products(1, 4, vector, 600, 520, 2 * vector, "f64", vector, vector_bits)


def conversions(n, m, vector, inputs, outputs, element):
    blocks, kept = outputs // vector, inputs // m * n
    w = f"tensor<{inputs}x{outputs}x{element}>"
    v = f"tensor<{blocks}x{kept}x{vector}x{element}>"
    i = f"tensor<{blocks}x{kept}xi16>"
    s = structure(n, m, vector)
    return f"""
    func.func @compress(%w: {w}) -> ({v}, {i}) {{
      %i = sparsam.select %w {{structure = {s}}} : ({w}) -> {i}
      %v = sparsam.restrict %w on %i {{structure = {s}}} : ({w}, {i}) -> {v}
      return %v, %i : {v}, {i}
    }}
    func.func @densify(%v: {v}, %i: {i}) -> {w} {{
      %w = sparsam.densify %v, %i {{structure = {s}}} : ({v}, {i}) -> {w}
      return %w : {w}
    }}"""


def selected(w, n, m, vector):
    """The kept inputs of each block: the N largest sums of |w|, ties to the lower index."""
    inputs, outputs = w.shape
    scores = np.abs(w).reshape(inputs, outputs // vector, vector).sum(-1).T
    pattern = []
    for row in scores:
        groups = row.reshape(-1, m)
        kept = np.sort(np.argsort(-groups, axis=1, kind="stable")[:, :n], axis=1)
        pattern.append((kept + np.arange(0, inputs, m)[:, None]).ravel())
    return np.array(pattern)


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(
    ("n", "m", "vector"), [(2, 4, 1), (1, 3, 2), (2, 8, 8), (4, 4, 1)]
)
def test_compress_and_densify(n, m, vector, element):
    rng = np.random.default_rng(n)
    inputs, outputs = 6 * m, 5 * vector
    # Small integers: sums are exact, and ties are many.
    w = rng.integers(-3, 4, (inputs, outputs)).astype(DTYPES[element])
    program = compile_function(conversions(n, m, vector, inputs, outputs, element))
    indices = selected(w, n, m, vector)
    values, stored = (
        nan((*indices.shape, vector), w.dtype),
        np.zeros(indices.shape, np.uint16),
    )
    call(program, "compress", [w], [values, stored])
    np.testing.assert_array_equal(stored, indices)
    np.testing.assert_array_equal(values, restrict(w, indices, vector))
    dense = nan(w.shape, w.dtype)
    call(program, "densify", [values, stored], [dense])
    np.testing.assert_array_equal(dense, densify(values, indices, inputs))


def factorization(inputs, outputs, rank, element):
    w, u, v = (
        f"tensor<{r}x{c}x{element}>"
        for r, c in ((inputs, outputs), (inputs, rank), (rank, outputs))
    )
    return f"""
    func.func @factorize(%w: {w}) -> ({u}, {v}) {{
      %u, %v = sparsam.factorize %w {{structure = #sparsam.low_rank<{rank}>}} : ({w}) -> ({u}, {v})
      return %u, %v : {u}, {v}
    }}"""


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(
    ("inputs", "outputs", "rank"), [(20, 9, 3), (9, 20, 9), (1, 1, 1)]
)
def test_factorize_is_the_balanced_truncated_svd(inputs, outputs, rank, element):
    dtype = DTYPES[element]
    w = np.random.default_rng(rank).standard_normal((inputs, outputs)).astype(dtype)
    program = compile_function(factorization(inputs, outputs, rank, element))
    u, v = nan((inputs, rank), dtype), nan((rank, outputs), dtype)
    call(program, "factorize", [w], [u, v])
    a, s, b = np.linalg.svd(w.astype(np.float64), full_matrices=False)
    assert_close(u @ v, (a[:, :rank] * s[:rank]) @ b[:rank], element)
    assert_close(u.T @ u, np.diag(s[:rank]), element)
    assert_close(v @ v.T, np.diag(s[:rank]), element)
    # The sign: the entry of u of largest magnitude is positive.
    assert (u[np.abs(u).argmax(0), np.arange(rank)] > 0).all()


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_factorize_refuses_entries_that_are_not_finite(entry):
    w = np.ones((4, 4), np.float32)
    w[2, 1] = entry
    program = compile_function(factorization(4, 4, 2, "f32"))
    with pytest.raises(RuntimeError, match=r"finite entries, found .* at \[2, 1\]"):
        call(program, "factorize", [w], [nan((4, 2), w.dtype), nan((2, 4), w.dtype)])
