"""Steps that were compiled ahead of time: the same numbers, without LLVM."""

import json
import pickle
import platform
import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from oracle import case
from safetensors import safe_open
from sparsam import _core

STEPS = 3
DENSE, PRUNED = (case("mlp", "adamw", mix, seed=1) for mix in ("dense", "mixed"))


def equal(handle, other) -> bool:
    arrays = zip(handle.arrays(), other.arrays(), strict=True)
    return all(np.array_equal(*pair) for pair in arrays)


@pytest.fixture(scope="module", params=[DENSE, PRUNED], ids=["dense", "mixed"])
def saved(request, tmp_path_factory):
    """A case, its step, and the bundle of it."""
    step = request.param.compile()
    path = tmp_path_factory.mktemp("bundles") / "step.sparsam"
    step.save(path)
    return request.param, step, path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A step of a parameter w, without state, and its bundle."""

    def train(w, x):
        return w - 0.5 * (w @ x), w.sum()

    args = np.eye(4, dtype=np.float32), np.ones((4, 4), np.float32)
    step = sparsam.compile(train, args, state=None)
    path = tmp_path_factory.mktemp("small") / "step.sparsam"
    step.save(path, cpu="host")
    return step, args, path


def test_bit_identical(saved):
    one, step, path = saved
    loaded = sparsam.load(path)
    mine, theirs = (step.compress(one.params, one.state) for _ in range(2))
    for batch in one.batches[:STEPS]:
        *mine, expected = step(*mine, *batch)
        *theirs, found = loaded(*theirs, *batch)
        assert expected == found and type(expected) is type(found)
    assert equal(mine[0], theirs[0]) and equal(mine[1], theirs[1])
    # Storage goes from one to the other.
    *mine, expected = loaded(*mine, *batch)
    *theirs, found = step(*theirs, *batch)
    assert expected == found and equal(mine[0], theirs[0])
    assert loaded.structures == step.pinned


SEPARATE = """
import pickle, sys
import sparsam

