"""A compiled step against the oracle of `reference`."""

from __future__ import annotations

import dataclasses

import composed
import jax
import numpy as np
import optax
import reference
import sparsam
from composed import Composed
from models import MODELS, OPTIMIZERS, STACKED, Model
from patterns import Pattern
from reference import misses

STEPS = 10


@dataclasses.dataclass
class Case:
    """A model at one size, an optimizer, and the structure text of each parameter."""

    model: Model
    optimizer: optax.GradientTransformation
    texts: dict[str, str]
    seed: int = 0
    mark: bool = False

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.params = self.model.init(rng)
        self.state = self.optimizer.init(self.params)
        if self.model.buffers:
            self.state = {"optimizer": self.state, "buffers": self.model.buffers()}
        self.batches = [self.model.batch(rng) for _ in range(STEPS)]
        self.shapes = {
            path: leaf.shape for path, leaf in reference.paths(self.params).items()
        }
        parsed = {
            path: reference.parse(
                text,
                self.model.weights[path],
                self.shapes[path],
                self.model.stacked.get(path, ()),
            )
            for path, text in self.texts.items()
        }
        self.structures = {path: s for path, s in parsed.items() if s is not None}

    def reseed(self, seed: int) -> Case:
        return dataclasses.replace(self, seed=seed)

    def train_step(self, params, state, x, y):
        """The step as a JAX user writes it."""
        if self.model.buffers:
            value_and_grad = jax.value_and_grad(self.model.loss, has_aux=True)
            (loss, kept), grads = value_and_grad(params, state["buffers"], x, y)
            state = state["optimizer"]
        else:
            loss, grads = jax.value_and_grad(self.model.loss)(params, x, y)
        if self.mark:
            grads = sparsam.gradient(grads)
        updates, state = self.optimizer.update(grads, state, params)
        if self.model.buffers:
            state = {"optimizer": state, "buffers": kept}
        return optax.apply_updates(params, updates), state, loss

    def compile(self) -> sparsam.Step:
        return sparsam.compile(
            self.train_step,
            (self.params, self.state, *self.batches[0]),
            params=0,
            state=1,
            structure=self.texts or "dense",
        )


UNITS = {
    "dense": (3, ["dense"]),
    "nm vector 1": (3, ["nm<1:3>"]),
    "nm vector 4": (4, ["nm<2:4, vector = 4>"]),
    "nm vector 8": (8, ["nm<2:8, vector = 8>"]),
    "low_rank": (3, ["low_rank<3>"]),
    "mixed": (
        8,
        ["nm<2:8, vector = 8>", "low_rank<5>", "dense", "nm<2:4>", "nm<1:4, vector = 4>"],
    ),
    "block": (4, ["block<4x4, density = 0.4>", "block<2x4, density = 0.5>"]),
    "unstructured": (3, ["unstructured<density = 0.3>"]),
    "vnm": (8, ["vnm<4, 2:8>", "vnm<8, 1:4>"]),
    "transposable": (4, ["nm<2:4, transposable>"]),
}


def case(
    model: str, optimizer: str, structure: str, seed: int = 0, mark: bool = False
) -> Case:
    """`structure` is a key of UNITS, whose texts go round the model's weights."""
    unit, texts = UNITS[structure]
    built = (MODELS | STACKED)[model](unit)
    chosen = {path: texts[i % len(texts)] for i, path in enumerate(built.weights)}
    return Case(built, OPTIMIZERS[optimizer](), chosen, seed, mark)


def parameter_of(path: str, parameters) -> str | None:
    """The parameter that a leaf of the optimizer state belongs to, by the end of its path."""
    fits = [name for name in parameters if path == name or path.endswith("/" + name)]
    return max(fits, key=len, default=None)


def flatten(
    stored: dict[str, dict[str, np.ndarray]], structures
) -> dict[str, np.ndarray]:
    """`step.storage(...)` as path -> tensor, patterns by their values, factors one by one."""
    found = {}
    for path, parts in stored.items():
        structure = structures.get(parameter_of(path, structures))
        for part, array in parts.items():
            if isinstance(structure, Composed):
                if name := factor_of(structure, part):
                    found[f"{path}/{name}"] = array
            elif part == "dense" or (isinstance(structure, Pattern) and part == "values"):
                found[path] = array
            elif not isinstance(structure, Pattern):
                found[f"{path}/{part}"] = array
    return found


def factor_of(structure: Composed, part: str) -> str | None:
    """The trained factor that a part of the storage holds the entries of."""
    for name in structure.trained:
        prefix = structure.patterns.get(name, (None, None))[1]
        if part == (name if prefix is None else prefix + "values"):
            return name
    return None


def patterned(structures, storage) -> dict:
    """The patterns of parameters and of trained factors: path -> (pattern, its index
    tensors)."""
    found = {}
    for path, structure in structures.items():
        if isinstance(structure, Pattern):
            found[path] = structure, structure.pattern(storage[path])
        elif isinstance(structure, Composed):
            for name in structure.trained:
                if name in structure.patterns:
                    indices = structure.pattern(name, storage[path])
                    found[f"{path}/{name}"] = structure.patterns[name][0], indices
    return found


