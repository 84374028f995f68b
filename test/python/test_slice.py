"""Coupled slices against JAX's own step of the masked model."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparsam
from models import CONVOLUTIONAL, MODELS, OPTIMIZERS, STACKED, TABLE_OPTIMIZERS, Model
from slices import check, compiled, declared
from sparsam._core import structure_cost
from walk import dense_tensors, propagated, remarks

ALL = MODELS | STACKED | CONVOLUTIONAL


def uneven(unit):
    """Hidden neurons whose removed entries are not zero, and reductions over them: sigmoid,
    a norm, a softmax, a maximum and a mean."""
    inputs, hidden, outputs, batch = 5, 4 * unit + 1, 3, 7

    def init(rng):
        def normal(*shape):
            return rng.standard_normal(shape).astype(np.float32)

        return {
            "w": normal(inputs, hidden),
            "b": normal(hidden),
            "gain": 1 + 0.1 * normal(hidden),
            "v": normal(hidden, hidden + 2),
            "u": normal(hidden + 2, outputs),
        }

    def loss(params, x, y):
        h = jax.nn.sigmoid(x @ params["w"] + params["b"])
        h = h - h.mean(-1, keepdims=True) + 0.1 * h.max(-1, keepdims=True)
        h = h * jax.lax.rsqrt((h * h).mean(-1, keepdims=True) + 1e-3) * params["gain"]
        g = jax.nn.softmax(h @ params["v"], -1) + jnp.cos(h.sum(-1, keepdims=True))
        return ((g @ params["u"] - y) ** 2).mean()

    def batches(rng):
        shapes = (batch, inputs), (batch, outputs)
        return tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)

    return Model("uneven", init, batches, loss, {})


def residual(unit):
    """One square matrix whose rows and columns are the same group."""
    width = 5 * unit

    def init(rng):
        return {
            name: (rng.standard_normal(shape) / 3).astype(np.float32)
            for name, shape in {"in": (4, width), "w": (width, width)}.items()
        }

    def loss(params, x, y):
        h = x @ params["in"]
        h = h + jnp.exp(h @ params["w"] - 1)
        return ((h.mean(-1) - y) ** 2).mean()

    def batches(rng):
        shapes = (6, 4), (6,)
        return tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)

    return Model("residual", init, batches, loss, {})


def grouped_query(unit):
    """Two query heads for each of key and value, all from one product, and a gated MLP from
    another: segments of several sizes."""
    pairs, size, time, batch = unit, 4, 3, 2
    width, hidden = 2 * pairs * size, 5

    def init(rng):
        shapes = {
            "qkv": (width, 4 * pairs * size),
            "out": (2 * pairs * size, width),
            "gate": (width, 2 * hidden),
            "down": (hidden, width),
        }
        return {
            name: (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)
            for name, shape in shapes.items()
        }

    def loss(params, x, y):
        qkv = x @ params["qkv"]
        q = qkv[..., : 2 * pairs * size].reshape(batch, time, pairs, 2, size)
        k, v = jnp.split(qkv[..., 2 * pairs * size :], 2, -1)
        k, v = (a.reshape(batch, time, pairs, size) for a in (k, v))
        a = jax.nn.softmax(jnp.einsum("bqpgd,bkpd->bpgqk", q, k), -1)
        o = jnp.einsum("bpgqk,bkpd->bqpgd", a, v).reshape(batch, time, -1)
        x = x + o @ params["out"]
        gate, up = jnp.split(x @ params["gate"], 2, -1)
        x = x + (jax.nn.silu(gate) * up) @ params["down"]
        return ((x - y) ** 2).mean()

    def batches(rng):
        shape = (batch, time, width)
        return tuple(rng.standard_normal(shape).astype(np.float32) for _ in range(2))

    return Model("grouped_query", init, batches, loss, {})


OWN = {"uneven": uneven, "residual": residual, "grouped_query": grouped_query}

# Model -> unit, and a slice of each axis that it has and that can be sliced.
TABLE = {
    "mlp": (3, {"layer0/w": "slice<keep = 0.5>", "layer1/w": "slice<keep = 4>"}),
    "gpt": (
        4,
        {
            "wpe": "slice<keep = 0.6>",
            "*/fc": "slice<keep = 0.3>",
            "*/1/qkv": "slice<keep = 1>",
        },
    ),
    "mixer": (
        3,
        {
            "*channel1": "slice<keep = 0.5>",
            "*token1": "slice<keep = 0.25>",
            "stem": "slice<keep = 0.5>",
        },
    ),
    "gated": (
        4,
        {
            "wi": "slice<keep = 1>",
            "wq": "slice<keep = 2>",
            "wk": 'slice<group = "wq:2", keep = 3>',
        },
    ),
    "scan_mlp": (4, {"layers/w": "slice<keep = 0.5>"}),
    "scan_gpt": (
        3,
        {
            "wpe": "slice<keep = 8>",
            "blocks/fc": "slice<keep = 0.5>",
            "blocks/q": "slice<keep = 1>",
        },
    ),
    "resnet": (
        2,
        {"conv*/filter": "slice<keep = 0.6>", "stem/filter": "slice<keep = 0.6>"},
    ),
    "vit": (
        4,
        {
            "patch": "slice<keep = 7>",
            "fc": "slice<keep = 0.5>",
            "qkv": "slice<keep = 1>",
        },
    ),
}

# What a table of models does not have: model, unit, optimizers, what is asked for.
CASES = [
    (
        "uneven",
        3,
        "momentum adamw lion",
        {"w": "slice<keep = 0.4>", "v": "slice<keep = 0.7>"},
    ),
    ("uneven", 2, "adamw", {"w": "slice<keep = 1>", "v": "slice<keep = 1.0>"}),
    ("residual", 2, "adamw", {"w": "slice<keep = 0.6>"}),
    (
        "grouped_query",
        3,
        "adamw",
        {"qkv": "slice<keep = 2>", "gate": "slice<keep = 0.5>"},
    ),
    ("gpt", 3, "nesterov", {"*/qkv": "slice<keep = 2>"}),
    ("gpt", 4, "rmsprop", {"*/1/fc": "slice<keep = 5>"}),
]


def test_the_table_has_every_model():
    assert set(TABLE) == set(ALL)


@pytest.mark.parametrize("optimizer", TABLE_OPTIMIZERS)
@pytest.mark.parametrize("model", TABLE)
def test_every_model(model, optimizer):
    """Each with each optimizer, with `sparsam.gradient` in the step and without."""
    unit, requests = TABLE[model]
    place, turn = list(TABLE).index(model), TABLE_OPTIMIZERS.index(optimizer)
    seed, mark = place * len(TABLE_OPTIMIZERS) + turn, (place + turn) % 2 == 1
    check(*compiled(ALL[model](unit), OPTIMIZERS[optimizer](), requests, seed, mark))


@pytest.mark.parametrize(
    "number, optimizer",
    [(i, name) for i, case in enumerate(CASES) for name in case[2].split()],
)
def test_step(number, optimizer):
    model, unit, _, requests = CASES[number]
    built = (ALL | OWN)[model](unit)
    check(*compiled(built, OPTIMIZERS[optimizer](), requests, number, number % 2 == 0))


# What has all entries of a sliced axis: tensors of the size of a parameter, and why.
UNAVOIDABLE = {
    "resnet": (
        "the running statistics, which are no parameters, have all channels",
        {
            f"{layer}/{name}": {(8,)}
            for layer in ("conv2", "conv3", "projection")
            for name in ("gain", "bias")
        },
    )
}
# The sizes are such that nothing else is as large as a parameter was.
WALKS = [(model, *TABLE[model]) for model in TABLE]
WALKS += [(model, unit, requests) for model, unit, _, requests in CASES if model in OWN]


@pytest.mark.parametrize("number", range(len(WALKS)))
def test_no_tensor_of_the_whole_size_is_left(number):
    """What remains of a parameter is what is kept of it, everywhere in the step."""
    model, unit, requests = WALKS[number]
    optimizer = OPTIMIZERS[TABLE_OPTIMIZERS[number % 3]]()
    one = declared((ALL | OWN)[model](unit), optimizer, requests)
    module = propagated(one)
    # What keeps all entries is as large as it was.
    one.texts = {
        path: text
        for path, text in one.texts.items()
        if structure_cost(text, one.shapes[path])["entries"] < np.prod(one.shapes[path])
    }
    _, expected = UNAVOIDABLE.get(model, ("", {}))
    assert dense_tensors(one, module) == expected
    assert not any("is made dense" in remark for remark in remarks(module))


def test_groups_are_listed():
    case, step = compiled(
        MODELS["gpt"](4), OPTIMIZERS["lion"](), {"*/0/fc": "slice<keep = 4>"}
    )
    assert step.groups["blocks/0/fc:1"] == sparsam.Group(
        28, ("blocks/0/fc:1", "blocks/0/fcb:0", "blocks/0/out:0")
    )
    heads = step.groups["blocks/1/qkv:1[3x(2)x10]"]
    assert heads.members == ("blocks/1/qkv:1[3x(2)x10]", "blocks/1/proj:0[(2)x10]")
    assert len(step.groups["wte:1"].members) == 17
    assert "looked up by data" in step.groups["wte:0"].obstacle
    assert set(step.pinned) == {"blocks/0/fc", "blocks/0/fcb", "blocks/0/out"}
    assert (
        sum("coupled by group" in remark and "fcb" in remark for remark in step.remarks)
        == 1
    )


def test_a_group_by_its_name():
    """A parameter may name any group that it has."""
    requests = {"blocks/0/proj": 'slice<group = "blocks/0/qkv:1[3x(2)x10]", keep = 1>'}
    case, step = compiled(MODELS["gpt"](4), OPTIMIZERS["lion"](), requests)
    assert set(step.pinned) == {"blocks/0/proj", "blocks/0/qkv"}


def test_the_smaller_model():
    """Without a norm over what is sliced, it computes the same."""
    built = MODELS["mlp"](3)
    case, step = compiled(
        built, OPTIMIZERS["adamw"](), {"layer0/w": "slice<keep = 0.5>"}, seed=3
    )
    p, s = step.compress(case.params, case.state)
    smaller, masked = step.densify(p, smaller=True), step.densify(p)
    assert smaller["layer0"]["w"].shape == (15, 11)
    assert smaller["layer0"]["b"].shape == (11,)
    assert smaller["layer1"]["w"].shape == (11, 9)
    assert smaller["layer2"]["w"].shape == masked["layer2"]["w"].shape
    x, y = case.batches[0]
    np.testing.assert_allclose(
        built.loss(smaller, x, y), built.loss(masked, x, y), rtol=1e-5
    )


def test_training_goes_on_in_the_smaller_model():
    """With its optimizer's state and its running statistics, at the smaller sizes, by JAX."""
    _, requests = TABLE["resnet"]
    case, step = compiled(ALL["resnet"](2), OPTIMIZERS["adamw"](), requests, seed=4)
    p, s = step.compress(case.params, case.state)
    for batch in case.batches[:3]:
        p, s, _ = step(p, s, *batch)
    params, state = step.densify(p, s, smaller=True)
    assert params["conv3"]["filter"].shape == (3, 3, 5, 5)
    shapes = jax.tree.map(np.shape, state["buffers"])
    assert shapes["conv1"] == {"mean": (2,), "variance": (2,)}
    assert shapes["conv2"] == shapes["conv3"] == {"mean": (5,), "variance": (5,)}
    # What is removed is not zero in the statistics: the variance of nothing shrinks.
    whole = step.densify(p, s)[1]["buffers"]["conv2"]["variance"]
    assert len(np.unique(whole)) == 5 + 1
    for batch in case.batches[3:6]:
        params, state, expected = case.train_step(params, state, *batch)
        p, s, loss = step(p, s, *batch)
        np.testing.assert_allclose(loss, expected, rtol=1e-4)
    found = step.densify(p, s, smaller=True)
    assert jax.tree.structure(found) == jax.tree.structure((params, state))
    for a, b in zip(
        jax.tree.leaves(found), jax.tree.leaves((params, state)), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-3 * np.abs(b).max())


