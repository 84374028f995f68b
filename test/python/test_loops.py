"""Parameters that are used more than once: in loops, over parts of a batch, layer by layer
without a loop, in batches of their own, as an embedding and a head. Against the oracle."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from models import OPTIMIZERS, Model
from oracle import Case, check_case
from walk import check_nothing_dense, propagated

TEXTS = {"nm": "nm<2:4>", "low_rank": "low_rank<3>"}


def _normal(rng, *shape):
    return (rng.standard_normal(shape) / np.sqrt(shape[-2])).astype(np.float32)


def _squares(*shapes):
    return lambda rng: tuple(
        rng.standard_normal(shape).astype(np.float32) for shape in shapes
    )


def recurrent():
    """One weight in every iteration of a loop."""

    def loss(params, x, y):
        def cell(h, token):
            return jnp.tanh(token @ params["wx"] + h @ params["wh"]), None

        h, _ = jax.lax.scan(cell, jnp.zeros((5, 20)), x)
        return ((h @ params["head"] - y) ** 2).mean()

    def init(rng):
        return {
            "wx": _normal(rng, 12, 20),
            "wh": _normal(rng, 20, 20),
            "head": _normal(rng, 20, 3),
        }

    batch = _squares((7, 5, 12), (5, 3))
    return Model("recurrent", init, batch, loss, {"wx": (0,), "wh": (0,)})


def unrolled():
    """A stacked weight, a layer at a time without a loop."""

    def loss(params, x, y):
        for layer in range(3):
            x = jnp.tanh(x @ params["w"][layer])
        return ((x @ params["head"] - y) ** 2).mean()

    def init(rng):
        return {"w": _normal(rng, 3, 20, 20), "head": _normal(rng, 20, 3)}

    batch = _squares((5, 20), (5, 3))
    return Model("unrolled", init, batch, loss, {"w": (1,)}, stacked={"w": (0,)})


def nested():
    """Layers of layers, in loops that are computed again."""

    def loss(params, x, y):
        def layer(x, w):
            return jnp.tanh(x @ (0.9 * w)), None

        def group(x, ws):
            return jax.lax.scan(jax.checkpoint(layer), x, ws)

        x, _ = jax.lax.scan(jax.checkpoint(group), x, params["w"])
        return ((x @ params["head"] - y) ** 2).mean()

    def init(rng):
        return {"w": _normal(rng, 2, 3, 20, 20), "head": _normal(rng, 20, 3)}

    batch = _squares((6, 20), (6, 3))
    return Model("nested", init, batch, loss, {"w": (2,)}, stacked={"w": (0, 1)})


def twice():
    """The same layers in two loops, the last dimension the stacked one."""

    def loss(params, x, y):
        def layer(x, w):
            return jnp.tanh(x @ w), None

        layers = jnp.moveaxis(params["w"], 2, 0)
        x, _ = jax.lax.scan(layer, x, layers)
        x, _ = jax.lax.scan(layer, x, layers, reverse=True)
        return ((x @ params["head"] - y) ** 2).mean()

    def init(rng):
        return {"w": _normal(rng, 3, 20, 20).T.copy(), "head": _normal(rng, 20, 3)}

    batch = _squares((6, 20), (6, 3))
    return Model("twice", init, batch, loss, {"w": (0,)}, stacked={"w": (2,)})


def experts():
    """A matrix of its own for each part of a batch."""

    def loss(params, x, y):
        h = jnp.tanh(jnp.einsum("bek,ekn->ben", x, params["w"]))
        return ((jnp.einsum("ben,enk->bek", h, params["v"]) - y) ** 2).mean()

    def init(rng):
        return {"w": _normal(rng, 3, 20, 28), "v": _normal(rng, 3, 28, 20)}

    batch = _squares((5, 3, 20), (5, 3, 20))
    return Model(
        "experts",
        init,
        batch,
        loss,
        {"w": (1,), "v": (1,)},
        stacked={"w": (0,), "v": (0,)},
    )


def reshaped():
    """Weights that are transposed and reshaped before they are used."""

    def loss(params, x, y):
        x = jnp.tanh(x @ params["w"].transpose(2, 0, 1).reshape(20, 24))
        return ((x @ params["v"].reshape(20, 24).T - y) ** 2).mean()

    def init(rng):
        return {"w": _normal(rng, 6, 4, 20), "v": _normal(rng, 4, 5, 24)}

    batch = _squares((5, 20), (5, 20))
    return Model("reshaped", init, batch, loss, {"w": (2,), "v": (2,)})


MADE = [recurrent(), unrolled(), nested(), twice(), experts(), reshaped()]
MODELS = {made.name: made for made in MADE}


@pytest.mark.parametrize("structure", TEXTS)
@pytest.mark.parametrize("model", MODELS)
def test_step(model, structure):
    number = list(MODELS).index(model)
    optimizer = OPTIMIZERS[
        ["adamw", "lion", "momentum", "rmsprop", "nesterov", "adamw"][number]
    ]()
    texts = dict.fromkeys(MODELS[model].weights, TEXTS[structure])
    one = Case(MODELS[model], optimizer, texts, seed=number)
    step = one.compile()
    check_case(one, step)
    if model != "reshaped":  # whose activations have the weights' shapes
        check_nothing_dense(one, propagated(one), step.remarks)


@dataclasses.dataclass
class Accumulating(Case):
    """Adds up the gradients of the parts of a batch in a loop."""

    loop: str = "scan"

    def train_step(self, params, state, x, y):
        parts = [a.reshape(2, -1, *a.shape[1:]) for a in (x, y)]

        def add(total, part):
            found = jax.value_and_grad(self.model.loss)(params, *part)
            return jax.tree.map(jnp.add, total, found), None

        total = jnp.zeros(()), jax.tree.map(jnp.zeros_like, params)
        if self.loop == "scan":
            total, _ = jax.lax.scan(add, total, parts)
        else:
            total = jax.lax.fori_loop(
                0, 2, lambda i, sums: add(sums, [part[i] for part in parts])[0], total
            )
        loss, grads = jax.tree.map(lambda a: a / 2, total)
        updates, state = self.optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss


@pytest.mark.parametrize("structure", TEXTS)
@pytest.mark.parametrize("loop", ["scan", "fori_loop"])
def test_gradient_accumulation(loop, structure):
    """With another loop inside, over the layers."""

    def loss(params, x, y):
        x, _ = jax.lax.scan(lambda x, w: (jnp.tanh(x @ w), None), x, params["layers"])
        return ((x @ params["head"] - y) ** 2).mean()

    def init(rng):
        return {"layers": _normal(rng, 3, 20, 20), "head": _normal(rng, 20, 3)}

    weights, stacked = {"layers": (1,), "head": (0,)}, {"layers": (0,)}
    batch = _squares((6, 20), (6, 3))
    model = Model("accumulating", init, batch, loss, weights, stacked=stacked)
    texts = {"layers": TEXTS[structure]}
    one = Accumulating(model, OPTIMIZERS["adamw"](), texts, loop=loop)
    step = one.compile()
    check_case(one, step)
    check_nothing_dense(one, propagated(one), step.remarks)


def test_a_factorized_embedding_is_looked_up_in_a_factor():
    """It is the head too. The transpose of the look-up is no product, which is said."""

    def loss(params, x, y):
        logits = jnp.tanh(params["wte"][x] @ params["w"]) @ params["wte"].T
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def init(rng):
        return {"wte": _normal(rng, 24, 16), "w": _normal(rng, 16, 16)}

    def batch(rng):
        return tuple(rng.integers(0, 24, (2, 5)).astype(np.int32) for _ in range(2))

    model = Model("embedding", init, batch, loss, {"wte": (1,)})
    one = Case(model, OPTIMIZERS["adamw"](), {"wte": "low_rank<3>"})
    step = one.compile()
    check_case(one, step)
    assert any("needs the dense gradient" in remark for remark in step.remarks)


@pytest.mark.parametrize("structure", TEXTS)
def test_half_precision_with_sums_in_f32(structure):
    """Within the rounding of bf16: factors do without that of the parameter."""

    def loss(params, x, y):
        half = jnp.bfloat16

        def layer(x, w):
            return jnp.tanh((x.astype(half) @ w.astype(half)).astype(jnp.float32)), None

        x, _ = jax.lax.scan(layer, x, params["layers"])
        return ((x @ params["head"] - y) ** 2).mean()

    rng = np.random.default_rng(3)
    params = {"layers": _normal(rng, 3, 20, 20), "head": _normal(rng, 20, 3)}
    x, y = _squares((6, 20), (6, 3))(rng)
    optimizer = optax.sgd(0.1)

    def train_step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    state = optimizer.init(params)
    step = sparsam.compile(
        train_step,
        (params, state, x, y),
        params=0,
        state=1,
        structure={"layers": TEXTS[structure]},
    )
    assert not [r for r in step.remarks if "made dense" in r or "dense first" in r]
    p, s = step.compress(params, state)
    masked = step.densify(p)
    expected, grads = jax.value_and_grad(loss)(masked, x, y)
    p, s, value = step(p, s, x, y)
    np.testing.assert_allclose(value, expected, rtol=1e-2)
    if structure == "nm":
        kept = masked["layers"] != 0
        updated = np.where(kept, masked["layers"] - 0.1 * grads["layers"], 0)
        np.testing.assert_allclose(
            step.densify(p)["layers"],
            updated,
            atol=2e-2 * 0.1 * np.abs(grads["layers"]).max(),
        )


def dropout_in_layers(remat: bool):
    """A layer of a loop draws with a key of its own, of those that an argument is split into;
    where it is computed again it draws the same."""

    def loss(params, x, key):
        def layer(x, of_layer):
            w, key = of_layer
            h = jnp.tanh(x @ w)
            # In f32, so that the reference in f64 draws the same.
            keep = jax.random.uniform(key, h.shape, jnp.float32) < 0.7
            return x + jnp.where(keep, h / 0.7, 0), None

        layer = jax.checkpoint(layer) if remat else layer
        keys = jax.random.split(key, 3)
        x, _ = jax.lax.scan(layer, x, (params["layers"], keys))
        return ((x @ params["head"]) ** 2).mean()

    def init(rng):
        return {"layers": _normal(rng, 3, 20, 20), "head": _normal(rng, 20, 3)}

    def batch(rng):
        key = jax.random.key_data(jax.random.key(rng.integers(2**31)))
        return _squares((6, 20))(rng)[0], np.asarray(key)

    weights, stacked = {"layers": (1,), "head": (0,)}, {"layers": (0,)}
    return Model("dropout", init, batch, loss, weights, stacked=stacked)


@pytest.mark.parametrize(
    "structure, remat", [("nm", False), ("low_rank", True), ("nm", True)]
)
def test_dropout_in_a_loop(structure, remat):
    model = dropout_in_layers(remat)
    one = Case(model, OPTIMIZERS["adamw"](), {"layers": TEXTS[structure]}, seed=8)
    step = one.compile()
    check_case(one, step)
    check_nothing_dense(one, propagated(one), step.remarks)
    # The key decides what is dropped.
    (x, key), (_, other) = one.batches[:2]
    losses = [
        step(*step.compress(one.params, one.state), x, k)[2] for k in (key, key, other)
    ]
    assert losses[0] == losses[1] != losses[2]