loaded = sparsam.load(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    handles, batch = pickle.load(file)
*handles, loss = loaded(*handles, *batch)
print(repr(float(loss)))
sparsam.set_num_threads(1)
assert sparsam.num_threads() == 1
with open("/proc/self/maps") as maps:
    files = {line.split()[-1] for line in maps}
print([file for file in files if "libLLVM" in file or "libMLIR" in file or "libSparsam.so" in file])
assert any("libSparsamRuntime" in file for file in files)
"""


def test_without_llvm(saved, tmp_path):
    one, step, path = saved
    handles, batch = step.compress(one.params, one.state), one.batches[0]
    (tmp_path / "args").write_bytes(pickle.dumps((handles, batch)))
    ran = subprocess.run(
        [sys.executable, "-c", SEPARATE, path, tmp_path / "args"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    loss, libraries = ran.stdout.splitlines()
    assert float(loss) == float(step(*handles, *batch)[2])
    assert libraries == "[]"


def run_tool(*arguments) -> subprocess.CompletedProcess:
    command = ["sparsam-run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_from_the_command_line(saved, tmp_path):
    """Without a function's name it is the step that runs; without arrays, on made-up ones."""
    one, step, path = saved
    ran = run_tool(path, "--steps", 2)
    assert ran.returncode == 0, ran.stderr
    assert "inputs of 'main' are random" in ran.stderr
    loss = float(re.search(r"^2 = (.*)$", ran.stdout, re.MULTILINE)[1])
    assert np.isfinite(loss) and "2 steps, ms a step" in ran.stdout

    handles, batch = step.compress(one.params, one.state), one.batches[0]
    arrays = {str(2 + number): np.asarray(each) for number, each in enumerate(batch)}
    for handle in handles:
        for slot, array in zip(handle.layout.slots, handle.arrays(), strict=True):
            name = slot.name if slot.part == "dense" else f"{slot.name}/{slot.part}"
            arrays[name] = np.array(array)
    np.savez(tmp_path / "args.npz", **arrays)
    files = "--args", tmp_path / "args.npz", "--results", tmp_path / "out.npz"
    ran = run_tool(path, *files)
    assert ran.returncode == 0, ran.stderr
    *handles, loss = step(*handles, *batch)
    found = np.load(tmp_path / "out.npz")
    assert found["2"] == loss
    for slot, array in zip(handles[0].layout.slots, handles[0].arrays(), strict=True):
        if slot.part in ("dense", "values"):
            name = slot.name if slot.part == "dense" else f"{slot.name}/{slot.part}"
            np.testing.assert_array_equal(found[name], array)


def test_what_is_compiled_loads_llvm():
    code = "import sparsam; sparsam._lower._core.check_cpu('host'); " + (
        "assert 'libLLVM' in open('/proc/self/maps').read()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_donation(small):
    step, args, path = small
    loaded = sparsam.load(path)
    p = step.compress(args[0])
    after, _ = loaded(p, args[1])
    assert p.consumed
    for again in (step, loaded):
        with pytest.raises(RuntimeError, match="was consumed by a step"):
            again(p, args[1])
    with pytest.raises(ValueError, match="must be of shape"):
        loaded(after, np.ones((4, 3), np.float32))
    assert not after.consumed
    loaded(after, args[1])


def test_arrays_of_all_kinds(small):
    step, args, path = small
    loaded = sparsam.load(path)
    p = step.compress(args[0])
    for x in (args[1], jnp.asarray(args[1]), args[1].T):
        p, total = loaded(p, x)
    assert isinstance(total, np.ndarray) and total.shape == ()
    with pytest.raises(TypeError, match="argument '1' must be of dtype float32"):
        loaded(p, args[1].astype(np.float64))
    with pytest.raises(TypeError, match="argument '1'.*found a list of 1"):
        loaded(p, [args[1]])
    with pytest.raises(TypeError, match="expected params first, found 0 values"):
        loaded()
    with pytest.raises(TypeError, match="found ndarray"):
        loaded(*args)


def test_other_storage(small, saved):
    _, step, _ = saved
    one = saved[0]
    p = step.compress(one.params, one.state)[0]
    with pytest.raises(TypeError, match="that of another step"):
        sparsam.load(small[2])(p, small[1][1])


@pytest.mark.parametrize(
    "text, change, message",
    [
        ("nm<2:4>", (0, 1, 7), r"indices\[0, 1\] is 7, expected an input from 0 to 3"),
        ("nm<1:4, transposable>", (0, 0, None), "times, expected 1"),
        (
            "block<2x2, density = 0.5>",
            (1, 0, 9),
            r"indices\[1, 0\] is 9, expected a block of inputs from 0 to 3",
        ),
        (
            "vnm<4, 2:4>",
            (0, 3, 9),
            r"columns\[0, 3\] is 9, expected an input from 0 to 3",
        ),
        ("unstructured<density = 0.5>", (0, 9), r"positions\[0\] is 9, expected 0"),
        (
            "sum<low_rank<1>, nm<1:4>>",
            (2, 1, 9),
            r"indices\[2, 1\] is 9, expected an input from 4 to 7",
        ),
    ],
)
def test_indices_from_outside(text, change, message, tmp_path):
    """Refused as a step refuses them, by the rules in the bundle."""

    def train(w, x):
        return jax.tree.map(lambda a, b: a - 0.1 * b, w, jax.grad(loss)(w, x))

    def loss(w, x):
        return ((x @ w["w"]) ** 2).sum()

    w = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    args = {"w": w}, np.ones((4, 8), np.float32)
    step = sparsam.compile(train, args, state=None, structure={"w": text})
    step.save(tmp_path / "step.sparsam", cpu="host")
    loaded = sparsam.load(tmp_path / "step.sparsam")
    p = step.compress(args[0])
    *place, value = change

    def spoil(array):
        array = np.array(array)
        if array.dtype.kind == "u" and not spoilt:
            old = array[tuple(place)]
            array[tuple(place)] = (old + 1) % 4 if value is None else value
            spoilt.append(True)
        return array

    for run in (step, loaded):
        spoilt = []
        bad = jax.tree.map(spoil, p)
        with pytest.raises(ValueError, match=f"'w' in the params storage: .*{message}"):
            run(bad, args[1])
    loaded(jax.tree.map(np.array, p), args[1])


def test_trees_of_other_types(tmp_path):
    """A Flax state, a random key and a Python number in the batch."""
    from flax.training.train_state import TrainState

    ts = TrainState.create(
        apply_fn=None, params={"w": jnp.ones((4, 4))}, tx=optax.adam(0.1)
    )

    def train(ts, key, batch):
        x = batch["x"] + batch["by"] * jax.random.normal(key, (4, 4))
        loss, grads = jax.value_and_grad(lambda p: ((x @ p["w"]) ** 2).sum())(ts.params)
        return ts.apply_gradients(grads=grads), {"loss": loss, "key": key}

    batch = {"x": np.ones((4, 4), np.float32), "by": 0.5}
    args = ts, jax.random.key(3), batch
    step = sparsam.compile(train, args, params="0/params", state="0")
    step.save(tmp_path / "step.sparsam", cpu=["host"])
    loaded = sparsam.load(tmp_path / "step.sparsam")
    mine, theirs = (step.compress(ts.params, ts) for _ in range(2))
    *mine, expected = step(*mine, *args[1:])
    *theirs, found = loaded(*theirs, *args[1:])
    assert expected["loss"] == found["loss"] and equal(mine[1], theirs[1])
    assert jax.random.key_data(found["key"]).tolist() == [0, 3]
    with pytest.raises(TypeError, match="argument '1' must be of dtype key<fry>"):
        loaded(*theirs, jax.random.key(3, impl="rbg"), batch)


def test_cpus(small, tmp_path):
    step, args, _ = small
    path = tmp_path / "two.sparsam"
    step.save(path, cpu=["host", "generic", "host"])
    loaded = sparsam.load(path)
    assert len(loaded.cpus) == 2 and loaded.cpu in loaded.cpus
    assert loaded.cpus[1] == "generic"
    loaded(step.compress(args[0]), args[1])
    step.save(path)
    assert sparsam.load(path).cpus != loaded.cpus


def test_compiled_for_another_cpu():
    def train(w, x):
        return w - x

    args = np.ones((4, 4), np.float32), np.ones((4, 4), np.float32)
    step = sparsam.compile(train, args, state=None, cpu="generic")
    assert step.cpu == "generic" and 'sparsam.cpu = "generic"' in step.ir("to-cpu")
    np.testing.assert_array_equal(step.densify(step(step.compress(args[0]), args[1])), 0)
    with pytest.raises(
        ValueError, match="there is no CPU 'i9'; some that there are: host"
    ):
        sparsam.compile(train, args, state=None, cpu="i9")
    absent = "bdver4" if "x86" in _core.default_cpus()[0] else "a64fx"
    with pytest.raises(sparsam.CompileError, match=f"code for CPU '{absent}': it lacks"):
        sparsam.compile(train, args, state=None, cpu=absent)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="others have it")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "text", ["nm<2:4>", "nm<2:8, vector = 8>", "block<8x8, density = 0.5>"]
)
def test_without_fused_multiply_adds(text, dtype):
    """As the dense step on the pattern in f64, and one remark says that there are none."""

    def train(w, x):
        grad = jax.grad(lambda w: jnp.square(jnp.tanh(x @ w)).mean())(w)
        return w - 30 * grad, jnp.square(jnp.tanh(x @ w)).mean()

    rng = np.random.default_rng(0)
    w, x = (jnp.asarray(rng.standard_normal((32, 32)) / 4, dtype) for _ in range(2))
    step = sparsam.compile(train, (w, x), state=None, structure={"*": text}, cpu="x86-64")
    p = step.compress(w)
    w, x = np.asarray(step.densify(p), np.float64), np.asarray(x, np.float64)
    p, loss = step(p, x.astype(dtype))
    y = np.tanh(x @ w)
    grad = x.T @ (2 * y * (1 - y**2)) / y.size
    pairs = [(step.densify(p), w - 30 * grad * (w != 0)), (loss, (y**2).mean())]
    for found, expected in pairs:
        error = np.abs(np.asarray(found, np.float64) - expected).max()
        assert error < 8 * float(jnp.finfo(dtype).eps) * np.abs(expected).max()
    remarks = [text for text in step.remarks if "no fused multiply-add" in text]
    assert len(remarks) == 1 and "CPU 'x86-64'" in remarks[0]


