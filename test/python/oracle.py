"""A compiled step against the oracle of `reference`."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import optax
import reference
import sparsam
from models import MODELS, OPTIMIZERS, Model
from reference import NM, LowRank

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
        self.batches = [self.model.batch(rng) for _ in range(STEPS)]
        leaves = reference.paths(self.params)
        parsed = {
            path: reference.parse(text, self.model.weights[path], leaves[path].shape)
            for path, text in self.texts.items()
        }
        self.structures = {path: s for path, s in parsed.items() if s is not None}

    def reseed(self, seed: int) -> Case:
        return dataclasses.replace(self, seed=seed)

    def train_step(self, params, state, x, y):
        """The step as a JAX user writes it."""
        loss, grads = jax.value_and_grad(self.model.loss)(params, x, y)
        if self.mark:
            grads = sparsam.gradient(grads)
        updates, state = self.optimizer.update(grads, state, params)
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
}


def case(
    model: str, optimizer: str, structure: str, seed: int = 0, mark: bool = False
) -> Case:
    """`structure` is a key of UNITS, whose texts go round the model's weights."""
    unit, texts = UNITS[structure]
    built = MODELS[model](unit)
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
            if part == "dense" or (isinstance(structure, NM) and part == "values"):
                found[path] = array
            elif part != "indices":
                found[f"{path}/{part}"] = array
    return found


def expected(
    tensors: dict[str, np.ndarray], structures, indices
) -> dict[str, np.ndarray]:
    """The reference's tensors in the same form; what a pattern masks must be zero, but for
    the epsilon of a second moment."""
    found = {}
    for path, tensor in tensors.items():
        owner = parameter_of(path, structures)
        structure = structures.get(owner)
        if isinstance(structure, NM):
            mask = reference.mask_of(structure, indices[owner])
            assert np.abs(tensor * (1 - mask)).max() < 1e-25, path
            tensor = reference.gather(structure, tensor, indices[owner])
        found[path] = tensor
    return found


def check_storage(case: Case, stored) -> None:
    """Compression is magnitude selection, and the balanced truncated SVD."""
    leaves = reference.paths(case.params)
    for path, structure in case.structures.items():
        parts = stored[path]
        if isinstance(structure, NM):
            indices = reference.select(structure, leaves[path])
            np.testing.assert_array_equal(parts["indices"], indices, path)
            values = reference.gather(structure, leaves[path], indices)
            np.testing.assert_array_equal(parts["values"], values, path)
        else:
            check_factors(structure, leaves[path], parts["u"], parts["v"])
    for path in set(leaves) - set(case.structures):
        np.testing.assert_array_equal(stored[path]["dense"], leaves[path], path)


def check_factors(structure: LowRank, dense, u, v) -> None:
    matrix = reference.to_matrix(structure, dense).astype(np.float64)
    u, v = u.astype(np.float64), v.astype(np.float64)
    singular = np.linalg.svd(matrix, compute_uv=False)
    # The nearest product of this rank; the product itself may turn where two singular
    # values almost agree.
    nearest = np.linalg.norm(singular[structure.rank :])
    assert np.linalg.norm(matrix - u @ v) <= nearest + 1e-5 * singular[0]
    # Balanced: both factors have orthogonal directions that carry the singular values.
    values = np.diag(singular[: structure.rank])
    np.testing.assert_allclose(u.T @ u, values, atol=1e-4 * singular[0])
    np.testing.assert_allclose(v @ v.T, values, atol=1e-4 * singular[0])


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


def references(case: Case, storage, state=None) -> tuple[list[dict], dict]:
    """The reference's results, of runs in f32 from starts a rounding error apart and of one
    in f64; `storage` is what the steps start from."""
    oracle = reference.Reference(
        case.model.loss, case.optimizer, case.structures, storage, case.params, state
    )
    indices = {
        path: storage[path]["indices"].astype(np.int64)
        for path, structure in case.structures.items()
        if isinstance(structure, NM)
    }
    found = []
    runs = [(np.float32, None), (np.float32, 1), (np.float32, 2), (np.float64, None)]
    for dtype, nudge in runs:
        results = oracle.run(dtype, case.batches, nudge)
        for kind in ("params", "state"):
            results[kind] = expected(results[kind], case.structures, indices)
        found.append(results | {"loss": {"loss": results["loss"]}})
    return found[:-1], found[-1]


def misses(found, singles, double) -> list[str]:
    """What of `found` misses the criterion, a line a tensor."""
    return [
        f"{kind} {line}"
        for kind in ("loss", "params", "state")
        for line in reference.check(
            found[kind], [single[kind] for single in singles], double[kind]
        )
    ]


def compare(case: Case, storage, found, state=None) -> list[str]:
    """What of `found` misses the criterion; `storage` is what the steps started from."""
    return misses(found, *references(case, storage, state))


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
        lines = misses(run(step, one, p, s), *expected_results)
        assert not lines, "\n".join([f"marked: {mark}", *lines])
