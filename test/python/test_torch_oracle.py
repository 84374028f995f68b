"""Ten structured steps against PyTorch's own step of the re-parametrised module."""

import dataclasses

import pytest
import torch
from torch_models import MODELS
from torch_oracle import OPTIMIZERS, case, check_case, misses, run

STRUCTURES = {"dense": None, "nm": "nm<2:4>", "low_rank": "low_rank<3>"}
CASES = [
    (model, optimizer, structure)
    for model in MODELS
    for optimizer in OPTIMIZERS
    for structure in STRUCTURES
    # The one large model; its structures are on one layer.
    if model != "resnet18" or (optimizer == "momentum") == (structure != "nm")
]


@pytest.mark.parametrize("model, optimizer, structure", CASES)
def test_step(model, optimizer, structure):
    """Each case has a seed of its own."""
    number = CASES.index((model, optimizer, structure))
    check_case(case(MODELS[model], optimizer, STRUCTURES[structure], seed=number))


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
