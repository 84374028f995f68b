"""Structured products and conversions, compiled for the CPU, against NumPy in f64."""

import jax
import jax.numpy as jnp
import numpy as np
import patterns
import pytest
import scipy.optimize
import sparsam
from sparsam import _core

DTYPES = {"f32": np.float32, "f64": np.float64}
# Largest error against f64, relative to the largest entry of the reference.
TOLERANCE = {"f32": 2e-5, "f64": 1e-13}


def compile_function(text, **options):
    """Compiled by sparsam-to-cpu with these options."""
    module = _core.Module.parse(text)
    listed = " ".join(f"{k.replace('_', '-')}={v}" for k, v in options.items())
    module.run(f"sparsam-to-cpu{{{listed}}}")
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


def assert_close(result, reference, element):
    largest = np.abs(reference).max(initial=1e-30)
    error = np.abs(result - reference).max(initial=0) / largest
    assert error < TOLERANCE[element], error


def tensor(shape, element):
    return f"tensor<{''.join(f'{size}x' for size in shape)}{element}>"


def storage_types(structure, inputs, outputs, element):
    """The types of the values and of the index tensors."""
    stored = structure.index_tensors(inputs, outputs).values()
    return tensor(structure.values_shape(inputs, outputs), element), [
        tensor(shape, {np.uint16: "i16", np.uint32: "i32"}[dtype])
        for shape, dtype in stored
    ]


def stored_pattern(structure, pattern, inputs, outputs):
    """The index tensors in storage order, as they are stored."""
    return [
        np.ascontiguousarray(pattern[name].reshape(shape).astype(dtype))
        for name, (shape, dtype) in structure.index_tensors(inputs, outputs).items()
    ]


def products(structure, tokens, inputs, outputs, element, attributes=("", "", "")):
    """The three products of a linear layer, as functions of their own; further attributes
    are those of the forward product, the transposed one and the gradient."""
    x, y = tensor((tokens, inputs), element), tensor((tokens, outputs), element)
    v, indices = storage_types(structure, inputs, outputs, element)
    names = [f"%i{number}" for number in range(len(indices))]
    p, i = ", ".join(names), ", ".join(indices)
    parameters = ", ".join(f"{a}: {b}" for a, b in zip(names, indices, strict=True))
    s = f"#sparsam.{structure.text}"
    forward, transposed, gradient = attributes
    return f"""
    func.func @forward(%x: {x}, %v: {v}, {parameters}) -> {y} {{
      %init = tensor.empty() : {y}
      %y = sparsam.spmm %x, %v, {p} into %init {{structure = {s}{forward}}}
          : ({x}, {v}, {i}, {y}) -> {y}
      return %y : {y}
    }}
    func.func @backward(%x: {x}, %dy: {y}, %v: {v}, {parameters}) -> ({x}, {v}) {{
      %x_init = tensor.empty() : {x}
      %dx = sparsam.spmm %dy, %v, {p} into %x_init {{structure = {s}, transposed{transposed}}}
          : ({y}, {v}, {i}, {x}) -> {x}
      %v_init = tensor.empty() : {v}
      %dv = sparsam.sddmm %x, %dy on {p} into %v_init {{structure = {s}{gradient}}}
          : ({x}, {y}, {i}, {v}) -> {v}
      return %dx, %dv : {x}, {v}
    }}"""


