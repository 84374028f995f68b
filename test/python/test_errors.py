"""Bad input gives one clear error that names what is wrong."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from oracle import case

MLP = case("mlp", "adamw", "mixed", seed=1)
ARGS = (MLP.params, MLP.state, *MLP.batches[0])


@pytest.fixture(scope="module")
def step():
    return MLP.compile()


@pytest.fixture
def handles(step):
    return step.compress(MLP.params, MLP.state)


def refuse(error, message, **options):
    options = {"structure": "dense"} | options
    with pytest.raises(error, match=message):
        sparsam.compile(MLP.train_step, ARGS, **options)


def test_structures():
    refuse(
        ValueError,
        r"'blocks/\*' matches no parameter.*layer0/b",
        structure={"blocks/*": "nm<2:4>"},
    )
    refuse(RuntimeError, r"nm<2:>", structure={"layer0/w": "nm<2:>"})
    for text, message in (
        ("unstructured<density = nan>", "density: expected a number, found `nan`$"),
        (
            "unstructured<density = .5>",
            "density: expected a number with a digit before its point, found `.5`$",
        ),
        ("unstructured<>", "expected `density`, the share .*, found `>`$"),
        ("unstructured", "expected `density`, the share .*, found the end of the text$"),
        ("nm<2:4", "expected `>` that closes `nm<`, found the end of the text$"),
        ("nm<2:4é>", "expected another character, found `é`$"),
    ):
        refuse(
            RuntimeError,
            f"^structure `{text}` does not parse: {message}",
            structure={"layer0/w": text},
        )
    refuse(RuntimeError, r"no_such<2>", structure={"layer0/w": "no_such<2>"})
    refuse(
        RuntimeError, r"layer0/w.*multiple of M = 3", structure={"layer0/w": "nm<1:3>"}
    )
    refuse(
        RuntimeError,
        r"layer0/w.*multiple of vector = 5",
        structure={"layer0/w": "nm<2:4, vector = 5>"},
    )
    refuse(RuntimeError, r"layer0/w.*rank larger", structure={"layer0/w": "low_rank<41>"})
    refuse(ValueError, "does not parse", structure={"layer0/w": 'nm<2:4>"'})
    refuse(RuntimeError, "does not parse", structure={"layer0/w": 'nm<"2:4">'})
    refuse(ValueError, "unexpected }", structure={"layer0/w": "nm<2:4>}"})
    refuse(ValueError, "must not contain }", structure={"layer0/w}": "nm<2:4>"})
    refuse(ValueError, "for 'layer0/w' is empty", structure={"layer0/w": " "})
    refuse(
        TypeError,
        r"structure must be .*for all parameters write {'\*': 'nm<2:4>'}$",
        structure="nm<2:4>",
    )
    refuse(
        TypeError,
        'structure must be {glob: text} or "dense", found None$',
        structure=None,
    )
    refuse(TypeError, "map text to text", structure={"layer0/w": 2})


def test_arguments_that_are_no_tuple(step):
    message = "args must be the tuple of the arguments of the step, found dict"
    with pytest.raises(TypeError, match=message):
        sparsam.compile(MLP.train_step, MLP.params)
    message = "arguments of the function, found dict; for a single argument write"
    with pytest.raises(TypeError, match=message):
        step.compile_with(lambda params: params["layer0"]["b"], MLP.params)


def test_what_comes_later():
    refuse(NotImplementedError, "auto.*comes later", structure="auto")
    refuse(NotImplementedError, "auto.*comes later", structure={"*w": "auto"})
    refuse(NotImplementedError, "budget comes later", budget="time<=0.5")
    refuse(NotImplementedError, "cuda.*comes later", target="cuda")


def test_places_that_do_not_exist():
    refuse(ValueError, "params='7'", params="7")
    refuse(ValueError, "state='1/nothing'", state="1/nothing")
    for nowhere in (None, "", -1, 0.0, "00", [0]):
        refuse(ValueError, "there is no", params=nowhere)
    refuse(ValueError, "state=0 is inside of params=0", state=0)
    refuse(ValueError, "the step returns the state at '2' with another type", state=2)


def test_calls_inside_of_what_jax_traces(step, handles):
    p, s = handles
    x, y = MLP.batches[0]
    for call in (
        lambda: jax.jit(lambda x: step(p, s, x, y))(x),
        lambda: jax.vmap(lambda x: step(p, s, x, y))(x[None]),
        lambda: jax.grad(lambda x: step(p, s, x, y)[2])(x),
    ):
        with pytest.raises(TypeError, match="'2' is traced by JAX: what is compiled"):
            call()
    with pytest.raises(TypeError, match="in the params storage is traced by JAX"):
        jax.jit(step)(p, s, x, y)


def test_wrong_arguments_of_a_call(step, handles):
    p, s = handles
    x, y = MLP.batches[0]
    for args, error, message in (
        ((p, s, x), TypeError, "expected 2 arguments"),
        (
            (p, s, x.astype(np.int32), y),
            TypeError,
            "'2' must be of dtype float32, found int32",
        ),
        (
            (p, s, x.astype(np.float64), y),
            TypeError,
            "'2' must be of dtype float32, found float64",
        ),
        (
            (p, s, x, y.astype(np.float32)),
            TypeError,
            "'3' must be of dtype int32, found float32",
        ),
        ((p, s, x[0], y), ValueError, r"'2' must be of shape \(13, 40\), found \(40,\)"),
        (
            (p, s, x[:, :7], y),
            ValueError,
            r"'2' must be of shape \(13, 40\), found \(13, 7\)",
        ),
        ((p, s, x, y[:3]), ValueError, r"'3' must be of shape \(13,\), found \(3,\)"),
        (
            (p, s, {"x": x}, y),
            TypeError,
            "^argument '2': expected an array, found a dict$",
        ),
        (
            (p, s, [x], y),
            TypeError,
            "^argument '2': expected an array, found a list of 1$",
        ),
        ((p, s, x, None), TypeError, "^argument '3': expected an array, found None$"),
        (
            (MLP.params, s, x, y),
            TypeError,
            "expected the params storage that compress returned",
        ),
        (
            (s, p, x, y),
            TypeError,
            "expected the params storage, found the state",
        ),
        ((p,), TypeError, "expected params and state first"),
    ):
        with pytest.raises(error, match=message):
            step(*args)
    # None of these consumed anything.
    step(p, s, x, y)


def test_consumed_storage(step, handles):
    p, s = handles
    x, y = MLP.batches[0]
    p2, s2, _ = step(p, s, x, y)
    for use in (
        lambda: step(p, s2, x, y),
        lambda: step(p2, s, x, y),
        lambda: step.densify(p),
        lambda: step.storage(p),
        lambda: jax.tree.leaves(p),
        lambda: step.compress(MLP.params, MLP.state, pattern=p),
    ):
        with pytest.raises(RuntimeError, match="was consumed by a step"):
            use()
    assert p.consumed and not p2.consumed
    step(p2, s2, x, y)


def test_storage_of_another_step(step):
    other = case("mlp", "adamw", "nm vector 8", seed=1)
    p, s = other.compile().compress(other.params, other.state)
    with pytest.raises(TypeError, match="found that of another step"):
        step(p, s, *other.batches[0])


@pytest.mark.parametrize(
    "path, value", [("layer0", np.nan), ("layer1", np.nan), ("layer1", np.inf)]
)
def test_weights_that_are_not_finite(step, path, value):
    params = jax.tree.map(np.copy, MLP.params)
    params[path]["w"][3, 2] = value
    with pytest.raises(ValueError, match=rf"'{path}/w' has {value} at \(3, 2\)"):
        step.compress(params, MLP.state)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_dense_parameter_that_is_not_finite(step, value):
    params = jax.tree.map(np.copy, MLP.params)
    params["layer2"]["b"][0] = value
    with pytest.raises(ValueError, match=rf"'layer2/b' has {value} at \(0,\)$"):
        step.compress(params, MLP.state)


def test_weights_of_another_element_type(step):
    """As in a call: what was an f32 example is not narrowed silently."""
    params = jax.tree.map(lambda a: a.astype(np.float64), MLP.params)
    with pytest.raises(
        TypeError, match="'0/layer0/b' must be of dtype float32, found float64"
    ):
        step.compress(params, MLP.state)
    # JAX narrowed the example, and so Sparsam narrows what comes like it.
    wide = sparsam.compile(MLP.train_step, (params, MLP.state, *MLP.batches[0]))
    for given in (params, MLP.params):
        p, _ = wide.compress(given, MLP.state)
        for found, expected in zip(
            jax.tree.leaves(wide.densify(p)), jax.tree.leaves(MLP.params), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


def test_compress_of_another_tree_or_shape(step):
    with pytest.raises(
        ValueError, match="^'layer1' of the params: expected a dict, found nothing$"
    ):
        step.compress({"layer0": MLP.params["layer0"]}, MLP.state)
    with pytest.raises(
        ValueError,
        match="^'layer2/more' of the params: expected nothing, found an array$",
    ):
        more = MLP.params["layer2"] | {"more": np.ones(2)}
        step.compress(MLP.params | {"layer2": more}, MLP.state)
    with pytest.raises(
        ValueError, match="^the state: expected a tuple of 2, found a dict$"
    ):
        step.compress(MLP.params, MLP.params)
    with pytest.raises(
        ValueError, match="^'1/0' of the state: expected a ScaleByAdamState, found a Sca"
    ):
        other = optax.chain(optax.clip(1.0), optax.lion(0.1)).init(MLP.params)
        step.compress(MLP.params, other)
    params = jax.tree.map(np.copy, MLP.params)
    params["layer0"]["w"] = params["layer0"]["w"].T
    with pytest.raises(
        ValueError, match=r"'0/layer0/w' must be float32\[40, 56\], found"
    ):
        step.compress(params, MLP.state)


def test_compile_with_of_other_parameters(step):
    x = np.ones(2, np.float32)
    other = {"w": np.ones(2)}
    with pytest.raises(
        ValueError,
        match="argument '0/layer0' must be the parameters of the step: expected a dict, "
        "found nothing",
    ):
        step.compile_with(lambda params, x: x, (other, x))
    with pytest.raises(ValueError, match="must be an argument of their own"):
        step.compile_with(lambda carry, x: x, ((MLP.params, x), x), "0/0")
    taller = jax.tree.map(lambda a: np.concatenate([a, a]), MLP.params)
    with pytest.raises(ValueError, match=r"is stored as .*, in the step as"):
        step.compile_with(lambda params, x: params["layer0"]["b"], (taller, x))


def test_a_parameter_without_gradient():
    def train_step(params, state, x, y):
        new, state, loss = MLP.train_step(params, state, x, y)
        new["layer0"]["w"] = params["layer0"]["w"] * 0.5
        return new, state, loss

    with pytest.raises(RuntimeError, match="layer0/w.*gradient"):
        sparsam.compile(train_step, ARGS, structure={"layer0/w": "nm<2:4>"})


def test_a_gradient_that_cannot_be_found_is_told_how_to_be_marked(searched):
    """Of a sign, the graph does not say where the backward pass ends."""
    optimizer = optax.sign_sgd(1e-3)

    def train_step(params, state, x, y, mark):
        loss, grads = jax.value_and_grad(MLP.model.loss)(params, x, y)
        grads = sparsam.gradient(grads) if mark else grads
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    args = (MLP.params, optimizer.init(MLP.params), *MLP.batches[0])
    structure = {"layer0/w": "nm<2:4>"}
    unmarked, marked = (partial(train_step, mark=mark) for mark in (False, True))
    with pytest.raises(
        sparsam.CompileError,
        match="layer0/w: .*no gradient is known.*mark the gradients with sparsam.gradient",
    ):
        sparsam.compile(unmarked, args, structure=structure)
    step = sparsam.compile(marked, args, structure=structure)
    assert step.plan["layer0/w"].structure == "nm<2:4>"


def test_factors_under_an_optimizer_that_is_not_elementwise():
    optimizer = optax.contrib.muon(1e-2)
    params = {"w": np.random.default_rng(0).standard_normal((16, 24)).astype(np.float32)}
    x = np.ones((5, 16), np.float32)

    def train_step(params, state, x):
        loss, grads = jax.value_and_grad(lambda p: jnp.tanh(x @ p["w"]).sum())(params)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    args = (params, optimizer.init(params), x)
    with pytest.raises(RuntimeError, match="w.*not elementwise"):
        sparsam.compile(train_step, args, structure={"w": "low_rank<4>"})


def test_factors_that_are_needed_dense():
    """Positions are added up, whole; an embedding's rows would be looked up in factors."""
    gpt = case("gpt", "nesterov", "dense")
    with pytest.raises(RuntimeError, match='"wpe".*needed as a dense tensor'):
        sparsam.compile(
            gpt.train_step,
            (gpt.params, gpt.state, *gpt.batches[0]),
            structure={"wpe": "low_rank<3>"},
        )


