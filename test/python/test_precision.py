"""Element types other than f32 and f64 alone: half precision, mixtures and integers, from one
product to a training step in mixed precision."""

import dataclasses

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
import reference
import sparsam
from models import MODELS, Model
from oracle import Case, expected, patterned, run
from patterns import Pattern
from test_lowering import product
from test_lowering import run as run_text

DTYPES = {
    "bf16": ml_dtypes.bfloat16,
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
    "i8": np.int8,
    "i32": np.int32,
}
# Half the distance of two neighbours, relative to a power of two: what rounding may cost.
ROUNDING = {"bf16": 2.0**-8, "f16": 2.0**-11, "f32": 2.0**-24, "f64": 2.0**-53}

TERMS = [
    ("mk,kn->mn", dict(m=33, k=300, n=17)),
    ("km,nk->mn", dict(m=33, k=300, n=17)),
    ("mk,nk->nm", dict(m=33, k=300, n=17)),
    ("bmk,bkn->bmn", dict(b=5, m=13, k=40, n=9)),
    ("bihd,bjhd->bhij", dict(b=3, h=4, i=7, j=9, d=16)),
    ("kmb,bnk->mbn", dict(b=5, m=13, k=40, n=9)),
    ("kml,lkn->mn", dict(k=6, m=30, l=10, n=40)),
    ("mk,k->m", dict(m=70, k=300)),
    ("k,k->", dict(k=3000)),
    ("abck,abcn->abckn", dict(a=2, b=3, c=4, k=5, n=6)),
]


def handed_over(array):
    return array.view(np.uint16) if array.dtype == ml_dtypes.bfloat16 else array


@pytest.mark.parametrize(
    "element, result",
    [("bf16", "bf16"), ("f16", "f16"), ("bf16", "f32"), ("f16", "f32"), ("f32", "f64")],
)
@pytest.mark.parametrize("terms, sizes", TERMS)
def test_a_product_is_rounded_once(terms, sizes, element, result):
    rng = np.random.default_rng(5)
    inputs, output = terms.split("->")
    a, b = (
        rng.standard_normal([sizes[c] for c in term]).astype(DTYPES[element])
        for term in inputs.split(",")
    )
    c = np.full([sizes[x] for x in output], np.nan, DTYPES[result])
    run_text(
        product(terms, sizes, element, result),
        [handed_over(a), handed_over(b)],
        [handed_over(c)],
    )
    a, b, c = (array.astype(np.float64) for array in (a, b, c))
    exact, sizes_of_terms = np.einsum(terms, a, b), np.einsum(terms, abs(a), abs(b))
    # The sum itself is in f32, or in the result's type where that is wider.
    computed = ROUNDING["f64" if result == "f64" else "f32"]
    terms_added = np.prod([n for x, n in sizes.items() if x not in output])
    allowed = (
        1.01 * ROUNDING[result] * abs(exact)
        + terms_added * computed * sizes_of_terms
        + ml_dtypes.finfo(DTYPES[result]).smallest_subnormal
    )
    assert (abs(c - exact) <= allowed).all()


@pytest.mark.parametrize("element, result", [("i32", "i32"), ("i8", "i32")])
@pytest.mark.parametrize("terms, sizes", TERMS)
def test_a_product_of_integers_is_exact(terms, sizes, element, result):
    rng = np.random.default_rng(6)
    inputs, output = terms.split("->")
    a, b = (
        rng.integers(-100, 100, [sizes[c] for c in term]).astype(DTYPES[element])
        for term in inputs.split(",")
    )
    c = np.full([sizes[x] for x in output], 7, DTYPES[result])
    run_text(product(terms, sizes, element, result), [a, b], [c])
    np.testing.assert_array_equal(
        c, np.einsum(terms, a.astype(np.int64), b.astype(np.int64))
    )


def functions(w, x, xb):
    """Products of half precision as JAX users write them, and of functions of an operand."""
    half, y = w.astype(jnp.bfloat16), x.astype(jnp.bfloat16)
    stack = jnp.stack([half, half + 1])
    return {
        "f32 result": jnp.matmul(y, half, preferred_element_type=jnp.float32),
        "bf16 result": jnp.matmul(y, half),
        "bf16 transposed": half.T @ y.T,
        "bf16 batched": jnp.einsum("mk,bkn->bmn", y, stack),
        "bf16 argument": xb @ half,
        "f16": x.astype(jnp.float16) @ w.astype(jnp.float16),
        "mixed": jax.lax.dot_general(
            y, w, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32
        ),
        "i32": jnp.round(4 * x).astype(jnp.int32) @ jnp.round(4 * w).astype(jnp.int32),
        "rounded": x.astype(jnp.bfloat16).astype(jnp.float32),
        "exp, matrix": jnp.exp(x) @ w,
        "exp, vector": jnp.exp(x) @ w[:, 0],
        "log, vector": w[0] @ jnp.log(jnp.abs(w) + 1),
        "tanh, sum": jnp.sum(jnp.tanh(x) * x),
        "negated, rows": jnp.einsum("bi,bi->b", -x, x),
    }