def test_version(small):
    manifest = json.loads((small[2] / "manifest.json").read_text())
    assert manifest["sparsam"] == sparsam.__version__


def test_what_save_refuses(small, tmp_path):
    step, args, _ = small
    p = step.compress(args[0])
    with pytest.raises(ValueError, match=r"'.*step.safetensors' must end in .sparsam"):
        step.save(tmp_path / "step.safetensors")
    with pytest.raises(TypeError, match="cpu= is for a bundle"):
        step.save(tmp_path / "step.safetensors", p, cpu="host")
    with pytest.raises(TypeError, match="saved with its parameters"):
        step.save(tmp_path / "step.sparsam", metadata={"a": "b"})
    with pytest.raises(ValueError, match="there is no CPU 'i9'"):
        step.save(tmp_path / "step.sparsam", cpu=["host", "i9"])
    with pytest.raises(ValueError, match=r"cpu=\[\]: name at least one"):
        step.save(tmp_path / "step.sparsam", cpu=[])
    with pytest.raises(sparsam.CompileError, match="cannot write it"):
        step.save(tmp_path / "no" / "where.sparsam", cpu="host")
    assert list(tmp_path.iterdir()) == []


def test_trees_that_cannot_be_saved(tmp_path):
    class Local(tuple):
        __slots__ = ()

    jax.tree_util.register_pytree_node(
        Local, lambda node: (tuple(node), None), lambda _, children: Local(children)
    )
    args = np.ones(4, np.float32), Local([np.ones(4, np.float32)])
    step = sparsam.compile(lambda w, x: w - x[0], args, state=None)
    with pytest.raises(
        ValueError, match="the tree of the batch cannot be saved: .*Local"
    ):
        step.save(tmp_path / "step.sparsam")
    assert list(tmp_path.iterdir()) == []


