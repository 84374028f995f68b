"""The models whose training steps are measured: sizes, first weights and batches.

The frameworks' own code for them is in `networks_jax.py` and `networks_torch.py`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Of the optimizer, AdamW with clipping of the gradients' global norm.
RATE, DECAY, CLIP = 3e-4, 0.1, 1.0


@dataclasses.dataclass(frozen=True)
class Gpt:
    """A GPT with tied embeddings."""

    width: int = 512
    heads: int = 8
    layers: int = 4
    vocab: int = 96
    context: int = 128
    batch: int = 16

    # The linear layers, as globs over parameters.
    LINEAR = ("blocks/*/qkv", "blocks/*/proj", "blocks/*/fc", "blocks/*/out")

    @property
    def flops(self) -> int:
        """Of the products of one dense step: 2 forward and 4 backward a weight and token,
        and the two products of attention."""
        tokens = self.batch * self.context
        weights = self.layers * 12 * self.width**2 + self.vocab * self.width
        attention = self.layers * 12 * self.batch * self.context**2 * self.width
        return 6 * weights * tokens + attention

    def init(self) -> dict:
        rng = np.random.default_rng(0)
        d = self.width

        def normal(*shape):
            return np.float32(0.02) * rng.standard_normal(shape, np.float32)

        def block():
            return {
                "ln1": np.ones(d, np.float32),
                "ln2": np.ones(d, np.float32),
                "qkv": normal(d, 3 * d),
                "proj": normal(d, d),
                "fc": normal(d, 4 * d),
                "fcb": np.zeros(4 * d, np.float32),
                "out": normal(4 * d, d),
                "outb": np.zeros(d, np.float32),
            }

        return {
            "wte": normal(self.vocab, d),
            "wpe": normal(self.context, d),
            "blocks": [block() for _ in range(self.layers)],
            "lnf": np.ones(d, np.float32),
        }

    def batch_of(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        text = rng.integers(0, self.vocab, (self.batch, self.context + 1), np.int32)
        return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])


@dataclasses.dataclass(frozen=True)
class Mlp:
    """A classifier of images with two wide hidden layers."""

    inputs: int = 784
    width: int = 4096
    classes: int = 10
    batch: int = 256

    # The last layer has too few outputs for a structure to matter.
    LINEAR = ("0/w", "1/w")

    @property
    def flops(self) -> int:
        """As of the GPT, but that the input has no gradient."""
        hidden = self.width * self.width + self.width * self.classes
        return self.batch * (6 * hidden + 4 * self.inputs * self.width)

    def init(self) -> list[dict]:
        rng = np.random.default_rng(0)
        sizes = (self.inputs, self.width, self.width, self.classes)
        return [
            {
                "w": rng.standard_normal((n, m), np.float32) * np.float32((2 / n) ** 0.5),
                "b": np.zeros(m, np.float32),
            }
            for n, m in zip(sizes, sizes[1:], strict=False)
        ]

    def batch_of(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((self.batch, self.inputs), np.float32)
        return x, rng.integers(0, self.classes, self.batch, np.int32)


MODELS = {"gpt": Gpt, "mlp": Mlp}
