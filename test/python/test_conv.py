"""Convolutions, forward and backward, under every structure, against JAX's own step."""

import pytest
from models import CONVOLUTIONAL, OPTIMIZERS
from oracle import UNITS, Case, check_case

OPTIMIZERS_USED = ["momentum", "adamw", "lion"]
STRUCTURES = ["dense", "nm vector 1", "nm vector 4", "low_rank"]


def build(model, optimizer, structure, seed):
    unit, texts = UNITS[structure]
    built = CONVOLUTIONAL[model](unit)
    chosen = {path: texts[i % len(texts)] for i, path in enumerate(built.weights)}
    return Case(built, OPTIMIZERS[optimizer](), chosen, seed)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS_USED)
@pytest.mark.parametrize("model", CONVOLUTIONAL)
def test_step(model, optimizer, structure):
    case = build(model, optimizer, structure, seed=len(model + optimizer + structure))
    step = case.compile()
    assert not [r for r in step.remarks if "made dense" in r or "dense first" in r]
    check_case(case, step)
