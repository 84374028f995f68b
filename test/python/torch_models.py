"""Modules that others wrote, unmodified and from small configurations, with batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
import torchvision
from torch.nn import functional
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MobileBertConfig,
    MobileBertForSequenceClassification,
)
from transformers.pytorch_utils import Conv1D

VOCAB, TIME, BATCH = 29, 7, 3
CLASSES = 5
CLASSIFIER = {
    "num_labels": CLASSES,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    # Large enough that the first classes differ.
    "initializer_range": 0.2,
}


@dataclasses.dataclass(frozen=True)
class Model:
    """A module and how it is trained.

    make() -> the module; batch(generator) -> what the loss takes besides
    loss(module, *batch) -> scalar
    """

    make: Callable
    batch: Callable
    loss: Callable


def weights(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """Name -> the contracted dimensions, of the weights of all linear layers and
    convolutions that have one of their own."""
    own = dict(module.named_parameters())
    found = {}
    for name, layer in module.named_modules():
        contracted = {torch.nn.Linear: (1,), Conv1D: (0,)}.get(type(layer))
        if isinstance(layer, torch.nn.Conv2d):
            contracted = (1,) if layer.kernel_size == (1, 1) else (1, 2, 3)
        if contracted and f"{name}.weight" in own:
            found[f"{name}.weight"] = contracted
    return found


def _labelled(module, ids, labels):
    return module(input_ids=ids, labels=labels).loss


def _cross_entropy(module, x, y):
    return functional.cross_entropy(module(x), y)


def _text(generator):
    ids = torch.randint(0, VOCAB, (BATCH, TIME), generator=generator)
    return ids, ids


def _classified_text(generator):
    ids = torch.randint(0, VOCAB, (BATCH, TIME), generator=generator)
    return ids, torch.randint(0, CLASSES, (BATCH,), generator=generator)


def mlp():
    return torch.nn.Sequential(
        torch.nn.Linear(20, 28),
        torch.nn.ReLU(inplace=True),
        torch.nn.Linear(28, 12),
        torch.nn.Tanh(),
        torch.nn.Linear(12, 24),
        torch.nn.Tanh(),
        torch.nn.Linear(24, 20),
        torch.nn.GELU(),
        torch.nn.Linear(20, 16),
        torch.nn.Tanh(),
        torch.nn.Linear(16, 12),
    )


def _mlp_batch(generator):
    x = torch.randn(13, 20, generator=generator)
    return x, torch.randint(0, 12, (13,), generator=generator)


def gpt2():
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCAB,
            n_positions=TIME + 1,
            n_embd=20,
            n_layer=2,
            n_head=4,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
    )


def bert():
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=VOCAB,
            hidden_size=20,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=28,
            max_position_embeddings=TIME + 1,
            **CLASSIFIER,
        )
    )


def llama():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCAB,
            hidden_size=24,
            intermediate_size=28,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=TIME + 1,
        )
    )


def mobilebert():
    return MobileBertForSequenceClassification(
        MobileBertConfig(
            vocab_size=VOCAB,
            hidden_size=20,
            embedding_size=12,
            num_hidden_layers=1,
            num_attention_heads=4,
            intermediate_size=28,
            intra_bottleneck_size=12,
            num_feedforward_networks=2,
            max_position_embeddings=TIME + 1,
            **CLASSIFIER,
        )
    )


def resnet18():
    return torchvision.models.resnet18(num_classes=8)


def _pictures(generator):
    # The smallest that leave more than one place for the last normalisations.
    x = torch.randn(4, 3, 33, 33, generator=generator)
    return x, torch.randint(0, 8, (4,), generator=generator)


MODELS = {
    "mlp": Model(mlp, _mlp_batch, _cross_entropy),
    "gpt2": Model(gpt2, _text, _labelled),
    "bert": Model(bert, _classified_text, _labelled),
    "llama": Model(llama, _text, _labelled),
    "mobilebert": Model(mobilebert, _classified_text, _labelled),
    "resnet18": Model(resnet18, _pictures, _cross_entropy),
}
