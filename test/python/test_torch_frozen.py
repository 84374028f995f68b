"""Fine-tuning: all that is not adapted is frozen, whatever layer it is of."""

import pytest
import sparsam.torch
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.fc1 = nn.Linear(4 * 4 * 4, 16)
        self.bn1 = nn.BatchNorm1d(16)
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x))).flatten(1)
        return self.out(torch.relu(self.bn1(self.fc1(x))))


def loss(module, x, y):
    return nn.functional.cross_entropy(module(x), y)


@pytest.mark.parametrize(
    "structure",
    [
        {"bn.bias": "frozen", "bn1.bias": "frozen"},
        {"fc1.weight": "lora<4, base = nm<2:8>>", "*": "frozen"},
    ],
    ids=["biases of norms", "all but one"],
)
def test_what_is_frozen_stays(structure):
    """Bit for bit, while the rest and the statistics move as they do without."""
    torch.manual_seed(0)
    module = Network()
    x, y = torch.randn(6, 1, 4, 4), torch.randint(0, 3, (6,))
    optimizer = sparsam.torch.AdamW(lr=1e-2, clip_norm=1.0)
    step = sparsam.torch.compile(module, loss, optimizer, (x, y), structure=structure)
    p, s = step.compress()
    frozen = {n for n in step.plan if step.plan[n].structure.startswith("frozen")}
    assert {"bn.bias", "bn1.bias"} <= frozen
    before = {name: tensor.clone() for name, tensor in step.densify(p).items()}
    losses = []
    for _ in range(20):
        p, s, value = step(p, s, x, y)
        losses.append(value.item())
    after = step.densify(p)
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]) == (name in frozen), name
    assert losses[-1] < losses[0]


def test_a_frozen_bias_changes_no_other_gradient():
    """The gradient of a normalization's bias is a part of its backward pass."""
    torch.manual_seed(1)
    module = Network()
    x, y = torch.randn(6, 1, 4, 4), torch.randint(0, 3, (6,))
    found = {}
    for structure in ("dense", {"bn*.bias": "frozen"}):
        optimizer = sparsam.torch.SGD(lr=0.1)
        step = sparsam.torch.compile(module, loss, optimizer, (x, y), structure=structure)
        p, s = step.compress()
        p, s, _ = step(p, s, x, y)
        found[str(structure)] = step.densify(p)
    dense, frozen = found.values()
    for name, tensor in dense.items():
        if name.startswith("bn") and name.endswith("bias"):
            assert not torch.equal(tensor, frozen[name])
        else:
            torch.testing.assert_close(tensor, frozen[name], rtol=1e-6, atol=1e-7)