def expected(tensors: dict[str, np.ndarray], known) -> dict[str, np.ndarray]:
    """The reference's tensors in the same form, `known` being what `patterned` found; what a
    pattern masks must be zero, but for the epsilon of a second moment."""
    found = {}
    for path, tensor in tensors.items():
        if owner := parameter_of(path, known):
            structure, indices = known[owner]
            mask = reference.mask_of(structure, indices)
            assert np.abs(tensor * (1 - mask)).max() < 1e-25, path
            tensor = reference.gather(structure, tensor, indices)
        found[path] = tensor
    return found


def check_storage(case: Case, stored) -> None:
    """Compression is magnitude selection, and the balanced truncated SVD."""
    leaves = reference.paths(case.params)
    for path, structure in case.structures.items():
        parts = stored[path]
        if isinstance(structure, Pattern):
            pattern = structure.pattern(parts)
            check_selection(structure, leaves[path], pattern)
            values = reference.gather(structure, leaves[path], pattern)
            np.testing.assert_array_equal(parts["values"], values, path)
        else:
            check_composed(structure, leaves[path], parts)
    for path in set(leaves) - set(case.structures):
        np.testing.assert_array_equal(stored[path]["dense"], leaves[path], path)


def check_selection(structure: Pattern, dense, pattern) -> None:
    expected_pattern = reference.select(structure, dense)
    for name, indices in pattern.items():
        expected_indices = expected_pattern[name].reshape(indices.shape)
        np.testing.assert_array_equal(indices, expected_indices, name)


def check_factors(matrix, u, v) -> None:
    u, v = u.astype(np.float64), v.astype(np.float64)
    singular = np.linalg.svd(matrix, compute_uv=False)
    # The nearest product of this rank; the product itself may turn where two singular
    # values almost agree.
    rank = u.shape[1]
    nearest = np.linalg.norm(singular[rank:])
    assert np.linalg.norm(matrix - u @ v) <= nearest + 1e-5 * singular[0]
    # Balanced: both factors have orthogonal directions that carry the singular values.
    values = np.diag(singular[:rank])
    np.testing.assert_allclose(u.T @ u, values, atol=1e-4 * singular[0])
    np.testing.assert_allclose(v @ v.T, values, atol=1e-4 * singular[0])


def best_rank(matrix, rank: int):
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ v[:rank]


def check_composed(structure: Composed, dense, parts) -> None:
    """What the factors start as makes the tensor that the structure's page says."""
    matrices = reference.to_matrix(structure, np.asarray(dense, np.float64))
    layer = composed.parse(structure.text, (0,), matrices.shape[-2:])
    for place in np.ndindex(*matrices.shape[:-2]):
        own = {name: part[place] for name, part in parts.items()}
        check_layer_composed(layer, matrices[place], own)


def check_layer_composed(structure: Composed, matrix, parts) -> None:
    factors = structure.dense(parts)
    built = np.asarray(structure.build(factors), np.float64)
    size = np.linalg.norm(matrix)
    kind = structure.text.split("<")[0]
    if kind == "frozen":
        np.testing.assert_array_equal(built, matrix)
    elif kind == "dynamic":
        np.testing.assert_array_equal(factors["dense"], matrix)
        if "scale" in parts:
            read = built / parts["scale"]
            best = (matrix * read).sum() / (read * read).sum()
            np.testing.assert_allclose(parts["scale"], best, rtol=1e-4)
    elif kind == "lora":
        base = matrix
        if "base" in structure.patterns:
            pattern, _ = structure.patterns["base"]
            indices = reference.select(pattern, matrix.astype(np.float32))
            np.testing.assert_array_equal(parts["base.indices"], indices["indices"])
            base = matrix * reference.mask_of(pattern, indices)
        np.testing.assert_array_equal(built, base)
        u = np.asarray(parts["u"], np.float64)
        assert 0.5 / len(u) < u.var() < 2 / len(u) or u.size < 60
        assert not np.asarray(parts["v"]).any()
    elif kind == "sum":
        pattern, _ = structure.patterns["entries"]
        low = best_rank(matrix, parts["u"].shape[1])
        residual = matrix - factors["u"].astype(np.float64) @ factors["v"]
        np.testing.assert_allclose(matrix - residual, low, atol=1e-4 * size)
        np.testing.assert_allclose(
            built, low + residual * (factors["entries"] != 0), atol=1e-5 * size
        )
        kept = reference.select(pattern, residual.astype(np.float32))
        # Rounding may turn near ties.
        assert (kept["indices"] == parts["indices"]).mean() > 0.95
    elif kind == "low_rank" and not structure.patterns:
        check_factors(matrix, parts["u"], parts["v"])
    elif kind == "low_rank":
        u, s, v = np.linalg.svd(matrix, full_matrices=False)
        rank = factors["v"].shape[0]
        signs = np.sign(u[np.abs(u).argmax(0), np.arange(len(s))])
        scale = (signs * np.sqrt(s))[:rank]
        for name, start in (("u", u[:, :rank] * scale), ("v", v[:rank] * scale[:, None])):
            pattern, _ = structure.patterns[name]
            indices = structure.pattern(name, parts)
            mask = reference.mask_of(pattern, indices)
            np.testing.assert_allclose(
                factors[name], start * mask, atol=1e-3 * s[0] ** 0.5
            )
            kept = reference.select(pattern, start.astype(np.float32))["indices"]
            assert (kept == indices["indices"]).mean() > 0.95, name
    elif kind == "monarch":
        a, k, b, r = parts["r"].shape
        n = parts["l"].shape[3]
        blocks = matrix.reshape(a, k, b, n)
        nearest = np.stack(
            [[best_rank(blocks[i, :, j], r) for j in range(b)] for i in range(a)]
        )
        nearest = nearest.transpose(0, 2, 1, 3).reshape(matrix.shape)
        lost = np.linalg.norm(matrix - nearest)
        assert np.linalg.norm(matrix - built) <= lost + 1e-5 * size
    else:
        assert kind == "tensor_train"
        # Oseledets 2011, theorem 2.2: the square sum of what each unfolding loses.
        pieces = [parts[name].shape[-3:-1] for name in structure.trained[1:-1]]
        pieces = [
            parts["core0"].shape[:2],
            *pieces,
            parts[structure.trained[-1]].shape[1:],
        ]
        order = [d for i in range(len(pieces)) for d in (i, len(pieces) + i)]
        tensor = matrix.reshape([p[0] for p in pieces] + [p[1] for p in pieces])
        tensor, lost, rows = tensor.transpose(order), 0.0, 1
        for core, piece in zip(structure.trained[:-1], pieces, strict=False):
            rows *= piece[0] * piece[1]
            singular = np.linalg.svd(tensor.reshape(rows, -1), compute_uv=False)
            lost += (singular[parts[core].shape[-1] :] ** 2).sum()
        assert np.linalg.norm(matrix - built) <= np.sqrt(lost) + 1e-5 * size
        norms = [np.linalg.norm(parts[name]) for name in structure.trained]
        np.testing.assert_allclose(norms, norms[0], rtol=1e-3)


def run(step, case: Case, p, s, order=lambda results: results):
    """The steps of a case; what is then stored, as {"params", "state", "loss"}.

    `order` puts the step's results into (params, state, loss).
    """
    losses = []
    for x, y in case.batches:
        p, s, loss = order(step(p, s, x, y))
        losses.append(float(loss))
    return {
        "params": flatten(step.storage(p), case.structures),
        "state": flatten(step.storage(s), case.structures),
        "loss": {"loss": np.array(losses)},
    }


def references(
    case: Case, storage, state=None, oracle=reference.Reference, single=np.float32
) -> tuple[list[dict], dict]:
    """The reference's results, of runs in f32, or another `single` precision, from starts a
    rounding error apart and of one in f64; `storage` is what the steps start from."""
    reparametrised = oracle(
        case.model.loss,
        case.optimizer,
        case.structures,
        storage,
        case.params,
        state,
        case.model.buffers() if case.model.buffers else None,
    )
    known = patterned(case.structures, storage)
    found = []
    runs = [(single, None), (single, 1), (single, 2), (np.float64, None)]
    for dtype, nudge in runs:
        results = reparametrised.run(dtype, case.batches, nudge)
        for kind in ("params", "state"):
            results[kind] = expected(results[kind], known)
        found.append(results | {"loss": {"loss": results["loss"]}})
    return found[:-1], found[-1]


def compare(
    case: Case, storage, found, state=None, oracle=reference.Reference
) -> list[str]:
    """What of `found` misses the criterion; `storage` is what the steps started from."""
    return misses(found, *references(case, storage, state, oracle), case.texts)


def check_case(case: Case, step=None) -> None:
    """The whole oracle for one case."""
    step = step or case.compile()
    p, s = step.compress(case.params, case.state)
    storage = step.storage(p)
    check_storage(case, storage)
    lines = compare(case, storage, run(step, case, p, s))
    assert not lines, "\n".join(lines)


def check_marked_and_unmarked(case: Case) -> None:
    """The whole oracle, with `sparsam.gradient` in the step and without."""
    expected_results = None
    for mark in (False, True):
        one = dataclasses.replace(case, mark=mark)
        step = one.compile()
        p, s = step.compress(one.params, one.state)
        storage = step.storage(p)
        if expected_results is None:
            check_storage(one, storage)
            start, expected_results = storage, references(one, storage)
        jax.tree.map(np.testing.assert_array_equal, storage, start)
        lines = misses(run(step, one, p, s), *expected_results, case.texts)
        assert not lines, "\n".join([f"marked: {mark}", *lines])
