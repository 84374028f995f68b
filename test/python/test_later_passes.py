"""Steps with several backward passes: where a later one depends on the gradient that an
earlier one made, parameters have to stay dense."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparsam
from jax.flatten_util import ravel_pytree
from masked import check_masked

PARTS = 3
PATTERN, FACTORS = "nm<2:8, vector = 4>", "low_rank<4>"
RNG = np.random.default_rng(0)
PARAMS = {
    "fc": RNG.standard_normal((24, 40)).astype(np.float32) / 5,
    "bias": RNG.standard_normal(40).astype(np.float32) / 5,
    "out": RNG.standard_normal((40, 8)).astype(np.float32) / 6,
}
X = RNG.standard_normal((15, 24)).astype(np.float32)
Y = RNG.standard_normal((15, 8)).astype(np.float32)
DEPENDS = "a later backward pass depends on its gradient"
TWICE = "of the gradients that it is updated with one depends on another"


def _loss(params, x, y):
    hidden = jnp.tanh(x @ params["fc"] + params["bias"])
    return ((hidden @ params["out"] - y) ** 2).mean()


def _norm(grads):
    return jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(grads)))


def _move(params, grads, rate=-0.05):
    return jax.tree.map(lambda w, g: w + rate * g, params, grads)


def _split(x, y):
    return x.reshape(PARTS, -1, x.shape[1]), y.reshape(PARTS, -1, y.shape[1])


def _add_in_loop(grad, params, x, y):
    def body(sums, batch):
        return jax.tree.map(jnp.add, sums, grad(params, *batch)), None

    return jax.lax.scan(body, jax.tree.map(jnp.zeros_like, params), _split(x, y))[0]


def _sharpness(loss, params, x, y):
    grads = jax.grad(loss)(params, x, y)
    return jax.grad(loss)(_move(params, grads, 0.1 / _norm(grads)), x, y)


def _sharpness_jitted(loss, params, x, y):
    return jax.jit(lambda *args: _sharpness(loss, *args))(params, x, y)


def _sharpness_of_parts(loss, params, x, y):
    return _add_in_loop(lambda *args: _sharpness(loss, *args), params, x, y)


def _sharpness_of_sums(loss, params, x, y):
    grads = _add_in_loop(jax.grad(loss), params, x, y)
    return _add_in_loop(jax.grad(loss), _move(params, grads, 0.1), x, y)


def _extragradient(loss, params, x, y):
    return jax.grad(loss)(_move(params, jax.grad(loss)(params, x, y)), x, y)


def _meta(loss, params, x, y):
    def adapted(params):
        return loss(_move(params, jax.grad(loss)(params, x[:7], y[:7])), x[7:], y[7:])

    return jax.grad(adapted)(params)


def _penalised(loss, params, x, y):
    def penalised(params):
        grads = jax.grad(loss)(params, x, y)
        return loss(params, x, y) + 0.1 * sum(
            jnp.sum(g * g) for g in jax.tree.leaves(grads)
        )

    return jax.grad(penalised)(params)


def _clipped_in_two_passes(loss, params, x, y):
    """A weight of each example by the norm of its gradient, and a pass with these."""

    def of_one(params, x, y):
        return loss(params, x[None], y[None])

    grads = jax.vmap(jax.grad(of_one), (None, 0, 0))(params, x, y)
    weights = jnp.minimum(1.0, 0.3 / jax.vmap(_norm)(grads))
    return jax.grad(lambda p: (weights * jax.vmap(of_one, (None, 0, 0))(p, x, y)).mean())(
        params
    )


def _weighted_by_norm(loss, params, x, y):
    weight = 1 / (0.1 + _norm(jax.grad(loss)(params, x, y)))
    return jax.grad(lambda p: weight * loss(p, x, y))(params)


def _weighted_in_branch(loss, params, x, y):
    grads = jax.grad(loss)(params, x, y)
    return jax.lax.cond(
        x[0, 0] < 1e9,
        lambda: jax.grad(lambda p: loss(p, x, y) / (0.1 + _norm(grads)))(params),
        lambda: grads,
    )


def _weighted_by_the_last_part(loss, params, x, y):
    """The norm of each part's gradient weights the loss of the next."""

    def body(carry, batch):
        sums, weight = carry
        grads = jax.grad(lambda p: weight * loss(p, *batch))(params)
        return (jax.tree.map(jnp.add, sums, grads), 1 / (0.1 + _norm(grads))), None

    zeros = jax.tree.map(jnp.zeros_like, params)
    return jax.lax.scan(body, (zeros, jnp.float32(1)), _split(x, y))[0][0]