def test_dense_state():
    """Also of other patterns, and not of factors."""
    requests = {"layer0/w": "slice<keep = 0.5>", "layer2/w": "nm<1:3>"}
    case, step = compiled(MODELS["mlp"](3), OPTIMIZERS["momentum"](), {}, seed=6)
    step = step.variant(step.form.pin(requests))
    p, s = step.compress(case.params, case.state)
    p, s, _ = step(p, s, *case.batches[0])
    params, state = step.densify(p, s)
    assert jax.tree.structure(state) == jax.tree.structure(case.state)
    trace = state[0].trace
    for path in ("layer0", "layer1", "layer2"):
        # What is not stored of a parameter is not in its state.
        np.testing.assert_array_equal(trace[path]["w"] != 0, params[path]["w"] != 0)
    trace = step.densify(p, s, smaller=True)[1][0].trace
    assert trace["layer0"]["w"].shape == (15, 11)
    assert trace["layer0"]["b"].shape == (11,)
    assert trace["layer1"]["w"].shape == (11, 9)
    np.testing.assert_array_equal(trace["layer2"]["w"], state[0].trace["layer2"]["w"])

    factors = step.variant({"layer1/w": "low_rank<2>"})
    p, s = factors.compress(case.params, case.state)
    with pytest.raises(ValueError, match="'1/0/trace/layer1/w' is that of factors"):
        factors.densify(p, s)
    with pytest.raises(TypeError, match="expected the state storage"):
        factors.densify(p, True)


