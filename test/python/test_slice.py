"""Coupled slices against JAX's own step of the masked model."""

import pytest
from models import CONVOLUTIONAL, MODELS, OPTIMIZERS, STACKED
from slices import check, compiled

ALL = MODELS | STACKED | CONVOLUTIONAL
CASES = [
    ("mlp", 3, {"layer*/w": "slice<keep = 0.5>"}),
]
CASES[0][2].clear()
CASES[0][2].update({"layer0/w": "slice<keep = 0.5>", "layer1/w": "slice<keep = 4>"})
CASES += [
    ("gpt", 4, {"*/fc": "slice<keep = 0.3>"}),
    ("gpt", 4, {"blocks/0/qkv": "slice<keep = 1>"}),
    ("gpt", 3, {"wpe": "slice<keep = 0.6>"}),
    ("scan_mlp", 4, {"layers/w": "slice<keep = 0.5>"}),
    ("scan_gpt", 3, {"blocks/fc": "slice<keep = 0.5>", "blocks/qkv": "slice<keep = 1>", "wpe": "slice<keep = 0.5>"}),
    ("vit", 4, {"fc": "slice<keep = 0.5>", "qkv": "slice<keep = 1>", "patch": "slice<keep = 0.5>"}),
    ("mixer", 3, {"*channel1": "slice<keep = 0.5>", "*token1": "slice<keep=0.5>", "stem": "slice<keep = 0.5>"}),
    ("gated", 4, {"wi": "slice<keep = 1>", "wq": "slice<keep = 2>"}),
]


@pytest.mark.parametrize("optimizer", ["nesterov", "adamw", "lion"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_step(number, optimizer):
    model, unit, requests = CASES[number]
    check(*compiled(ALL[model](unit), OPTIMIZERS[optimizer](), requests, seed=number))