def check_products(
    text,
    tokens,
    inputs,
    outputs,
    element="f32",
    seed=0,
    attributes=("", "", ""),
    **options,
):
    structure = patterns.parse(text)
    rng = np.random.default_rng(seed)
    dtype = DTYPES[element]
    x = rng.standard_normal((tokens, inputs)).astype(dtype)
    dy = rng.standard_normal((tokens, outputs)).astype(dtype)
    pattern = structure.random(rng, inputs, outputs)
    values = rng.standard_normal(structure.values_shape(inputs, outputs)).astype(dtype)
    stored = stored_pattern(structure, pattern, inputs, outputs)
    program = compile_function(
        products(structure, tokens, inputs, outputs, element, attributes), **options
    )

    y, dx, dv = nan(dy.shape, dtype), nan(x.shape, dtype), nan(values.shape, dtype)
    call(program, "forward", [x, values, *stored], [y])
    call(program, "backward", [x, dy, values, *stored], [dx, dv])
    dense = patterns.densify(
        structure, values.astype(np.float64), pattern, inputs, outputs
    )
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, x @ dense, element)
    assert_close(dx, dy @ dense.T, element)
    assert_close(dv, patterns.restrict(structure, x.T @ dy, pattern), element)


def check_random_shapes(text, unit_in, unit_out, seeds, element="f32", **options):
    """The smallest shape that there is, and random multiples of the units, odd and even."""
    shapes = [(1, 1, 1)] + [
        np.random.default_rng(seed).integers(1, [140, 20, 12]) for seed in range(seeds)
    ]
    for seed, (tokens, rows, columns) in enumerate(shapes):
        sizes = tokens, rows * unit_in, columns * unit_out
        check_products(text, *sizes, element, seed, **options)


# Structure and the inputs and outputs that its shapes are multiples of: every pattern
# structure, nothing, some and all of it stored.
PATTERNS = [
    *(
        (f"nm<{n}:{m}>", m, 1)
        for n, m in [(1, 1), (1, 2), (1, 4), (2, 4), (3, 7), (4, 8)]
    ),
    *((f"nm<2:4, vector = {v}>", 4, v) for v in (2, 3, 4, 8, 16)),
    ("nm<1:1, vector = 2>", 1, 2),
    ("nm<1:300>", 300, 1),
    ("nm<2:8, vector = 4>", 8, 4),
    ("nm<4:4>", 4, 1),
    ("nm<4:4, vector = 3>", 4, 3),
    ("nm<1:4, transposable>", 4, 4),
    ("nm<2:4, transposable>", 4, 4),
    ("nm<4:4, transposable>", 4, 4),
    ("block<16x16, density = 0.25>", 16, 16),
    ("block<3x5, density = 0.6>", 3, 5),
    ("block<8x1, density = 0.3>", 8, 1),
    ("block<1x8, density = 0.3>", 1, 8),
    ("block<1x1, density = 0.3>", 1, 1),
    *((f"block<1x1, density = {d}>", 1, 1) for d in (0.0, 1.0)),
    *((f"block<2x4, density = {d}>", 2, 4) for d in (0.0, 1.0)),
    *((f"block<4x1, density = {d}>", 4, 1) for d in (0.0, 1.0)),
    *((f"block<1x3, density = {d}>", 1, 3) for d in (0.0, 1.0)),
    ("unstructured<density = 0.1>", 1, 1),
    ("unstructured<density = 0.5>", 7, 5),
    *((f"unstructured<density = {d}>", 1, 1) for d in (0.0, 1.0)),
    ("vnm<4, 2:8>", 8, 4),
    ("vnm<16, 1:5>", 5, 16),
    ("vnm<1, 2:4>", 4, 1),
    ("vnm<3, 4:4>", 4, 3),
]


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(("text", "unit_in", "unit_out"), PATTERNS)
def test_patterns_at_random_shapes(text, unit_in, unit_out, element):
    check_random_shapes(text, unit_in, unit_out, 2, element)


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(("text", "unit_in", "unit_out"), PATTERNS)
def test_patterns_by_upstream_sparsification(text, unit_in, unit_out, element):
    check_random_shapes(text, unit_in, unit_out, 2, element, products="sparse-tensor")