def test_a_product_over_neurons_is_named():
    """JAX differentiates a product by taking its factors one by one."""
    built = uneven(1)

    def loss(params, x, y):
        return ((jnp.prod(jax.nn.sigmoid(x @ params["w"]), -1) - y[:, 0]) ** 2).mean()

    built = dataclasses.replace(built, loss=loss)
    with pytest.raises(
        sparsam.CompileError,
        match='w: group "w:1" cannot be sliced: .* (one entry|not a sum).*leave it dense',
    ):
        compiled(built, OPTIMIZERS["lion"](), {"w": "slice<keep = 3>"})


@pytest.mark.parametrize(
    "text", ["low_rank<2, factors = slice<keep = 2>>", "dynamic<slice<keep = 2>>"]
)
def test_a_slice_inside_another_structure(text):
    with pytest.raises(
        sparsam.CompileError, match="inside another structure it cannot be.*ask for it on"
    ):
        compiled(MODELS["mlp"](3), OPTIMIZERS["lion"](), {"layer0/w": text})


def test_another_pattern_and_a_file(tmp_path):
    """Rewinding to earlier weights, and a checkpoint."""
    requests = {"layer0/w": "slice<keep = 0.5>", "layer1/w": "slice<keep = 0.5>"}
    case, step = compiled(MODELS["mlp"](3), OPTIMIZERS["adamw"](), requests, seed=5)
    p, s = step.compress(case.params, case.state)
    indices = step.storage(p)["layer0/w"]["indices"]
    other = jax.tree.map(lambda leaf: leaf[::-1].copy(), case.params)
    q, _ = step.compress(other, case.state, pattern=p)
    stored = step.storage(q)
    np.testing.assert_array_equal(stored["layer1/w"]["indices0"], indices)
    np.testing.assert_array_equal(
        stored["layer0/b"]["values"][0], other["layer0"]["b"][indices]
    )
    step.save(tmp_path / "file", p, s)
    loaded, _ = step.load(tmp_path / "file")
    jax.tree.map(np.testing.assert_array_equal, step.storage(loaded), step.storage(p))


