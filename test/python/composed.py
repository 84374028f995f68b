"""Factor structures as NumPy and JAX have them: a matrix built from its factors."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import patterns
from patterns import Pattern


@dataclasses.dataclass(frozen=True)
class Composed:
    """`build` makes the K x N matrix of all factors, a dict by name. `frozen` are not
    trained; `patterns` are the factors that are stored in one: name -> (structure, prefix of
    the storage's parts)."""

    text: str
    build: Callable
    trained: tuple[str, ...]
    frozen: tuple[str, ...]
    patterns: dict[str, tuple[Pattern, str]]
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    stack: tuple[int, ...] = ()
    # What is added to the loss for its gradient alone, of the factors.
    penalty: Callable | None = None

    def dense(self, parts) -> dict[str, np.ndarray]:
        """The factors of a storage, masked ones with zeros."""
        found = {}
        for name in self.trained + self.frozen:
            if name in self.patterns:
                pattern, prefix = self.patterns[name]
                found[name] = pattern.densify(
                    parts[prefix + "values"], self.pattern(name, parts)
                )
            else:
                found[name] = np.asarray(parts[name])
        return found

    def pattern(self, name, parts) -> dict[str, np.ndarray]:
        """The index tensors of a factor that is stored in a pattern."""
        pattern, prefix = self.patterns[name]
        return pattern.pattern(
            {k.removeprefix(prefix): v for k, v in parts.items() if k.startswith(prefix)}
        )


def _selected(text: str, matrix):
    """(mask, share of the score above what was displaced) of nm's selection, at every step."""
    n, m, vector = re.fullmatch(r"nm<(\d+):(\d+)(?:, vector = (\d+))?>", text).groups()
    n, m, vector = int(n), int(m), int(vector or 1)
    k, outputs = matrix.shape
    scores = jnp.abs(matrix).reshape(k // m, m, outputs // vector, vector).sum(-1)
    order = jnp.argsort(-scores, axis=1, stable=True)
    mask = jnp.argsort(order, axis=1) < n
    displaced = jnp.where(mask, 0, scores).max(1, keepdims=True)
    share = jnp.where(
        scores == 0, 0, (scores - displaced) / jnp.where(scores == 0, 1, scores)
    )
    return (
        jnp.repeat(part.reshape(k, -1), vector, axis=1)
        for part in (mask.astype(matrix.dtype), jnp.where(mask, share, 0))
    )


def parse(text: str, inputs, shape, stack=()) -> Composed | None:
    """The structure of that text on a parameter; None where it is another one."""
    layers = tuple(shape[d] for d in stack)
    k = int(np.prod([shape[d] for d in inputs]))
    n = int(np.prod(shape)) // k // int(np.prod(layers))
    stored, frozen, penalty = {}, (), None

    def _inner(text: str, shape) -> Pattern:
        """Of a factor, which has the stacked dimensions in front."""
        structure = patterns.parse(text)
        assert structure, text
        dims = tuple(range(len(layers)))
        return Pattern(structure, (len(dims),), (*layers, *shape), dims)

    if text == "frozen":
        trained, frozen = (), ("dense",)

        def build(f):
            return f["dense"]
    elif match := re.fullmatch(r"low_rank<(\d+)(?:, factors = (.*>))?>", text):
        r, trained = int(match[1]), ("u", "v")
        if match[2]:
            stored = {
                "u": (_inner(match[2], (k, r)), "u."),
                "v": (_inner(match[2], (r, n)), "v."),
            }

        def build(f):
            return f["u"] @ f["v"]
    elif match := re.fullmatch(
        r"lora<(\d+)(?:, alpha = (\d+))?(?:, base = (.*>))?>", text
    ):
        trained, frozen = ("u", "v"), ("base",)
        scale = int(match[2] or match[1]) / int(match[1])
        if match[3]:
            stored = {"base": (_inner(match[3], (k, n)), "base.")}

        def build(f):
            return f["base"] + scale * (f["u"] @ f["v"])
    elif match := re.fullmatch(r"sum<low_rank<(\d+)>, (.*>)>", text):
        trained = ("u", "v", "entries")
        stored = {"entries": (_inner(match[2], (k, n)), "")}

        def build(f):
            return f["u"] @ f["v"] + f["entries"]
    elif match := re.fullmatch(
        r"tensor_train<\[(.*)\], \[(.*)\], ranks = \[(.*)\]>", text
    ):
        cores = len(match[1].split(","))
        trained = tuple(f"core{i}" for i in range(cores))

        def build(f):
            whole = f["core0"]
            for name in trained[1:]:
                core = f[name]
                core = core if core.ndim == 4 else core[..., None]
                whole = whole if whole.ndim == 3 else whole.reshape(whole.shape[:3])
                whole = jnp.einsum("knr,rabs->kanbs", whole, core)
                rows, a, columns, b, s = whole.shape
                whole = whole.reshape(rows * a, columns * b, s)
            return whole[..., 0]
    elif re.fullmatch(r"monarch<.*>", text):
        trained = ("r", "l")

        def build(f):
            return jnp.einsum("akbr,barn->akbn", f["r"], f["l"]).reshape(k, n)
    elif match := re.fullmatch(
        r"dynamic<(nm<[^>]*>)(?:, decay = ([\d.]+))?(, soft = true)?>", text
    ):
        trained, inner = ("dense",), match[1]
        frozen = ("scale",) if match[3] else ()

        def build(f):
            w, still = f["dense"], jax.lax.stop_gradient
            mask, share = _selected(inner, still(w))
            if "scale" in f:
                return f["scale"] * (w + still(share * w - w))
            return w + still(mask * w - w)

        if match[2]:

            def penalty(f):
                mask, _ = _selected(inner, jax.lax.stop_gradient(f["dense"]))
                return float(match[2]) / 2 * (((1 - mask) * f["dense"]) ** 2).sum()
    else:
        return None
    for _ in stack:
        build = jax.vmap(build)
    if penalty and stack:
        layered = penalty
        for _ in stack:
            layered = jax.vmap(layered)

        def penalty(f):
            return layered(f).sum()

    return Composed(
        text,
        build,
        trained,
        frozen,
        stored,
        tuple(inputs),
        tuple(shape),
        tuple(stack),
        penalty,
    )
