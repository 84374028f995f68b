"""Modules in half precision against PyTorch's own step of the re-parametrised module: no
further off the step in f64 than four times what PyTorch is in the same half precision."""

import dataclasses

import pytest
import reference
import sparsam.torch
import torch
from torch_models import MODELS, weights
from torch_oracle import Case, Optimizer, Reference, run

HALVES = {"bf16": torch.bfloat16, "f16": torch.float16}
# f16 has no 1e-8.
ADAM = {"lr": 3e-3, "eps": 1e-3}
OPTIMIZERS = {
    "momentum": Optimizer(
        sparsam.torch.SGD(lr=0.02, momentum=0.9),
        lambda ps: torch.optim.SGD(ps, lr=0.02, momentum=0.9),
    ),
    "adam": Optimizer(
        sparsam.torch.Adam(**ADAM), lambda ps: torch.optim.Adam(ps, **ADAM)
    ),
    "adamw": Optimizer(
        sparsam.torch.AdamW(weight_decay=0.1, clip_norm=0.3, **ADAM),
        lambda ps: torch.optim.AdamW(ps, weight_decay=0.1, **ADAM),
        clip_norm=0.3,
    ),
}
STRUCTURES = {"dense": None, "nm": "nm<2:4>", "low_rank": "low_rank<3>"}


def mlp():
    return torch.nn.Sequential(
        torch.nn.Linear(20, 28),
        torch.nn.Tanh(),
        torch.nn.Linear(28, 16),
        torch.nn.GELU(),
        torch.nn.Linear(16, 12),
    )


def in_half(element, optimizer, structure, seed):
    """A few steps: rounding must not hide what is wrong."""
    text, model = STRUCTURES[structure], dataclasses.replace(MODELS["mlp"], make=mlp)
    texts = dict.fromkeys(weights(mlp()), text) if text else {}
    case = Case(model, OPTIMIZERS[optimizer], texts, seed, HALVES[element])
    case.batches = case.batches[:4]
    return case


def misses_in_half(case, storage, found):
    oracle = Reference(case, storage)
    singles = [oracle.run(case.dtype, nudge) for nudge in (None, 1, 2)]
    tolerance = 2 * torch.finfo(case.dtype).eps
    return reference.misses(
        found, singles, oracle.run(torch.float64), case.texts, tolerance
    )


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("element", HALVES)
def test_a_module(element, optimizer, structure):
    case = in_half(element, optimizer, structure, seed=5)
    step = case.compile()
    p, s = step.compress()
    storage = step.storage(p)
    for parts in storage.values():
        for name, array in parts.items():
            assert (
                array.dtype.name in ("bfloat16", "float16") or array.dtype.kind == "u"
            ), name
    lines = misses_in_half(case, storage, run(step, case, p, s))
    assert not lines, "\n".join(lines)


WRONG = {
    "momentum": {"make": lambda ps: torch.optim.SGD(ps, lr=0.02, momentum=0.8)},
    "adam": {"make": lambda ps: torch.optim.Adam(ps, **ADAM, betas=(0.8, 0.999))},
    "adamw": {"clip_norm": 0.4},
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_notices(optimizer):
    """A reference of which one number is another."""
    case = in_half("bf16", optimizer, "nm", seed=6)
    step = case.compile()
    p, s = step.compress()
    storage = step.storage(p)
    found = run(step, case, p, s)
    assert not misses_in_half(case, storage, found)
    case.optimizer = dataclasses.replace(case.optimizer, **WRONG[optimizer])
    assert any("weight (nm" in line for line in misses_in_half(case, storage, found))


@pytest.mark.parametrize("element", HALVES)
def test_sums_are_in_f32(element):
    """A thousand ones are no 256 in bf16, nor is the mean of many."""
    module = torch.nn.Linear(4, 3).to(HALVES[element])

    def loss(module, x):
        return module(x).sum() + 2 * module(x).mean(0).sum()

    x = torch.ones(1000, 4, dtype=HALVES[element])
    step = sparsam.torch.compile(
        module, loss, sparsam.torch.SGD(lr=2.0**-10, momentum=0.5), (x,)
    )
    p, s = step.compress()
    _, s, _ = step(p, s, x)
    found = step.storage(s)["momentum_buffer.bias"]["dense"]
    wanted = torch.full((3,), 1002.0).to(HALVES[element])
    assert found.astype("float32").tolist() == wanted.tolist()


@pytest.mark.parametrize("element", HALVES)
@pytest.mark.parametrize("size", [2.0**-13, 512.0])
def test_the_norm_is_in_f32(element, size):
    """The square of a number of f16 may be none."""
    module = torch.nn.Linear(4, 3, bias=False).to(HALVES[element])

    def loss(module, x):
        return (module(x) * size).sum()

    x = torch.ones(1, 4, dtype=HALVES[element])
    step = sparsam.torch.compile(
        module, loss, sparsam.torch.SGD(lr=0.5, momentum=0.5, clip_norm=size), (x,)
    )
    p, s = step.compress()
    _, s, _ = step(p, s, x)
    found = step.storage(s)["momentum_buffer.weight"]["dense"].astype("float32")
    wanted = torch.full((3, 4), size / 12**0.5)
    torch.testing.assert_close(torch.tensor(found), wanted, rtol=2.0**-6, atol=0)


class Table(torch.nn.Module):
    """Parameters of which the gradient is what the batch says, without rounding."""

    def __init__(self, dtype):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        start = torch.randn(256, generator=generator)
        self.weight = torch.nn.Parameter(start.to(dtype))


@pytest.mark.parametrize(
    "make",
    [
        lambda ps: torch.optim.SGD(ps, lr=0.01, momentum=0.99),
        lambda ps: torch.optim.SGD(ps, lr=0.01, momentum=0.9, nesterov=True),
        lambda ps: torch.optim.SGD(ps, lr=0.1, weight_decay=0.01),
        lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.3),
        lambda ps: torch.optim.AdamW(ps, lr=0.05, weight_decay=0.05, eps=1e-3),
        lambda ps: torch.optim.Adam(ps, betas=(0.9, 0.99), weight_decay=0.1, eps=1e-3),
    ],
    ids=["momentum", "nesterov", "decay", "dampening", "adamw", "adam"],
)
@pytest.mark.parametrize("element", HALVES)
def test_scalars_are_not_rounded_to_half(element, make):
    """Many steps, over which a decay of 0.99 that is rounded to bf16 is another: on the
    mean no further off than a rounding, which a fused multiplication may move."""
    dtype = HALVES[element]
    module = Table(dtype)
    trained = Table(dtype)
    optimizer = make(trained.parameters())

    def loss(m, g):
        return (m.weight * g).sum()

    generator = torch.Generator().manual_seed(1)
    batches = [torch.randn(256, generator=generator).to(dtype) for _ in range(60)]
    step = sparsam.torch.compile(module, loss, make(module.parameters()), (batches[0],))
    p, s = step.compress()
    for g in batches:
        p, s, _ = step(p, s, g)
        optimizer.zero_grad()
        loss(trained, g).backward()
        optimizer.step()
    stored = step.state(s) | {"weight": step.densify(p)["weight"]}
    wanted = {f"{name}.weight": t for name, t in optimizer.state[trained.weight].items()}
    wanted["weight"] = trained.weight.detach()
    for name in stored.keys() & wanted.keys():
        found, right = stored[name].double(), wanted[name].double()
        error = (found - right).abs().mean() / right.abs().mean()
        assert error < torch.finfo(dtype).eps, name
    assert len(stored.keys() & wanted.keys()) == len(stored) - 1, "the count of steps"
