"""The GPT step that is measured: AdamW with global-norm clipping, weights tied, f32."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax

LINEAR = ("qkv", "proj", "fc", "out")


@dataclasses.dataclass(frozen=True)
class Gpt:
    width: int = 512
    heads: int = 8
    layers: int = 4
    vocab: int = 96
    context: int = 128
    batch: int = 16

    @property
    def tokens(self) -> int:
        return self.batch * self.context

    @property
    def flops(self) -> int:
        """Of the products of one dense step: 2 forward and 4 backward a weight and token,
        and the two products of attention."""
        weights = self.layers * 12 * self.width**2 + self.vocab * self.width
        attention = self.layers * 12 * self.batch * self.context**2 * self.width
        return 6 * weights * self.tokens + attention

    def init(self, seed: int):
        """Parameters and fresh optimizer state."""
        keys = iter(jax.random.split(jax.random.PRNGKey(seed), 2 + 4 * self.layers))
        d = self.width

        def normal(*shape):
            return 0.02 * jax.random.normal(next(keys), shape)

        params = {
            "wte": normal(self.vocab, d),
            "wpe": normal(self.context, d),
            "blocks": [
                {
                    "ln1": jnp.ones(d),
                    "ln2": jnp.ones(d),
                    "qkv": normal(d, 3 * d),
                    "proj": normal(d, d),
                    "fc": normal(d, 4 * d),
                    "fcb": jnp.zeros(4 * d),
                    "out": normal(4 * d, d),
                    "outb": jnp.zeros(d),
                }
                for _ in range(self.layers)
            ],
            "lnf": jnp.ones(d),
        }
        return params, self.optimizer.init(params)

    def batch_of(self, seed: int):
        text = np.random.default_rng(seed).integers(
            0, self.vocab, (self.batch, self.context + 1), np.int32
        )
        return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])

    @property
    def optimizer(self):
        return optax.chain(
            optax.clip_by_global_norm(1.0), optax.adamw(3e-4, weight_decay=0.1)
        )

    def loss(self, params, x, y):
        batch, context, heads = self.batch, self.context, self.heads
        h = params["wte"][x] + params["wpe"][None]
        mask = jnp.tril(jnp.ones((context, context), bool))

        def norm(a, gain):
            mean = a.mean(-1, keepdims=True)
            variance = ((a - mean) ** 2).mean(-1, keepdims=True)
            return (a - mean) * jax.lax.rsqrt(variance + 1e-5) * gain

        def split(a):
            return a.reshape(batch, context, heads, -1).transpose(0, 2, 1, 3)

        for block in params["blocks"]:
            q, k, v = map(split, jnp.split(norm(h, block["ln1"]) @ block["qkv"], 3, -1))
            a = jnp.einsum("bhqd,bhkd->bhqk", q, k) / jnp.sqrt(self.width // heads)
            a = jax.nn.softmax(jnp.where(mask, a, -1e9), -1)
            o = jnp.einsum("bhqk,bhkd->bhqd", a, v).transpose(0, 2, 1, 3)
            h = h + o.reshape(batch, context, -1) @ block["proj"]
            m = jax.nn.gelu(norm(h, block["ln2"]) @ block["fc"] + block["fcb"])
            h = h + m @ block["out"] + block["outb"]
        logits = norm(h, params["lnf"]) @ params["wte"].T
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def step(self, params, state, x, y):
        loss, grads = jax.value_and_grad(self.loss)(params, x, y)
        updates, state = self.optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss
