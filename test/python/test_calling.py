"""Where parameters and state are, in which order results come, and what arguments may be."""

import gc
import resource
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from flax.training.train_state import TrainState
from oracle import case, check_case, compare, run


def wrapped(one, fn, args, params, state, order=lambda results: results):
    """The oracle for the case's step, called through another signature."""
    step = sparsam.compile(fn, args, params=params, state=state, structure=one.texts)
    p, s = step.compress(one.params, one.state)
    storage = step.storage(p)
    lines = compare(one, storage, run(step, one, p, s, order))
    assert not lines, "\n".join(lines)
    return step


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_results_in_another_order():
    one = case("mlp", "adamw", "mixed", seed=1)

    def step(params, state, x, y):
        params, state, loss = one.train_step(params, state, x, y)
        return loss, state, params

    args = (one.params, one.state, *one.batches[0])
    wrapped(
        one, step, args, 0, 1, order=lambda results: (results[2], results[1], results[0])
    )


def test_arguments_in_another_order_and_a_tree_of_results():
    one = case("mlp", "nesterov", "nm vector 8", seed=2)

    def step(batch, state, params):
        params, state, loss = one.train_step(params, state, batch["x"], batch["y"])
        return {"metrics": {"loss": loss, "double": 2 * loss}, "new": [params, state]}

    x, y = one.batches[0]
    compiled = sparsam.compile(
        step,
        ({"x": x, "y": y}, one.state, one.params),
        params=2,
        state=1,
        structure=one.texts,
    )
    p, s = compiled.compress(one.params, one.state)
    storage = compiled.storage(p)

    def call(p, s, x, y):
        results = compiled(p, s, {"x": x, "y": y})
        np.testing.assert_allclose(
            results["metrics"]["double"], 2 * results["metrics"]["loss"], rtol=1e-6
        )
        return results

    call.storage = compiled.storage
    order = lambda r: (*r["new"], r["metrics"]["loss"])  # noqa: E731
    assert not compare(one, storage, run(call, one, p, s, order))


def test_parameters_inside_a_tuple():
    one = case("mlp", "adamw", "nm vector 4", seed=3)

    def step(carry, x, y):
        params, state, loss = one.train_step(*carry, x, y)
        return (params, state), loss

    wrapped(one, step, ((one.params, one.state), *one.batches[0]), "0/0", "0/1")


def test_parameters_inside_a_dict():
    one = case("mlp", "adamw", "low_rank", seed=4)

    def step(carry, x, y):
        params, state, loss = one.train_step(carry["weights"], carry["opt"], x, y)
        return loss, {"weights": params, "opt": state}

    args = ({"weights": one.params, "opt": one.state}, *one.batches[0])
    order = lambda r: (r[1], r[2], r[0])  # noqa: E731
    wrapped(one, step, args, "0/weights", "0/opt", order)


@pytest.mark.parametrize("where", ["0/opt_state", 0])
def test_train_state(where):
    one = case("mlp", "adamw", "nm vector 8", seed=5)

    def step(ts, x, y):
        loss, grads = jax.value_and_grad(one.model.loss)(ts.params, x, y)
        return ts.apply_gradients(grads=sparsam.gradient(grads)), loss

    ts = TrainState.create(apply_fn=None, params=one.params, tx=one.optimizer)
    compiled = sparsam.compile(
        step, (ts, *one.batches[0]), params="0/params", state=where, structure=one.texts
    )
    p, s = compiled.compress(ts.params, ts.opt_state if where else ts)
    storage = compiled.storage(p)
    found = run(compiled, one, p, s)
    # Under state=0 paths begin at the TrainState; the counter is carried either way.
    found["state"] = {
        path.removeprefix("opt_state/"): a for path, a in found["state"].items()
    }
    counter = found["state"].pop("step" if where == 0 else "0/step")
    assert counter == 10
    assert not compare(one, storage, found)


def test_a_counter_that_is_not_given_is_said_to_be_the_examples(caplog):
    one = case("mlp", "adamw", "nm vector 8", seed=5)

    def step(ts, x, y):
        loss, grads = jax.value_and_grad(one.model.loss)(ts.params, x, y)
        return ts.apply_gradients(grads=grads), loss

    ts = TrainState.create(apply_fn=None, params=one.params, tx=one.optimizer)
    compiled = sparsam.compile(
        step, (ts, *one.batches[0]), "0/params", "0/opt_state", one.texts
    )
    later = ts.replace(step=7)
    _, s = compiled.compress(later.params, later)
    assert compiled.storage(s)["0/step"]["dense"] == 7 and not caplog.records
    _, s = compiled.compress(later.params, later.opt_state)
    assert compiled.storage(s)["0/step"]["dense"] == 0
    assert "'0/step' is carried with the state but not given" in caplog.text


