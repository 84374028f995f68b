"""What the recipes on scikit-learn's digits share: the pictures, an MLP, its training step."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import optax
import sparsam
from sklearn.datasets import load_digits

WIDTHS = (64, 256, 256, 10)
BATCH = 64


class Digits:
    """1,797 pictures of 8 x 8 pixels in 0..1; every fourth is held out."""

    def __init__(self, transform=lambda pictures: pictures):
        digits = load_digits()
        pictures = transform(digits.images / 16).reshape(-1, 64).astype(np.float32)
        labels = digits.target.astype(np.int32)
        held_out = np.arange(len(labels)) % 4 == 0
        self.x, self.y = pictures[~held_out], labels[~held_out]
        self.held_out_x, self.held_out_y = pictures[held_out], labels[held_out]

    def batches(self, steps: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rng = np.random.default_rng(seed)
        for _ in range(steps):
            rows = rng.integers(0, len(self.y), BATCH)
            yield self.x[rows], self.y[rows]

    def accuracy(self, predict) -> float:
        """Of the held-out pictures, in per cent; `predict` maps pictures to logits."""
        logits = np.asarray(predict(self.held_out_x))
        return 100 * float((logits.argmax(-1) == self.held_out_y).mean())


def init(seed: int) -> dict:
    """Weights of He et al. (2015) and zero biases: {"0": {"w": 64 x 256, "b": 256}, …}."""
    keys = jax.random.split(jax.random.key(seed), len(WIDTHS) - 1)
    return {
        str(layer): {
            "w": jax.random.normal(keys[layer], (k, n)) * (2 / k) ** 0.5,
            "b": jnp.zeros(n),
        }
        for layer, (k, n) in enumerate(zip(WIDTHS[:-1], WIDTHS[1:], strict=True))
    }


def logits(params: dict, x):
    for layer in range(len(WIDTHS) - 2):
        x = jax.nn.relu(x @ params[str(layer)]["w"] + params[str(layer)]["b"])
    last = params[str(len(WIDTHS) - 2)]
    return x @ last["w"] + last["b"]


def loss_fn(params: dict, x, y):
    picked = optax.softmax_cross_entropy_with_integer_labels(logits(params, x), y)
    return picked.mean()


optimizer = optax.adamw(2e-3, weight_decay=1e-2)


def make_train_step(optimizer):
    def train_step(params, state, x, y):
        loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    return train_step


def compile_dense(data: Digits, params: dict, optimizer=optimizer) -> sparsam.Step:
    """The dense step, which `refresh` leads to a structured one."""
    args = params, optimizer.init(params), *next(data.batches(1, 0))
    return sparsam.compile(make_train_step(optimizer), args)


def hidden(structure: str) -> dict[str, str]:
    """The structure on both hidden layers; the last layer, 256 x 10, stays dense."""
    return {"0/w": structure, "1/w": structure}


def train(step, p, s, batches):
    for x, y in batches:
        p, s, _ = step(p, s, x, y)
    return p, s


def accuracy(step, p, data: Digits) -> float:
    """Of the structured model: the forward pass runs on storage too."""
    predict = step.compile_with(logits, (init(0), data.held_out_x))
    return data.accuracy(lambda x: predict(p, x))
