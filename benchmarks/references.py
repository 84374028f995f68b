"""The dense training step that a structured one must equal, by JAX.

A parameter with a pattern is its stored entries in a dense tensor, whose gradient is masked
before the optimizer sees it; one with factors is what these multiply to, and the optimizer
runs on the factors.
"""

from __future__ import annotations

import re

import jax
import numpy as np
from data import Wrong
from networks_jax import loss_of, optimizer_of

# Rounding is carried on by steps of Adam, which are as long for small gradients as for
# large ones: an entry whose gradient is next to nothing may go either way.
LOSS_TOLERANCE = 1e-3
UPDATE_TOLERANCE = 0.01
# What is compared runs a few steps: time to compile it matters, its speed does not.
QUICK = {"xla_backend_optimization_level": 0}


def path_of(key) -> str:
    return jax.tree_util.keystr(key, simple=True, separator="/")


class Reference:
    """Training from where a structured step starts.

    params: the dense parameters that the storage stands for
    storage: path -> part -> array, as `step.storage` gives it
    structures: path -> text
    """

    def __init__(self, model, params, storage, structures: dict[str, str]):
        # What is fixed is an argument, too: XLA is slow with large constants.
        self.masks, self.frozen, self.scales = {}, {}, {}
        free = {}
        for key, dense in jax.tree_util.tree_leaves_with_path(params):
            path = path_of(key)
            parts, text = storage[path], structures.get(path, "dense")
            if {"u", "v"} <= set(parts):
                free[path] = {"u": parts["u"], "v": parts["v"]}
                self.scales[path] = _scale(text)
                base = dense - self.scales[path] * (parts["u"] @ parts["v"])
                self.frozen[path] = base if len(parts) > 2 else 0
            elif text.startswith("frozen"):
                self.frozen[path] = dense
            else:
                free[path] = dense
                if "values" in parts:
                    self.masks[path] = (dense != 0).astype(dense.dtype)
        self.fixed = self.masks, self.frozen
        self.tree = jax.tree_util.tree_structure(params)
        self.paths = [path_of(k) for k, _ in jax.tree_util.tree_leaves_with_path(params)]
        self.free, self.loss_of = free, loss_of(model)
        self.optimizer = optimizer_of()
        self.state = self.optimizer.init(free)
        self.compiled = jax.jit(self._step, compiler_options=QUICK)

    def dense(self, free, fixed) -> dict:
        """path -> dense parameter, of what is trained and what is not."""
        masks, frozen = fixed
        found = {}
        for path in self.paths:
            if path in self.scales:
                factors = free[path]
                product = self.scales[path] * (factors["u"] @ factors["v"])
                found[path] = frozen[path] + product
            elif path in free:
                found[path] = free[path] * masks.get(path, 1)
            else:
                found[path] = frozen[path]
        return found

    def _step(self, free, fixed, state, x, y):
        def loss(free):
            dense = self.dense(free, fixed).values()
            return self.loss_of(jax.tree_util.tree_unflatten(self.tree, dense), x, y)

        value, grads = jax.value_and_grad(loss)(free)
        updates, state = self.optimizer.update(grads, state, free)
        return jax.tree.map(lambda a, b: a + b, free, updates), state, value

    def step(self, x, y) -> float:
        self.free, self.state, loss = self.compiled(
            self.free, self.fixed, self.state, x, y
        )
        return float(loss)

    def now(self) -> dict[str, np.ndarray]:
        """path -> dense parameter, as far as it has trained."""
        return self.dense(self.free, self.fixed)


def _scale(text: str) -> float:
    """By which the product of factors is multiplied: alpha over the rank of lora."""
    found = re.match(r"lora<(\d+), alpha = ([\d.e+-]+)", text)
    return float(found[2]) / int(found[1]) if found else 1.0


def leaves(params) -> dict[str, np.ndarray]:
    return {path_of(k): a for k, a in jax.tree_util.tree_leaves_with_path(params)}


def compare(before, after, losses: list[float], reference: Reference, batches) -> dict:
    """Fails where a step trained otherwise than its reference. `before` and `after` are its
    dense parameters, `losses` those of `batches`. Returns how far off both are."""
    expected = [reference.step(*batch) for batch in batches]
    off = max(abs(a - b) / abs(b) for a, b in zip(losses, expected, strict=True))
    if not off <= LOSS_TOLERANCE:
        raise Wrong(f"its losses are {losses}, not {expected}")
    before, after = leaves(before), leaves(after)
    moved = {}
    for path, dense in reference.now().items():
        right = np.asarray(dense, np.float64) - before[path]
        found = np.asarray(after[path], np.float64) - before[path]
        # What does not move must stay as it is.
        size = np.linalg.norm(right) or 1e-30
        moved[path] = float(np.linalg.norm(found - right) / size)
    worst = max(moved, key=lambda path: (np.isnan(moved[path]), moved[path]))
    if not moved[worst] <= UPDATE_TOLERANCE:
        why = f"'{worst}' moved otherwise by {moved[worst]:.1e} of its way"
        raise Wrong(f"{why} in {len(expected)} steps")
    return {"loss_error": off, "update_error": moved[worst]}
