"""Gradients that a step makes in parts, and what may happen to these before they are
summed: linear work on them is the sum's, and the rest is refused where a structure would
change what it computes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from jax.flatten_util import ravel_pytree
from masked import check_masked

PARTS = 3
SPREAD = "its parts are scaled by what is computed of all their entries"
ENTRIES = "whose parts are worked on"
PATTERN, FACTORS = "nm<2:8, vector = 4>", "low_rank<4>"


def _loss(params, x, y):
    hidden = jax.nn.relu(x @ params["fc"] + params["bias"])
    return ((hidden @ params["out"] - y) ** 2).mean()


def _parameters(rng):
    return {
        "fc": rng.standard_normal((24, 40)).astype(np.float32) / 5,
        "bias": rng.standard_normal(40).astype(np.float32) / 5,
        "out": rng.standard_normal((40, 8)).astype(np.float32) / 6,
    }


def _batch(rng):
    return (
        rng.standard_normal((PARTS * 5, 24)).astype(np.float32),
        rng.standard_normal((PARTS * 5, 8)).astype(np.float32),
    )


def _norm(grads):
    return jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(grads)))


def _divide_by_norm(grads):
    norm = _norm(grads)
    return jax.tree.map(lambda g: g / (1 + norm), grads)


def _weigh(grads):
    return jax.tree.map(lambda g: 0.25 * g, grads)


def _clip_entries(grads):
    return jax.tree.map(lambda g: jnp.clip(g, -1e-3, 1e-3), grads)


def _take_signs(grads):
    return jax.tree.map(jnp.sign, grads)


def _split(x, y):
    return x.reshape(PARTS, -1, x.shape[1]), y.reshape(PARTS, -1, y.shape[1])


def _add_in_loop(loss, params, x, y, work):
    def body(sums, batch):
        value, grads = jax.value_and_grad(loss)(params, *batch)
        return jax.tree.map(jnp.add, sums, work(grads)), value

    zeros = jax.tree.map(jnp.zeros_like, params)
    grads, losses = jax.lax.scan(body, zeros, _split(x, y))
    return losses.mean(), grads


def _add_in_while(loss, params, x, y, work):
    xs, ys = map(jnp.asarray, _split(x, y))

    def body(carry):
        i, sums, total = carry
        value, grads = jax.value_and_grad(loss)(params, xs[i], ys[i])
        return i + 1, jax.tree.map(jnp.add, sums, work(grads)), total + value

    zeros = jax.tree.map(jnp.zeros_like, params)
    _, grads, total = jax.lax.while_loop(
        lambda carry: (carry[0] < PARTS) & (carry[2] < 1e9), body, (0, zeros, 0.0)
    )
    return total / PARTS, grads


def _add_batched(loss, params, x, y, work):
    values, grads = jax.vmap(jax.value_and_grad(loss), (None, 0, 0))(
        params, *_split(x, y)
    )
    grads = jax.vmap(work)(grads)
    return values.mean(), jax.tree.map(lambda g: g.sum(0), grads)


def _add_examples(loss, params, x, y, work):
    """A gradient of each example, which is an outer product."""
    values, grads = jax.vmap(jax.value_and_grad(loss), (None, 0, 0))(
        params, x[:, None], y[:, None]
    )
    grads = jax.vmap(work)(grads)
    return values.mean(), jax.tree.map(lambda g: g.sum(0), grads)


WAYS = {
    "loop": _add_in_loop,
    "while": _add_in_while,
    "batched": _add_batched,
    "examples": _add_examples,
}


def _make_step(way, work, loss=_loss):
    """A step that adds its gradients in a way, of those in `WAYS` by name."""
    add = WAYS.get(way, way)

    def train(params, x, y):
        value, grads = add(loss, params, x, y, work)
        return jax.tree.map(lambda w, g: w - 0.05 * g, params, grads), value

    return train


def _compile(train, params, batch, structure):
    return sparsam.compile(train, (params, *batch), state=None, structure=structure)


def _refuse(way, work, structure, reason):
    rng = np.random.default_rng(0)
    with pytest.raises(sparsam.CompileError, match=f"fc: .*{reason}"):
        _compile(_make_step(way, work), _parameters(rng), _batch(rng), {"fc": structure})


@pytest.mark.parametrize("work", [_weigh, _clip_entries, _take_signs])
@pytest.mark.parametrize("way", WAYS)
def test_patterns_take_parts_whose_entries_are_worked_on_alone(way, work):
    """Three steps against JAX's of the masked parameters."""
    rng = np.random.default_rng(3)
    params, batch = _parameters(rng), _batch(rng)
    step = _compile(_make_step(way, work), params, batch, {"fc": PATTERN, "out": PATTERN})
    check_masked(step, params, batch, _loss, partial(_make_step, way, work))


