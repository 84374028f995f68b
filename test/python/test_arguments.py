"""What arguments and results may be: element types, memory, random keys, names, state."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from models import MODELS
from oracle import Case, check_case

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


W, X, Y = normal(8, 8), normal(5, 8), normal(5, 8)


def make_step(loss, optimizer):
    def train_step(params, state, *batch):
        value, grads = jax.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    return train_step


def check(loss, params, batch, structure="dense", rtol=1e-5):
    """Two steps on storage against JAX on what the storage stands for."""
    optimizer = optax.sgd(0.01, momentum=0.9)
    train_step, state = make_step(loss, optimizer), optimizer.init(params)
    step = sparsam.compile(train_step, (params, state, *batch), structure=structure)
    p, s = step.compress(params, state)
    for _ in range(2):
        expected = loss(step.densify(p), *batch)
        p, s, value = step(p, s, *batch)
        np.testing.assert_allclose(value, expected, rtol=rtol)
    return step


def squares(params, x, y):
    return ((jnp.tanh(x @ params["w"]) - y) ** 2).mean()


@pytest.mark.parametrize(
    "keys",
    [
        ("a/b", "c/d"),
        ("ü x", "日本"),
        ("a*b", 'q"uote'),
        ("line\nbreak", "back\\slash"),
        ("it's", "[glob]?"),
        ("{curly}", "semi;colon=1"),
    ],
)
def test_names_of_parameters(keys):
    def loss(params, x, y):
        return squares({"w": params[keys[0]] @ params[keys[1]]["b"]}, x, y)

    params = {keys[0]: W, keys[1]: {"b": W / 2}}
    step = check(loss, params, (X, Y), {"*b": "nm<2:4>", "*": "low_rank<3>"})
    assert set(step.plan) == {keys[0], f"{keys[1]}/b"} and len(step.pinned) == 2


def test_two_parameters_of_one_path():
    params = {"a/b": W, "a": {"b": W}}
    with pytest.raises(ValueError, match="two arrays both have the path '0/a/b'"):
        check(lambda p, x, y: (x @ p["a/b"] - y).sum(), params, (X, Y))


def test_parameters_of_no_and_of_one_element():
    params = {"w": W, "none": np.zeros((0, 3), np.float32), "one": np.float32(2)}

    def loss(params, x, y):
        return squares(params, x, y) * params["one"] + params["none"].sum()

    step = check(loss, params, (X, Y), {"w": "nm<2:4>"})
    assert step.plan["none"].cost.bytes == 0
    for path in ("none", "one"):
        with pytest.raises(sparsam.CompileError, match=f"^{path}: "):
            check(loss, params, (X, Y), {path: "nm<2:4>"})


@pytest.mark.parametrize("params", [{}, {"w": np.ones((8, 8), np.int32)}])
def test_no_parameters(params):
    with pytest.raises(ValueError, match="params=0 holds no floating-point arrays"):
        sparsam.compile(lambda p, s, x: (p, s, x), (params, (), X))


def test_integers_among_the_parameters():
    def train_step(params, state, x, y):
        grad = jax.grad(lambda w: squares({"w": w}, x, y))(params["w"])
        return {"w": params["w"] - 0.1 * grad, "steps": params["steps"] + 1}, state

    params, state = {"w": W, "steps": np.int32(3)}, np.zeros(2, np.float32)
    step = sparsam.compile(train_step, (params, state, X, Y), structure={"w": "nm<2:4>"})
    p, s = step.compress(params, state)
    assert step.densify(step(p, s, X, Y)[0])["steps"] == 4


@pytest.mark.parametrize(
    "lay",
    [
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
        jnp.asarray,
        lambda a: jax.device_put(a, jax.devices()[-1]),
        lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    ],
    ids=["fortran", "strided", "negative", "jax", "committed", "read-only"],
)
def test_memory_of_arguments(lay):
    optimizer = optax.adam(0.1)
    train_step, params = make_step(squares, optimizer), {"w": W}
    state = optimizer.init(params)
    step = sparsam.compile(train_step, (params, state, X, Y), structure={"w": "nm<2:4>"})
    losses = [
        step(*step.compress({"w": put(W)}, state), put(X), put(Y))[2]
        for put in (np.asarray, lay)
    ]
    assert losses[0] == losses[1]


def test_what_is_no_array_of_the_call():
    optimizer = optax.sgd(0.1)
    params = {"w": W}
    state = optimizer.init(params)
    step = sparsam.compile(make_step(squares, optimizer), (params, state, X, Y))
    p, s = step.compress(params, state)
    gone = jnp.asarray(X)
    gone.delete()
    for x, error, message in (
        (gone, ValueError, "'2' is a JAX array that was deleted"),
        (jax.ShapeDtypeStruct((5, 8), np.float32), TypeError, "'2' was only given as a"),
        (X.astype(">f4"), TypeError, "'2' must be of dtype float32, found >f4"),
        (object(), TypeError, "'2' must be of dtype float32, found object"),
        ("text", TypeError, "'2' must be of dtype float32, found <U4"),
        (jax.random.key(0), TypeError, "'2' must be of dtype float32, found key"),
    ):
        with pytest.raises(error, match=message):
            step(p, s, x, Y)
    with pytest.raises(TypeError, match="'0/w' was only given as a shape"):
        step.compress(jax.eval_shape(lambda: params), state)
    step(p, s, X, Y)


def test_booleans_bytes_and_scalars():
    def loss(params, x, y, mask, small, wide, whole, real, flag):
        masked = squares(params, x * mask[:, None], y) * whole * real
        return jnp.where(flag, masked, 0) + small.sum() * 0.1 + wide.mean()

    mask, small = np.array([1, 0, 1, 1, 0], bool), np.arange(250, 255, dtype=np.uint8)
    batch = (X, Y, mask, small, np.arange(5), 2, 0.5, True)
    step = check(loss, {"w": W}, batch)
    optimizer = optax.sgd(0.01, momentum=0.9)
    p, s = step.compress({"w": W}, optimizer.init({"w": W}))
    for scalars in (
        (7, 0.25, False),
        (True, 3, True),
        (np.int32(7), np.float32(1), True),
    ):
        given = (*batch[:5], *scalars)
        expected = loss(step.densify(p), *given)
        p, s, value = step(p, s, *given)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    for scalars, message in (
        ((2.5, 0.5, True), "'7' must be int32, found 2.5"),
        ((1 << 40, 0.5, True), "'7' must be int32, found 1099511627776"),
        ((2, 0.5, 3), "'9' must be bool, found 3"),
        ((2, None, True), "'8': expected an array, found None"),
    ):
        with pytest.raises(TypeError, match=message):
            step(p, s, *batch[:5], *scalars)


@pytest.mark.parametrize("kind", ["threefry2x32", "rbg"])
def test_random_keys_come_back_as_keys(kind):
    def train_step(params, state, x, key):
        key, use = jax.random.split(key)
        noise = jax.random.normal(use, x.shape)
        loss = lambda w: ((x + noise) @ w["w"]).mean()  # noqa: E731
        value, grads = jax.value_and_grad(loss)(params)
        return jax.tree.map(lambda w, g: w - g, params, grads), state, value, key

    params, state = {"w": W}, np.zeros(2, np.float32)
    key = other = jax.random.key(3, impl=kind)
    step = sparsam.compile(train_step, (params, state, X, key))
    p, s = step.compress(params, state)
    for _ in range(2):
        p, s, value, key = step(p, s, X, key)
        params, _, expected, other = train_step(params, state, X, other)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        assert key.dtype == other.dtype
        np.testing.assert_array_equal(*map(jax.random.key_data, (key, other)))
    with pytest.raises(TypeError, match="'3' must be of dtype key.*, found uint32"):
        step(p, s, X, jax.random.key_data(key))


def test_unsigned_state_and_results():
    def train_step(params, state, x, y):
        grads = jax.grad(squares)(params, x, y)
        new = jax.tree.map(lambda w, g: w - g, params, grads)
        return new, {"n": state["n"] - np.uint32(1)}, state["n"] * np.uint32(2)

    params, state = {"w": W}, {"n": np.uint32(3_000_000_000)}
    step = sparsam.compile(train_step, (params, state, X, Y))
    p, s = step.compress(params, state)
    p, s, double = step(p, s, X, Y)
    assert double.dtype == np.uint32 and double == (6_000_000_000 & 0xFFFFFFFF)
    # Out to a checkpoint and in again.
    s = jax.tree.map(np.copy, s)
    p, s, _ = step(p, s, X, Y)
    assert step.storage(s)["n"]["dense"] == np.uint32(2_999_999_998)


def test_a_batch_of_keys_of_another_size():
    def train_step(params, state, x, keys):
        noise = jax.vmap(lambda key: jax.random.normal(key, (8,)))(keys).sum(0)
        value, grads = jax.value_and_grad(lambda p: (x * noise @ p["w"]).mean())(params)
        return jax.tree.map(lambda w, g: w - g, params, grads), state, value

    params, state = {"w": W}, np.zeros(2, np.float32)
    keys = jax.random.split(jax.random.key(0), 5)
    step = sparsam.compile(train_step, (params, state, X, keys[:3]))
    p, s = step.compress(params, state)
    expected = train_step(params, state, X, keys)[2]
    np.testing.assert_allclose(step(p, s, X, keys)[2], expected, rtol=1e-5)


def test_copies_of_storage_are_their_own():
    optimizer = optax.adam(0.1)
    params, train_step = {"w": W}, make_step(squares, optimizer)
    state = optimizer.init(params)
    step = sparsam.compile(train_step, (params, state, X, Y), structure={"w": "nm<2:4>"})
    p, s = step.compress(params, state)
    saved = pickle.loads(pickle.dumps((p, s)))
    held = copy.deepcopy((p, s))
    p, s, loss = step(p, s, X, Y)
    for handles in (saved, held):
        assert step(*handles, X, Y)[2] == loss


@pytest.mark.parametrize(
    "order, message",
    [
        (lambda p, s, v: (s, v), "no result of the step has the structure of the params"),
        (lambda p, s, v: (p, v), "no result of the step has the structure of the state"),
        (lambda p, s, v: None, "no result of the step has the structure of the state"),
        (lambda p, s, v: (p, p, s), "cannot decide which result is the new value of the"),
    ],
)
def test_steps_that_do_not_return_what_they_carry(order, message):
    optimizer = optax.adam(0.1)
    train_step, params = make_step(squares, optimizer), {"w": W}
    with pytest.raises(ValueError, match=message):
        sparsam.compile(
            lambda *args: order(*train_step(*args)),
            (params, optimizer.init(params), X, Y),
        )


@pytest.mark.parametrize("structure", ["low_rank<3>", "mixed"])
def test_state_that_starts_at_a_constant(structure):
    """Adagrad's sum of squares starts at 0.1, and that of the factors does as well."""
    model = MODELS["mlp"](8)
    texts = {path: "low_rank<3>" for path in model.weights}
    if structure == "mixed":
        texts["layer2/w"] = "dense"
    check_case(Case(model, optax.adagrad(0.05), texts, seed=2, mark=True))


def test_state_of_factors_that_is_not_finite():
    model = MODELS["mlp"](8)
    one = Case(model, optax.adagrad(0.05), {"layer0/w": "low_rank<3>"}, seed=2)
    step = one.compile()
    for value, index in ((np.inf, (3, 2)), (np.nan, ...), (np.inf, ...)):
        state = jax.tree.map(np.array, one.state)
        state[0].sum_of_squares["layer0"]["w"][index] = value
        with pytest.raises(
            ValueError, match="'1/0/sum_of_squares/layer0/w' of 'layer0/w' is not finite"
        ):
            step.compress(one.params, state)


def test_bfloat16_stays_dense_and_runs():
    params = {"w": jnp.asarray(W, jnp.bfloat16)}
    check(squares, params, (X, Y), rtol=0.02)
