"""The specifications against `torch.optim` itself, dense, and instances as specifications."""

import copy

import pytest
import sparsam.torch
import torch
from torch.nn import functional

KINDS = {
    "sgd": ("SGD", {"lr": 0.1}),
    "decayed": ("SGD", {"lr": 0.1, "weight_decay": 0.1, "momentum": 0.8}),
    "dampened": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    "nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.95)}),
    "one moment": ("Adam", {"lr": 0.01, "betas": (0.0, 0.95)}),
    "adamw": ("AdamW", {"lr": 0.01, "eps": 1e-4}),
    "amsgrad": ("AdamW", {"lr": 0.01, "amsgrad": True}),
}
BATCH = 6


def make_module():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 4)
    )


def loss_fn(module, x, y):
    return functional.mse_loss(module(x), y)


def batches(count):
    generator = torch.Generator().manual_seed(1)
    return [
        (
            torch.randn(BATCH, 8, generator=generator),
            torch.randn(BATCH, 4, generator=generator),
        )
        for _ in range(count)
    ]


def eager(module, optimizer, data, clip_norm=None, scheduler=None):
    for batch in data:
        optimizer.zero_grad()
        loss_fn(module, *batch).backward()
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
        optimizer.step()
        if scheduler:
            scheduler.step()


def compiled(step, p, s, data):
    for batch in data:
        p, s, _ = step(p, s, *batch)
    return p, s


def check_parameters(step, p, module):
    for name, parameter in module.named_parameters():
        found = step.densify(p)[name]
        torch.testing.assert_close(found, parameter.detach(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_as_torch_optim(kind):
    """The same numbers, and the same names and numbers of state."""
    name, options = KINDS[kind]
    module, data = make_module(), batches(5)
    step = sparsam.torch.compile(
        module, loss_fn, getattr(sparsam.torch, name)(**options), data[0]
    )
    p, s = compiled(step, *step.compress(), data)
    optimizer = getattr(torch.optim, name)(module.parameters(), **options)
    eager(module, optimizer, data)
    check_parameters(step, p, module)
    state = step.state(s)
    assert state.pop("step") == len(data)
    for path, parameter in module.named_parameters():
        for slot, value in optimizer.state[parameter].items():
            if slot == "step" or value is None:
                continue
            slot = slot.removesuffix("s") if slot.startswith("max") else slot
            found = state.pop(f"{slot}.{path}")
            torch.testing.assert_close(found, value, rtol=2e-5, atol=2e-6)
    assert not state


@pytest.mark.parametrize("clip_norm", [0.05, 1e6])
def test_clipping(clip_norm):
    module, data = make_module(), batches(4)
    spec = sparsam.torch.SGD(lr=0.5, momentum=0.9, clip_norm=clip_norm)
    step = sparsam.torch.compile(module, loss_fn, spec, data[0])
    p, _ = compiled(step, *step.compress(), data)
    eager(
        module,
        torch.optim.SGD(module.parameters(), lr=0.5, momentum=0.9),
        data,
        clip_norm,
    )
    check_parameters(step, p, module)


def test_a_schedule_is_a_function_of_the_steps_taken():
    module, data = make_module(), batches(6)

    def rate(steps):
        return 0.1 * torch.exp(-0.3 * steps)

    step = sparsam.torch.compile(module, loss_fn, sparsam.torch.AdamW(lr=rate), data[0])
    p, _ = compiled(step, *step.compress(), data)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    gamma = torch.exp(torch.tensor(-0.3, dtype=torch.float64)).item()
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    eager(module, optimizer, data, scheduler=scheduler)
    check_parameters(step, p, module)


def test_an_instance_with_groups_and_state():
    """Groups keep their numbers, what is in no group stays, and the state goes on."""
    module, data = make_module(), batches(6)
    optimizer = torch.optim.AdamW(
        [
            {"params": [module[0].weight], "weight_decay": 0.5},
            {"params": [module[0].bias], "lr": 0.1},
            {"params": [module[2].weight]},
        ],
        lr=0.01,
    )
    frozen = module[2].bias.detach().clone()
    eager(module, optimizer, data[:3])
    groups = sparsam.torch.from_optimizer(optimizer, clip_norm=1e6)
    step = sparsam.torch.compile(module, loss_fn, groups, data[0])
    p, s = step.compress(state=optimizer)
    before = copy.deepcopy(module)
    assert step.state(s)["step"] == 3
    p, s = compiled(step, p, s, data[3:])
    eager(module, optimizer, data[3:])
    check_parameters(step, p, module)
    assert torch.equal(step.densify(p)["2.bias"], frozen)
    assert not torch.equal(module[0].weight, before[0].weight)


def test_parameters_that_need_no_gradient_stay():
    module, data = make_module(), batches(2)
    module[0].requires_grad_(False)
    step = sparsam.torch.compile(module, loss_fn, sparsam.torch.AdamW(), data[0])
    p, s = compiled(step, *step.compress(), data)
    dense = step.densify(p)
    assert torch.equal(dense["0.weight"], module[0].weight)
    assert not torch.equal(dense["2.weight"], module[2].weight)
    assert "exp_avg.0.weight" not in step.state(s)


def test_parameters_that_the_loss_does_not_need_stay():
    """As in torch.optim, whose parameters without a gradient are skipped, decay included."""
    module, data = make_module(), batches(2)
    module.unused = torch.nn.Parameter(torch.ones(3))

    def loss(module, x, y):
        return functional.mse_loss(module[2](module[1](module[0](x))), y)

    step = sparsam.torch.compile(
        module, loss, sparsam.torch.AdamW(weight_decay=0.5, clip_norm=1.0), data[0]
    )
    p, _ = compiled(step, *step.compress(), data)
    assert torch.equal(step.densify(p)["unused"], torch.ones(3))
