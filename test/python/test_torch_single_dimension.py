"""Modules whose head has one output."""

import pytest
import torch
from test_single_dimension import FACTORS, PATTERNS
from torch_models import Model
from torch_oracle import OPTIMIZERS, Case, check_case


def head(batch: int = 5) -> Model:
    def make():
        return torch.nn.Sequential(
            torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
        )

    return Model(
        make,
        lambda generator: [torch.randn(batch, 8, generator=generator)],
        lambda module, x: (module(x) - 1).square().mean(),
    )


@pytest.mark.parametrize("batch", [5, 1])
@pytest.mark.parametrize("text", PATTERNS + FACTORS)
def test_one_output(text, batch):
    check_case(Case(head(batch), OPTIMIZERS["adamw"], {"2.weight": text}, seed=batch))
