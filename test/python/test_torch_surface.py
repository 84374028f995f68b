"""What a step of a module offers besides being right."""

import logging
import warnings

import numpy as np
import pytest
import sparsam.torch
import torch
from sparsam.torch import SGD, AdamW
from torch.nn import functional
from torch_models import MODELS

STRUCTURE = {"body.0.weight": "nm<2:4>", "head.weight": "low_rank<2>"}


class Module(torch.nn.Module):
    """With buffers that a step changes, one that it does not, and one that a step replaces."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(8, 12), torch.nn.BatchNorm1d(12))
        self.head = torch.nn.Linear(12, 4)
        self.register_buffer("scale", torch.full((12,), 1.5), persistent=False)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        hidden = self.body(x)
        hidden += 0.5
        return self.head(functional.relu(hidden, inplace=True) * self.scale)


def loss_fn(module, x, y):
    return functional.cross_entropy(module(x), y)


def batch(size=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(size, 8, generator=generator)
    return x, torch.randint(0, 4, (size,), generator=generator)


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return Module()


@pytest.fixture(scope="module")
def step(module):
    return sparsam.torch.compile(module, loss_fn, AdamW(lr=1e-2), batch(), STRUCTURE)


def test_plan_and_storage(step, module):
    assert list(step.plan) == sorted(dict(module.named_parameters()))
    assert step.plan["body.0.weight"].structure == "nm<2:4, in = [1]>"
    assert step.plan["head.weight"].structure == "low_rank<2, in = [1]>"
    p, s = step.compress()
    assert step.plan["body.0.weight"].damage > 0
    stored = step.storage(p)
    assert set(stored["body.0.weight"]) == {"values", "indices"}
    assert stored["head.weight"]["u"].shape == (12, 2)
    assert {"step", "buffers.scale", "buffers.body.1.running_mean"} < set(step.storage(s))
    assert "sparsam.spmm" in step.ir("propagate")
    assert set(step.pinned) == set(STRUCTURE)


def test_remarks_have_names_or_places_in_the_source(step):
    assert "head.bias stays dense: no structure was asked for" in step.remarks

    class Sliced(Module):
        def forward(self, x):
            return super().forward(x) + self.head.weight[2].square().sum()

    made = sparsam.torch.compile(
        Sliced(), loss_fn, SGD(), batch(), {"head.weight": "nm<2:4>"}
    )
    (remark,) = (r for r in made.remarks if "made dense" in r)
    assert 'parameter "head.weight"' in remark and f"{__file__}:" in remark


def test_the_module_stays_as_it_is(step, module):
    before = {name: value.clone() for name, value in module.state_dict().items()}
    p, s = step.compress()
    step(p, s, *batch())
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None for parameter in module.parameters())


def test_buffers_are_carried(step, module):
    p, s = step.compress()
    eager, data = Module(), batch()
    eager.load_state_dict(step.to_module(p, s).state_dict())
    for _ in range(3):
        p, s, _ = step(p, s, *data)
    state = step.state(s)
    assert state["buffers.calls"] == 3
    assert state["buffers.body.1.num_batches_tracked"] == 3
    assert torch.equal(state["buffers.scale"], module.scale)
    # The first layer moves; the first step's statistics are of the stored weights.
    p, s, _ = step(*step.compress(), *data)
    eager(data[0])
    torch.testing.assert_close(
        step.state(s)["buffers.body.1.running_var"], eager.body[1].running_var
    )


def test_to_module(step, module):
    p, s = step.compress()
    p, s, _ = step(p, s, *batch())
    copied = step.to_module(p, s)
    assert copied is not module and copied.training == module.training
    dense = step.densify(p)
    for name, parameter in copied.named_parameters():
        assert torch.equal(parameter, dense[name]), name
        assert parameter.requires_grad
    weight = dense["body.0.weight"].reshape(12, 2, 4)
    assert ((weight != 0).sum(-1) == 2).all()
    assert torch.linalg.matrix_rank(dense["head.weight"]) == 2
    assert copied.calls == 1
    with pytest.warns(UserWarning) as warned:
        assert step.to_module(p).calls == 0
    (message,) = [str(w.message) for w in warned]
    assert warned[0].filename == __file__ and "give the state as well" in message
    for name in ("body.1.running_mean", "body.1.num_batches_tracked", "calls"):
        assert f"'{name}'" in message
    assert "scale" not in message
    target = Module()
    assert step.to_module(p, s, target) is target
    assert torch.equal(target.head.weight, dense["head.weight"])


def test_nothing_is_stale_in_a_module_that_evaluates():
    module = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4)).eval()
    step = sparsam.torch.compile(module, loss_fn, SGD(lr=0.1), batch())
    p, _ = step.compress()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step.to_module(p)


def test_compress_takes_dicts_modules_state_and_patterns(step, module):
    other = Module()
    p, s = step.compress(other)
    assert torch.equal(step.densify(p)["head.bias"], other.head.bias)
    named = {name: value.detach() for name, value in module.named_parameters()}
    q, _ = step.compress(named, pattern=p)
    indices = [step.storage(h)["body.0.weight"]["indices"] for h in (p, q)]
    np.testing.assert_array_equal(*indices)
    assert torch.equal(step.densify(q)["head.bias"], module.head.bias)
    state = {
        "step": torch.tensor(7),
        **{f"exp_avg.{k}": torch.zeros_like(v) for k, v in named.items()},
        **{f"exp_avg_sq.{k}": torch.zeros_like(v) for k, v in named.items()},
        **{f"buffers.{k}": v for k, v in module.named_buffers()},
    }
    _, s = step.compress(named, state)
    assert step.state(s)["step"] == 7


def test_state_of_an_instance_is_restricted_to_the_pattern(module):
    """And projected on the factors."""
    data = batch()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    eager = Module()
    eager.load_state_dict(module.state_dict())
    optimizer = torch.optim.AdamW(eager.parameters(), lr=1e-2)
    loss_fn(eager, *data).backward()
    optimizer.step()
    step = sparsam.torch.compile(
        eager, loss_fn, optimizer, data, {"body.0.weight": "nm<2:4>"}
    )
    p, s = step.compress(state=optimizer)
    values = step.storage(s)["exp_avg.body.0.weight"]["values"]
    dense = optimizer.state[eager.body[0].weight]["exp_avg"].numpy()
    rows = step.storage(p)["body.0.weight"]["indices"]
    np.testing.assert_array_equal(
        values[..., 0], np.take_along_axis(dense, rows.astype(np.int64), 1)
    )
    factors = sparsam.torch.compile(eager, loss_fn, optimizer, data, STRUCTURE)
    p, s = factors.compress(state=optimizer)
    head, moments = factors.storage(p)["head.weight"], factors.storage(s)
    for name, power in (("exp_avg", 1), ("exp_avg_sq", 2)):
        dense = optimizer.state[eager.head.weight][name].numpy().T
        found = moments[f"{name}.head.weight"]
        np.testing.assert_allclose(found["u"], dense @ (head["v"] ** power).T, rtol=1e-4)
        np.testing.assert_allclose(found["v"], (head["u"] ** power).T @ dense, rtol=1e-4)


def test_tied_weights_are_one_parameter():
    model = MODELS["gpt2"]
    torch.manual_seed(0)
    gpt2 = model.make()
    data = model.batch(torch.Generator().manual_seed(0))
    step = sparsam.torch.compile(gpt2, model.loss, SGD(lr=0.1), data)
    assert "lm_head.weight" not in step.plan
    p, s = step.compress()
    p, s, _ = step(p, s, *data)
    trained = step.to_module(p, s)
    assert trained.lm_head.weight is trained.transformer.wte.weight
    assert not torch.equal(trained.lm_head.weight, gpt2.lm_head.weight)


def test_batches_are_trees_and_losses_bring_more():
    def loss(module, inputs, targets):
        logits = module(inputs["x"])
        value = functional.cross_entropy(logits, targets[0])
        return value, {"logits": logits, "right": logits.argmax(-1) == targets[0]}

    x, y = batch()
    module = Module()
    step = sparsam.torch.compile(module, loss, SGD(), ({"x": x}, [y]))
    p, s, value, more = step(*step.compress(), {"x": x}, [y])
    expected, other = loss(module, {"x": x}, [y])
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(more["logits"], other["logits"].detach())
    assert torch.equal(more["right"], other["right"])
    assert value.ndim == 0


def test_another_batch_recompiles_in_the_mode_of_the_first(step, module, caplog):
    p, s = step.compress()
    module.eval()
    try:
        with caplog.at_level(logging.WARNING, "sparsam"):
            p, s, loss = step(p, s, *batch(5))
    finally:
        module.train()
    assert "argument '2' is of shape (5, 8), not (6, 8)" in caplog.text
    # In evaluation mode the statistics would stay.
    assert step.state(s)["buffers.body.1.num_batches_tracked"] == 1


def test_other_functions_on_the_storage(step, module):
    module.eval()
    try:
        predict = step.compile_with(lambda module, x: module(x), (batch()[0],))
    finally:
        module.train()
    p, s = step.compress()
    for seed in range(3):
        p, s, _ = step(p, s, *batch(seed=seed))
    trained = step.to_module(p, s).eval()
    for size in (6, 3):
        x = batch(size, seed=9)[0]
        torch.testing.assert_close(predict(p, s, x), trained(x).detach())
    assert step.state(s)["buffers.calls"] == 3


def test_tensors_come_and_go_without_copies(step):
    from sparsam.torch import _arrays

    for tensor in (torch.ones(3, 4), torch.ones(3).bool(), torch.ones(3).bfloat16()):
        array = _arrays.to_numpy(tensor)
        assert array.ctypes.data == tensor.data_ptr()
        back = _arrays.to_torch(array)
        assert back.data_ptr() == tensor.data_ptr() and back.dtype is tensor.dtype
    transposed = torch.arange(6.0).reshape(2, 3).T
    np.testing.assert_array_equal(_arrays.to_numpy(transposed), transposed.numpy())
    # Rows that lie apart, and parameters, which have gradients.
    x, y = batch(12)
    p, s, loss = step(*step.compress(), x[::2], y[::2])
    q, t, same = step(*step.compress(), x[::2].clone(), y[::2].clone())
    assert loss == same


def test_modules_in_double_precision(module):
    x, y = batch()
    double = Module().double()
    step = sparsam.torch.compile(
        double, loss_fn, AdamW(lr=0.1), (x.double(), y), STRUCTURE
    )
    p, s = step.compress()
    expected = loss_fn(step.to_module(p, s), x.double(), y).item()
    p, s, loss = step(p, s, x.double(), y)
    assert loss.dtype is torch.float64
    assert abs(loss.item() - expected) < 1e-12


def test_tile_sizes_from_a_file(module, tmp_path):
    path = tmp_path / "tiles.json"
    step = sparsam.torch.compile(
        module, loss_fn, AdamW(lr=1e-2), batch(), STRUCTURE, tiles=path
    )
    assert step.tiles == str(path)
    assert any("tiles.json': cannot read it" in remark for remark in step.remarks)
