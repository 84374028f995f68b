"""Bias and activation in the kernels of products, against JAX on the dense weights."""

import re

import jax
import models
import numpy as np
import optax
import patterns
import pytest
from oracle import Case, check_case
from sparsam import _core
from test_products import (
    call,
    compile_function,
    nan,
    storage_types,
    stored_pattern,
    tensor,
)

# Neither is a multiple of the lanes of every vector.
SIZES = (32, 24, 40, 16)
STRUCTURES = [
    "nm<2:8, vector = 8>",
    "block<8x8, density = 0.5>",
    "vnm<8, 2:8>",
    "unstructured<density = 0.3>",
]


def layers(tokens: int) -> models.Model:
    """Linear layers with bias and GELU; the first has no gradient to its input."""

    def init(rng):
        return [
            {
                "w": rng.standard_normal((k, n)).astype(np.float32) / np.float32(k**0.5),
                "b": rng.standard_normal(n).astype(np.float32),
            }
            for k, n in zip(SIZES, SIZES[1:], strict=False)
        ]

    def loss(params, x, y):
        for layer in params:
            x = jax.nn.gelu(x @ layer["w"] + layer["b"])
        return ((x - y) ** 2).mean()

    def batch(rng):
        return tuple(
            rng.standard_normal((tokens, size)).astype(np.float32)
            for size in (SIZES[0], SIZES[-1])
        )

    weights = {f"{i}/w": (0,) for i in range(len(SIZES) - 1)}
    return models.Model("layers", init, batch, loss, weights)


def kernels(step) -> list[str]:
    """The kernels of products with a matrix, in the order of their calls."""
    return re.findall(r"call @(sparsam_spmm\w*)", step.ir("to-cpu"))


@pytest.mark.parametrize("tokens", [1, 7, 33, 100])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_bias_and_activation(structure, tokens):
    model = layers(tokens)
    case = Case(model, optax.sgd(0.1), dict.fromkeys(model.weights, structure))
    step = case.compile()
    # Three layers, and backward of GELU behind the two that have a gradient to their input.
    assert len(kernels(step)) == 5
    assert all("_epilogue" in kernel for kernel in kernels(step))
    check_case(case, step)


# Payloads on the product %y, a residual %r and a bias %b.
FLOATS = {
    **{
        name: f"%z = math.{name} %y : f32"
        for name in """absf acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp
        exp2 expm1 floor log log10 log1p log2 round roundeven rsqrt sin sinh sqrt tan tanh
        trunc""".split()
    },
    "atan2": "%z = math.atan2 %y, %r : f32",
    "copysign": "%z = math.copysign %b, %y : f32",
    "fma": "%z = math.fma %y, %r, %b : f32",
    "powf": "%p = math.absf %y : f32\n%z = math.powf %p, %b : f32",
    "remf": "%z = arith.remf %y, %b : f32",
    "residual": "%s = arith.addf %r, %y : f32\n%z = arith.addf %s, %b : f32",
    "swish": """%n = arith.negf %y : f32
      %e = math.exp %n : f32
      %one = arith.constant 1.0 : f32
      %d = arith.addf %e, %one : f32
      %z = arith.divf %y, %d : f32""",
    "relu": """%zero = arith.constant 0.0 : f32
      %c = arith.cmpf ogt, %y, %zero : f32
      %z = arith.select %c, %y, %zero : f32""",
    "half": """%h = arith.truncf %y : f32 to bf16
      %g = arith.mulf %h, %h : bf16
      %z = arith.extf %g : bf16 to f32""",
    "integers": """%i = arith.fptosi %r : f32 to i32
      %two = arith.constant 2 : i32
      %p = math.ipowi %i, %two : i32
      %f = arith.sitofp %p : i32 to f32
      %z = arith.addf %y, %f : f32""",
}


def product_and(name, payload, structure, sizes):
    """A product and element-wise work on it."""
    tokens, inputs, outputs = sizes
    x, y = tensor((tokens, inputs), "f32"), tensor((tokens, outputs), "f32")
    b = tensor((outputs,), "f32")
    v, (i,) = storage_types(structure, inputs, outputs, "f32")
    return f"""
    func.func @{name}(%x: {x}, %v: {v}, %indices: {i}, %residual: {y}, %bias: {b}) -> {y} {{
      %init = tensor.empty() : {y}
      %product = sparsam.spmm %x, %v, %indices into %init {{structure = #sparsam.{structure.text}}}
          : ({x}, {v}, {i}, {y}) -> {y}
      %result = linalg.generic {{
          indexing_maps = [affine_map<(t, f) -> (t, f)>, affine_map<(t, f) -> (t, f)>,
                           affine_map<(t, f) -> (f)>, affine_map<(t, f) -> (t, f)>],
          iterator_types = ["parallel", "parallel"]}}
          ins(%product, %residual, %bias : {y}, {y}, {b}) outs(%init : {y}) {{
      ^bb0(%y: f32, %r: f32, %b: f32, %out: f32):
      {payload}
      linalg.yield %z : f32
      }} -> {y}
      return %result : {y}
    }}"""


@pytest.mark.parametrize(
    "structure, sizes, vector_bits",
    [
        ("nm<2:4, vector = 8>", (19, 32, 40), 256),
        ("nm<2:4, vector = 8>", (19, 32, 40), 512),
        # With these vectors, outputs are in lanes.
        ("block<16x16, density = 0.5>", (19, 48, 32), 256),
        ("block<16x32, density = 0.5>", (45, 48, 64), 512),
    ],
)
def test_every_operation(structure, sizes, vector_bits):
    """The kernel computes what a pass behind it does, which other tests compare with NumPy."""
    structure = patterns.parse(structure)
    text = "\n".join(product_and(*item, structure, sizes) for item in FLOATS.items())
    fused = compile_function(text, vector_bits=vector_bits)
    behind = compile_function(text, vector_bits=vector_bits, fuse_epilogues="false")
    for fuse, count in (("true", len(FLOATS)), ("false", 0)):
        module = _core.Module.parse(text)
        module.run(f"sparsam-to-cpu{{fuse-epilogues={fuse}}}")
        assert len(re.findall(r"call @\w*_epilogue", module.text())) == count

    rng = np.random.default_rng(0)
    tokens, inputs, outputs = sizes
    given = [
        rng.standard_normal((tokens, inputs)).astype(np.float32),
        # Small ones, for functions that are defined below 1.
        0.05 * rng.standard_normal(structure.values_shape(inputs, outputs), np.float32),
        *stored_pattern(
            structure, structure.random(rng, inputs, outputs), inputs, outputs
        ),
        3 * rng.standard_normal((tokens, outputs), np.float32),
        rng.standard_normal(outputs).astype(np.float32),
    ]
    for name in FLOATS:
        results = [nan((tokens, outputs), np.float32) for _ in range(2)]
        for program, result in zip((fused, behind), results, strict=True):
            call(program, name, given, [result])
        if name not in ("acosh", "log", "log10", "log2", "rsqrt", "sqrt", "log1p"):
            assert np.isfinite(results[1]).all(), name
        np.testing.assert_allclose(*results, rtol=2e-6, atol=1e-6, err_msg=name)
