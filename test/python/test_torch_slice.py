"""Coupled slices of modules that others wrote, against PyTorch's own step of the masked module."""

import pytest
import slices
import torch_oracle
from torch_models import MODELS

# Model -> a slice of each kind of axis that it has.
TABLE = {
    "mlp": {"0.weight": "slice<keep = 0.5>"},
    "gpt2": {
        "transformer.wpe.weight": "slice<keep = 0.5>",
        "*c_attn.weight": "slice<keep = 3>",
        "*c_fc.weight": "slice<keep = 0.5>",
    },
    "bert": {
        "*word_embeddings.weight": "slice<keep = 0.5>",
        "*query.weight": "slice<keep = 3>",
        "*intermediate.dense.weight": "slice<keep = 0.5>",
        "*pooler.dense.weight": "slice<keep = 0.5>",
    },
    "llama": {
        "model.embed_tokens.weight": "slice<keep = 0.5>",
        "*gate_proj.weight": "slice<keep = 0.5>",
        "*q_proj.weight": "slice<keep = 1>",
    },
    "mobilebert": {
        "*word_embeddings.weight": "slice<keep = 0.5>",
        "*embedding_transformation.weight": "slice<keep = 0.6>",
        "*bottleneck.input.dense.weight": "slice<keep = 0.5>",
        "*query.weight": "slice<keep = 3>",
        "*intermediate.dense.weight": "slice<keep = 0.5>",
        "*pooler.dense.weight": "slice<keep = 0.5>",
    },
    "resnet18": {
        "layer1.0.conv1.weight": "slice<keep = 0.5>",
        "layer2.0.conv2.weight": "slice<keep = 0.25>",
    },
}


def test_the_table_has_every_model():
    assert set(TABLE) == set(MODELS)


@pytest.mark.parametrize("optimizer", torch_oracle.OPTIMIZERS)
@pytest.mark.parametrize("model", TABLE)
def test_step(model, optimizer):
    requests, place = TABLE[model], list(TABLE).index(model)
    case = torch_oracle.Case(
        MODELS[model], torch_oracle.OPTIMIZERS[optimizer], {}, seed=place
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
