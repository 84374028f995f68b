"""Layers and operations of PyTorch, each in three dense steps against autograd."""

import pytest
import sparsam
import sparsam.torch
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

PICTURE, SEQUENCE = (2, 4, 9, 9), (2, 5, 8)


class Applied(nn.Module):
    """A function of a linear layer's output."""

    def __init__(self, function):
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.function = function

    def forward(self, x):
        return self.function(self.linear(x))


class First(nn.Module):
    """The first result of a module that returns several."""

    def __init__(self, module, count=1):
        super().__init__()
        self.module, self.count = module, count

    def forward(self, x):
        return self.module(*[x] * self.count)[0]


def pooled(pool):
    return nn.Sequential(nn.Conv2d(4, 4, 1), pool)


CASES = {
    "convolution in one dimension": (nn.Conv1d(5, 6, 3, padding=1), SEQUENCE),
    "dilated convolution": (nn.Conv2d(4, 6, 3, dilation=2), PICTURE),
    "strided convolution": (nn.Conv2d(4, 8, 3, stride=3), PICTURE),
    "convolution that leaves a rest": (nn.Conv2d(4, 8, 4, stride=3), PICTURE),
    "maximum": (pooled(nn.MaxPool2d(3, 2, 1)), PICTURE),
    "average": (pooled(nn.AvgPool2d(2)), PICTURE),
    "average of overlapping windows": (pooled(nn.AvgPool2d((3, 2), (2, 1), 1)), PICTURE),
    "average of all": (pooled(nn.AdaptiveAvgPool2d(1)), PICTURE),
    "average of parts": (pooled(nn.AdaptiveAvgPool2d(3)), PICTURE),
    "batch norm": (pooled(nn.BatchNorm2d(4)), PICTURE),
    "batch norm in evaluation": (pooled(nn.BatchNorm2d(4)).eval(), PICTURE),
    "group norm": (pooled(nn.GroupNorm(2, 4)), PICTURE),
    "upsampling": (pooled(nn.Upsample(scale_factor=2)), PICTURE),
    "attention": (First(nn.MultiheadAttention(8, 2, batch_first=True), 3), SEQUENCE),
    "encoder": (nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True), SEQUENCE),
    "LSTM": (First(nn.LSTM(8, 6, batch_first=True)), SEQUENCE),
    "padding and cutting": (
        Applied(lambda h: functional.pad(functional.pad(h, (1, -2, 0, 1)), (-1, 1))),
        SEQUENCE,
    ),
    "splitting": (
        Applied(lambda h: torch.cat([3 * part for part in h.split((3, 5), -1)], -1)),
        SEQUENCE,
    ),
    "statistics": (
        Applied(lambda h: h.std(-1) + h.var((0, 1)).sum() + h.norm(dim=-1)),
        SEQUENCE,
    ),
    "negative indices": (Applied(lambda h: h[:, torch.tensor([-1, 0, -5])]), SEQUENCE),
    "losses": (
        Applied(lambda h: functional.smooth_l1_loss(h, h.detach() + 1) + h.abs().mean()),
        SEQUENCE,
    ),
    "checkpoint": (
        Applied(lambda h: checkpoint(torch.tanh, h, use_reentrant=False)),
        SEQUENCE,
    ),
}


def loss_fn(module, x):
    y = module(x)
    return y.square().mean() + 0.01 * y.sum()


@pytest.mark.parametrize("name", CASES)
def test_operation(name):
    module, shape = CASES[name]
    torch.manual_seed(0)
    x = torch.randn(shape)
    spec = sparsam.torch.SGD(lr=0.01, momentum=0.9)
    step = sparsam.torch.compile(module, loss_fn, spec, (x,))
    p, s = step.compress()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
    for _ in range(3):
        p, s, loss = step(p, s, x)
        optimizer.zero_grad()
        expected = loss_fn(module, x)
        expected.backward()
        optimizer.step()
        torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)
    found = step.to_module(p, s)
    for one, other in zip(found.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    for one, other in zip(found.buffers(), module.buffers(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "module, shape, message",
    [
        (nn.Conv2d(4, 4, 3, groups=2), PICTURE, "2 groups of channels has no lowering"),
        (
            nn.ConvTranspose2d(4, 4, 3),
            PICTURE,
            "a transposed convolution has no lowering",
        ),
        (Applied(lambda h: h.sort(-1)[0]), SEQUENCE, "sorting has no lowering"),
        (pooled(nn.Upsample(scale_factor=2, mode="bicubic")), PICTURE, "bicubic"),
    ],
)
def test_what_has_no_lowering_is_named(module, shape, message):
    with pytest.raises(sparsam.CompileError) as caught:
        sparsam.torch.compile(module, loss_fn, sparsam.torch.SGD(), (torch.randn(shape),))
    assert message in str(caught.value) and ".py:" in str(caught.value)
