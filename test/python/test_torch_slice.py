"""Coupled slices of modules that others wrote, against PyTorch's own step of the masked module."""

import pytest
import slices
import sparsam.torch
import torch
import torch_oracle
from torch.nn import functional
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


def convolutional(channels, features):
    """Two convolutions, each with its batch norm, and a layer behind them."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, channels, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(channels),
        torch.nn.ReLU(),
        torch.nn.Conv2d(channels, features, 3, bias=False),
        torch.nn.BatchNorm2d(features),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(features, 5),
    )


def test_the_smaller_module():
    """It evaluates with the running statistics of what is kept, and trains on in PyTorch."""
    torch.manual_seed(3)
    module, smaller = convolutional(8, 6), convolutional(5, 3)
    batches = [(torch.randn(7, 3, 6, 6), torch.randint(0, 5, (7,))) for _ in range(4)]
    step = sparsam.torch.compile(
        module,
        lambda model, x, y: functional.cross_entropy(model(x), y),
        sparsam.torch.SGD(lr=0.1, momentum=0.9),
        batches[0],
        structure={"0.weight": "slice<keep = 5>", "3.weight": "slice<keep = 3>"},
    )
    p, s = step.compress()
    for batch in batches[:3]:
        p, s, _ = step(p, s, *batch)
    masked = step.to_module(p, s).eval()
    step.to_module(p, s, smaller, smaller=True).eval()
    x, y = batches[3]
    torch.testing.assert_close(smaller(x), masked(x))

    _, state = step.densify(p, s, smaller=True)
    assert state["buffers.1.running_var"].shape == (5,)
    optimizer = torch.optim.SGD(smaller.parameters(), lr=0.1, momentum=0.9)
    for name, parameter in smaller.named_parameters():
        optimizer.state[parameter]["momentum_buffer"] = state[f"momentum_buffer.{name}"]
    smaller.train()
    functional.cross_entropy(smaller(x), y).backward()
    optimizer.step()
    p, s, _ = step(p, s, x, y)
    params, state = step.densify(p, s, smaller=True)
    for name, parameter in smaller.named_parameters():
        torch.testing.assert_close(parameter.detach(), params[name], rtol=1e-4, atol=1e-5)
    for name, buffer in smaller.named_buffers():
        torch.testing.assert_close(buffer, state[f"buffers.{name}"])


def test_a_smaller_module_is_to_be_given():
    step = sparsam.torch.compile(
        torch.nn.Linear(3, 4),
        lambda model, x: model(x).mean(),
        sparsam.torch.SGD(lr=0.1),
        (torch.zeros(2, 3),),
    )
    p, _ = step.compress()
    with pytest.raises(ValueError, match="needs module="):
        step.to_module(p, smaller=True)


def test_dropout_along_the_axis_and_elsewhere(tmp_path):
    """Masks come of positions. What a step of JAX offers of slices and files, this one does."""

    def compiled(rate, behind):
        module = torch.nn.Sequential(
            torch.nn.Linear(8, 16),
            torch.nn.Dropout(rate),
            torch.nn.Linear(16, 4),
            torch.nn.Dropout(behind),
        )
        return sparsam.torch.compile(
            module,
            lambda model, x: model(x).square().mean(),
            sparsam.torch.SGD(lr=0.1, momentum=0.9),
            (torch.rand(3, 8),),
            {"0.weight": "slice<keep = 0.5>"},
        )

    with pytest.raises(
        sparsam.CompileError,
        match='"0.weight:0" cannot be sliced: an operation counts along it',
    ):
        compiled(0.1, 0.0)
    step = compiled(0.0, 0.1)
    coupled = "coupled by group '0.weight:0', which '0.weight' asks to slice"
    assert {name: choice.reason for name, choice in step.plan.items()} == {
        "0.bias": coupled,
        "0.weight": "asked for by '0.weight'",
        "2.bias": "no glob matches",
        "2.weight": coupled,
    }
    assert step.groups["0.weight:0"].members == ("0.weight:0", "0.bias:0", "2.weight:1")
    p, s = step.compress()
    p, s, _ = step(p, s, torch.rand(3, 8))
    step.save(tmp_path / "step.safetensors", p, s)
    loaded = step.load(tmp_path / "step.safetensors")
    for found, saved in zip(step.densify(*loaded), step.densify(p, s), strict=True):
        torch.testing.assert_close(found, saved, rtol=0, atol=0)
    smaller = step.densify(p, smaller=True)
    assert smaller["0.weight"].shape == (8, 8) and smaller["2.weight"].shape == (4, 8)
