"""Random numbers in steps of modules: dropout and what else is drawn uniformly."""

import dataclasses
import itertools

import numpy as np
import pytest
import sparsam.torch
import torch
from sparsam.torch._random import Drawings, bits, key
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from torch_models import MODELS
from torch_oracle import STEPS, case, misses, run

aten = torch.ops.aten


def squares(counter, key):
    """The generator as its paper prints it, of unsigned numbers."""
    half = np.uint64(32)
    x = y = counter * key
    z = y + key
    for added in (y, z, y):
        x = x * x + added
        x = (x >> half) | (x << half)
    return (x * x + z) >> half


def test_the_generator():
    rng = np.random.default_rng(0)
    counters = rng.integers(0, 2**64, 4096, np.uint64)
    for drawing in range(8):
        own = key(5, drawing)
        found = bits(torch.from_numpy(counters.view(np.int64)), own).numpy()
        np.testing.assert_array_equal(
            found.view(np.uint64), squares(counters, np.uint64(own))
        )


def test_keys_are_those_of_the_paper():
    keys = [f"{key(seed, drawing):016x}" for seed in range(20) for drawing in range(50)]
    assert len(set(keys)) == len(keys)
    for own in keys:
        high, low = own[:8], own[8:]
        assert len(set(high)) == len(set(low)) == 8
        assert "0" not in high
        assert int(low, 16) % 2


def drawn(count, steps, seed=0):
    drawings = Drawings(seed)
    drawings.steps = torch.tensor(steps)
    return [drawings.uniform((4096,)).double().numpy() for _ in range(count)]


def test_drawings_are_uniform_and_independent():
    """Of 48 series (eight drawings of six steps): moments, the distribution of each, and the
    correlation of any two, all within five deviations."""
    series = np.concatenate([drawn(8, steps) for steps in (0, 1, 2, 3, 100, 2**31)])
    size = series.shape[1]
    assert np.abs(series.mean(1) - 0.5).max() < 5 / np.sqrt(12 * size)
    counts = np.array([np.histogram(row, 64, (0, 1))[0] for row in series])
    chi = ((counts - size / 64) ** 2 / (size / 64)).sum(1)
    assert chi.max() < 63 + 5 * np.sqrt(2 * 63)
    correlation = np.corrcoef(np.concatenate([series, np.roll(series, 1, 1)]))
    assert np.abs(correlation - np.eye(len(correlation))).max() < 5 / np.sqrt(size)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16]
)
def test_none_is_rounded_to_one(dtype):
    drawings = Drawings(0)
    drawings.steps = torch.tensor(0)
    found = drawings.uniform((2**16,), dtype)
    assert found.dtype is dtype
    assert 0 <= float(found.min()) < 0.01 and 0.99 < float(found.max()) < 1


class Drawn(TorchDispatchMode):
    """What PyTorch draws becomes what a compiled step draws."""

    def __init__(self, seed, steps):
        super().__init__()
        drawings = Drawings(seed)
        drawings.steps = torch.tensor(steps)
        self.known = drawings.decompositions()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is aten.bernoulli_.float:
            return args[0].copy_(self.known[aten.bernoulli.p](*args))
        return self.known.get(func, func)(*args, **(kwargs or {}))


def with_dropout(model, rate):
    def make():
        module = model.make()
        for inner in module.modules():
            if isinstance(inner, torch.nn.Dropout):
                inner.p = rate
            if hasattr(inner, "dropout_prob"):
                inner.dropout_prob = rate
        return module

    return dataclasses.replace(model, make=make)


def loss_of_drawn(loss, seed):
    """A loss that is called once a step, for one run of all steps after another."""
    turns = itertools.count()

    def drawn_loss(*args):
        with Drawn(seed, next(turns) % STEPS):
            return loss(*args)

    return drawn_loss


@pytest.mark.parametrize(
    "name, text, optimizer",
    [
        ("gpt2", None, "adamw"),
        ("gpt2", "nm<2:4>", "momentum"),
        ("gpt2", "low_rank<3>", "adamw"),
        ("bert", "nm<2:4>", "adamw"),
    ],
)
def test_steps_with_dropout(name, text, optimizer):
    """Ten steps against PyTorch's, with the same numbers drawn."""
    one = case(with_dropout(MODELS[name], 0.2), optimizer, text, seed=1)
    step = one.compile()
    p, s = step.compress()
    storage = step.storage(p)
    found = run(step, one, p, s)
    model = one.model
    one.model = dataclasses.replace(model, loss=loss_of_drawn(model.loss, seed=0))
    lines = misses(one, storage, found)
    assert not lines, "\n".join(lines)
    if text is None:
        one.model = dataclasses.replace(model, loss=loss_of_drawn(model.loss, seed=1))
        assert misses(one, storage, found), "others that are drawn are not noticed"