def test_products_of_a_jax_function():
    rng = np.random.default_rng(7)
    params = {"w": rng.standard_normal((48, 48)).astype(np.float32) / 7}
    x = rng.standard_normal((20, 48)).astype(np.float32)
    xb = x.astype(ml_dtypes.bfloat16)
    step = sparsam.compile(
        lambda p, x: jax.tree.map(lambda w, g: w - g, p, {"w": x.T @ (x @ p["w"])}),
        (params, x),
        state=None,
    )

    def fn(p, x, xb):
        return functions(p["w"], x, xb)

    found = step.compile_with(fn, (params, x, xb))(step.compress(params), x, xb)
    wanted = jax.jit(fn)(params, x, xb)
    assert set(found) == set(wanted)
    for name, result in wanted.items():
        assert found[name].dtype == result.dtype, name
        tolerance = {2: 2.0**-8 if result.dtype == jnp.bfloat16 else 2.0**-10, 4: 3e-6}
        if name in ("i32", "rounded"):
            tolerance[4] = 0
        error = reference.error(found[name], result)
        assert error <= tolerance[result.dtype.itemsize], (name, error)


def in_half(loss_of):
    """The loss in bf16, of parameters in f32: mixed precision as it is usual."""

    def loss(params, x, y):
        half = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params)
        return loss_of(half, x.astype(jnp.bfloat16), y)

    return loss


def mlp_loss(params, x, y):
    for i in range(len(params)):
        layer = params[f"layer{i}"]
        x = x @ layer["w"] + layer["b"]
        if i + 1 < len(params):
            x = jnp.tanh(x) if i else jax.nn.relu(x)
    logits = x.astype(jnp.float32)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def factors_in_f32(params, x, y):
    """The same, whose second layer stays in f32."""
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), params)
    half["layer1"] = params["layer1"]
    h = x.astype(jnp.bfloat16) @ half["layer0"]["w"] + half["layer0"]["b"]
    h = jax.nn.softplus(h.astype(jnp.float32)) @ half["layer1"]["w"] + half["layer1"]["b"]
    h = jnp.tanh(h).astype(jnp.bfloat16) @ half["layer2"]["w"] + half["layer2"]["b"]
    logits = h.astype(jnp.float32)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@pytest.mark.parametrize(
    "loss, texts",
    [
        (in_half(mlp_loss), {}),
        (in_half(mlp_loss), {"layer0/w": "nm<2:4>", "layer1/w": "nm<2:8, vector = 8>"}),
        (factors_in_f32, {"layer0/w": "nm<2:8, vector = 8>", "layer1/w": "low_rank<5>"}),
    ],
    ids=["dense", "nm", "low_rank"],
)
def test_a_step_in_mixed_precision(loss, texts):
    """Against JAX's own step of the re-parametrised model. Where a value lies between two of
    bf16, either is right: what that may cost is some roundings of the largest entry."""
    model = dataclasses.replace(MODELS["mlp"](8), loss=loss)
    case = Case(model, optax.sgd(0.05, momentum=0.9, nesterov=True), texts, seed=8)
    step = case.compile()
    p, s = step.compress(case.params, case.state)
    storage = step.storage(p)
    found = run(step, case, p, s)
    oracle = reference.Reference(
        loss, case.optimizer, case.structures, storage, case.params
    ).run(np.float32, case.batches)
    known = patterned(case.structures, storage)
    for kind, allowed in (("params", 2.0**-8), ("state", 2.0**-5)):
        wanted = expected(oracle[kind], known)
        assert set(found[kind]) == set(wanted)
        for path, tensor in wanted.items():
            error = reference.error(found[kind][path], tensor)
            assert error <= allowed, (kind, path, error)
    np.testing.assert_allclose(found["loss"]["loss"], oracle["loss"], rtol=2.0**-7)
    # Products in half precision are sparse ones too.
    assert not any(
        f'"{path}"' in remark and "made dense" in remark
        for path in texts
        for remark in step.remarks
    )


