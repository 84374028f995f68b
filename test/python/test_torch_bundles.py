"""Steps of modules that were compiled ahead of time."""

import pytest
import sparsam
import sparsam.torch
import torch
from torch.nn import functional


class Module(torch.nn.Module):
    """With indices that a batch brings, buffers and dropout."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(32, 16)
        self.layer = torch.nn.Linear(16, 32)
        self.norm = torch.nn.BatchNorm1d(32)

    def forward(self, x):
        hidden = self.norm(self.layer(self.table(x)))
        return functional.dropout(hidden, 0.1)


def loss_fn(module, x, y):
    return functional.cross_entropy(module(x), y)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(0)
    batch = torch.randint(0, 32, (8,)), torch.randint(0, 32, (8,))
    step = sparsam.torch.compile(
        Module(),
        loss_fn,
        sparsam.torch.AdamW(lr=1e-2),
        batch,
        structure={"layer.weight": "nm<2:4>"},
    )
    path = tmp_path_factory.mktemp("bundles") / "step.sparsam"
    step.save(path, cpu="host")
    return step, batch, sparsam.load(path)


def test_bit_identical(saved):
    step, batch, loaded = saved
    mine, theirs = step.compress(), step.compress()
    for _ in range(3):
        *mine, expected = step(*mine, *batch)
        *theirs, found = loaded(*theirs, *batch)
        assert torch.equal(expected, found)
    for name, value in step.state(mine[1]).items():
        assert torch.equal(value, step.state(theirs[1])[name]), name


def test_what_a_batch_must_be(saved):
    step, (x, y), loaded = saved
    handles = step.compress()
    with pytest.raises(IndexError, match="gives the index 32, which is out of range"):
        loaded(*handles, torch.full_like(x, 32), y)
    with pytest.raises(
        TypeError, match="must be of dtype torch.int64, found torch.int32"
    ):
        loaded(*handles, x.int(), y)
    with pytest.raises(TypeError, match="must be a tensor, found ndarray"):
        loaded(*handles, x.numpy(), y)
    with pytest.raises(ValueError, match="must be of shape"):
        loaded(*handles, x[:4], y[:4])
    loaded(*handles, x, y)
    with pytest.raises(RuntimeError, match="was consumed by a step"):
        loaded(*handles, x, y)