def test_indices_of_gathers_are_clamped():
    """As StableHLO has it; unclamped they would read other memory."""

    def step(params, i):
        def loss(params):
            return jnp.tanh(params["e"][i]).sum()

        value, grads = jax.value_and_grad(loss)(params)
        clipped = jnp.take(params["e"], i, axis=0, mode="clip")
        filled = params["e"].at[i].get(mode="fill", fill_value=7.0)
        return {"e": params["e"] - 0.1 * grads["e"]}, value, clipped, filled

    e = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)
    i = np.array([0, -1, 9, 10, 100, -11, 2000000000, -2000000000], np.int32)
    compiled = sparsam.compile(step, ({"e": e}, i), state=None)
    p, *others = compiled(compiled.compress({"e": e}), i)
    expected, *expected_others = jax.jit(step)({"e": e}, i)
    np.testing.assert_allclose(compiled.densify(p)["e"], expected["e"], rtol=1e-5)
    for a, b in zip(others, expected_others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_roots_and_reciprocals_of_zero_and_infinity():
    """The clipping idiom min(1, 1 / norm) meets them at a gradient of zero."""

    def step(params, x, c):
        new = {"w": params["w"] * jnp.minimum(1.0, 1.0 / jnp.sqrt(jnp.sum(x**2)))}
        return new, jax.lax.rsqrt(x), 1 / jnp.sqrt(x), 1 / x, (x + c) - c, x / c

    w = {"w": np.ones((4, 8), np.float32)}
    c = np.float32(1e9)
    mixed = np.tile(np.array([0, np.inf, 1, 4], np.float32), 16)
    for x in (np.zeros(64, np.float32), mixed):
        compiled = sparsam.compile(step, (w, x, c), state=None)
        p, *others = compiled(compiled.compress(w), x, c)
        expected, *expected_others = jax.jit(step)(w, x, c)
        np.testing.assert_array_equal(compiled.densify(p)["w"], expected["w"])
        for a, b in zip(others, expected_others, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_step_under_x64():
    """Labels and their places are 64 bits wide there, the parameters are as given."""
    one = case("mlp", "adamw", "nm vector 8", seed=6)
    with jax.enable_x64(True):
        step = one.compile()
        p, s = step.compress(one.params, one.state)
        storage = step.storage(p)
        found = run(step, one, p, s)
    assert not compare(one, storage, found)


def test_a_step_without_state():
    def loss(params, x, y):
        return ((x @ params["w"] @ params["v"] - y) ** 2).mean()

    def step(params, x, y, rate):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        return jax.tree.map(lambda w, g: w - rate * g, params, grads), value

    rng = np.random.default_rng(0)
    params = {k: rng.standard_normal((8, 8)).astype(np.float32) for k in ("w", "v")}
    x, y = (rng.standard_normal((5, 8)).astype(np.float32) for _ in range(2))
    compiled = sparsam.compile(
        step, (params, x, y, 0.1), params=0, state=None, structure={"w": "nm<2:4>"}
    )
    p = compiled.compress(params)
    mask = compiled.densify(p)["w"] != 0
    reference = {"w": params["w"] * mask, "v": params["v"]}
    # A Python scalar is a value of the call, not a constant of the program.
    for rate in (0.1, 0.01):
        p, value = compiled(p, x, y, rate)
        expected, grads = jax.value_and_grad(
            lambda q: loss({"w": q["w"] * mask, "v": q["v"]}, x, y)
        )(reference)
        reference = jax.tree.map(lambda w, g, rate=rate: w - rate * g, reference, grads)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    for key, dense in compiled.densify(p).items():
        np.testing.assert_allclose(dense, reference[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("params", [{"w": np.ones((3, 2), np.float32)}, [np.ones(3)]])
@pytest.mark.parametrize(
    "results, handles",
    [
        (lambda p, s: p, lambda found: found),
        (lambda p, s: (p,), lambda found: found[0]),
        (lambda p, s: (p, s), lambda found: found[0]),
        (lambda p, s: (s, p), lambda found: found[1]),
        (lambda p, s: [p, s], lambda found: found[0]),
    ],
)
def test_results_without_a_loss(params, results, handles):
    params = jax.tree.map(lambda leaf: leaf.astype(np.float32), params)

    def move(params, state, x):
        return results(jax.tree.map(lambda w: w - x, params), state)

    x = np.float32(0.25)
    step = sparsam.compile(move, (params, {}, x), structure="dense")
    p, s = step.compress(params, {})
    found = step(p, s, x)
    wanted = results(params, {})
    if wanted is not params:
        assert type(found) is type(wanted) and len(found) == len(wanted)
    after = step.densify(handles(found))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b - x), after, params)


def test_numpy_jax_and_64_bit_arguments_as_jax_takes_them():
    one = case("mlp", "nesterov", "nm vector 4", seed=6)
    x, y = one.batches[0]
    step = sparsam.compile(
        one.train_step,
        (one.params, one.state, x, y.astype(np.int64)),
        structure=one.texts,
    )
    losses = []
    for labels in (y, jnp.asarray(y), y.astype(np.int64)):
        p, s = step.compress(jax.tree.map(jnp.asarray, one.params), one.state)
        losses.append(float(step(p, s, jnp.asarray(x), labels)[2]))
    assert losses[0] == losses[1] == losses[2]


def test_a_random_key_is_an_argument():
    def loss(params, x, key):
        keep = jax.random.bernoulli(key, 0.5, x.shape)
        return ((jnp.where(keep, x, 0) @ params["w"]) ** 2).mean()

    optimizer = optax.sgd(0.1)

    def step(params, state, x, key):
        value, grads = jax.value_and_grad(loss)(params, x, key)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    params = {"w": np.eye(8, dtype=np.float32)}
    x = np.ones((6, 8), np.float32)
    for make in (jax.random.key, jax.random.PRNGKey):
        state = optimizer.init(params)
        compiled = sparsam.compile(step, (params, state, x, make(0)))
        p, s = compiled.compress(params, state)
        q, t = params, state
        for seed in range(3):
            p, s, value = compiled(p, s, x, make(seed))
            q, t, expected = step(q, t, x, make(seed))
            np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_a_loop_over_layers():
    def loss(params, x, y):
        h, _ = jax.lax.scan(lambda h, w: (jnp.tanh(h @ w), None), x, params["layers"])
        return ((h @ params["out"] - y) ** 2).mean()

    optimizer = optax.adam(1e-2)

    def step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    rng = np.random.default_rng(0)
    params = {
        "layers": rng.standard_normal((3, 8, 8)),
        "out": rng.standard_normal((8, 4)),
    }
    params = jax.tree.map(lambda a: (a / 3).astype(np.float32), params)
    x, y = (rng.standard_normal((5, n)).astype(np.float32) for n in (8, 4))
    state = optimizer.init(params)
    compiled = sparsam.compile(step, (params, state, x, y))
    p, s = compiled.compress(params, state)
    for _ in range(5):
        p, s, value = compiled(p, s, x, y)
        params, state, expected = step(params, state, x, y)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    for key, dense in compiled.densify(p).items():
        np.testing.assert_allclose(dense, params[key], atol=1e-4)


def test_running_sums_products_and_maxima():
    """And their derivatives, which run backwards."""

    def loss(params, x):
        h = x @ params["w"]
        sums = jnp.cumsum(h, 0) * jax.lax.cumlogsumexp(h, 1, reverse=True)
        w = params["w"]
        return sums.sum() + jnp.cumprod(w, 1).sum() + jax.lax.cummax(w, 0).sum()

    def step(params, x, n):
        value, grads = jax.value_and_grad(loss)(params, x)
        params = jax.tree.map(lambda w, g: w - 0.1 * g, params, grads)
        sums = jnp.cumsum(n), jnp.cumsum(x), jnp.cumsum(x[:, None] * x[None], axis=1)
        return params, value, sums

    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((3, 5)).astype(np.float32)}
    x = rng.standard_normal((7, 3)).astype(np.float32)
    n = rng.integers(0, 9, 11).astype(np.int32)
    compiled = sparsam.compile(step, (params, x, n), state=None)
    p, *others = compiled(compiled.compress(params), x, n)
    expected, *expected_others = jax.jit(step)(params, x, n)
    for a, b in zip(
        jax.tree.leaves((compiled.densify(p), others)),
        jax.tree.leaves((expected, expected_others)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_another_batch_size_compiles_again(caplog):
    one = case("mlp", "adamw", "mixed", seed=8)
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    for x, y in one.batches[:2]:
        p, s, _ = step(p, s, x, y)
    q, t = step.densify(p), None
    small = [(x[:5], y[:5]) for x, y in one.batches[:2]]
    for x, y in small:
        expected = one.model.loss(step.densify(p), x, y)
        p, s, loss = step(p, s, x, y)
        np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert len([r for r in caplog.records if "compiled again" in r.message]) == 1
    assert any("compiled again" in remark for remark in step.remarks)
    assert q is not None and t is None


def test_arrays_of_the_user_stay_untouched():
    one = case("mlp", "adamw", "nm vector 4", seed=9)
    before = jax.tree.map(np.copy, (one.params, one.state, one.batches))
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    run(step, one, p, s)
    after = (one.params, one.state, one.batches)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, before, after)))


