"""Checkpoints: storage and dense trees in safetensors files, both ways."""

import errno
import json
import os
import re
import stat
from pathlib import Path

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
import sparsam
from oracle import case
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

MLP = case("mlp", "adamw", "mixed", seed=1)
ARGS = (MLP.params, MLP.state, *MLP.batches[0])


@pytest.fixture(scope="module")
def step():
    return MLP.compile()


@pytest.fixture(scope="module")
def dense_step():
    return sparsam.compile(MLP.train_step, ARGS)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "step.safetensors"


def train(step, p, s, batches):
    losses = []
    for batch in batches:
        p, s, loss = step(p, s, *batch)
        losses.append(float(loss))
    return p, s, losses


def same(a, b):
    """Bit by bit, in shape and element type too."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for one, two in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        one, two = np.asarray(one), np.asarray(two)
        assert (one.dtype, one.shape) == (two.dtype, two.shape)
        assert one.tobytes() == two.tobytes()


def copies(tree):
    return jax.tree.map(np.array, tree)


def metadata_of(file):
    with safe_open(file, "np") as handle:
        return handle.metadata()


def edit(file, change, metadata=None):
    """Writes the file again with its tensors, and its metadata, changed."""
    tensors, texts = load_file(file), dict(metadata_of(file) or {})
    change(tensors)
    if metadata:
        metadata(texts)
    save_file(tensors, file, texts)


# Storage and back.


def test_resumed_training_is_uninterrupted_training(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    p, s, _ = train(step, p, s, MLP.batches[:4])
    step.save(file, p, s)
    *uninterrupted, losses = train(step, p, s, MLP.batches[4:])

    structures = sparsam.saved_structures(file)
    assert set(structures) == {"layer0/w", "layer1/w"}
    again = sparsam.compile(MLP.train_step, ARGS, structure=structures)
    *resumed, found = train(again, *again.load(file), MLP.batches[4:])
    assert found == losses
    assert again.pinned == step.pinned
    same(copies(resumed), copies(uninterrupted))


def test_storage_comes_back_bit_by_bit(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    p, s, _ = train(step, p, s, MLP.batches[:3])
    before = copies((p, s))
    step.save(file, p, s)
    same(copies(step.load(file)), before)
    same(copies((p, s)), before)


def test_others_read_the_file(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    step.save(file, p, s, metadata={"format": "np", "epoch": "3"})
    tensors, stored = load_file(file), step.storage(p)
    np.testing.assert_array_equal(tensors["layer2/w"], MLP.params["layer2"]["w"])
    for name in ("layer0/w:values", "layer0/w:indices", "layer1/w:u", "layer1/w:v"):
        path, part = name.split(":")
        np.testing.assert_array_equal(tensors[name], stored[path][part])
    assert tensors["state:1/0/mu/layer0/w:values"].shape == (56 // 8, 10, 8)
    assert tensors["state:1/0/count"].shape == ()
    assert len(tensors) == len(jax.tree.leaves((p, s)))
    metadata = metadata_of(file)
    assert (metadata["format"], metadata["epoch"]) == ("np", "3")
    assert json.loads(metadata["sparsam.structures"])["layer0/w"] == {
        "structure": step.pinned["layer0/w"],
        "shape": [40, 56],
        "dtype": "float32",
    }
    described = json.loads(metadata["sparsam.tensors"])
    assert set(described) == set(tensors)
    assert described["state:1/0/mu/layer0/w:values"]["part"] == "values"
    roles = {name: entry.get("role") for name, entry in described.items()}
    assert roles["layer0/w:values"] == roles["layer2/w"] == "trainable"
    assert roles["layer0/w:indices"] == "index"
    assert roles["state:1/0/mu/layer0/w:values"] is None


def test_parameters_alone_start_with_the_state_given(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    fresh = copies(s)
    p, s, _ = train(step, p, s, MLP.batches[:2])
    trained = copies(p)
    step.save(file, p)
    assert not any(name.startswith("state:") for name in load_file(file))
    q, t = step.load(file, state=MLP.state)
    same(copies(q), trained)
    same(copies(t), fresh)
    # The state that is given comes before that of the file.
    step.save(file, p, s)
    q, t = step.load(file, state=MLP.state)
    same(copies((q, t)), (trained, fresh))


def test_bfloat16_and_a_step_without_state(file):
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((16, 24)).astype(ml_dtypes.bfloat16)}
    x = rng.standard_normal((5, 16)).astype(ml_dtypes.bfloat16)

    def sgd(params, x):
        def loss(params):
            return jnp.mean(jnp.square(x @ params["w"]).astype(jnp.float32))

        grads = jax.grad(loss)(params)
        return jax.tree.map(lambda w, g: w - jnp.bfloat16(0.1) * g, params, grads)

    step = sparsam.compile(sgd, (params, x), state=None)
    p = step.compress(params)
    step.save(file, p)
    assert load_file(file)["w"].dtype == ml_dtypes.bfloat16
    same(copies(step.load(file)), copies(p))
    sparsam.save_dense(file, params)
    same(sparsam.load_dense(file, params), params)
    same(copies(step.load(file)), copies(p))


def test_a_train_state_with_a_random_key(file):
    """What is carried beside parameters and state is in the file as well."""
    tx = optax.sgd(0.1, momentum=0.9)
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((16, 24)).astype(np.float32)}
    state = {
        "params": params,
        "opt": tx.init(params),
        "step": 0,
        "key": jax.random.key(3),
    }
    x = rng.standard_normal((5, 16)).astype(np.float32)

    def train_step(ts, x):
        key, sub = jax.random.split(ts["key"])
        noisy = x + jax.random.normal(sub, x.shape)
        loss, grads = jax.value_and_grad(lambda p: jnp.mean((noisy @ p["w"]) ** 2))(
            ts["params"]
        )
        updates, opt = tx.update(grads, ts["opt"], ts["params"])
        params = optax.apply_updates(ts["params"], updates)
        return {"params": params, "opt": opt, "step": ts["step"] + 1, "key": key}, loss

    step = sparsam.compile(
        train_step,
        (state, x),
        params="0/params",
        state="0/opt",
        structure={"w": "nm<2:4>"},
    )
    p, s = step.compress(params, state)
    for _ in range(3):
        p, s, _ = step(p, s, x)
    step.save(file, p, s)
    assert load_file(file)["carried:0/step"] == 3
    loaded = step.load(file)
    same(copies(loaded), copies((p, s)))
    assert float(step(*loaded, x)[2]) == float(step(p, s, x)[2])

    # The same of dense tensors, by names with dots.
    dense = sparsam.compile(train_step, (state, x), params="0/params", state="0/opt")
    dense.save(file, *dense.compress(params, state))
    tensors = {name.replace("/", "."): a for name, a in load_file(file).items()}
    assert {"w", "carried:0.key", "carried:0.step"} < set(tensors)
    save_file(tensors, file)
    same(copies(step.load(file)), copies(step.compress(params, state)))
    sparsam.save_dense(file, state)
    found = sparsam.load_dense(file, state)
    assert found["step"] == 0 and isinstance(found["step"], int)
    assert found["key"].dtype == state["key"].dtype
    same(jax.random.key_data(found["key"]), jax.random.key_data(state["key"]))


# Dense files.


@pytest.mark.parametrize("separator", ["/", "."])
def test_a_dense_file_is_compressed(step, file, separator):
    expected = copies(step.compress(MLP.params, MLP.state))
    damage = {path: choice.damage for path, choice in step.plan.items()}
    sparsam.save_dense(file, MLP.params, MLP.state, separator=separator)
    assert f"layer0{separator}w" in load_file(file)
    assert sparsam.saved_structures(file) == {}
    same(copies(step.load(file)), expected)
    assert {path: choice.damage for path, choice in step.plan.items()} == damage
    sparsam.save_dense(file, MLP.params, separator=separator)
    same(copies(step.load(file, state=MLP.state)), expected)


def test_dense_trees_come_back(step, file):
    p, _ = step.compress(MLP.params, MLP.state)
    dense = step.densify(p)
    sparsam.save_dense(file, dense, MLP.state, metadata={"format": "pt"})
    assert metadata_of(file) == {"format": "pt"}
    params, state = sparsam.load_dense(file, MLP.params, MLP.state)
    same(params, dense)
    same(state, copies(MLP.state))
    shapes = jax.eval_shape(lambda: MLP.params)
    same(sparsam.load_dense(file, shapes), dense)


def test_a_checkpoint_of_a_dense_step_is_compressed(dense_step, file):
    """Train dense, then prune: the state of patterns comes along."""
    pruned = {"layer0/w": "nm<2:4>"}
    step = sparsam.compile(MLP.train_step, ARGS, structure=pruned)
    p, s, _ = train(
        dense_step, *dense_step.compress(MLP.params, MLP.state), MLP.batches[:2]
    )
    dense_step.save(file, p, s)
    same(copies(dense_step.load(file)), copies((p, s)))
    q, t = step.load(file)
    kept = step.densify(q)["layer0"]["w"] != 0
    dense = dense_step.densify(p)["layer0"]["w"]
    np.testing.assert_array_equal(step.densify(q)["layer0"]["w"], dense * kept)
    mu = step.storage(t)["1/0/mu/layer0/w"]["values"]
    assert np.abs(mu).max() > 0
    same(step.storage(t)["1/0/count"], dense_step.storage(s)["1/0/count"])


def test_sixty_four_bits_are_narrowed_as_in_the_examples(file):
    params = {"w": np.random.default_rng(0).standard_normal((8, 12))}
    x = np.ones((3, 8))

    def sgd(params, x):
        grads = jax.grad(lambda p: jnp.mean((x @ p["w"]) ** 2))(params)
        return jax.tree.map(lambda w, g: w - 0.1 * g, params, grads)

    step = sparsam.compile(sgd, (params, x), state=None, structure={"w": "nm<2:4>"})
    sparsam.save_dense(file, params)
    assert load_file(file)["w"].dtype == np.float64
    same(copies(step.load(file)), copies(step.compress(params)))
    same(sparsam.load_dense(file, params), params)


def test_the_page_of_checkpoints(file, monkeypatch):
    """Its example runs, and names the tensors that there are."""
    page = (Path(__file__).resolve().parents[2] / "docs/Checkpoints.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(file.parent)
    one = case("gpt", "adamw", "nm vector 4")
    texts = {"*fc": "nm<2:4, vector = 4>", "*out": "low_rank<3>"}
    args = (one.params, one.state, *one.batches[0])
    step = sparsam.compile(one.train_step, args, structure=texts)
    p, s = step.compress(one.params, one.state)
    names = dict(zip(("params", "state", "x", "y"), args, strict=True))
    names |= {"sparsam": sparsam, "train_step": one.train_step}
    names |= {"step": step, "p": p, "s": s}
    exec(code, names)
    np.testing.assert_array_equal(
        names["params"]["blocks"][0]["fc"], names["step"].densify(p)["blocks"][0]["fc"]
    )
    named = re.findall(r"`(state:\S+|blocks/\S+:\S+)`", page)
    assert len(named) == 5 and set(named) <= set(load_file(file.parent / file.name))


# Files that do not fit.


def put(name, make):
    return lambda tensors: tensors.__setitem__(name, make(tensors.get(name)))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.pop("layer0/w:values"), "  'layer0/w:values' is missing"),
        (lambda t: t.pop("layer2/b"), "  'layer2/b' is missing"),
        (
            lambda t: t.pop("state:1/0/nu/layer1/w:u"),
            "  'state:1/0/nu/layer1/w:u' is missing",
        ),
        (put("layer9/w", lambda _: np.zeros(3)), "  'layer9/w' is not in the step"),
        (
            put("layer1/w:u", lambda a: a[:, :4]),
            r"  'layer1/w:u' must be float32\[56, 5\], found float32\[56, 4\]",
        ),
        (
            put("layer1/w:u", lambda a: a.astype(np.float16)),
            r"  'layer1/w:u' must be float32\[56, 5\], found float16\[56, 5\]",
        ),
        (
            put("layer0/w:indices", lambda a: a.astype(np.int16)),
            r"  'layer0/w:indices' must be uint16\[7, 10\], found int16\[7, 10\]",
        ),
        (
            put("layer0/w:indices", lambda a: a[:, ::-1]),
            r"'layer0/w' in '.*': indices\[0, 0\] is \d+, expected an input from 0 to 7",
        ),
        (
            put("layer0/w:values", lambda a: np.where(a == a.max(), np.nan, a)),
            r"'layer0/w:values' in '.*' has nan at \(\d+, \d+, \d+\)$",
        ),
        (
            put("layer2/w", lambda a: np.where(a == a.max(), np.inf, a)),
            r"'layer2/w' in '.*' has inf at \(\d+, \d+\)$",
        ),
        (
            put("state:1/0/mu/layer2/b", lambda a: a * np.nan),
            r"'state:1/0/mu/layer2/b' in '.*' has nan at \(0,\)$",
        ),
    ],
)
def test_tensors_that_do_not_fit(step, file, change, message):
    step.save(file, *step.compress(MLP.params, MLP.state))
    edit(file, change)
    with pytest.raises(ValueError, match=message):
        step.load(file)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.pop("layer0.w"), "  'layer0/w' is missing"),
        (put("layer0/w", lambda _: np.zeros(3)), "  'layer0.w' is not in the step"),
        (put("head", lambda _: np.zeros(3)), "  'head' is not in the step"),
        (
            put("layer0.w", lambda a: a.T),
            r"  'layer0.w' must be float32\[40, 56\], found float32\[56, 40\]",
        ),
        (
            put("layer0.w", lambda a: a.astype(ml_dtypes.bfloat16)),
            r"  'layer0.w' must be float32\[40, 56\], found bfloat16\[40, 56\]",
        ),
        (
            put("layer0.w", lambda a: a.astype(ml_dtypes.float8_e4m3fn)),
            r"  'layer0.w' must be float32\[40, 56\], found f8_e4m3\[40, 56\]",
        ),
        (
            put("layer0.w", lambda a: a * np.nan),
            r"'layer0.w' in '.*' has nan at \(0, 0\)$",
        ),
        (
            lambda t: [t.pop(name) for name in list(t) if name.startswith("state:")],
            "has no optimizer state; give it as state=(.|\n)*'state:1/0/count' is missing",
        ),
        (
            put(
                "state:1.0.mu.layer1.w",
                lambda a: np.where(np.eye(*a.shape), np.float32("inf"), a),
            ),
            "the optimizer state '1/1/0/mu/layer1/w' of 'layer1/w' is not finite",
        ),
    ],
)
def test_dense_tensors_that_do_not_fit(step, file, change, message):
    sparsam.save_dense(file, MLP.params, MLP.state, separator=".")
    edit(file, change)
    with pytest.raises(ValueError, match=message):
        step.load(file)


def test_many_that_do_not_fit_are_cut_short(step, file):
    sparsam.save_dense(file, {f"x{i:03}": np.zeros(2) for i in range(40)})
    with pytest.raises(ValueError, match=r"does not fit the step(.|\n)*  and \d+ more$"):
        step.load(file)


def test_other_structures(step, dense_step, file):
    other = sparsam.compile(
        MLP.train_step, ARGS, structure={"layer0/w": "nm<2:4>", "layer2/w": "nm<2:4>"}
    )
    step.save(file, *step.compress(MLP.params, MLP.state))
    for found, message in [
        (other, r"'layer0/w' is stored as nm<2:8, vector = 8.*>, this step has nm<2:4"),
        (other, r"'layer1/w' is stored as low_rank<5.*>, this step has dense"),
        (other, r"'layer2/w' is stored as dense, this step has nm<2:4"),
        (dense_step, r"structure=sparsam.saved_structures\('.*step.safetensors'\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            found.load(file)
    with pytest.raises(TypeError, match="found that of another step"):
        other.save(file, *step.compress(MLP.params, MLP.state))


def test_the_text_of_a_structure_may_leave_out_defaults(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    step.save(file, p, s)
    before = metadata_of(file)["sparsam.structures"]

    def reword(texts):
        entries = json.loads(texts["sparsam.structures"])
        entries["layer0/w"]["structure"] = "nm<2:8,vector=8>"
        entries["layer1/w"]["structure"] = "low_rank< 5 >"
        texts["sparsam.structures"] = json.dumps(entries)

    edit(file, lambda tensors: None, reword)
    assert metadata_of(file)["sparsam.structures"] != before
    same(copies(step.load(file)), copies((p, s)))
    edit(
        file,
        lambda tensors: None,
        lambda texts: texts.update({"sparsam.structures": before.replace("nm<", "mn<")}),
    )
    with pytest.raises(
        ValueError, match="'layer0/w' is stored as mn<.*, this step has nm"
    ):
        step.load(file)


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_truncated_file(step, file, length):
    step.save(file, *step.compress(MLP.params, MLP.state))
    file.write_bytes(file.read_bytes()[:length])
    for read in (
        lambda: step.load(file),
        lambda: sparsam.saved_structures(file),
        lambda: sparsam.load_dense(file, MLP.params),
    ):
        with pytest.raises(
            ValueError, match="step.safetensors' is no whole safetensors file"
        ):
            read()


@pytest.mark.parametrize(
    "key, value, message",
    [
        (
            "sparsam.format",
            "2",
            "is a checkpoint of format 2; this Sparsam reads format 1",
        ),
        ("sparsam.structures", "{", "the metadata 'sparsam.structures' is damaged"),
        ("sparsam.structures", '{"w": "nm"}', "'sparsam.structures' is damaged"),
        (
            "sparsam.structures",
            '{"w": {"structure": 3}}',
            "'sparsam.structures' is damaged",
        ),
        ("sparsam.structures", None, "'sparsam.structures' is damaged"),
    ],
)
def test_damaged_metadata(step, file, key, value, message):
    step.save(file, *step.compress(MLP.params, MLP.state))

    def change(texts):
        texts.pop(key)
        if value is not None:
            texts[key] = value

    edit(file, lambda tensors: None, change)
    with pytest.raises(ValueError, match=message):
        step.load(file)


def test_no_file(step, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.safetensors"):
        step.load(tmp_path / "absent.safetensors")
    with pytest.raises(IsADirectoryError, match="is a directory, expected a safetensors"):
        step.load(tmp_path)


# Writing.


def test_what_cannot_be_saved(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    for bad, message in [
        (jax.tree.map(lambda a: a * a.dtype.type("nan") if a.ndim else a, s), "has nan"),
        (jax.tree.map(lambda a: a[None], s), "must be .*, found"),
    ]:
        with pytest.raises(ValueError, match=message):
            step.save(file, p, bad)
    with pytest.raises(TypeError, match="expected the state storage, found the params"):
        step.save(file, p, p)
    with pytest.raises(ValueError, match="the metadata key 'sparsam.format' is reserved"):
        step.save(file, p, s, metadata={"sparsam.format": "7"})
    with pytest.raises(TypeError, match=r"metadata must map text to text, found .*: 3"):
        step.save(file, p, s, metadata={"epoch": 3})
    step(p, s, *MLP.batches[0])
    with pytest.raises(RuntimeError, match="the params storage was consumed"):
        step.save(file, p, s)
    with pytest.raises(ValueError, match="single array, which has no name"):
        sparsam.save_dense(file, np.zeros(3))
    with pytest.raises(ValueError, match="two arrays would both be called 'a/b'"):
        sparsam.save_dense(file, {"a/b": np.zeros(3), "a": {"b": np.zeros(3)}})
    with pytest.raises(TypeError, match="'w' is of dtype float8_e4m3fn"):
        sparsam.save_dense(file, {"w": np.zeros(3, ml_dtypes.float8_e4m3fn)})
    assert not file.exists()


def test_the_ending_of_bundles(step, file):
    p, s = step.compress(MLP.params, MLP.state)
    path = file.with_suffix(".sparsam")
    message = (
        rf"'{path}' ends as a bundle does, .sparsam, which holds a step and no storage: "
        r"step.save\(path\); give a file of tensors another ending, .safetensors$"
    )
    with pytest.raises(ValueError, match=message):
        step.save(path, p, s)
    with pytest.raises(ValueError, match=message):
        sparsam.save_dense(path, MLP.params)
    assert not path.exists()


def test_an_interrupted_write_leaves_the_old_file(step, file, monkeypatch):
    p, s = step.compress(MLP.params, MLP.state)
    step.save(file, p, s)
    before = file.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step.save(file, p, s)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]
    with pytest.raises(FileNotFoundError) as caught:
        step.save(file.parent / "absent" / "x.safetensors", p, s)
    assert f"in the folder '{file.parent / 'absent'}'" in str(caught.value)
    assert ".tmp" not in str(caught.value) and caught.value.errno == errno.ENOENT
    with pytest.raises(IsADirectoryError, match="is a directory, expected the path of a"):
        step.save(file.parent, p, s)


def test_a_file_has_the_permissions_of_new_files(file):
    before = os.umask(0o027)
    try:
        sparsam.save_dense(file, {"w": np.zeros(3)})
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_is_written_through(file, tmp_path):
    link = tmp_path / "last.safetensors"
    sparsam.save_dense(file, {"w": np.zeros(3)})
    link.symlink_to(file)
    sparsam.save_dense(link, {"w": np.ones((2, 3)).T})
    assert link.is_symlink()
    np.testing.assert_array_equal(load_file(file)["w"], np.ones((3, 2)))