def test_parameters_in_half_precision():
    rng = np.random.default_rng(9)
    params = {
        name: (rng.standard_normal(shape) / 4).astype(ml_dtypes.bfloat16)
        for name, shape in (("a", (16, 32)), ("b", (32, 8)))
    }
    x, y = (rng.standard_normal((8, n)).astype(ml_dtypes.bfloat16) for n in (16, 8))
    optimizer = optax.sgd(0.1, momentum=0.9)

    def train_step(params, state, x, y):
        def loss(params):
            return jnp.mean((jnp.tanh(x @ params["a"]) @ params["b"] - y) ** 2)

        value, grads = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    state = optimizer.init(params)
    step = sparsam.compile(train_step, (params, state, x, y))
    p, s = step.compress(params, state)
    original = jax.jit(train_step)
    for _ in range(5):
        p, s, loss = step(p, s, x, y)
        params, state, wanted = original(params, state, x, y)
        np.testing.assert_allclose(float(loss), float(wanted), rtol=2.0**-6)
    for name, dense in step.densify(p).items():
        assert dense.dtype == params[name].dtype
        assert reference.error(dense, params[name]) <= 2.0**-6, name


HALVES = {"bf16": (jnp.bfloat16, 2.0**-8), "f16": (jnp.float16, 2.0**-11)}


@pytest.mark.parametrize("element", HALVES)
@pytest.mark.parametrize(
    "text",
    [
        "nm<2:4>",
        "nm<2:4, transposable>",
        "block<4x8, density = 0.5>",
        "unstructured<density = 0.3>",
        "vnm<8, 2:8>",
        "low_rank<4>",
        "low_rank<8, factors = nm<2:4>>",
        "tensor_train<[4, 4], [4, 8], ranks = [9]>",
        "monarch<[4, 4], rank = 2>",
        "sum<low_rank<3>, nm<2:8>>",
        "lora<3, base = nm<2:4>>",
        "frozen",
        "dynamic<nm<2:4>>",
    ],
)
def test_a_structure_in_half_precision(text, element):
    """Storage, optimizer state and results in half precision, against JAX's own step of the
    re-parametrised model in the same numbers."""
    dtype, rounding = HALVES[element]

    def init(rng):
        def weight(k, n):
            return jnp.asarray(rng.standard_normal((k, n)) / k**0.5, dtype)

        return {"a": weight(16, 32), "b": weight(32, 8)}

    def batch(rng):
        return tuple(jnp.asarray(rng.standard_normal((8, n)), dtype) for n in (16, 8))

    def loss(params, x, y):
        found = jnp.tanh(x @ params["a"]) @ params["b"]
        return jnp.mean((found - y).astype(jnp.float32) ** 2)

    model = Model("half", init, batch, loss, {"a": (0,), "b": (0,)})
    case = Case(model, optax.sgd(0.1, momentum=0.9), {"a": text}, seed=11)
    if "dynamic" in text:
        # A rounding error turns what a later step selects.
        case.batches = case.batches[:1]
    step = case.compile()
    p, s = step.compress(case.params, case.state)
    storage = step.storage(p)
    for parts in (*storage.values(), *step.storage(s).values()):
        for name, array in parts.items():
            assert array.dtype == dtype or np.issubdtype(array.dtype, np.integer), name
    wide = {path: np.asarray(leaf, np.float32) for path, leaf in case.params.items()}
    check_storage_in_half(case.structures["a"], wide["a"], storage["a"])
    found = run(step, case, p, s)
    oracle = reference.Reference(
        loss, case.optimizer, case.structures, storage, case.params
    ).run(dtype, case.batches)
    known = patterned(case.structures, storage)
    np.testing.assert_allclose(found["loss"]["loss"], oracle["loss"], rtol=16 * rounding)
    for kind in ("params", "state"):
        wanted = expected(oracle[kind], known)
        assert set(found[kind]) == set(wanted)
        for path, tensor in wanted.items():
            error = reference.error(found[kind][path], tensor)
            assert error <= 16 * rounding, (kind, path, error)


def check_storage_in_half(structure, wide, stored):
    """Patterns are selected by magnitude, and what is stored is the weight itself."""
    if not isinstance(structure, Pattern):
        return
    for name, indices in reference.select(structure, wide).items():
        np.testing.assert_array_equal(stored[name], indices.reshape(stored[name].shape))
    values = reference.gather(structure, wide, structure.pattern(stored))
    np.testing.assert_array_equal(np.asarray(stored["values"], np.float32), values)


def test_integers_take_no_structure():
    params = {"a": np.ones((16, 8), np.int32)}
    x = np.ones((4, 16), np.int32)
    with pytest.raises(ValueError, match="params=0 holds no floating-point arrays"):
        sparsam.compile(
            lambda p, x: {"a": p["a"] - x.T @ (x @ p["a"])},
            (params, x),
            state=None,
            structure={"a": "nm<2:4>"},
        )