def test_steps_update_in_place_and_use_constant_memory():
    one = case("mlp", "adamw", "nm vector 8", seed=10)
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    addresses = [array.ctypes.data for array in jax.tree.leaves((p, s))]
    assert all(address % 64 == 0 for address in addresses)
    x, y = one.batches[0]
    sizes = []
    for i in range(3000):
        p, s, _ = step(p, s, x, y)
        if i % 1000 == 999:
            gc.collect()
            sizes.append(resident_bytes())
    assert [array.ctypes.data for array in jax.tree.leaves((p, s))] == addresses
    assert sizes[-1] - sizes[0] < 2 << 20


def test_storage_is_a_pytree(tmp_path):
    """A checkpoint: the arrays out, and into a fresh storage."""
    one = case("mlp", "adamw", "mixed", seed=11)
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    x, y = one.batches[0]
    p, s, _ = step(p, s, x, y)
    leaves, tree = jax.tree.flatten((p, s))
    np.savez(tmp_path / "checkpoint.npz", *leaves)
    p, s, first = step(p, s, x, y)
    with np.load(tmp_path / "checkpoint.npz") as arrays:
        p, s = jax.tree.unflatten(tree, list(arrays.values()))
    assert float(step(p, s, x, y)[2]) == float(first)


def test_one_compiled_step_many_models():
    one = case("mlp", "adamw", "nm vector 4", seed=12)
    step = one.compile()
    check_case(one, step)
    check_case(one.reseed(13), step)


