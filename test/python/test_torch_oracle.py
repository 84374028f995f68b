"""Ten structured steps against PyTorch's own step of the re-parametrised module."""

import dataclasses

import pytest
import torch
from structures import hands
from torch_models import MODELS
from torch_oracle import OPTIMIZERS, case, check_case, misses, mixed_case, run, views

STRUCTURES = {"dense": None, "nm": "nm<2:4>", "low_rank": "low_rank<3>"}
# Every structure with every optimizer on every model.
TABLE = [
    (model, optimizer, hand)
    for model, made in MODELS.items()
    for optimizer in OPTIMIZERS
    for hand in range(hands(views(made)))
]


@pytest.mark.parametrize("model, optimizer, hand", TABLE)
def test_every_structure(model, optimizer, hand):
    """Each case has a seed of its own; another optimizer, structures on other weights."""
    seed = TABLE.index((model, optimizer, hand))
    turn = list(OPTIMIZERS).index(optimizer)
    check_case(mixed_case(MODELS[model], optimizer, hand, turn, seed))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_oracle_notices(structure):
    """A storage that is off by a thousandth fails, and so does a wrong optimizer."""
    one = case(MODELS["mlp"], "momentum", STRUCTURES[structure], seed=3)
    step = one.compile()
    p, s = step.compress()
    storage = step.storage(p)
    off = {name: 1.001 * tensor for name, tensor in step.densify(p).items()}
    lines = misses(one, storage, run(step, one, *step.compress(off)))
    assert any(line.startswith("params") for line in lines)

    found = run(step, one, p, s)
    one.optimizer = dataclasses.replace(
        one.optimizer, make=lambda ps: torch.optim.SGD(ps, lr=0.02, momentum=0.8)
    )
    assert any(line.startswith("params") for line in misses(one, storage, found))
