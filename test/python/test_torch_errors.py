"""What can be misused, and what is said about it."""

import dataclasses
import logging
import subprocess
import sys

import pytest
import sparsam
import sparsam.torch
import torch
from sparsam.torch import SGD, Adam, AdamW
from torch.nn import functional

X, Y = torch.randn(6, 8), torch.randint(0, 4, (6,))


def make_module():
    return torch.nn.Sequential(
        torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4)
    )


def loss_fn(module, x, y):
    return functional.cross_entropy(module(x), y)


def compile_step(module=None, loss=loss_fn, spec=None, batch=(X, Y), **options):
    spec = spec or SGD(lr=0.1, momentum=0.9)
    return sparsam.torch.compile(module or make_module(), loss, spec, batch, **options)


@pytest.fixture(scope="module")
def step():
    return compile_step(structure={"0.weight": "nm<2:4>"})


def test_without_torch():
    """The package itself does not need it, and sparsam.torch says what it needs."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import sparsam\n"
        "try:\n    import sparsam.torch\n"
        "except ImportError as error:\n    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "install it with `pip install torch`" in ran.stdout, ran.stderr


def test_sparsam_alone_does_not_import_torch():
    code = "import sys, sparsam; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "False", ran.stderr


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (
            {"module": lambda x: x},
            TypeError,
            "model must be a torch.nn.Module, found function",
        ),
        ({"loss": 3}, TypeError, "loss_fn must be callable, found int"),
        ({"batch": X}, TypeError, "must be the tuple of the arguments behind the model"),
        ({"batch": (X, 3)}, TypeError, "'example_batch.1' must be a tensor, found int"),
        (
            {"batch": (X, {"y": "text"})},
            TypeError,
            "'example_batch.1.y' must be a tensor, found str",
        ),
        (
            {"batch": (X.to_sparse(), Y)},
            TypeError,
            "'example_batch.0' must be a dense tensor",
        ),
        (
            {"batch": (X.to("meta"), Y)},
            ValueError,
            "'example_batch.0' is on the meta device",
        ),
        ({"batch": (X.to(torch.complex64), Y)}, TypeError, "complex64 are not supported"),
        (
            {"batch": (X[:, :5], Y)},
            ValueError,
            "the step cannot be traced: a and b must have same reduction dim",
        ),
        (
            {"batch": (X, Y[:3])},
            ValueError,
            "the step cannot be traced: Expected input batch_size (6) to match",
        ),
        (
            {
                "module": torch.nn.MultiheadAttention(8, 2),
                "loss": lambda m, x, y: m(x, x, x)[0].sum(),
                "batch": (X[:, :5], Y),
            },
            ValueError,
            "the step cannot be traced: was expecting embedding dimension of 8, but got 5",
        ),
        (
            {"loss": lambda m, x, y: m(x).sum(3).sum()},
            ValueError,
            "the step cannot be traced: Dimension out of range",
        ),
        (
            {"structure": {"1.weight": "nm<2:4>"}},
            ValueError,
            "'1.weight' matches no parameter; there are: 0.bias, 0.weight, 2.bias, 2.weight",
        ),
        ({"structure": {"0.weight": "nm<2:3>"}}, sparsam.CompileError, "0.weight"),
        ({"structure": "nm<2:4>"}, TypeError, "structure must be {glob: text}"),
        ({"budget": "time<=0.5"}, NotImplementedError, "budget comes later"),
        ({"target": "gpu"}, NotImplementedError, "target='gpu' comes later"),
        ({"spec": "adamw"}, TypeError, "optimizer_spec must be a sparsam.torch.SGD"),
        ({"spec": AdamW}, TypeError, "optimizer_spec must be a sparsam.torch.SGD"),
    ],
)
def test_compile(arguments, error, message):
    with pytest.raises(error) as caught:
        compile_step(**arguments)
    assert message in str(caught.value)


def test_what_torch_says_comes_once():
    """In the error and its cause, and not in a log of its own besides."""
    records = []
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)
    try:
        with pytest.raises(ValueError, match="must have same reduction dim") as caught:
            compile_step(batch=(X[:, :5], Y))
    finally:
        logger.removeHandler(handler)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert not records and not logger.filters


@pytest.mark.parametrize(
    "loss, error, message",
    [
        (
            lambda m, x, y: m(x),
            ValueError,
            "found torch.float32 of shape (6, 4); take its mean",
        ),
        (lambda m, x, y: m(x).argmax(), ValueError, "must be one floating-point number"),
        (
            lambda m, x, y: 3.0,
            TypeError,
            "must return a scalar tensor, or a tuple that starts",
        ),
        (lambda m, x, y: x.sum(), ValueError, "does not depend on any parameter"),
        (lambda m, x, y: (m(x).sum(), 3), TypeError, "must be tensors in tuples"),
        (
            lambda m, x, y: m(x).sum() if x.sum() > 0 else m(x).mean(),
            ValueError,
            "the step cannot be traced",
        ),
        (
            lambda m, x, y: (m(x) * torch.randn(4)).sum(),
            ValueError,
            "a step draws by dropout, bernoulli, rand and rand_like, found aten.randn",
        ),
    ],
)
def test_losses(loss, error, message):
    with pytest.raises(error) as caught:
        compile_step(loss=loss)
    assert message in str(caught.value)


def test_functions_draw_nothing_and_evaluation_has_none():
    module = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Dropout(0.1))
    step = compile_step(module)
    with pytest.raises(
        ValueError, match=r"draws random.*dropout.py:\d+.*call model.eval\(\) first"
    ):
        step.compile_with(lambda m, x: m(x), (X,))
    module.eval()
    step = compile_step(module)
    p, s = step.compress()
    *_, loss = step(p, s, X, Y)
    torch.testing.assert_close(loss, loss_fn(module, X, Y).detach())


def test_modules():
    with pytest.raises(ValueError, match="parameter '0.weight' is on the meta device"):
        compile_step(make_module().to("meta"))
    lazy = torch.nn.Sequential(torch.nn.LazyLinear(4))
    with pytest.raises(ValueError, match="parameter '0.weight' is not initialised"):
        compile_step(lazy)
    frozen = make_module().requires_grad_(False)
    with pytest.raises(ValueError, match="trains no parameter of the model"):
        compile_step(frozen)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: SGD(lr=-1.0), "SGD: lr must be at least 0, found -1.0"),
        (lambda: SGD(lr=float("nan")), "SGD: lr must be at least 0, found nan"),
        (lambda: SGD(nesterov=True), "nesterov needs a momentum"),
        (lambda: Adam(betas=(0.9, 1.0)), "Adam: betas must be two numbers"),
        (lambda: AdamW(eps=-1e-8), "AdamW: eps must be at least 0"),
        (lambda: AdamW(weight_decay=-1), "AdamW: weight_decay must be at least 0"),
        (lambda: AdamW(clip_norm=0), "AdamW: clip_norm must be more than 0"),
        (lambda: SGD(dampening=float("nan")), "SGD: dampening must be a number"),
    ],
)
def test_specifications(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize("spec", [SGD, Adam, AdamW])
@pytest.mark.parametrize("value", ["a", True, [1], 1j, torch.tensor(0.1)])
def test_options_that_are_no_numbers(spec, value):
    names = [field.name for field in dataclasses.fields(spec)]
    for name in set(names) - {"nesterov", "amsgrad"}:
        given = (value, 0.9) if name == "betas" else value
        wanted = {
            "lr": "a number or a function of one",
            "betas": "two numbers of at least 0 and less than 1",
        }.get(name, "a number")
        with pytest.raises(TypeError) as caught:
            spec(**{name: given})
        said = f"{spec.__name__}: {name} must be {wanted}, found {given!r}"
        assert str(caught.value) == said


@pytest.mark.parametrize("value", [0.9, None, 0.9j])
def test_betas_that_are_no_pair(value):
    with pytest.raises(TypeError, match="Adam: betas must be two numbers .* found"):
        Adam(betas=value)


def test_options_that_are_no_bools():
    with pytest.raises(TypeError, match="nesterov must be True or False, found 'a'"):
        SGD(momentum=0.9, nesterov="a")
    with pytest.raises(TypeError, match="amsgrad must be True or False, found 1"):
        AdamW(amsgrad=1)


def test_instances():
    module = make_module()
    with pytest.raises(TypeError, match="SGD, Adam and AdamW, found torch.optim.rmsprop"):
        compile_step(module, spec=torch.optim.RMSprop(module.parameters()))
    with pytest.raises(ValueError, match="maximize"):
        compile_step(module, spec=torch.optim.SGD(module.parameters(), maximize=True))
    other = torch.optim.SGD(make_module().parameters())
    with pytest.raises(
        ValueError, match=r"of shape \(8, 8\) that is none of the model's"
    ):
        compile_step(module, spec=other)
    with pytest.raises(
        TypeError, match="lr must return a tensor of one number, found 0.1"
    ):
        compile_step(module, spec=SGD(lr=lambda steps: 0.1))


def test_batches(step):
    p, s = step.compress()
    for batch, error, message in [
        ((X,), TypeError, "expected 2 arguments besides the storage, found 1"),
        (
            (X.double(), Y),
            TypeError,
            "argument '2' must be of dtype torch.float32, found",
        ),
        ((X, Y.int()), TypeError, "argument '3' must be of dtype torch.int64, found"),
        ((X.numpy(), Y), TypeError, "argument '2' must be a tensor, found ndarray"),
        ((X.to("meta"), Y), ValueError, "argument '2' is on the meta device"),
        ((X[0], Y), ValueError, "argument '2' must be of shape (6, 8), found (8,)"),
        ((X[:, :5], Y), ValueError, "for which 'Sequential' cannot be compiled"),
        (({"x": X}, Y), TypeError, "argument '2': expected an array, found a dict"),
        ((X, Y + 4), IndexError, "argument '3' gives the index"),
    ]:
        with pytest.raises(error) as caught:
            step(p, s, *batch)
        assert message in str(caught.value)
    # Nothing of that consumed the storage.
    step(p, s, X, Y)
    with pytest.raises(RuntimeError, match="params storage was consumed by a step"):
        step(p, s, X, Y)


def test_compress(step):
    module = make_module()
    with pytest.raises(ValueError, match="'2.bias' of the params: expected an array"):
        step.compress(
            {name: p for name, p in module.named_parameters() if name != "2.bias"}
        )
    with pytest.raises(
        ValueError,
        match="parameters of the Sequential that was compiled, '0.weight', '0.bias', "
        "'2.weight', '2.bias'; found a Linear with 'weight', 'bias'",
    ):
        step.compress(torch.nn.Linear(8, 8))
    with pytest.raises(ValueError, match="found a ReLU with none"):
        step.compress(torch.nn.ReLU())
    with pytest.raises(ValueError, match=r"'0.weight' must be float32\[8, 8\]"):
        step.compress(dict(module.named_parameters()) | {"0.weight": torch.ones(8, 7)})
    with pytest.raises(TypeError, match="'0.bias' must be of dtype torch.float32"):
        step.compress(dict(module.double().named_parameters()))
    with torch.no_grad():
        module.float()[0].weight[1, 2] = float("nan")
    with pytest.raises(ValueError, match=r"parameter '0.weight' has nan at \(1, 2\)"):
        step.compress(module)


def test_to_module(step):
    p, s = step.compress()
    with pytest.raises(ValueError, match="has no parameter or buffer '0.bias'"):
        step.to_module(p, module=torch.nn.Linear(8, 8))
    with pytest.raises(ValueError, match=r"'0.bias' of the module is of shape \(9,\)"):
        step.to_module(p, module=torch.nn.Sequential(torch.nn.Linear(8, 9)))
    with pytest.raises(TypeError, match="expected the params storage, found the state"):
        step.to_module(s)


def _norm_of_gradient(module, loss):
    """Of what the loss is moved by along all parameters."""
    grads = torch.autograd.grad(loss, list(module.parameters()), create_graph=True)
    return sum((grad * grad).sum() for grad in grads).sqrt()


def _penalised(module, x, y):
    loss = loss_fn(module, x, y)
    return loss + _norm_of_gradient(module, loss)


def _weighted(module, x, y):
    loss = loss_fn(module, x, y)
    return loss / (1 + _norm_of_gradient(module, loss).detach())


def _sharpness(module, x, y):
    names, params = zip(*module.named_parameters(), strict=True)
    grads = torch.autograd.grad(loss_fn(module, x, y), params)
    moved = [p + 0.1 * g.detach() for p, g in zip(params, grads, strict=True)]
    output = torch.func.functional_call(
        module, dict(zip(names, moved, strict=True)), (x,)
    )
    return functional.cross_entropy(output, y)


def _smooth(module, x, y):
    x = x.detach().requires_grad_()
    loss = loss_fn(module, x, y)
    (grad,) = torch.autograd.grad(loss, [x], create_graph=True)
    return loss + (grad * grad).sum()


@pytest.mark.parametrize("loss", [_penalised, _weighted, _sharpness])
@pytest.mark.parametrize("structure", ["nm<2:4>", "low_rank<2>"])
def test_losses_that_take_gradients_of_parameters(loss, structure):
    with pytest.raises(
        sparsam.CompileError, match="0.weight: .*a later backward pass depends on its"
    ):
        compile_step(loss=loss, structure={"0.weight": structure})


@pytest.mark.parametrize("loss", [_penalised, _weighted, _sharpness, _smooth])
def test_losses_that_take_gradients_are_those_of_torch(loss):
    """Dense, and by the input also with a structure."""
    module = make_module()
    structures = [{}, {"0.weight": "nm<2:4>"}] if loss is _smooth else [{}]
    for structure in structures:
        step = compile_step(module, loss, structure=structure)
        p, s = step.compress()
        reference = step.to_module(p)
        found = step(p, s, X, Y)[2]
        torch.testing.assert_close(found, loss(reference, X, Y).detach())
