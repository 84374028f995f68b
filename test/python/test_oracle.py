"""Ten structured steps against JAX's own step of the re-parametrised model."""

import dataclasses

import jax
import numpy as np
import optax
import pytest
import reference
from models import CONVOLUTIONAL, MODELS, OPTIMIZERS, STACKED, TABLE_OPTIMIZERS, deep_mlp
from oracle import Case, case, check_case, check_marked_and_unmarked, compare, run
from structures import STRUCTURES, deal, hands, mixed_case

ALL_MODELS = {
    name: make(4)
    for name, make in (
        MODELS | CONVOLUTIONAL | {"deep mlp": deep_mlp, "scan_gpt": STACKED["scan_gpt"]}
    ).items()
    if name != "mlp"
}
# Every structure with every optimizer on every model.
TABLE = [
    (model, optimizer, hand)
    for model in ALL_MODELS
    for optimizer in TABLE_OPTIMIZERS
    for hand in range(hands(ALL_MODELS[model].weights))
]


def table_case(model: str, optimizer: str, hand: int) -> Case:
    """Optimizers meet structures on other parameters; a structure meets each of them, and
    each model, with `sparsam.gradient` in the step and without."""
    turn = TABLE_OPTIMIZERS.index(optimizer)
    place = list(ALL_MODELS).index(model)
    return mixed_case(
        ALL_MODELS[model],
        optimizer,
        hand,
        turn=turn,
        seed=TABLE.index((model, optimizer, hand)),
        mark=(turn + place) % 2 == 1,
    )


@pytest.mark.parametrize("model, optimizer, hand", TABLE)
def test_every_structure(model, optimizer, hand):
    one = table_case(model, optimizer, hand)
    if model == "deep mlp":
        check_marked_and_unmarked(one)
    else:
        check_case(one)


@pytest.mark.parametrize("turn", range(len(TABLE_OPTIMIZERS)))
def test_every_structure_is_dealt(turn):
    for model in ALL_MODELS.values():
        dealt = deal(len(model.weights), turn)
        assert {name for hand in dealt for name in hand} == set(STRUCTURES)


class TwiceTheGradient(reference.Reference):
    """A wrong reference: the gradient of each structured parameter is twice what it is."""

    def _model(self, params):
        def twice(key, leaf):
            path = jax.tree_util.keystr(key, simple=True, separator="/")
            if reference.owner_of(path, self._structures) is None:
                return leaf
            return leaf + (leaf - jax.lax.stop_gradient(leaf))

        return super()._model(jax.tree_util.tree_map_with_path(twice, params))


@pytest.mark.parametrize("hand", range(hands(ALL_MODELS["deep mlp"].weights)))
def test_the_oracle_notices_every_structure(hand):
    """One step without a norm that joins parameters: each trained structure is missed, by
    name, and nothing else."""
    one = table_case("deep mlp", "momentum", hand)
    one.batches = one.batches[:1]
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    storage = step.storage(p)
    found = run(step, one, p, s)
    assert not compare(one, storage, found)
    lines = compare(one, storage, found, oracle=TwiceTheGradient)
    assert all("0/trace/" in line for line in lines if line.startswith("state"))
    wrong = {
        path
        for path in one.texts
        for line in lines
        if line.startswith("state") and f"/{path}" in line and one.texts[path] in line
    }
    trained = {
        path for path, text in one.texts.items() if text not in ("dense", "frozen")
    }
    assert wrong == trained
    assert not [line for line in lines if "(dense)" in line or "loss" in line]


# Sizes that little divides, and the optimizers that the table has not.
ODD = ["dense", "nm vector 1", "low_rank", "nm vector 8"]


@pytest.mark.parametrize("structure", ODD)
@pytest.mark.parametrize("model", MODELS)
def test_odd_sizes(model, structure):
    """One compiled step serves any parameters of its shapes."""
    number = ODD.index(structure) + list(MODELS).index(model)
    optimizer = ["nesterov", "rmsprop", "adamw"][number % 3]
    first = case(model, optimizer, structure, mark=number % 2 == 0)
    step = first.compile()
    for seed in (1001, 1002)[: 1 + (structure != "dense")]:
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


@pytest.mark.parametrize("structure", ["block", "unstructured", "vnm", "transposable"])
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
