"""Refreshing steps of modules of PyTorch."""

import numpy as np
import pytest
import sparsam.torch
import torch
from sparsam.torch import AdamW
from torch.nn import functional

NAME = "0.weight"


def make():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(16, 24), torch.nn.Tanh(), torch.nn.Linear(24, 4)
    )


def loss_fn(module, x, y):
    return functional.mse_loss(module(x), y)


def batch(seed, size=8):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 16, generator=generator), torch.randn(
        size, 4, generator=generator
    )


@pytest.fixture
def trained():
    module = make()
    step = sparsam.torch.compile(
        module, loss_fn, AdamW(lr=1e-2), batch(0), {NAME: "nm<2:4>"}
    )
    p, s = step.compress()
    for seed in range(3):
        p, s, _ = step(p, s, *batch(seed))
    return step, p, s


def dense_gradient(step, p, data):
    module = make()
    step.to_module(p, module=module)
    loss_fn(module, *data).backward()
    return dict(module.named_parameters())[NAME].grad.numpy()


def test_gradients_and_a_schedule(trained):
    step, p, s = trained
    g = dense_gradient(step, p, batch(7))
    np.testing.assert_allclose(step.gradients(p, s, batch(7))[NAME], g, atol=1e-6)
    before = step.densify(p)[NAME].numpy()
    step, p, s = step.refresh(p, s, {NAME: "nm<1:4>"}, score="gradient", batch=batch(7))
    # Groups run along the inputs, which are behind.
    largest = np.abs(g).reshape(24, 4, 4)
    kept = (largest == largest.max(-1, keepdims=True)).reshape(24, 16)
    np.testing.assert_array_equal(step.densify(p)[NAME].numpy(), before * kept)
    acc = step.scores(p, s, batch(8, size=5))
    p, s, _ = step(p, s, *batch(8))
    step, p, s = step.refresh(p, s, score=acc)
    step, p, s = step.refresh(p, s, score="rigl", fraction=0.4, batch=batch(9))
    step, p, s = step.refresh(
        p, s, score={NAME: torch.rand(24, 16, generator=torch.Generator().manual_seed(1))}
    )
    p, s = step.compress(pattern=p)
    p, s, _ = step(p, s, *batch(9))
    step, p, s = step.refresh(p, s, "dense")
    p, s, loss = step(p, s, *batch(9))
    assert isinstance(loss, torch.Tensor) and type(step) is sparsam.torch.Step
    assert step.to_module(p, s)(batch(9)[0]).shape == (8, 4)


def test_state_follows(trained):
    step, p, s = trained
    before = step.state(s)[f"exp_avg.{NAME}.values"]
    assert before.abs().max() > 0
    step, p, s = step.refresh(p, s, "dense")
    after = step.state(s)[f"exp_avg.{NAME}"]
    assert (after != 0).sum() == (before != 0).sum()
    np.testing.assert_allclose(after.sum(), before.sum(), rtol=1e-4, atol=1e-6)
    assert step.state(s)["step"] == 3


@pytest.mark.parametrize("scope", ["parameter", "group", "global"])
@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_scores_of_every_dtype_and_layout_in_every_scope(dtype, view, scope):
    step = sparsam.torch.compile(
        make(), loss_fn, AdamW(lr=1e-2), batch(0), {NAME: "unstructured<density = 0.5>"}
    )
    p, s = step.compress()
    w = step.densify(p)[NAME]
    # All different, in eight bits of mantissa too.
    order = torch.randperm(24 * 16, generator=torch.Generator().manual_seed(2))
    scores = torch.exp2(order / 48).to(dtype).requires_grad_()
    assert len(scores.unique()) == 24 * 16
    scores = scores.reshape(16, 24).T if view else scores.reshape(24, 16)
    step, p, s = step.refresh(
        p, s, {NAME: "unstructured<density = 0.25>"}, score={NAME: scores}, scope=scope
    )
    # The outputs of a linear module are in front.
    ranked = scores if scope == "group" else scores.reshape(1, -1)
    threshold = ranked.sort(dim=1).values[:, -ranked.shape[1] // 4, None]
    np.testing.assert_array_equal(
        step.densify(p)[NAME], torch.where(scores >= threshold, w, 0).detach()
    )
    step(p, s, *batch(1))


def test_the_group_scope_by_magnitude(trained):
    step, p, s = trained
    step, p, s = step.refresh(p, s, "dense")
    w = step.densify(p)[NAME]
    new = {NAME: "unstructured<density = 0.25>"}
    step, p, s = step.refresh(p, s, new, scope="group")
    threshold = w.abs().sort(dim=1).values[:, -4, None]
    np.testing.assert_array_equal(
        step.densify(p)[NAME], torch.where(w.abs() >= threshold, w, 0)
    )


def test_misuse(trained):
    step, p, s = trained
    with pytest.raises(TypeError, match="must be a tensor, found ndarray"):
        step.refresh(p, s, score="gradient", batch=(np.zeros((8, 16)), batch(0)[1]))
    with pytest.raises(TypeError, match="batch must be the tuple"):
        step.refresh(p, s, score="gradient", batch=batch(0)[0])
    with pytest.raises(ValueError, match="expected arrays by the paths '0.weight'"):
        step.refresh(p, s, score={"weight": torch.zeros(24, 16)})
    with pytest.raises(TypeError, match="complex64 are not supported"):
        step.refresh(p, s, score={NAME: torch.zeros(24, 16, dtype=torch.complex64)})
    with pytest.raises(ValueError, match="score of '0.weight' is on the meta device"):
        step.refresh(p, s, score={NAME: torch.zeros(24, 16, device="meta")})
    step(p, s, *batch(0))
