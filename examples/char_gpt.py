"""A character-level GPT on the King James Bible: dense in JAX, structured in Sparsam.

Both start from the same weights and see the same batches; each step of one is followed by
a step of the other. At the end a table, a picture and a page compare them.

    tools/dev demo                                    # or, with the package on the path:
    python examples/char_gpt.py --steps 300 --structure 'blocks/*/*c=low_rank<32>'
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import char_gpt_report as report
import jax
import jax.numpy as jnp
import numpy as np
import optax
import sparsam
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

LAYERS, WIDTH, HEADS = 6, 256, 8
STRUCTURE = {
    f"blocks/*/{name}": "nm<2:8, vector = 8>" for name in ("qkv", "proj", "fc", "out")
}


# -- the model, as one writes it in JAX ----------------------------------------------------


def init(key, vocab: int, context: int) -> dict:
    keys = iter(jax.random.split(key, 2 + 4 * LAYERS))

    def normal(*shape, scale=0.02):
        return scale * jax.random.normal(next(keys), shape)

    def block():
        return {
            "ln1": jnp.ones(WIDTH),
            "qkv": normal(WIDTH, 3 * WIDTH, scale=WIDTH**-0.5),
            "proj": normal(WIDTH, WIDTH, scale=(2 * LAYERS * WIDTH) ** -0.5),
            "ln2": jnp.ones(WIDTH),
            "fc": normal(WIDTH, 4 * WIDTH, scale=WIDTH**-0.5),
            "fc_bias": jnp.zeros(4 * WIDTH),
            "out": normal(4 * WIDTH, WIDTH, scale=(8 * LAYERS * WIDTH) ** -0.5),
            "out_bias": jnp.zeros(WIDTH),
        }

    return {
        "embed": normal(vocab, WIDTH),
        "position": normal(context, WIDTH),
        "blocks": [block() for _ in range(LAYERS)],
        "ln": jnp.ones(WIDTH),
    }


def layer_norm(x, gain):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * gain


def attention(x, block):
    batch, context, _ = x.shape

    def heads(a):
        return a.reshape(batch, context, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    q, k, v = map(heads, jnp.split(x @ block["qkv"], 3, axis=-1))
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k) / jnp.sqrt(WIDTH // HEADS)
    causal = jnp.tril(jnp.ones((context, context), bool))
    weights = jax.nn.softmax(jnp.where(causal, scores, -1e9), axis=-1)
    mixed = jnp.einsum("bhqk,bhkd->bhqd", weights, v).transpose(0, 2, 1, 3)
    return mixed.reshape(batch, context, WIDTH) @ block["proj"]


def loss_fn(params, x, y):
    """Mean cross entropy of the next character, in nats."""
    h = params["embed"][x] + params["position"]
    for block in params["blocks"]:
        h = h + attention(layer_norm(h, block["ln1"]), block)
        hidden = jax.nn.gelu(layer_norm(h, block["ln2"]) @ block["fc"] + block["fc_bias"])
        h = h + hidden @ block["out"] + block["out_bias"]
    logits = layer_norm(h, params["ln"]) @ params["embed"].T
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def make_optimizer(steps: int):
    rate = optax.warmup_cosine_decay_schedule(0.0, 2e-3, steps // 10 + 1, steps, 1e-4)
    return optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(rate, b2=0.98, weight_decay=0.05)
    )


def make_train_step(optimizer):
    def train_step(params, state, x, y):
        loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    return train_step


def bits_fn(params, x, y):
    return loss_fn(params, x, y) / jnp.log(2.0)


# -- the text ------------------------------------------------------------------------------


def bible(verses: str = "gen1:1-rev22:21") -> str:
    """The text that Debian's bible-kjv prints, a verse a line, without their numbers."""
    try:
        printed = subprocess.run(
            ["bible", "-f", verses], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"cannot print the Bible: {error}; `apt-get install bible-kjv` brings it"
        )
    return re.sub(r"^\S+ ", "", printed, flags=re.MULTILINE)


class Text:
    """Batches of characters; the last twentieth of the text is held out. `alphabet` holds
    those of the text and perhaps others; its own by default."""

    def __init__(
        self, text: str, batch: int, context: int, seed: int, alphabet: str = ""
    ):
        characters = sorted(set(alphabet or text))
        table = np.zeros(128, np.int32)
        table[[ord(c) for c in characters]] = np.arange(len(characters))
        codes = table[np.frombuffer(text.encode("ascii"), np.uint8)]
        split = len(codes) * 19 // 20
        self.vocab, self.train, self.held_out = (
            len(characters),
            codes[:split],
            codes[split:],
        )
        self.batch, self.context = batch, context
        self.rng = np.random.default_rng(seed)

    def sample(self):
        starts = self.rng.integers(0, len(self.train) - self.context - 1, self.batch)
        return self._cut(self.train, starts)

    def validation(self, count: int):
        """The same batches every time, evenly over what is held out."""
        starts = np.linspace(0, len(self.held_out) - self.context - 2, count * self.batch)
        for part in starts.astype(np.int64).reshape(count, self.batch):
            yield self._cut(self.held_out, part)

    def _cut(self, codes, starts):
        cut = np.stack([codes[s : s + self.context + 1] for s in starts])
        return np.ascontiguousarray(cut[:, :-1]), np.ascontiguousarray(cut[:, 1:])