@pytest.mark.parametrize(
    ("text", "tokens", "inputs", "outputs"),
    [
        pytest.param("nm<1:1>", 1, 1, 1, id="one entry"),
        pytest.param("nm<4:4, vector = 3>", 5, 8, 6, id="all kept, odd vector"),
        pytest.param("nm<2:4, vector = 12>", 33, 24, 36, id="a vector of two parts"),
        pytest.param("nm<2:8, vector = 8>", 64, 512, 96, id="whole panels"),
        pytest.param(
            "nm<2:8, vector = 8>",
            600,
            1536,
            24,
            id="several chunks of tokens and ranges of inputs",
        ),
        pytest.param("nm<1:4, vector = 4>", 65, 10000, 12, id="inputs beyond the cache"),
        pytest.param("nm<1:4>", 65, 2048, 70, id="load-bound ranges"),
        pytest.param("nm<1:8, vector = 2>", 3, 65544, 4, id="indices of 32 bits"),
        pytest.param("nm<1:8, vector = 2>", 3, 65536, 4, id="the last index of 16 bits"),
        pytest.param("block<1x1, density = 1.0>", 1, 1, 1, id="one block of one entry"),
        pytest.param("block<8x12, density = 0.5>", 33, 24, 36, id="a block of two parts"),
        pytest.param(
            "block<2x40, density = 0.5>", 33, 24, 80, id="a block of many parts"
        ),
        pytest.param("block<3x19, density = 0.5>", 33, 24, 38, id="parts of two sizes"),
        pytest.param(
            "block<16x16, density = 0.25>",
            600,
            10000,
            48,
            id="blocks over several ranges of inputs",
        ),
        pytest.param("block<2x2, density = 0.1>", 65, 10000, 6, id="load-bound blocks"),
        pytest.param("block<1x4, density = 0.01>", 3, 65544, 4, id="blocks of 32 bits"),
        pytest.param("unstructured<density = 1.0>", 1, 1, 1, id="one entry of one"),
        pytest.param("unstructured<density = 0.1>", 1, 1, 1, id="no entry of one"),
        pytest.param(
            "unstructured<density = 0.02>",
            300,
            10000,
            70,
            id="entries over several ranges of inputs",
        ),
        pytest.param(
            "unstructured<density = 0.5>", 130, 2304, 200, id="entries sorted in pieces"
        ),
        pytest.param(
            "unstructured<density = 0.0002>", 33, 20000, 9, id="hardly any entries"
        ),
        pytest.param(
            "unstructured<density = 0.01>", 3, 65544, 4, id="entries of 32 bits"
        ),
        pytest.param(
            "vnm<8, 2:8>", 600, 8192, 16, id="columns over several ranges of inputs"
        ),
        pytest.param("vnm<2, 1:8>", 3, 65544, 4, id="columns of 32 bits"),
    ],
)
def test_products_at_the_edges(text, tokens, inputs, outputs):
    check_products(text, tokens, inputs, outputs)


# A kernel has its results on a thread's stack, on which they fit in pieces alone.
LARGE = [
    pytest.param("nm<2:4, vector = 65536>", 5, 8, 65536, id="outputs"),
    pytest.param("nm<2:4, vector = 20000>", 40, 64, 40000, id="pieces of other sizes"),
    pytest.param("nm<1:2, vector = 65537>", 3, 4, 65537, id="pieces of one output"),
    pytest.param("block<2x24576, density = 0.5>", 40, 8, 49152, id="outputs of blocks"),
    pytest.param("block<65536x8, density = 0.5>", 5, 131072, 8, id="inputs of blocks"),
    pytest.param("block<65537x4, density = 0.5>", 3, 131074, 8, id="a prime number"),
    pytest.param("block<65536x8, density = 1.0>", 5, 65536, 8, id="all inputs"),
    pytest.param("nm<2:20000, vector = 8>", 70, 40000, 16, id="inputs of a group"),
    pytest.param("nm<1:65536>", 3, 65536, 8, id="inputs of single outputs"),
    pytest.param("vnm<8, 2:20000>", 3, 40000, 24, id="inputs of columns"),
]