def test_a_parameter_in_two_layouts_must_be_marked(searched):
    """Of x (W - W') the product is a part of the gradient only."""
    optimizer = optax.sgd(0.1, momentum=0.9)
    params = {"w": np.random.default_rng(0).standard_normal((16, 16)).astype(np.float32)}
    x = np.ones((5, 16), np.float32)

    def train_step(params, state, x, mark):
        grads = jax.grad(lambda p: ((x @ (p["w"] - p["w"].T)) ** 2).sum())(params)
        grads = sparsam.gradient(grads) if mark else grads
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    args = (params, optimizer.init(params), x)
    structure = {"w": "nm<2:8, vector = 8>"}
    with pytest.raises(sparsam.CompileError, match="w: .*mark the gradients"):
        sparsam.compile(partial(train_step, mark=False), args, structure=structure)
    step = sparsam.compile(partial(train_step, mark=True), args, structure=structure)
    p, s = step.compress(*args[:2])
    start = step.densify(p)["w"]
    kept = start != 0
    p, s = step(p, s, x)
    dense, _ = train_step({"w": start}, args[1], x, mark=False)
    np.testing.assert_allclose(step.densify(p)["w"], dense["w"] * kept, rtol=1e-4)


def test_an_average_of_the_parameters_is_not_taken_for_them():
    """The new average is computed from the new parameters, not the other way round."""

    def train_step(params, average, x):
        grads = jax.grad(lambda p: (jnp.tanh(x @ p["w"]) ** 2).sum())(params)
        new = {"w": params["w"] - 0.1 * grads["w"]}
        return new, {"w": 0.9 * average["w"] + 0.1 * new["w"]}

    w = {"w": np.ones((4, 8), np.float32)}
    args = (w, w, np.ones((5, 4), np.float32))
    with pytest.raises(ValueError, match="cannot decide which result is the new value"):
        sparsam.compile(train_step, args)

    def named(params, average, x):
        new, average = train_step(params, average, x)
        return {"params": new, "average": average}

    step = sparsam.compile(named, args)
    p, average = step(*step.compress(w, w), args[2])
    new, expected = train_step(*args)
    np.testing.assert_allclose(step.densify(p)["w"], new["w"], rtol=1e-5)
    stored = step.storage(average)["w"]["dense"]
    np.testing.assert_allclose(stored, expected["w"], rtol=1e-5)