def _sharpness_of_a_vector(loss, params, x, y):
    flat, restore = ravel_pytree(params)
    flat_loss = lambda flat: loss(restore(flat), x, y)  # noqa: E731
    grad = jax.grad(flat_loss)(flat)
    return restore(jax.grad(flat_loss)(flat + 0.1 * grad / jnp.linalg.norm(grad)))


DEPENDENT = {
    "sharpness": _sharpness,
    "sharpness, jitted": _sharpness_jitted,
    "sharpness of parts": _sharpness_of_parts,
    "sharpness of sums": _sharpness_of_sums,
    "sharpness of a vector": _sharpness_of_a_vector,
    "extragradient": _extragradient,
    "meta": _meta,
    "penalised": _penalised,
    "clipped in two passes": _clipped_in_two_passes,
    "weighted by norm": _weighted_by_norm,
    "weighted in a branch": _weighted_in_branch,
    "weighted by the last part": _weighted_by_the_last_part,
}


def _joined_loss(params, x, y):
    """Both halves of the hidden layer by one product."""
    halves = jnp.split(params["fc"], 2, axis=1)
    hidden = jnp.tanh(x @ jnp.concatenate(halves[::-1], axis=1) / 2)
    return ((hidden @ params["out"] - y) ** 2).mean()


LOSSES = {
    "jitted": jax.jit(_loss),
    "checkpointed": jax.checkpoint(_loss),
    "joined": _joined_loss,
}


def _make_step(grad, loss=_loss):
    def train(params, x, y):
        return _move(params, grad(loss, params, x, y)), loss(params, x, y)

    return train


def _train_twice(params, x, y):
    for _ in range(2):
        params = _move(params, jax.grad(_loss)(params, x, y))
    return params, _loss(params, x, y)


def _compile(train, structure):
    return sparsam.compile(train, (PARAMS, X, Y), state=None, structure=structure)


@pytest.mark.parametrize("structure", [PATTERN, FACTORS])
@pytest.mark.parametrize("way", DEPENDENT)
def test_structures_are_refused(way, structure):
    with pytest.raises(sparsam.CompileError, match=f"fc: .*{DEPENDS}"):
        _compile(_make_step(DEPENDENT[way]), {"fc": structure})


