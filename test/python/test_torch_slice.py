"""Coupled slices of modules that others wrote, against PyTorch's own step of the masked module."""

import pytest
import slices
import torch_oracle
from torch_models import MODELS

CASES = [
    ("mlp", "momentum", {"0.weight": "slice<keep = 0.5>"}),
    (
        "gpt2",
        "adamw",
        {
            "transformer.wpe.weight": "slice<keep = 0.5>",
            "*c_attn.weight": "slice<keep = 3>",
            "*c_fc.weight": "slice<keep = 0.5>",
        },
    ),
    (
        "llama",
        "adamw",
        {
            "model.embed_tokens.weight": "slice<keep = 0.5>",
            "*gate_proj.weight": "slice<keep = 0.5>",
            "*q_proj.weight": "slice<keep = 1>",
        },
    ),
    (
        "resnet18",
        "momentum",
        {
            "layer1.0.conv1.weight": "slice<keep = 0.5>",
            "layer2.0.conv2.weight": "slice<keep = 0.25>",
        },
    ),
]


@pytest.mark.parametrize("model, optimizer, requests", CASES)
def test_step(model, optimizer, requests):
    case = torch_oracle.Case(
        MODELS[model], torch_oracle.OPTIMIZERS[optimizer], {}, seed=len(requests)
    )
    case.texts = requests
    step = case.compile()
    shapes = {name: tuple(p.shape) for name, p in case.module.named_parameters()}
    case.structures = {
        name: slices.parse(text, shapes[name]) for name, text in step.pinned.items()
    }
    p, s = step.compress()
    storage = step.storage(p)
    lines = torch_oracle.misses(case, storage, torch_oracle.run(step, case, p, s))
    assert not lines, "\n".join(lines)