@pytest.mark.parametrize("structure", [PATTERN, FACTORS])
@pytest.mark.parametrize("way", WAYS)
def test_norms_of_parts_are_refused(way, structure):
    _refuse(way, _divide_by_norm, structure, SPREAD)


@pytest.mark.parametrize("way", WAYS)
def test_norms_of_parts_stay_what_they_are_in_a_dense_step(way):
    rng = np.random.default_rng(1)
    params, batch = _parameters(rng), _batch(rng)
    train = _make_step(way, _divide_by_norm)
    step = _compile(train, params, batch, "dense")
    p, loss = step(step.compress(params), *batch)
    expected, expected_loss = train(params, *batch)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for path, value in step.densify(p).items():
        np.testing.assert_allclose(value, expected[path], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("work", [_clip_entries, _take_signs])
@pytest.mark.parametrize("way", WAYS)
def test_factors_refuse_parts_whose_entries_are_worked_on(way, work):
    _refuse(way, work, FACTORS, ENTRIES)


def test_marks_do_not_hide_a_norm_of_parts():
    def add_marked(*args):
        value, grads = _add_in_loop(*args)
        return value, sparsam.gradient(grads)

    _refuse(add_marked, _divide_by_norm, PATTERN, SPREAD)


def _add_flat(loss, params, x, y, work):
    """Parts as vectors, stacked by the loop."""

    def body(carry, batch):
        value, grads = jax.value_and_grad(loss)(params, *batch)
        return carry, (value, ravel_pytree(work(grads))[0])

    _, (losses, parts) = jax.lax.scan(body, None, _split(x, y))
    return losses.mean(), ravel_pytree(params)[1](parts.sum(0))


def _scale_by_norms(loss, params, x, y, work):
    """The sum, over the norms of its parts."""

    def body(carry, batch):
        sums, norms = carry
        value, grads = jax.value_and_grad(loss)(params, *batch)
        return (jax.tree.map(jnp.add, sums, work(grads)), norms + _norm(grads)), value

    zeros = jax.tree.map(jnp.zeros_like, params)
    (grads, norms), losses = jax.lax.scan(body, (zeros, 0.0), _split(x, y))
    return losses.mean(), jax.tree.map(lambda g: g / (1 + norms), grads)


@pytest.mark.parametrize("structure", [PATTERN, FACTORS])
@pytest.mark.parametrize(
    ("way", "work"),
    [(_add_flat, _divide_by_norm), (_scale_by_norms, _weigh)],
)
def test_norms_that_reach_the_sum_another_way_are_refused(way, work, structure):
    _refuse(way, work, structure, SPREAD)


def _scan_over_steps(update, params, state, x, y):
    def body(carry, batch):
        params, state, loss = update(*carry, *batch)
        return (params, state), loss

    (params, state), losses = jax.lax.scan(body, (params, state), _split(x, y))
    return params, state, losses.mean()


def _step_in_branch(update, params, state, x, y):
    return jax.lax.cond(
        x[0, 0] < 1e9,
        lambda: update(params, state, x, y),
        lambda: (params, state, jnp.float32(0)),
    )


@pytest.mark.parametrize("structure", [PATTERN, FACTORS])
@pytest.mark.parametrize(
    ("around", "place"), [(_scan_over_steps, "scf.for"), (_step_in_branch, "scf.if")]
)
def test_updates_inside_of_loops_and_branches_are_refused(around, place, structure):
    optimizer = optax.chain(optax.clip_by_global_norm(0.1), optax.adamw(1e-2))

    def update(params, state, x, y):
        loss, grads = jax.value_and_grad(_loss)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    def train(params, state, x, y):
        return around(update, params, state, x, y)

    rng = np.random.default_rng(0)
    params = _parameters(rng)
    example = (params, optimizer.init(params), *_batch(rng))
    with pytest.raises(
        sparsam.CompileError, match=f"fc: .*updated inside '{place}'; compile one update"
    ):
        sparsam.compile(train, example, structure={"fc": structure})
    step = sparsam.compile(train, example, structure="dense")
    p, s = step.compress(params, example[1])
    p, s, loss = step(p, s, *example[2:])
    np.testing.assert_allclose(loss, train(*example)[2], rtol=1e-5)


def test_marks_do_not_hide_updates_inside_of_a_loop():
    """The way that some steps in a loop went, marked as the gradient."""

    def train(params, x, y):
        def body(inner, batch):
            loss, grads = jax.value_and_grad(_loss)(inner, *batch)
            return jax.tree.map(lambda w, g: w - 0.1 * g, inner, grads), loss

        inner, losses = jax.lax.scan(body, params, _split(x, y))
        way = sparsam.gradient(jax.tree.map(jnp.subtract, params, inner))
        return jax.tree.map(lambda w, g: w - 0.5 * g, params, way), losses.mean()

    rng = np.random.default_rng(0)
    with pytest.raises(sparsam.CompileError, match="fc: .*updated inside 'scf.for'"):
        _compile(train, _parameters(rng), _batch(rng), {"fc": PATTERN})


def test_a_bias_of_attention_scores_keeps_its_gradient():
    """What the softmax's derivative does to it is linear, however it looks."""

    def loss(params, x, y):
        q, k, v = (x @ params[name] for name in "qkv")
        scores = jnp.einsum("btd,bsd->bts", q, k) + params["bias"]
        return ((jax.nn.softmax(scores) @ v @ params["out"] - y) ** 2).mean()

    def train(params, x, y):
        value, grads = jax.vmap(jax.value_and_grad(loss), (None, 0, 0))(params, x, y)
        grads = jax.tree.map(lambda g: g.sum(0), grads)
        return jax.tree.map(lambda w, g: w - 0.05 * g, params, grads), value.mean()

    rng = np.random.default_rng(0)
    shapes = {"q": (16, 8), "k": (16, 8), "v": (16, 8), "out": (8, 4), "bias": (12, 12)}
    params = {
        name: rng.standard_normal(shape).astype(np.float32) / 4
        for name, shape in shapes.items()
    }
    batch = (
        rng.standard_normal((2, 3, 12, 16)).astype(np.float32),
        rng.standard_normal((2, 3, 12, 4)).astype(np.float32),
    )
    step = _compile(train, params, batch, {"bias": "nm<2:4, in = [0]>"})
    assert step.plan["bias"].structure.startswith("nm<2:4")


def _check_factors(step, train, params, batch):
    """Three steps against JAX's of the factors of `fc`."""

    def multiplied(tree, x, y):
        return _loss({**tree, "fc": tree["fc"]["u"] @ tree["fc"]["v"]}, x, y)

    p = step.compress(params)
    expected = {**params, "fc": step.storage(p)["fc"]}
    for _ in range(3):
        p, loss = step(p, *batch)
        expected, expected_loss = train(expected, *batch, multiplied)
        np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for name, factor in step.storage(p)["fc"].items():
        np.testing.assert_allclose(factor, expected["fc"][name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_factors_take_the_sum_of_two_sums_of_one_loop(scale):
    def train(params, x, y, loss=_loss):
        def body(sums, batch):
            value, grads = jax.value_and_grad(loss)(params, *batch)
            first = jax.tree.map(jnp.add, sums[0], grads)
            second = jax.tree.map(lambda s, g: s + scale * g, sums[1], grads)
            return (first, second), value

        zeros = jax.tree.map(jnp.zeros_like, params)
        (first, second), losses = jax.lax.scan(body, (zeros, zeros), _split(x, y))
        grads = jax.tree.map(jnp.add, first, second)
        return jax.tree.map(lambda w, g: w - 0.05 * g, params, grads), losses.mean()

    rng = np.random.default_rng(2)
    params, batch = _parameters(rng), _batch(rng)
    step = _compile(train, params, batch, {"fc": FACTORS})
    _check_factors(step, train, params, batch)


def _mean(sums, weights):
    return jax.tree.map(lambda g: g / PARTS, sums)


def _weighted_mean(sums, weights):
    return jax.tree.map(lambda g: g / weights.sum(), sums)


@pytest.mark.parametrize("mean", [_mean, _weighted_mean])
def test_factors_take_the_mean_of_a_loop_without_a_dense_gradient(mean):
    """Marked behind the division, by a constant or by what is known in the step alone."""

    def train(params, x, y, weights, loss=_loss):
        def body(sums, batch):
            *batch, weight = batch
            value, grads = jax.value_and_grad(loss)(params, *batch)
            return jax.tree.map(lambda s, g: s + weight * g, sums, grads), value

        zeros = jax.tree.map(jnp.zeros_like, params)
        parts = (*_split(x, y), weights)
        sums, losses = jax.lax.scan(body, zeros, parts)
        grads = sparsam.gradient(mean(sums, weights))
        return jax.tree.map(lambda w, g: w - 0.05 * g, params, grads), losses.mean()

    rng = np.random.default_rng(4)
    params = _parameters(rng)
    batch = (*_batch(rng), rng.random(PARTS).astype(np.float32))
    step = _compile(train, params, batch, {"fc": FACTORS})
    assert not any("dense gradient" in remark for remark in step.remarks)
    _check_factors(step, train, params, batch)
