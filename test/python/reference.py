"""The oracle: JAX's own step of the re-parametrised model, written without the compiler.

A parameter with a pattern is W * mask; one with factors is a sum of einsums of these in
its matrix view, each perhaps frozen or masked. The gradient is `jax.grad` through that,
and the optimizer runs on the masked tensor or on the factors. Everything runs once in f64, the reference, and once in f32, whose own error
says how far rounding alone carries the numbers.
"""

from __future__ import annotations

import composed
import jax
import jax.numpy as jnp
import numpy as np
import optax
import patterns
from composed import Composed
from patterns import Pattern

TOLERANCE = 1e-4
# The reference runs ten steps: time to compile it matters, its speed does not.
# Numbers are rounded where the program says so, half precision too.
QUICK = {"xla_backend_optimization_level": 0, "xla_allow_excess_precision": False}


def parse(
    text: str,
    inputs: tuple[int, ...],
    shape: tuple[int, ...],
    stack: tuple[int, ...] = (),
):
    """The structure's text on a parameter; None for "dense"."""
    if text == "dense":
        return None
    if structure := patterns.parse(text):
        return Pattern(structure, inputs, shape, stack)
    structure = composed.parse(text, inputs, shape, stack)
    assert structure, text
    return structure


def paths(tree) -> dict:
    """The leaves of a tree by path, joined with `/`."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        jax.tree_util.keystr(key, simple=True, separator="/"): leaf
        for key, leaf in leaves
    }


def _permutation(structure):
    first = [*structure.stack, *structure.inputs]
    rest = [d for d in range(len(structure.shape)) if d not in first]
    return [*first, *rest]


def to_matrix(structure, tensor):
    """K inputs by N outputs, behind the stacked dimensions."""
    inputs = int(np.prod([structure.shape[d] for d in structure.inputs]))
    stack = [structure.shape[d] for d in structure.stack]
    return tensor.transpose(_permutation(structure)).reshape(*stack, inputs, -1)


def _by_layer(structure, work, *stacked):
    """`work` on each layer of arrays, or trees of arrays, with the stacked dimensions in
    front."""
    if not structure.stack:
        return work(*stacked)
    sizes = [structure.shape[d] for d in structure.stack]
    layers = [
        work(*jax.tree.map(lambda array, place=place: array[place], stacked))
        for place in np.ndindex(*sizes)
    ]

    def stack(*arrays):
        made = np.stack(arrays)
        return made.reshape(*sizes, *made.shape[1:])

    return jax.tree.map(stack, *layers)


def from_matrix(structure, matrix):
    order = _permutation(structure)
    shape = [structure.shape[d] for d in order]
    return matrix.reshape(shape).transpose(np.argsort(order))


def select(structure: Pattern, tensor: np.ndarray) -> dict[str, np.ndarray]:
    """The index tensors of the entries of largest magnitude."""
    return _by_layer(structure, structure.structure.select, to_matrix(structure, tensor))


def mask_of(structure: Pattern, pattern: dict[str, np.ndarray]) -> np.ndarray:
    def layer(pattern):
        mask = np.zeros(structure.matrix_shape)
        mask[structure.structure.entries(pattern, *mask.shape)] = 1
        return mask

    return from_matrix(structure, _by_layer(structure, layer, pattern))


def gather(structure: Pattern, tensor: np.ndarray, pattern) -> np.ndarray:
    """The stored entries of a dense tensor."""

    def layer(matrix, pattern):
        return patterns.restrict(structure.structure, matrix, pattern)

    return _by_layer(structure, layer, to_matrix(structure, tensor), pattern)


class Reference:
    """10 steps of the re-parametrised model.

    storage: path -> {"values", "indices", ...} or {"u", "v"}, of the structured parameters
    params, state: the user's dense trees; state None is a fresh one
    buffers: what the model carries besides, for a loss(params, buffers, x, y) that returns
        (loss, new buffers); None for a loss(params, x, y)
    """

    def __init__(
        self, loss, optimizer, structures, storage, params, state=None, buffers=None
    ):
        self._loss, self._optimizer, self._structures = loss, optimizer, structures
        self._masks = {
            path: mask_of(s, s.pattern(storage[path]))
            for path, s in structures.items()
            if isinstance(s, Pattern)
        }
        self._factors = {
            path: s.dense(storage[path])
            for path, s in structures.items()
            if isinstance(s, Composed)
        }
        for path in self._factors:
            for name, (pattern, _) in structures[path].patterns.items():
                self._masks[f"{path}/{name}"] = mask_of(
                    pattern, structures[path].pattern(name, storage[path])
                )
        self._params = jax.tree_util.tree_map_with_path(
            lambda key, leaf: self._start(key, leaf, storage), params
        )
        self._state, self._buffers = state, buffers
        # One for all runs, which compiles once for each element type.
        self._compiled = jax.jit(self._step, compiler_options=QUICK)
        # What a tree of factors looks like, apart from the model's own.
        self._trained = {
            tuple(sorted(s.trained))
            for s in structures.values()
            if isinstance(s, Composed)
        }

    def _start(self, key, leaf, storage):
        path = jax.tree_util.keystr(key, simple=True, separator="/")
        structure = self._structures.get(path)
        if isinstance(structure, Pattern):
            return np.asarray(leaf) * self._masks[path]
        if isinstance(structure, Composed):
            return {name: self._factors[path][name] for name in structure.trained}
        return np.asarray(leaf)

    def _model(self, params):
        """The dense parameters that the re-parametrised ones stand for."""

        def build(key, leaf):
            path = jax.tree_util.keystr(key, simple=True, separator="/")
            structure = self._structures.get(path)
            if isinstance(structure, Pattern):
                return leaf * self._masks[path].astype(leaf.dtype)
            if isinstance(structure, Composed):
                return from_matrix(structure, self._build(path, structure, leaf))
            return leaf

        return jax.tree_util.tree_map_with_path(
            build,
            params,
            is_leaf=self._is_factors,
        )

    def _is_factors(self, node):
        return isinstance(node, dict) and tuple(sorted(node)) in self._trained

    def _build(self, path, structure, leaf):
        factors = {
            name: jnp.asarray(self._factors[path][name], self._dtype)
            for name in structure.frozen
        } | leaf
        masked = {
            name: factor * self._masks[f"{path}/{name}"].astype(factor.dtype)
            if name in structure.patterns
            else factor
            for name, factor in factors.items()
        }
        return structure.build(masked)

    def _penalty(self, params):
        found = 0.0

        def add(key, leaf):
            nonlocal found
            path = jax.tree_util.keystr(key, simple=True, separator="/")
            structure = self._structures.get(path)
            if isinstance(structure, Composed) and structure.penalty:
                found += structure.penalty(leaf)

        jax.tree_util.tree_map_with_path(add, params, is_leaf=self._is_factors)
        return found

    def _step(self, params, state, buffers, x, y):
        def loss_of(params):
            if self._buffers is None:
                return self._loss(self._model(params), x, y), None
            return self._loss(self._model(params), buffers, x, y)

        def with_penalty(params):
            loss, buffers = loss_of(params)
            added = self._penalty(params)
            return loss + (added - jax.lax.stop_gradient(added)), buffers

        (loss, buffers), grads = jax.value_and_grad(with_penalty, has_aux=True)(params)
        updates, state = self._optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, buffers, loss

    def _masked_state(self, state, params):
        """Optimizer state that is not fresh, on the masked tensors; factors take a fresh one."""
        masks = jax.tree_util.tree_map_with_path(
            lambda key, leaf: self._masks.get(
                jax.tree_util.keystr(key, simple=True, separator="/"), np.ones(())
            ),
            params,
        )
        return optax.tree_utils.tree_map_params(
            self._optimizer,
            lambda leaf, mask: leaf * mask.astype(leaf.dtype),
            state,
            masks,
        )

    def run(self, dtype, batches, nudge: int | None = None):
        """(params, state, losses) after the batches, leaves by path; all numbers are of
        `dtype`, unless the model converts them. With a `nudge`, a seed, the parameters start
        a rounding error away."""
        rng = np.random.default_rng(nudge)
        self._dtype = dtype

        def nudged(leaf):
            if nudge is None:
                return leaf
            steps = rng.integers(-1, 2, np.shape(leaf))
            return leaf * (1 + steps * float(jnp.finfo(dtype).eps)).astype(dtype)

        with jax.enable_x64(dtype == np.float64):

            def cast(leaf):
                leaf = np.asarray(leaf)
                return (
                    leaf.astype(dtype)
                    if jnp.issubdtype(leaf.dtype, jnp.floating)
                    else leaf
                )

            params = jax.tree.map(
                lambda leaf: jnp.asarray(nudged(cast(leaf))), self._params
            )
            if self._state is None:
                state = self._optimizer.init(params)
            else:
                state = jax.tree.map(lambda leaf: jnp.asarray(cast(leaf)), self._state)
                state = self._masked_state(state, params)
            losses = []
            buffers = jax.tree.map(lambda leaf: jnp.asarray(cast(leaf)), self._buffers)
            for x, y in batches:
                params, state, buffers, loss = self._compiled(
                    params, state, buffers, cast(x), cast(y)
                )
                losses.append(float(loss))
            if self._buffers is not None:
                state = {"optimizer": state, "buffers": buffers}
            return {
                "params": {k: np.asarray(v) for k, v in paths(params).items()},
                "state": {k: np.asarray(v) for k, v in paths(state).items()},
                "loss": np.array(losses),
            }


def error(found, reference) -> float:
    """max |a - b| / max |b|; an all-zero reference allows nothing but zero."""
    found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    assert found.shape == reference.shape, (found.shape, reference.shape)
    if not reference.size:
        return 0.0
    difference, size = np.abs(found - reference).max(), np.abs(reference).max()
    return float(difference / size) if size else float(np.inf if difference else 0.0)


def check(
    found: dict,
    singles: list[dict],
    double: dict,
    tolerance: float = TOLERANCE,
    absolute: float = 0.0,
) -> dict[str, str]:
    """What fails the criterion, path -> how far. The other maps are path -> tensor. An
    element may be off by `absolute` in any case.

    How far rounding carries the numbers is the largest error of several f32 runs: where a
    step amplifies, the error of one is a matter of luck.
    """
    assert set(found) == set(double), set(found) ^ set(double)
    missed = {}
    for path, reference in double.items():
        own = max(error(single[path], reference) for single in singles)
        largest = np.abs(np.asarray(reference, np.float64)).max(initial=0)
        allowed = max(tolerance, 4 * own, absolute / largest if largest else 0.0)
        if not (size := error(found[path], reference)) <= allowed:
            missed[path] = f"error {size:.3g}, allowed {allowed:.3g}"
    return missed


def misses(
    found: dict,
    singles: list[dict],
    double: dict,
    texts,
    tolerance: float = TOLERANCE,
    absolute: float = 0.0,
) -> list[str]:
    """What fails the criterion, a line a tensor with its structure, which `texts` has by
    parameter. The others are kind -> path -> tensor. An element of a parameter may be off
    by `absolute` in any case."""
    lines = []
    for kind in found:
        runs = [single[kind] for single in singles]
        allowed = absolute if kind == "params" else 0.0
        failed = check(found[kind], runs, double[kind], tolerance, allowed)
        for path, line in failed.items():
            text = texts.get(owner_of(path, texts), "dense")
            lines.append(f"{kind} {path} ({text}): {line}")
    return lines


def owner_of(path: str, parameters) -> str | None:
    """The parameter that a tensor belongs to: itself, a factor or a leaf of the optimizer
    state."""

    def inside(name):
        return f"/{name}/".replace(".", "/")

    fits = [name for name in parameters if inside(name) in inside(path)]
    return max(fits, key=len, default=None)