def test_indices_that_differ_within_a_group():
    requests = {"layer0/w": "slice<keep = 20>"}
    case, step = compiled(MODELS["mlp"](3), OPTIMIZERS["adamw"](), requests)
    p, s = step.compress(case.params, case.state)

    def change(key, leaf):
        if not jax.tree_util.keystr(key).endswith("layer0/b/indices']"):
            return leaf
        return np.delete(np.arange(21, dtype=leaf.dtype), 0 if leaf[0] == 0 else 20)

    bad = jax.tree_util.tree_map_with_path(change, p)
    with pytest.raises(ValueError, match="with which it is coupled"):
        step(bad, s, *case.batches[0])


def test_another_function_on_the_storage():
    """A result that has the group gets its removed entries too."""
    built = uneven(2)
    case, step = compiled(built, OPTIMIZERS["lion"](), {"w": "slice<keep = 4>"}, seed=2)
    p, s = step.compress(case.params, case.state)

    def hidden(params, x):
        h = jax.nn.sigmoid(x @ params["w"] + params["b"])
        return h, h.sum(-1)

    x = case.batches[0][0]
    found = step.compile_with(hidden, (case.params, x))(p, x)
    for a, b in zip(found, hidden(step.densify(p), x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize(
    "requests, message",
    [
        ({"layer0/w": "slice<keep = 22>"}, "keeps more than the 21 entries"),
        (
            {"layer2/w": "slice<keep = 2>"},
            "cannot be sliced: entries of it are looked up",
        ),
        (
            {"layer0/w": "slice<keep = 9>", "layer1/w": "nm<1:3>"},
            "has it too.*leave it to the slice",
        ),
        (
            {"layer0/w": "slice<keep = 9>", "layer0/b": "slice<keep = 8>"},
            "but layer0/w keeps 9|but layer0/b keeps 8",
        ),
        (
            {"layer0/w": 'slice<group = "layer1/w:1", keep = 3>'},
            'no group "layer1/w:1"; its groups are "layer0/w:0", "layer0/w:1"',
        ),
        ({"layer0/w": "slice<keep = 0>"}, "expected keep of at least 1, found 0"),
    ],
)
def test_requests_that_cannot_be_met(requests, message):
    with pytest.raises(sparsam.CompileError, match=message):
        compiled(MODELS["mlp"](3), OPTIMIZERS["lion"](), requests)


def test_the_plan_names_the_group_and_who_asked():
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    params = {
        "enc": {"w": normal(8, 16), "b": normal(16)},
        "mid": {"w": normal(16, 12), "b": normal(12)},
        "dec": {"w": normal(12, 4)},
    }

    def loss(params, x):
        for name in ("enc", "mid"):
            x = jnp.tanh(x @ params[name]["w"] + params[name]["b"])
        return ((x @ params["dec"]["w"]) ** 2).mean()

    def step_fn(params, x):
        grads = jax.grad(loss)(params, x)
        return jax.tree.map(lambda w, g: w - 0.1 * g, params, grads)

    def reasons(structure):
        args = params, normal(3, 8)
        plan = sparsam.compile(step_fn, args, state=None, structure=structure).plan
        return {path: choice.reason for path, choice in plan.items()}

    by_mid = "coupled by group 'mid/w:1', which 'mid/w' asks to slice"
    assert reasons({"mid/w": "slice<keep = 0.5>"}) == {
        "dec/w": by_mid,
        "enc/b": "no glob matches",
        "enc/w": "no glob matches",
        "mid/b": by_mid,
        "mid/w": "asked for by 'mid/w'",
    }
    # By a name the group that is the parameter's rows.
    by_rows = "coupled by group 'enc/w:1', which 'mid/w' asks to slice"
    assert reasons({"m*/w": 'slice<group = "enc/w:1", keep = 0.5>'}) == {
        "dec/w": "no glob matches",
        "enc/b": by_rows,
        "enc/w": by_rows,
        "mid/b": "no glob matches",
        "mid/w": "asked for by 'm*/w'",
    }
    by_enc = "coupled by group 'enc/w:1', which 'enc/w' asks to slice"
    asked = {"*/b": "dense", "mid/w": "slice<keep = 0.5>", "enc/w": "slice<keep = 6>"}
    assert reasons(asked) == {
        "dec/w": by_mid,
        "enc/b": f"'*/b' asks for dense, but it is {by_enc}",
        "enc/w": "asked for by 'enc/w'",
        "mid/b": f"'*/b' asks for dense, but it is {by_mid}",
        "mid/w": f"asked for by 'mid/w', and {by_enc}",
    }