def test_a_glob_that_earlier_ones_leave_nothing_is_a_warning():
    with pytest.warns(sparsam.CompilerWarning, match="`layer0/w` decides nothing"):
        step = sparsam.compile(
            MLP.train_step, ARGS, structure={"*": "dense", "layer0/w": "nm<2:4>"}
        )
    assert step.plan["layer0/w"].structure == "dense"
    assert any("`layer0/w` decides nothing" in remark for remark in step.remarks)


def test_state_that_is_missing(step):
    with pytest.raises(ValueError, match="the state is missing.*give compress both"):
        step.compress(MLP.params)


def test_an_operation_that_the_importer_refuses():
    def train_step(params, x, y):
        def loss(params):
            return jax.vmap(lambda row, label: row[label])(x @ params["w"], y).sum()

        return {"w": params["w"] - jax.grad(loss)(params)["w"]}

    args = (
        {"w": np.ones((4, 5), np.float32)},
        np.ones((3, 4), np.float32),
        np.zeros(3, int),
    )
    with pytest.raises(sparsam.CompileError, match="iree-compile could not"):
        sparsam.compile(train_step, args, state=None)


@pytest.mark.parametrize("name, given", [("cpu", 7), ("cpu", None), ("target", 7)])
def test_options_of_another_type(name, given):
    refuse(TypeError, f"^{name} must be .*, found {given!r}$", **{name: given})


def test_what_is_no_function(step):
    with pytest.raises(TypeError, match="fn must be a function, found 7"):
        sparsam.compile(7, ARGS)
    with pytest.raises(TypeError, match="fn must be a function, found 7"):
        step.compile_with(7, ARGS)


def test_options_of_what_is_saved_and_tuned(step, handles, tmp_path):
    for cpu in (7, [7]):
        with pytest.raises(TypeError, match=r"cpu must be .*, found \[?7"):
            step.save(tmp_path / "step.sparsam", cpu=cpu)
    for metadata in (7, {"epoch": 3}):
        with pytest.raises(TypeError, match="metadata must map text to text, found"):
            step.save(tmp_path / "p.safetensors", *handles, metadata=metadata)
    with pytest.raises(TypeError, match="seconds must be a number, found '2'"):
        step.tune(seconds="2")
    with pytest.raises(ValueError, match="seconds must be at least 0, found -1"):
        step.tune(seconds=-1)