def test_trees_of_types_that_are_gone(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "passing.py").write_text(
        "from typing import NamedTuple\nclass Pair(NamedTuple):\n    x: object\n"
    )
    import passing

    args = np.ones(4, np.float32), passing.Pair(np.ones(4, np.float32))
    step = sparsam.compile(lambda w, pair: w - pair.x, args, state=None)
    step.save(tmp_path / "step.sparsam", cpu="host")
    loaded = sparsam.load(tmp_path / "step.sparsam")
    assert not np.any(step.densify(loaded(step.compress(args[0]), args[1])))
    monkeypatch.delattr(passing, "Pair")
    with pytest.raises(ValueError, match="a tree of it cannot be restored.*Pair"):
        sparsam.load(tmp_path / "step.sparsam")


def test_what_load_refuses(small, tmp_path):
    with pytest.raises(OSError, match="there is nothing of that name"):
        sparsam.load(tmp_path / "none.sparsam")
    path = tmp_path / "step.sparsam"
    small[0].save(path, cpu="host")
    manifest = json.loads((path / "manifest.json").read_text())
    (variant,) = manifest["variants"]
    variant["features"].append("flux")
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(OSError, match="none of its code runs on this machine.*flux"):
        sparsam.load(path)
    small[0].save(path, cpu="host")
    text = (path / "python.json").read_text()
    (path / "python.json").write_text(text.replace("jax", "jix"))
    with pytest.raises(OSError, match=r"'python.json' is damaged"):
        sparsam.load(path)
    _core.Module.write_bundle(str(path), [(compiled(), "host")], {})
    with pytest.raises(
        ValueError, match="was not made by Step.save; sparsam-run takes it"
    ):
        sparsam.load(path)
    _core.Module.write_bundle(
        str(path),
        [(compiled(), "host")],
        {"python.json": '{"format": 1, "framework": "jax"}'},
    )
    with pytest.raises(ValueError, match="its python.json is damaged: KeyError"):
        sparsam.load(path)
    newer = text.replace('"format": 1', '"format": 2')
    _core.Module.write_bundle(str(path), [(compiled(), "host")], {"python.json": newer})
    with pytest.raises(ValueError, match="format 2, and this Sparsam reads format 1"):
        sparsam.load(path)


def compiled() -> _core.Module:
    return _core.Module.parse(
        "func.func @step() attributes {llvm.emit_c_interface} { return }"
    )


def test_checkpoints(saved, tmp_path):
    """From the step to the one that is loaded, and back."""
    one, step, path = saved
    loaded, file = sparsam.load(path), tmp_path / "step.safetensors"
    step.save(file, *step.compress(one.params, one.state))
    handles = loaded.load(file)
    *handles, _ = loaded(*handles, *one.batches[0])
    loaded.save(file, *handles, metadata={"steps": "1"})
    mine = step.load(file)
    assert equal(mine[0], handles[0]) and equal(mine[1], handles[1])
    other = tmp_path / "other.safetensors"
    step.save(other, *mine, metadata={"steps": "1"})
    with safe_open(file, "np") as theirs, safe_open(other, "np") as own:
        assert theirs.metadata() == own.metadata()
        assert theirs.metadata()["steps"] == "1"
    with pytest.raises(TypeError, match="expected the params storage, found the state"):
        loaded.save(file, handles[1])
    sparsam.save_dense(other, one.params)
    with pytest.raises(ValueError, match="is dense there, and .* in the step|is missing"):
        loaded.load(other)


def test_checkpoints_of_other_indices(tmp_path):
    args = np.eye(8, dtype=np.float32), np.ones((8, 8), np.float32)
    step = sparsam.compile(
        lambda w, x: w - 0.1 * jax.grad(lambda w: ((x @ w) ** 2).sum())(w),
        args,
        state=None,
        structure={"*": "nm<2:4>"},
    )
    step.save(tmp_path / "step.sparsam", cpu="host")
    p = step.compress(args[0])
    for part in p.arrays():
        if part.dtype.kind == "u":
            part[0, 0] = 9
    step.save(tmp_path / "bad.safetensors", p)
    with pytest.raises(
        ValueError, match=r"indices\[0, 0\] is 9, expected an input from 0"
    ):
        sparsam.load(tmp_path / "step.sparsam").load(tmp_path / "bad.safetensors")
