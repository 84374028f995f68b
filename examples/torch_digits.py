"""Trains a small convolutional network of PyTorch on scikit-learn's digits, dense in PyTorch
and structured in Sparsam, and says what both come to.

tools/dev torch && tools/dev exec python examples/torch_digits.py
"""

from __future__ import annotations

import argparse

import sparsam.torch
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

STRUCTURE = {"head.1.weight": "nm<2:8, vector = 8>", "head.3.weight": "low_rank<8>"}


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, padding=1, stride=2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10)
        )

    def forward(self, x):
        return self.head(self.body(x))


def loss_fn(model, x, y):
    return functional.cross_entropy(model(x), y)


def load():
    """Training and test pictures with their labels."""
    digits = load_digits()
    pictures = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    labels = torch.tensor(digits.target, dtype=torch.int64)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    return (pictures[train], labels[train]), (pictures[test], labels[test])


def batches(x, y, steps, size=50):
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        rows = torch.randint(0, len(y), (size,), generator=generator)
        yield x[rows], y[rows]


def train_dense(model, data, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for batch in track(batches(*data, steps), "dense, PyTorch", total=steps):
        optimizer.zero_grad()
        loss_fn(model, *batch).backward()
        optimizer.step()
    return model


def train_structured(model, data, steps):
    model.train()
    optimizer = sparsam.torch.AdamW(lr=2e-3)
    example = next(batches(*data, 1))
    step = sparsam.torch.compile(model, loss_fn, optimizer, example, STRUCTURE)
    p, s = step.compress()
    for batch in track(batches(*data, steps), "structured, Sparsam", total=steps):
        p, s, _ = step(p, s, *batch)
    return step.to_module(p, s), sum(c.cost.bytes for c in step.plan.values())


@torch.no_grad()
def accuracy(model, x, y):
    return (model.eval()(x).argmax(-1) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    steps = parser.parse_args().steps
    data, held_out = load()
    torch.manual_seed(0)
    start = Network()
    structured, stored = train_structured(start, data, steps)
    dense = train_dense(start, data, steps)
    table = Table("", "accuracy on held-out digits", "bytes of parameters")
    size = sum(p.numel() * p.element_size() for p in dense.parameters())
    table.add_row("dense, PyTorch", f"{accuracy(dense, *held_out):.1%}", f"{size:,}")
    table.add_row(
        "structured, Sparsam", f"{accuracy(structured, *held_out):.1%}", f"{stored:,}"
    )
    Console().print(table)


if __name__ == "__main__":
    main()