@pytest.mark.parametrize("vector_bits", [256, 512])
@pytest.mark.parametrize("text, tokens, inputs, outputs", LARGE)
def test_large_blocks(text, tokens, inputs, outputs, vector_bits):
    check_products(text, tokens, inputs, outputs, vector_bits=vector_bits)


def test_large_blocks_in_tall_panels():
    tiles = [", sparsam.tiles = {token_vectors = 16, part = 3}"] * 3
    for text, inputs, outputs in (
        ("nm<2:4, vector = 8192>", 8, 8192),
        ("block<8192x4, density = 0.5>", 16384, 4),
    ):
        check_products(text, 300, inputs, outputs, attributes=tiles, vector_bits=512)


@pytest.mark.parametrize(
    "text", ["nm<2:4, vector = 65536>", "block<4x65536, density = 1.0>"]
)
def test_a_step_of_large_blocks(text):
    """Where all is kept or what is not is zero, a step is that of the dense weight."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((8, 65536)).astype(np.float32)
    w[[2, 3, 6, 7]] = 0
    x = rng.standard_normal((5, 8)).astype(np.float32)

    def step(w, state, x):
        loss, gradient = jax.value_and_grad(lambda w: jnp.mean((x @ w) ** 2))(w)
        return w - 0.1 * gradient, state, loss

    given = w if text.startswith("nm") else w[:4]
    x = x[:, : len(given)]
    compiled = sparsam.compile(step, (given, np.float32(0), x), structure={"*": text})
    p, s = compiled.compress(given, np.float32(0))
    p, s, loss = compiled(p, s, x)
    expected, _, expected_loss = step(given, np.float32(0), x)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    kept = given != 0 if text.startswith("nm") else np.full(given.shape, True)
    np.testing.assert_allclose(
        compiled.densify(p), np.where(kept, expected, 0), rtol=1e-5, atol=1e-5
    )


def test_like_patterns_of_other_inputs():
    """The types of their storage are the same."""
    tokens, outputs = 128, 10
    structure = patterns.parse("unstructured<density = 0.01>")
    rng = np.random.default_rng(0)
    dy = rng.standard_normal((tokens, outputs)).astype(np.float32)
    sizes = (97, 101)
    texts = []
    for inputs in sizes:
        text = products(structure, tokens, inputs, outputs, "f32")
        texts.append(text.split("func.func")[2].replace("@backward", f"@dx{inputs}"))
    program = compile_function("func.func" + "func.func".join(texts))
    for inputs in sizes:
        pattern = structure.random(rng, inputs, outputs)
        shape = structure.values_shape(inputs, outputs)
        values = rng.standard_normal(shape).astype(np.float32)
        stored = stored_pattern(structure, pattern, inputs, outputs)
        x = rng.standard_normal((tokens, inputs)).astype(np.float32)
        dx, dv = nan(x.shape, np.float32), nan(shape, np.float32)
        call(program, f"dx{inputs}", [x, dy, values, *stored], [dx, dv])
        dense = patterns.densify(structure, values, pattern, inputs, outputs)
        assert_close(dx, dy @ dense.T, "f32")


@pytest.mark.parametrize("vector_bits", [128, 256, 512])
@pytest.mark.parametrize("vector", [1, 2, 4, 8, 12])
def test_nm_for_each_vector_width(vector, vector_bits):
    """Kernels of any width run on any machine; LLVM splits vectors that are too wide."""
    for n, m, tokens, inputs, blocks, element in (
        (2, 8, 77, 88, 5, "f32"),
        (1, 4, 600, 520, 2, "f64"),
    ):
        text = patterns.NM(n, m, vector).text
        check_products(
            text,
            tokens,
            inputs,
            blocks * vector,
            element,
            seed=vector,
            vector_bits=vector_bits,
        )


@pytest.mark.parametrize("vector_bits", [128, 256, 512])
@pytest.mark.parametrize(
    "text",
    [
        "block<4x4, density = 0.4>",
        "block<16x16, density = 0.25>",
        "unstructured<density = 0.2>",
        "vnm<16, 2:8>",
    ],
)
def test_patterns_for_each_vector_width(text, vector_bits):
    check_products(text, 77, 112, 48, "f32", seed=1, vector_bits=vector_bits)
    check_products(text, 300, 528, 32, "f64", seed=2, vector_bits=vector_bits)


@pytest.mark.parametrize("vector_bits", [128, 256, 512])
@pytest.mark.parametrize(
    ("text", "tokens", "inputs", "outputs"),
    [
        pytest.param("nm<2:4, vector = 8>", 72, 520, 24, id="three vectors of tokens"),
        pytest.param("nm<2:4, vector = 16>", 100, 64, 48, id="outputs in lanes"),
        pytest.param("nm<2:4, vector = 16>", 3, 64, 16, id="fewer rows than a tile"),
        pytest.param("block<8x32, density = 0.5>", 97, 96, 64, id="lanes of blocks"),
        pytest.param("block<8x64, density = 0.3>", 47, 200, 192, id="half a panel"),
        pytest.param("block<4x32, density = 0.4>", 5, 40, 96, id="less than a tile"),
        pytest.param("block<32x32, density = 0.3>", 300, 512, 64, id="groups of panels"),
        pytest.param("nm<2:16, vector = 8>", 300, 2064, 24, id="rows fetched ahead"),
        pytest.param("nm<1:64, vector = 8>", 70, 1024, 16, id="fetched beyond the end"),
        pytest.param("block<8x8, density = 0.1>", 300, 2000, 40, id="runs of inputs"),
        pytest.param("block<12x4, density = 0.3>", 77, 600, 20, id="runs of four"),
    ],
)
def test_tiles_of_each_vector_width(text, tokens, inputs, outputs, vector_bits):
    check_products(text, tokens, inputs, outputs, seed=3, vector_bits=vector_bits)


def conversions(structure, inputs, outputs, element):
    w = tensor((inputs, outputs), element)
    v, indices = storage_types(structure, inputs, outputs, element)
    names = [f"%i{number}" for number in range(len(indices))]
    p, i = ", ".join(names), ", ".join(indices)
    parameters = ", ".join(f"{a}: {b}" for a, b in zip(names, indices, strict=True))
    s = f"#sparsam.{structure.text}"
    return f"""
    func.func @compress(%w: {w}) -> ({v}, {i}) {{
      {p} = sparsam.select %w {{structure = {s}}} : ({w}) -> ({i})
      %v = sparsam.restrict %w on {p} {{structure = {s}}} : ({w}, {i}) -> {v}
      return %v, {p} : {v}, {i}
    }}
    func.func @densify(%v: {v}, {parameters}) -> {w} {{
      %w = sparsam.densify %v, {p} {{structure = {s}}} : ({v}, {i}) -> {w}
      return %w : {w}
    }}"""


def compress(structure, w, element):
    """(program, values, the index tensors by name) of a dense matrix."""
    program = compile_function(conversions(structure, *w.shape, element))
    values = nan(structure.values_shape(*w.shape), w.dtype)
    tensors = structure.index_tensors(*w.shape)
    stored = {name: np.zeros(*each) for name, each in tensors.items()}
    call(program, "compress", [w], [values, *stored.values()])
    return program, values, stored


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(
    ("text", "inputs", "outputs"),
    [
        ("nm<2:4>", 24, 5),
        ("nm<1:3, vector = 2>", 18, 10),
        ("nm<2:8, vector = 8>", 48, 40),
        ("nm<4:4>", 24, 5),
        ("block<2x3, density = 0.25>", 26, 15),
        ("block<1x1, density = 0.5>", 7, 5),
        ("block<4x4, density = 0.0>", 8, 12),
        ("block<4x4, density = 1.0>", 8, 12),
        ("unstructured<density = 0.3>", 17, 9),
        ("unstructured<density = 0.0>", 5, 4),
        ("unstructured<density = 1.0>", 5, 4),
        ("vnm<4, 2:8>", 24, 12),
        ("vnm<1, 1:5>", 15, 3),
    ],
)
def test_compress_and_densify(text, inputs, outputs, element):
    rng = np.random.default_rng(inputs)
    structure = patterns.parse(text)
    # Small integers: sums are exact, and ties are many.
    w = rng.integers(-3, 4, (inputs, outputs)).astype(DTYPES[element])
    program, values, stored = compress(structure, w, element)
    _core.check_pattern(
        text, w.shape, [indices.astype(np.int64).ravel() for indices in stored.values()]
    )
    expected = structure.select(w)
    for name, found in stored.items():
        np.testing.assert_array_equal(found, expected[name].reshape(found.shape), name)
    np.testing.assert_array_equal(values, patterns.restrict(structure, w, stored))
    dense = nan(w.shape, w.dtype)
    call(program, "densify", [values, *stored.values()], [dense])
    np.testing.assert_array_equal(
        dense, patterns.densify(structure, values, stored, inputs, outputs)
    )


def largest_transposable(block, n):
    """What a pattern keeps at most, by the relaxation, whose vertices are patterns."""
    m = len(block)
    sums = np.concatenate(
        [np.kron(np.eye(m), np.ones(m)), np.kron(np.ones(m), np.eye(m))]
    )
    found = scipy.optimize.linprog(
        -block.ravel(), A_eq=sums, b_eq=np.full(2 * m, n), bounds=(0, 1)
    )
    return -found.fun


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize(
    ("n", "m"), [(1, 1), (1, 3), (1, 4), (2, 4), (3, 4), (2, 8), (4, 8), (8, 16)]
)
def test_transposable_selection_keeps_the_most(n, m, ties):
    rng = np.random.default_rng(m)
    inputs, outputs = 3 * m, 2 * m
    w = rng.standard_normal((inputs, outputs))
    if ties:
        w = rng.integers(-2, 3, w.shape).astype(np.float64)
    structure = patterns.NM(n, m, transposable=True)
    _, values, stored = compress(structure, w, "f64")
    _core.check_pattern(
        structure.text, w.shape, [stored["indices"].astype(np.int64).ravel()]
    )
    mask = patterns.densify(structure, np.ones_like(values), stored, inputs, outputs)
    blocks = mask.reshape(3, m, 2, m)
    assert (blocks.sum(1) == n).all() and (blocks.sum(3) == n).all()
    most = sum(
        largest_transposable(np.abs(w[r : r + m, c : c + m]), n)
        for r in range(0, inputs, m)
        for c in range(0, outputs, m)
    )
    np.testing.assert_allclose(np.abs(w * mask).sum(), most, rtol=1e-9)


def test_transposable_selection_of_what_is_not_finite():
    """A NaN counts as nothing and an infinity as the most there is."""
    w = np.ones((4, 4), np.float32)
    w[0, 0], w[1, 1] = np.nan, np.inf
    structure = patterns.NM(2, 4, transposable=True)
    _, values, stored = compress(structure, w, "f32")
    mask = patterns.densify(structure, np.ones_like(values), stored, 4, 4)
    assert (mask.sum(0) == 2).all() and (mask.sum(1) == 2).all()
    assert mask[1, 1] == 1 and mask[0, 0] == 0


@pytest.mark.parametrize(
    "text", ["block<1x1, density = 0.5>", "unstructured<density = 0.5>"]
)
def test_what_is_not_a_number_is_selected_last(text):
    w = np.array([[np.nan], [3], [1], [np.nan], [2], [0]], np.float32)
    structure = patterns.parse(text)
    _, values, stored = compress(structure, w, "f32")
    np.testing.assert_array_equal(stored["indices"].ravel(), [1, 2, 4])
    np.testing.assert_array_equal(values.ravel(), [3, 1, 2])


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
