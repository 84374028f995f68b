"""Ten structured steps against JAX's own step of the re-parametrised model."""

import dataclasses

import jax
import numpy as np
import optax
import pytest
from models import MODELS, OPTIMIZERS
from oracle import (
    UNITS,
    Case,
    case,
    check_case,
    check_marked_and_unmarked,
    compare,
    run,
)

OTHER_PATTERNS = ["block", "unstructured", "vnm", "transposable"]
CASES = [
    (model, optimizer, structure)
    for model in MODELS
    for optimizer in OPTIMIZERS
    for structure in UNITS
    # Plain momentum differs from Nesterov's in the optimizer only.
    if (optimizer != "momentum" or model == "mlp") and structure not in OTHER_PATTERNS
]
# What an optimizer does to stored values does not depend on where they are.
OTHER_CASES = [
    (model, optimizer, structure)
    for model in MODELS
    for optimizer in ("nesterov", "adamw", "lion")
    for structure in OTHER_PATTERNS
]


@pytest.mark.parametrize("model, optimizer, structure", CASES)
def test_step(model, optimizer, structure):
    """With `sparsam.gradient` and without; each case has a seed of its own."""
    number = CASES.index((model, optimizer, structure))
    check_marked_and_unmarked(case(model, optimizer, structure, seed=number))


@pytest.mark.parametrize("model, optimizer, structure", OTHER_CASES)
def test_step_of_other_patterns(model, optimizer, structure):
    number = OTHER_CASES.index((model, optimizer, structure))
    mark = (number + number // len(OTHER_PATTERNS)) % 2 == 1
    check_case(case(model, optimizer, structure, seed=number, mark=mark))


@pytest.mark.parametrize(
    "structure", [name for name in UNITS if name not in ("dense", *OTHER_PATTERNS)]
)
@pytest.mark.parametrize("model", MODELS)
def test_several_seeds(model, structure):
    """One compiled step serves any parameters of its shapes."""
    number = list(UNITS).index(structure) + list(MODELS).index(model)
    first = case(model, list(OPTIMIZERS)[number % len(OPTIMIZERS)], structure)
    step = first.compile()
    for seed in (1001, 1002):
        check_case(first.reseed(seed), step)


@pytest.mark.parametrize("optimizer", ["nesterov", "adamw", "lion"])
def test_state_that_is_not_fresh_is_restricted(optimizer):
    check_state_that_is_not_fresh(optimizer, "nm vector 4")


def check_state_that_is_not_fresh(optimizer, structure):
    one = case("mlp", optimizer, structure, seed=5)
    dense_step = jax.jit(one.train_step)
    params, state = one.params, one.state
    for x, y in one.batches[:3]:
        params, state, _ = dense_step(params, state, x, y)
    one.params = jax.tree.map(np.asarray, params)
    step = one.compile()
    p, s = step.compress(params, state)
    storage = step.storage(p)
    lines = compare(
        one, storage, run(step, one, p, s), state=jax.tree.map(np.asarray, state)
    )
    assert not lines, "\n".join(lines)


def test_a_pattern_on_a_tied_embedding_is_right_and_said_to_be_dense():
    """The gather of rows needs the whole tensor; the head's product does not."""
    model = dataclasses.replace(MODELS["gpt"](8), weights={"wte": (1,)})
    one = Case(model, OPTIMIZERS["adamw"](), {"wte": "nm<2:8>"}, seed=4)
    step = one.compile()
    check_case(one, step)
    assert step.plan["wte"].structure == "nm<2:8, in = [1]>"
    assert any("is made dense" in remark and '"wte"' in remark for remark in step.remarks)


@pytest.mark.parametrize("optimizer", ["adamw", "lion"])
@pytest.mark.parametrize("density", ["0.0", "1.0"])
def test_densities_of_nothing_and_everything(density, optimizer):
    """Storage that is empty, gradients and state included, and storage that is all there is."""
    texts = {
        "layer0/w": f"unstructured<density = {density}>",
        "layer1/w": f"block<4x4, density = {density}>",
    }
    check_case(Case(MODELS["mlp"](4), OPTIMIZERS[optimizer](), texts, seed=6))


@pytest.mark.parametrize("structure", OTHER_PATTERNS)
def test_other_state_that_is_not_fresh(structure):
    check_state_that_is_not_fresh("adamw", structure)


def test_dense_equals_the_original_step():
    one = case("gpt", "adamw", "dense", seed=7)
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    params, state = one.params, one.state
    original = jax.jit(one.train_step)
    for x, y in one.batches:
        p, s, loss = step(p, s, x, y)
        params, state, expected = original(params, state, x, y)
        np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert jax.tree.structure(step.densify(p)) == jax.tree.structure(params)
    for a, b in zip(
        jax.tree.leaves(step.densify(p)), jax.tree.leaves(params), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize("structure", ["nm vector 4", "low_rank", "dense"])
def test_the_oracle_notices(structure):
    """A storage that is off by a thousandth fails, and so does one wrong optimizer."""
    one = case("mlp", "nesterov", structure, seed=2)
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    storage = step.storage(p)
    off = jax.tree.map(lambda a: a * np.float32(1.001) if a.dtype == np.float32 else a, p)
    found = run(step, one, off, s)
    lines = compare(one, storage, found)
    assert any(line.startswith("params") for line in lines)
    assert any(line.startswith("loss") for line in lines)

    p, s = step.compress(one.params, one.state)
    found = run(step, one, p, s)
    one.optimizer = optax.sgd(0.05, momentum=0.9)
    assert any(line.startswith("params") for line in compare(one, storage, found))