def make(seed=0, rate=0.5):
    module = torch.nn.Sequential(torch.nn.Linear(16, 400), torch.nn.Dropout(rate))
    x = torch.ones(3, 16)
    step = sparsam.torch.compile(
        module,
        lambda m, x: (m(x).square().mean(), m[0](x), m(x)),
        sparsam.torch.SGD(lr=0.0),
        (x,),
        seed=seed,
    )
    return step, x


def test_steps_and_drawings_differ_and_repeat(tmp_path):
    step, x = make()
    p, s = step.compress()
    p, s, _, plain, first = step(p, s, x)
    step.save(tmp_path / "step.safetensors", p, s)
    p, s, _, _, second = step(p, s, x)
    assert not torch.equal(first == 0, second == 0)
    kept = first != 0
    torch.testing.assert_close(first[kept], 2 * plain[kept])
    assert abs(kept.double().mean() - 0.5) < 5 * 0.5 / np.sqrt(kept.numel())

    again, _ = make()
    *_, once_more = again(*again.compress(), x)
    assert torch.equal(once_more == 0, first == 0)
    *_, resumed = again(*again.load(tmp_path / "step.safetensors"), x)
    assert torch.equal(resumed == 0, second == 0)

    other, _ = make(seed=1)
    *_, elsewhere = other(*other.compress(), x)
    assert not torch.equal(elsewhere == 0, first == 0)


def test_rates_of_zero_and_one():
    for rate, share in ((0.0, 1.0), (1.0, 0.0)):
        step, x = make(rate=rate)
        *_, dropped = step(*step.compress(), x)
        assert (dropped != 0).double().mean() == share


def test_other_uniform_numbers():
    """Noise by `rand`, `rand_like` and `bernoulli`."""

    def loss(m, x):
        y = m(x)
        noise = torch.rand(y.shape) + torch.rand_like(y)
        chosen = torch.bernoulli(torch.full_like(y, 0.25))
        return functional.mse_loss(y, noise), noise, chosen

    x = torch.ones(3, 16)
    step = sparsam.torch.compile(
        torch.nn.Linear(16, 500), loss, sparsam.torch.SGD(lr=0.1), (x,)
    )
    *_, noise, chosen = step(*step.compress(), x)
    assert abs(noise.mean() - 1) < 5 / np.sqrt(6 * noise.numel())
    assert abs(chosen.mean() - 0.25) < 5 * np.sqrt(3 / 16 / noise.numel())


@pytest.mark.parametrize("seed", [0.5, "0", None, True])
def test_the_seed_is_an_integer(seed):
    with pytest.raises(TypeError, match="seed must be an integer, found"):
        make(seed=seed)


class Checkpointed(torch.nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.first = torch.nn.Linear(8, 16)
        self.second = torch.nn.Linear(16, 4)
        self.rate = rate

    def forward(self, x):
        def layer(x):
            return functional.dropout(functional.gelu(self.first(x)), self.rate)

        return self.second(checkpoint(layer, x, use_reentrant=False))


def compile_checkpointed(rate):
    x = torch.ones(3, 8)
    return sparsam.torch.compile(
        Checkpointed(rate), lambda m, x: m(x).square().mean(), sparsam.torch.SGD(), (x,)
    )


def test_masks_that_a_backward_pass_would_draw_again_are_refused():
    with pytest.raises(
        ValueError, match=r"the backward pass draws .*bernoulli.*, as activation"
    ):
        compile_checkpointed(0.5)
    compile_checkpointed(0.0)


def test_a_generator_of_the_user_is_refused():
    generator = torch.Generator()

    def loss(m, x):
        return (
            m(x) * torch.bernoulli(torch.full((3, 4), 0.5), generator=generator)
        ).mean()

    with pytest.raises(ValueError, match="found aten.bernoulli"):
        sparsam.torch.compile(
            torch.nn.Linear(8, 4), loss, sparsam.torch.SGD(), (torch.ones(3, 8),)
        )
