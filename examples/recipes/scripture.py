"""What the recipes on the demo's text share: its GPT, trained on the Old Testament of the
King James Bible and then to be fine-tuned on the New."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import numpy as np
import sparsam

sys.path.append(str(Path(__file__).parents[1]))
import char_gpt as gpt  # noqa: E402

BATCH, CONTEXT = 8, 64
LINEAR = ("qkv", "proj", "fc", "out")


class Scripture:
    """Batches of both parts, in one alphabet."""

    def __init__(self, seed: int):
        parts = gpt.bible("gen1:1-mal4:6"), gpt.bible("mat1:1-rev22:21")
        self.old, self.new = (
            gpt.Text(part, BATCH, CONTEXT, seed, alphabet="".join(parts))
            for part in parts
        )
        self.seed = seed

    def restart(self) -> gpt.Text:
        """The New Testament from its first batch on: each fine-tuning sees the same ones."""
        self.new.rng = np.random.default_rng(self.seed)
        return self.new

    def bits(self, evaluate) -> float:
        """Bits a character on held-out verses of the New Testament."""
        batches = self.new.validation(16)
        return float(np.mean([evaluate(x, y) for x, y in batches]))


def train(step, p, s, text, steps: int):
    for _ in range(steps):
        p, s, _ = step(p, s, *text.sample())
    return p, s


class Task:
    """The pretrained model, and its fine-tuning under a structure.

    Fine-tuning goes with an optimizer of its own, whose rate falls over `steps`.
    """

    def __init__(self, seed: int, pretraining: int, steps: int):
        self.data = Scripture(seed)
        self.steps = steps
        start = gpt.init(jax.random.key(seed), self.data.old.vocab, CONTEXT)
        self.example = start, *self.data.old.sample()
        step, optimizer = self._compile(start, pretraining, "dense")
        p, s = step.compress(start, optimizer.init(start))
        p, _ = train(step, p, s, self.data.old, pretraining)
        self.pretrained = step.densify(p)
        self.before = self._bits(step, p)

    def fine_tune(self, structure) -> tuple[float, float, sparsam.Step]:
        """Bits a character right after compressing and after training, and the step."""
        step, optimizer = self._compile(self.pretrained, self.steps, structure)
        p, s = step.compress(self.pretrained, optimizer.init(self.pretrained))
        before = self._bits(step, p)
        p, _ = train(step, p, s, self.data.restart(), self.steps)
        return before, self._bits(step, p), step

    def _compile(self, params, steps: int, structure):
        optimizer = gpt.make_optimizer(steps)
        _, *batch = self.example
        args = params, optimizer.init(params), *batch
        fn = gpt.make_train_step(optimizer)
        return sparsam.compile(fn, args, structure=structure), optimizer

    def _bits(self, step, p) -> float:
        evaluate = step.compile_with(gpt.bits_fn, self.example)
        return self.data.bits(lambda x, y: evaluate(p, x, y))