# -- the two runs --------------------------------------------------------------------------


def structure_argument(text: str) -> tuple[str, str]:
    glob, equals, structure = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected glob=structure, found '{text}'")
    return glob, structure


def nbytes(tree) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


class DenseRun:
    """JAX's own jitted step."""

    def __init__(self, fn, params, state, batch):
        start = time.perf_counter()
        self.step = (
            jax.jit(fn, donate_argnums=(0, 1)).lower(params, state, *batch).compile()
        )
        self.compile_seconds = time.perf_counter() - start
        self.bits = jax.jit(bits_fn)
        # The step takes its arguments over; the structured run starts from the originals.
        self.params, self.state = jax.tree.map(jnp.copy, (params, state))
        self.parameter_bytes, self.state_bytes = nbytes(params), nbytes(state)

    def train(self, x, y) -> float:
        self.params, self.state, loss = self.step(self.params, self.state, x, y)
        return float(loss)

    def evaluate(self, batches) -> float:
        return float(np.mean([self.bits(self.params, x, y) for x, y in batches]))


class StructuredRun:
    """The same step, compiled by Sparsam."""

    def __init__(self, fn, params, state, batch, structure):
        start = time.perf_counter()
        self.step = sparsam.compile(
            fn, (params, state, *batch), params=0, state=1, structure=structure
        )
        self.compile_seconds = time.perf_counter() - start
        self.bits = self.step.compile_with(bits_fn, (params, *batch))
        self.params, self.state = self.step.compress(params, state)
        self.parameter_bytes, self.state_bytes = self.params.nbytes, self.state.nbytes

    def train(self, x, y) -> float:
        self.params, self.state, loss = self.step(self.params, self.state, x, y)
        return float(loss)

    def evaluate(self, batches) -> float:
        return float(np.mean([self.bits(self.params, x, y) for x, y in batches]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=600, help="steps of each run")
    parser.add_argument("--batch", type=int, default=8, help="sequences in a batch")
    parser.add_argument(
        "--context", type=int, default=64, help="characters in a sequence"
    )
    parser.add_argument("--evaluate-every", type=int, default=100, metavar="STEPS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--structure",
        type=structure_argument,
        action="append",
        metavar="GLOB=TEXT",
        help="structure of the parameters that a glob matches; may be repeated "
        f"(default: all linear layers {STRUCTURE['blocks/*/fc']})",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/demo"), help="folder to write to"
    )
    options = parser.parse_args()
    structure = dict(options.structure) if options.structure else STRUCTURE
    console = Console()

    text = Text(bible(), options.batch, options.context, options.seed)
    optimizer = make_optimizer(options.steps)
    params = init(jax.random.key(options.seed), text.vocab, options.context)
    state = optimizer.init(params)
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    console.print(
        f"GPT of {LAYERS} layers, width {WIDTH}, {count / 1e6:.1f} M parameters, on "
        f"{(len(text.train) + len(text.held_out)) / 1e6:.1f} M characters of the King James Bible"
    )
    fn = make_train_step(optimizer)
    example = text.sample()
    with console.status("compiling the dense step with JAX"):
        dense = DenseRun(fn, params, state, example)
    with console.status("compiling the structured step with Sparsam"):
        structured = StructuredRun(fn, params, state, example, structure)
    runs = {"dense, JAX": dense, "structured, Sparsam": structured}
    histories = {name: report.History() for name in runs}
    validation = list(text.validation(8))

    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=options.steps, note="")
        for number in range(options.steps):
            x, y = text.sample()
            for name, run in runs.items():
                start = time.perf_counter()
                loss = run.train(x, y)
                histories[name].step(time.perf_counter() - start, loss / np.log(2))
            if (number + 1) % options.evaluate_every == 0 or number + 1 == options.steps:
                for name, run in runs.items():
                    histories[name].evaluation(number + 1, run.evaluate(validation))
            note = "  ".join(
                f"{name.split(',')[0]} {h.train[-1]:.2f} bits, {h.median_ms():.0f} ms"
                for name, h in histories.items()
            )
            progress.update(task, advance=1, note=note)

    summary = report.Summary(
        title=f"Character-level GPT, {LAYERS} layers, width {WIDTH}, {options.steps} steps of "
        f"{options.batch} x {options.context} characters",
        structure=structure,
        plan={path: choice.structure for path, choice in structured.step.plan.items()},
        runs={
            name: report.Run(
                history=histories[name],
                compile_seconds=run.compile_seconds,
                parameter_bytes=run.parameter_bytes,
                state_bytes=run.state_bytes,
            )
            for name, run in runs.items()
        },
    )
    console.print(report.table(summary))
    for path in report.write(summary, options.out):
        console.print(f"wrote {path}")


if __name__ == "__main__":
    main()