@pytest.mark.parametrize("way", ["penalised", "weighted by norm", "sharpness"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_seen_however_the_loss_is_written(loss, way):
    with pytest.raises(sparsam.CompileError, match=f"fc: .*{DEPENDS}"):
        _compile(_make_step(DEPENDENT[way], LOSSES[loss]), {"fc": PATTERN})


@pytest.mark.parametrize("way", ["penalised", "weighted by norm"])
def test_gradients_of_layers_in_a_loop_are_seen(way):
    params = {
        "fc": RNG.standard_normal((3, 24, 24)).astype(np.float32) / 5,
        "out": RNG.standard_normal((24, 8)).astype(np.float32) / 5,
    }

    def loss(params, x, y):
        hidden, _ = jax.lax.scan(
            lambda h, w: (jnp.tanh(h @ w) + h, None), x, params["fc"]
        )
        return ((hidden @ params["out"] - y) ** 2).mean()

    with pytest.raises(sparsam.CompileError, match=f"fc: .*{DEPENDS}"):
        sparsam.compile(
            _make_step(DEPENDENT[way], loss),
            (params, X, Y),
            state=None,
            structure={"fc": PATTERN},
        )


@pytest.mark.parametrize("way", ["sharpness", "meta"])
def test_marks_do_not_hide_a_later_pass(way):
    def grad(*args):
        return sparsam.gradient(DEPENDENT[way](*args))

    with pytest.raises(sparsam.CompileError, match=f"fc: .*{DEPENDS}"):
        _compile(_make_step(grad), {"fc": PATTERN})


@pytest.mark.parametrize("structure", [PATTERN, FACTORS])
def test_two_updates_in_one_step_are_refused(structure):
    with pytest.raises(sparsam.CompileError, match=f"fc: .*{TWICE}"):
        _compile(_train_twice, {"fc": structure})


@pytest.mark.parametrize(
    "train",
    [*map(_make_step, DEPENDENT.values()), _train_twice],
    ids=[*DEPENDENT, "twice"],
)
def test_dense_steps_are_those_of_jax(train):
    step = _compile(train, "dense")
    p, loss = step(step.compress(PARAMS), X, Y)
    expected, expected_loss = train(PARAMS, X, Y)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for path, value in step.densify(p).items():
        np.testing.assert_allclose(value, expected[path], rtol=1e-4, atol=1e-6)


def _plain(loss, params, x, y):
    return jax.grad(loss)(params, x, y)


def _adversarial(loss, params, x, y):
    """Of examples that were moved along their gradient."""
    moved = x + 0.1 * jnp.sign(jax.grad(loss, argnums=1)(params, x, y))
    return jax.grad(loss)(params, moved, y)


def _in_turns(loss, params, x, y):
    """The gradient of the second layer behind the update of the first, as adversaries
    are trained in turns."""
    first = jax.grad(loss)(params, x, y)
    moved = {**_move(params, first), "out": params["out"]}
    return {**first, "out": jax.grad(loss)(moved, x, y)["out"]}


def _adversarial_in_loop(loss, params, x, y):
    def move(i, moved):
        return moved + 0.05 * jnp.sign(jax.grad(loss, argnums=1)(params, moved, y))

    return jax.grad(loss)(params, jax.lax.fori_loop(0, 3, move, jnp.asarray(x)), y)


def _smooth(loss, params, x, y):
    """With a penalty on the gradient by the input."""

    def penalised(params):
        value, grad = jax.value_and_grad(loss, argnums=1)(params, x, y)
        return value + 10 * jnp.sum(grad * grad)

    return jax.grad(penalised)(params)


def _in_turns_of_parts(loss, params, x, y):
    """The same where the mean over parts makes the first gradient."""
    parts = jax.vmap(jax.grad(loss), (None, 0, 0))(params, *_split(x, y))
    first = jax.tree.map(lambda g: g.mean(0), parts)
    moved = {**_move(params, first), "out": params["out"]}
    return {**first, "out": jax.grad(loss)(moved, x, y)["out"]}


# In the second, examples, inputs and outputs of a layer are alike in number.
SHAPES = {"as they come": (15, 24, 40, 8), "all alike": (24, 24, 24, 24)}
INDEPENDENT = [
    _plain,
    _adversarial,
    _adversarial_in_loop,
    _smooth,
    _in_turns,
    _in_turns_of_parts,
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("grad", INDEPENDENT)
def test_other_passes_keep_their_structures(grad, shape):
    """Three steps against JAX's of the masked parameters."""
    examples, inputs, hidden, outputs = SHAPES[shape]
    rng = np.random.default_rng(1)

    def random(*shape):
        return rng.standard_normal(shape).astype(np.float32) / 5

    params = {
        "fc": random(inputs, hidden),
        "bias": random(hidden),
        "out": random(hidden, outputs),
    }
    batch = random(examples, inputs), random(examples, outputs)
    step = sparsam.compile(
        _make_step(grad),
        (params, *batch),
        state=None,
        structure={"fc": PATTERN, "out": PATTERN},
    )
    check_masked(step, params, batch, _loss, partial(_make_step, grad))
