"""What the tests of `Step.refresh` share: a small step, the masked model in NumPy and JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import patterns
import reference
import sparsam
from patterns import Pattern

SIZES = (16, 24, 8)


SHAPES = {"fc": (16, 24), "out": (24, 8)}


OLD = {
    "nm<2:4>": "nm<1:4>",
    "nm<2:4, vector = 4>": "nm<2:8, vector = 4>",
    "nm<2:4, transposable>": "nm<1:4, transposable>",
    "vnm<4, 2:8>": "vnm<4, 1:8>",
    "block<4x4, density = 0.5>": "block<4x4, density = 0.25>",
    "unstructured<density = 0.5>": "unstructured<density = 0.2>",
}


OPTIMIZER = optax.chain(optax.clip_by_global_norm(0.5), optax.adamw(1e-2))


def init(seed=0):
    rng = np.random.default_rng(seed)
    return {
        path: {
            "w": rng.standard_normal(shape).astype(np.float32) / 4,
            "b": rng.standard_normal(shape[1:]).astype(np.float32) / 4,
        }
        for path, shape in SHAPES.items()
    }


def batch(seed=0, size=12):
    rng = np.random.default_rng([7, seed])
    return tuple(rng.standard_normal((size, n)).astype(np.float32) for n in (16, 8))


def loss(params, x, y):
    hidden = jnp.tanh(x @ params["fc"]["w"] + params["fc"]["b"])
    return jnp.mean((hidden @ params["out"]["w"] + params["out"]["b"] - y) ** 2)


def train_step(params, state, x, y):
    value, grads = jax.value_and_grad(loss)(params, x, y)
    updates, state = OPTIMIZER.update(grads, state, params)
    return optax.apply_updates(params, updates), state, value


PARAMS, STATE = init(), OPTIMIZER.init(init())


def compiled(structure):
    return sparsam.compile(train_step, (PARAMS, STATE, *batch()), structure=structure)


def trained(step, steps=3):
    p, s = step.compress(PARAMS, STATE)
    for number in range(steps):
        p, s, _ = step(p, s, *batch(number))
    return p, s


def weights(dense):
    return {f"{name}/w": np.asarray(dense[name]["w"]) for name in SHAPES}


class Masked:
    """Training of the masked model by JAX alone, in f64."""

    def __init__(self, masks, params=PARAMS, state=STATE):
        self.masks = masks
        with jax.enable_x64(True):
            self.params = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
            self.state = jax.tree.map(
                lambda a: (
                    np.asarray(a, np.float64)
                    if np.asarray(a).dtype == np.float32
                    else np.asarray(a)
                ),
                state,
            )
        self.switch(masks)

    def apply(self, tree):
        def mask(path, leaf):
            text = jax.tree_util.keystr(path, simple=True, separator="/")
            owner = next((name for name in self.masks if text.endswith(name)), None)
            return leaf if owner is None else np.asarray(leaf) * self.masks[owner]

        return jax.tree_util.tree_map_with_path(mask, tree)

    def switch(self, masks):
        """What leaves the pattern is gone; what comes to it starts at zero."""
        self.masks = masks
        self.params, self.state = self.apply(self.params), self.apply(self.state)

    def step(self, x, y):
        with jax.enable_x64(True):

            def masked(params):
                return loss(self.apply_traced(params), x, y)

            value, grads = jax.value_and_grad(masked)(self.params)
            updates, self.state = OPTIMIZER.update(grads, self.state, self.params)
            self.params = optax.apply_updates(self.params, updates)
            return float(value)

    def apply_traced(self, tree):
        return {
            name: {**layer, "w": layer["w"] * self.masks.get(f"{name}/w", 1.0)}
            for name, layer in tree.items()
        }


def close(found, expected, what=""):
    scale = max(np.abs(expected).max(), 1e-12)
    assert np.abs(np.asarray(found, np.float64) - expected).max() <= 2e-4 * scale, what


def pattern_of(text, path):
    return Pattern(patterns.parse(text), (0,), SHAPES[path.split("/")[0]])


def selected_mask(text, path, scores):
    pattern = pattern_of(text, path)
    return reference.mask_of(pattern, reference.select(pattern, scores)).astype(bool)


def gradients(dense, x, y):
    with jax.enable_x64(True):
        dense = jax.tree.map(lambda a: np.asarray(a, np.float64), dense)
        return weights(jax.grad(loss)(dense, x, y))


def in_half(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.bfloat16), tree)


def compiled_in_half(structure):
    params = in_half(PARAMS)
    args = params, OPTIMIZER.init(params), *in_half(batch())
    return sparsam.compile(train_step, args, structure=structure), params, args[1]