class Fragile:
    """A node of the user's tree that may refuse to be made."""

    refuses = False

    def __init__(self, value):
        if Fragile.refuses:
            raise RuntimeError("refused")
        self.value = value


jax.tree_util.register_pytree_node(
    Fragile, lambda node: ((node.value,), None), lambda _, children: Fragile(*children)
)


def test_what_fails_behind_the_update_does_not_give_the_handle_back():
    def train(params, x):
        return {"w": params["w"] + 1}, Fragile(x.sum())

    w = np.zeros((2, 2), np.float32)
    step = sparsam.compile(train, ({"w": w}, w), state=None)
    p = step.compress({"w": w})
    Fragile.refuses = True
    try:
        with pytest.raises(RuntimeError, match="refused"):
            step(p, w)
    finally:
        Fragile.refuses = False
    assert p.consumed


@pytest.mark.parametrize("first", [False, True])
def test_an_average_of_the_parameters_beside_them(first):
    """It is computed from the new parameters, and is not them."""

    def train(params, average, x, y):
        grads = jax.grad(lambda p: ((x @ p["w"] - y) ** 2).mean())(params)
        params = jax.tree.map(lambda w, g: w - 0.1 * g, params, grads)
        average = jax.tree.map(lambda a, w: 0.9 * a + 0.1 * w, average, params)
        return (average, params) if first else (params, average)

    rng = np.random.default_rng(0)
    params, average, x, y = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((16, 8), (16, 8), (5, 16), (5, 8))
    )
    args = ({"w": params}, {"w": average}, x, y)
    step = sparsam.compile(train, args, state=None, structure={"w": "nm<2:4>"})
    p = step.compress(args[0])
    expected = train(step.densify(p), *args[1:])
    found = step(p, *args[1:])
    mask = step.densify(found[int(first)])["w"] != 0
    np.testing.assert_allclose(
        found[int(not first)]["w"][mask], expected[int(not first)]["w"][mask], rtol=1e-5
    )
    np.testing.assert_allclose(
        step.densify(found[int(first)])["w"][mask],
        expected[int(first)]["w"][mask],
        rtol=1e-5,
    )
