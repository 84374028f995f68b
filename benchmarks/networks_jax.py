"""The training steps of `networks.py` as JAX functions, which Sparsam compiles, too."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import optax
from networks import CLIP, DECAY, RATE, Gpt, Mlp


def gpt_loss(model: Gpt, params, x, y):
    context, heads = model.context, model.heads
    h = params["wte"][x] + params["wpe"][None]
    mask = jnp.tril(jnp.ones((context, context), bool))

    def norm(a, gain):
        mean = a.mean(-1, keepdims=True)
        variance = ((a - mean) ** 2).mean(-1, keepdims=True)
        return (a - mean) * jax.lax.rsqrt(variance + 1e-5) * gain

    def split(a):
        return a.reshape(model.batch, context, heads, -1).transpose(0, 2, 1, 3)

    for block in params["blocks"]:
        q, k, v = map(split, jnp.split(norm(h, block["ln1"]) @ block["qkv"], 3, -1))
        a = jnp.einsum("bhqd,bhkd->bhqk", q, k) / jnp.sqrt(model.width // heads)
        a = jax.nn.softmax(jnp.where(mask, a, -1e9), -1)
        o = jnp.einsum("bhqk,bhkd->bhqd", a, v).transpose(0, 2, 1, 3)
        h = h + o.reshape(model.batch, context, -1) @ block["proj"]
        m = jax.nn.gelu(norm(h, block["ln2"]) @ block["fc"] + block["fcb"])
        h = h + m @ block["out"] + block["outb"]
    logits = norm(h, params["lnf"]) @ params["wte"].T
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def mlp_loss(model: Mlp, params, x, y):
    *hidden, last = params
    for layer in hidden:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    logits = x @ last["w"] + last["b"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


LOSSES = {Gpt: gpt_loss, Mlp: mlp_loss}


def loss_of(model):
    return functools.partial(LOSSES[type(model)], model)


def optimizer_of() -> optax.GradientTransformation:
    return optax.chain(
        optax.clip_by_global_norm(CLIP), optax.adamw(RATE, weight_decay=DECAY)
    )


def step_of(model):
    """The training step of a model, and its optimizer."""
    loss, optimizer = loss_of(model), optimizer_of()

    def step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    return step, optimizer
