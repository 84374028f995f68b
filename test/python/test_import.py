"""The way of a JAX step to parameters, gradients and state, by the driver's passes."""

from __future__ import annotations

import os
import re
import subprocess

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from models import MODELS, OPTIMIZERS
from optax.contrib import muon
from sparsam._jax import import_function, import_step

UNIT = 3


@flax.struct.dataclass
class TrainState:
    step: jax.Array
    params: dict
    opt_state: tuple


def find_parameters(
    text: str, passes: str = "sparsam-import,sparsam-find-parameters"
) -> str:
    run = subprocess.run(
        [
            os.environ.get("SPARSAM_OPT", "sparsam-opt"),
            "--allow-unregistered-dialect",
            f"--pass-pipeline=builtin.module({passes})",
        ],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def arguments(module: str) -> list[dict[str, str]]:
    """The sparsam attributes of the arguments of @main."""
    signature = module[module.index("@main(") :]
    signature = signature[: signature.index(") -> ")]
    found = []
    for argument in re.split(r"%arg\d+: ", signature)[1:]:
        found.append(
            dict(
                re.findall(
                    r'sparsam\.(\w+)(?: = "?([^",}]*?)(?: : i64)?"?)?[,}]', argument
                )
            )
        )
    return found


def gradients(module: str) -> dict[str, str]:
    """Parameter -> the value that marks its gradient."""
    pairs = re.findall(r'(%\w+) = sparsam\.gradient %\w+ of "([^"]*)"', module)
    assert len(pairs) == len({path for _, path in pairs})
    return {path: value for value, path in pairs}


def paths_of(tree) -> list[str]:
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [
        "/".join(str(getattr(k, "key", getattr(k, "idx", k))) for k in path)
        for path, _ in leaves
    ]


class Case:
    def __init__(self, model: str, optimizer, mark: bool = False):
        self.model = MODELS[model](UNIT)
        self.optimizer = (
            OPTIMIZERS[optimizer]() if isinstance(optimizer, str) else optimizer
        )
        self.mark = mark
        rng = np.random.default_rng(0)
        self.params = self.model.init(rng)
        self.state = self.optimizer.init(self.params)
        self.batch = self.model.batch(rng)

    def step(self, params, state, x, y):
        loss, grads = jax.value_and_grad(self.model.loss)(params, x, y)
        if self.mark:
            grads = sparsam.gradient(grads)
        updates, state = self.optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    def check(self, imported, state_prefix="1"):
        """All gradients are found, and all state of a parameter's shape by its path."""
        paths = paths_of(self.params)
        assert list(imported.params) == paths
        module = find_parameters(imported.text)
        assert sorted(gradients(module)) == sorted(paths)
        found = arguments(module)
        assert "no_gradient" not in module and "gradient_of" not in module
        for leaf, argument in zip(imported.arguments, found, strict=True):
            assert argument["name"] == leaf.path
            owner = next(
                (
                    path
                    for path in paths
                    if leaf.path.startswith(state_prefix)
                    and leaf.path.endswith("/" + path)
                ),
                None,
            )
            assert argument.get("state_of") == owner, leaf.path
        return module


@pytest.mark.parametrize("mark", [False, True], ids=["unmarked", "marked"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_finds_gradients_and_state(model, optimizer, mark):
    """Unmarked gradients are where the backward pass ends, and so the same."""
    case = Case(model, optimizer, mark)
    imported = import_step(case.step, (case.params, case.state, *case.batch), 0, 1)
    assert sorted(imported.marked) == sorted(paths_of(case.params))
    module = case.check(imported)
    assert "not_elementwise" not in module


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_searches_for_gradients_that_nothing_marks(model, optimizer, searched):
    case = Case(model, optimizer)
    imported = import_step(case.step, (case.params, case.state, *case.batch), 0, 1)
    assert imported.marked == ()
    module = case.check(imported)
    assert "not_elementwise" not in module


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_finds_the_value_that_jax_calls_the_gradient(model, optimizer):
    # The marked values stay results, but the pass is not told what they are: each must
    # come out as the value that the pass finds by itself.
    case = Case(model, optimizer, mark=True)
    imported = import_step(case.step, (case.params, case.state, *case.batch), 0, 1)
    module = find_parameters(imported.text.replace("sparsam.gradient_of", "sparsam.name"))
    found = gradients(module)
    returned = re.findall(r"^    return (.*) : ", module, re.MULTILINE)[-1].split(", ")
    assert returned[-len(imported.marked) :] == [found[path] for path in imported.marked]


@pytest.mark.parametrize("mark", [False, True], ids=["unmarked", "marked"])
def test_muon_is_not_elementwise(mark):
    case = Case("mlp", muon(1e-3), mark)
    imported = import_step(case.step, (case.params, case.state, *case.batch), 0, 1)
    module = find_parameters(imported.text)
    assert sorted(gradients(module)) == sorted(imported.params)
    for argument in arguments(module):
        matrix = argument.get("param", "").endswith("w")
        assert ("not_elementwise" in argument) == matrix


@pytest.mark.parametrize("mark", [False, True], ids=["unmarked", "marked"])
def test_train_state(mark):
    case = Case("gpt", "adamw", mark)

    def step(train, batch):
        params, state, loss = case.step(train.params, train.opt_state, *batch)
        new = train.replace(step=train.step + 1, params=params, opt_state=state)
        return {"loss": loss, "state": new}

    train = TrainState(jnp.int32(0), case.params, case.state)
    imported = import_step(step, (train, case.batch), "0/params", "0/opt_state")
    by_path = {leaf.path: i for i, leaf in enumerate(imported.arguments)}
    outs = {leaf.path: i for i, leaf in enumerate(imported.results)}
    assert imported.updates == {
        i: outs["state" + path[1:]] for path, i in by_path.items() if path[0] == "0"
    }
    assert {imported.arguments[i].path.split("/")[1] for i in imported.state} == {
        "opt_state"
    }
    case.check(imported, "0/opt_state")


@pytest.mark.parametrize("optimizer", ["momentum", "adamw", "rmsprop"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_results_in_another_order(optimizer, order):
    case = Case("mlp", optimizer)

    def step(batch, state, params):
        results = case.step(params, state, *batch)
        return tuple(results[i] for i in order)

    imported = import_step(step, (case.batch, case.state, case.params), 2, 1)
    outs = [leaf.path for leaf in imported.results]
    for path, i in imported.params.items():
        assert outs[imported.updates[i]] == f"{order.index(0)}/{path}"
    for i in imported.state:
        where = imported.arguments[i].path.removeprefix("1/")
        assert outs[imported.updates[i]] == f"{order.index(1)}/{where}"
    case.check(imported)


def by_hand(params, momentum, x, decay=0.0):
    grads = jax.grad(lambda p: ((jnp.tanh(x @ p["a"]) @ p["b"]) ** 2).mean())(params)
    momentum = jax.tree.map(
        lambda m, g, p: 0.9 * m + g + decay * p, momentum, grads, params
    )
    return jax.tree.map(lambda p, m: p - 0.1 * m, params, momentum), momentum


SQUARES = {"a": jnp.ones((4, 4)), "b": jnp.ones((4, 4))}


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("jitted", [False, True])
def test_state_of_the_same_structure_is_told_by_the_data_flow(decay, swap, jitted):
    inner = jax.jit(by_hand, static_argnums=3) if jitted else by_hand

    def step(params, momentum, x):
        params, momentum = inner(params, momentum, x, decay)
        return (momentum, params) if swap else (params, momentum)

    imported = import_step(step, (SQUARES, SQUARES, jnp.ones((3, 4))), 0, 1)
    assert imported.updates == (
        {0: 2, 1: 3, 2: 0, 3: 1} if swap else {i: i for i in range(4)}
    )
    alone = import_step(step, (SQUARES, SQUARES, jnp.ones((3, 4))), 0)
    assert alone.updates == {i: imported.updates[i] for i in range(2)}


def test_state_of_the_same_structure_is_told_by_its_name():
    def step(params, velocity, x):
        # The data flow says nothing: both are elementwise work on both.
        params, velocity = by_hand(params, velocity, x)
        mixed = jax.tree.map(lambda p, v: p + v, params, velocity)
        return {"velocity": mixed, "params": jax.tree.map(lambda v: 2 * v, mixed)}

    imported = import_step(step, (SQUARES, SQUARES, jnp.ones((3, 4))), 0, 1)
    assert [imported.results[imported.updates[i]].path for i in range(4)] == [
        "params/a",
        "params/b",
        "velocity/a",
        "velocity/b",
    ]


def test_pairing_errors():
    x = jnp.ones((3, 4))
    with pytest.raises(
        ValueError, match="no result of the step has the structure of the params"
    ):
        import_step(lambda p, x: (x @ p["a"]).sum(), (SQUARES, x), 0)
    with pytest.raises(
        ValueError, match=r"'0/b' is float32\[4,4\] and '0/b' of the results"
    ):
        import_step(lambda p, x: ({**p, "b": p["b"].sum()}, x), (SQUARES, x), 0)
    with pytest.raises(ValueError, match="cannot decide which result is the new value"):
        import_step(lambda p, x: (p, p), (SQUARES, x), 0)
    with pytest.raises(
        ValueError, match="there is no '3' in the arguments; there are 0, 1"
    ):
        import_step(lambda p, x: p, (SQUARES, x), 3)
    with pytest.raises(
        ValueError, match="there is no '0/c' in the arguments; there are 0/a, 0/b"
    ):
        import_step(lambda p, x: p, (SQUARES, x), "0/c")
    with pytest.raises(ValueError, match="holds no floating-point arrays"):
        import_step(lambda p, x: x, (3, x), 0)


def test_keys_with_slashes_and_a_single_array():
    params = {"mlp/~/linear": {"w": jnp.ones((4, 4))}}

    def step(p, x):
        grads = jax.grad(lambda p: (jnp.tanh(x @ p["mlp/~/linear"]["w"])).sum())(p)
        return jax.tree.map(lambda p, g: p - g, p, grads)

    imported = import_step(step, (params, jnp.ones((3, 4))), 0)
    assert list(imported.params) == ["mlp/~/linear/w"]
    single = import_step(step, (params, jnp.ones((3, 4))), "0/mlp/~/linear")
    assert list(single.params) == ["w"]
    array = import_step(
        lambda w, x: w - jax.grad(lambda w: (x @ w).sum())(w),
        (jnp.ones((4, 4)), jnp.ones((3, 4))),
        0,
    )
    assert list(array.params) == ["w"]


def test_import_function_only_reads():
    case = Case("mlp", "momentum")
    imported = import_function(case.model.loss, (case.params, *case.batch), 0)
    assert imported.updates == {}
    module = find_parameters(imported.text)
    assert [a.get("param") for a in arguments(module)] == [*imported.params, None, None]
    assert "sparsam.gradient " not in module and "no_gradient" not in module


def test_types_stay_as_they_are():
    def step(w, x, flag, n):
        g = jax.grad(lambda w: jnp.where(flag, x @ w, 0).sum())(w)
        return w - g, n + 1

    with jax.enable_x64(True):
        args = (jnp.ones((4, 4)), jnp.ones((3, 4)), jnp.bool_(True), jnp.int64(3))
        imported = import_step(step, args, 0)
    assert [leaf.dtype for leaf in imported.arguments] == [
        "float64",
        "float64",
        "bool",
        "int64",
    ]
    module = find_parameters(imported.text, "sparsam-import")
    assert re.search(r"@main\(%arg0: tensor<4x4xf64>.*tensor<i1>.*tensor<i64>", module)


def test_an_operation_without_linalg_is_named():
    with pytest.raises(
        RuntimeError, match="iree-compile could not turn the step into linalg"
    ):
        import_step(
            lambda w, x: w - jnp.linalg.svd(x)[0], (jnp.ones((4, 4)), jnp.ones((4, 4))), 0
        )


class TestGradient:
    tree = {"a": np.arange(3.0, dtype=np.float32), "b": (np.float32(2.0),)}

    def test_is_the_identity(self):
        out = sparsam.gradient(self.tree)
        assert jax.tree.structure(out) == jax.tree.structure(self.tree)
        jax.tree.map(np.testing.assert_array_equal, out, self.tree)
        jax.tree.map(
            np.testing.assert_array_equal, jax.jit(sparsam.gradient)(self.tree), self.tree
        )
        jax.tree.map(
            np.testing.assert_array_equal,
            jax.vmap(lambda x: sparsam.gradient({"x": x}))(self.tree["a"]),
            {"x": self.tree["a"]},
        )
        assert sparsam.gradient({}) == {}

    def test_is_differentiable(self):
        def f(x):
            return (sparsam.gradient({"x": x})["x"] ** 2).sum()

        np.testing.assert_array_equal(jax.grad(f)(self.tree["a"]), 2 * self.tree["a"])
        hessian = jax.hessian(f)(self.tree["a"])
        np.testing.assert_array_equal(hessian, 2 * np.eye(3))

    def step(self, mark):
        def step(p, x):
            return jax.tree.map(
                lambda p, g: p - g,
                p,
                mark(jax.grad(lambda p: ((x @ p["a"]) @ p["b"]).sum())(p)),
            )

        return step, (SQUARES, jnp.ones((3, 4)))

    def test_through_nested_jit(self):
        step, args = self.step(
            lambda g: jax.jit(lambda g: jax.jit(sparsam.gradient)(g))(g)
        )
        imported = import_step(jax.jit(step), args, 0)
        assert imported.marked == ("a", "b")
        assert sorted(gradients(find_parameters(imported.text))) == ["a", "b"]

    def test_of_some_parameters(self):
        step, args = self.step(lambda g: {"a": g["a"], **sparsam.gradient({"b": g["b"]})})
        imported = import_step(step, args, 0)
        assert imported.marked == ("b",)
        assert sorted(gradients(find_parameters(imported.text))) == ["a", "b"]

    def test_errors(self):
        def refused(mark, match):
            step, args = self.step(mark)
            with pytest.raises(ValueError, match=match):
                import_step(step, args, 0)

        refused(lambda g: sparsam.gradient(sparsam.gradient(g)), "marks 'a' twice")
        refused(
            lambda g: sparsam.gradient({"g": g})["g"],
            "marks 'g/a', which is not a parameter",
        )
        refused(
            lambda g: jax.lax.scan(lambda c, _: (sparsam.gradient(c), None), g, length=2)[
                0
            ],
            "is used inside 'scan'",
        )
        refused(
            lambda g: jax.lax.cond(g["a"][0, 0] > 0, sparsam.gradient, lambda g: g, g),
            "is used inside 'cond'",
        )
        refused(
            lambda g: jax.tree.map(
                lambda h, g: h[0] + g,
                sparsam.gradient(jax.tree.map(lambda g: g[None], g)),
                g,
            ),
            r"marks 'a' as float32\[1, 4, 4\], but the parameter is float32\[4, 4\]",
        )


def test_a_missing_importer_is_named(monkeypatch):
    import iree.compiler.tools.binaries as binaries

    def missing(name):
        raise ValueError(name)

    monkeypatch.setattr(binaries, "find_tool", missing)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(RuntimeError, match="pip install iree-base-compiler"):
        import_step(lambda w, x: w + x, (jnp.ones(3), jnp.ones(3)), 0)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1), (1,), (2, 5)])
def test_cross_entropy_of_any_batch(shape):
    def step(w, x, y):
        def loss(w):
            return optax.softmax_cross_entropy_with_integer_labels(x @ w, y).sum()

        return w - jax.grad(loss)(w)

    w, x = jnp.ones((3, 4)), jnp.ones((*shape, 3))
    imported = import_step(step, (w, x, jnp.zeros(shape, jnp.int32)), 0)
    assert "scf.for" in find_parameters(imported.text)
