"""The surface of the package besides the numbers of a step."""

import inspect
import re
from pathlib import Path

import jax
import numpy as np
import pytest
import sparsam
from oracle import case

MLP = case("mlp", "adamw", "mixed", seed=1)


@pytest.fixture(scope="module")
def step():
    return MLP.compile()


def test_version():
    """That of the build, which CMake's project has."""
    project = Path(__file__).parents[2] / "CMakeLists.txt"
    (version,) = re.findall(r"project\(Sparsam VERSION (\S+)", project.read_text())
    assert sparsam.__version__ == version


def test_plan_tells_each_parameter(step):
    assert set(step.plan) == {f"layer{i}/{k}" for i in range(3) for k in "wb"}
    choice = step.plan["layer0/w"]
    assert choice.structure == "nm<2:8, vector = 8>" and "layer0/w" in choice.reason
    assert choice.cost.entries * 4 == choice.cost.dense_entries == 40 * 56
    assert choice.cost.bytes == choice.cost.entries * 4 + choice.cost.entries // 8 * 2
    assert step.plan["layer1/w"].structure == "low_rank<5>"
    assert step.plan["layer1/w"].cost.entries == 5 * (56 + 24)
    for path in ("layer2/w", "layer0/b"):
        choice = step.plan[path]
        assert (choice.structure, choice.damage) == ("dense", 0.0)
        assert choice.cost.bytes == choice.cost.dense_bytes


def test_damage_is_what_compress_lost(step):
    p, _ = step.compress(MLP.params, MLP.state)
    dense = step.densify(p)
    for path in ("layer0/w", "layer1/w"):
        layer = path.split("/")[0]
        before, after = MLP.params[layer]["w"], dense[layer]["w"]
        lost = np.linalg.norm(before - after) / np.linalg.norm(before)
        assert 0.1 < step.plan[path].damage < 1
        np.testing.assert_allclose(step.plan[path].damage, lost, rtol=1e-5)


def test_globs_cross_separators_and_the_first_match_wins():
    one = case("gpt", "nesterov", "nm vector 8")
    step = sparsam.compile(
        one.train_step,
        (one.params, one.state, *one.batches[0]),
        structure={
            "blocks/0/*c": "dense",
            "*fc": "#sparsam.nm<1:4>",
            "*/out": "low_rank<2>",
        },
    )
    chosen = {path: choice.structure for path, choice in step.plan.items()}
    assert chosen["blocks/0/fc"] == "dense" and "*c" in step.plan["blocks/0/fc"].reason
    assert chosen["blocks/1/fc"] == "nm<1:4>"
    assert chosen["blocks/0/out"] == chosen["blocks/1/out"] == "low_rank<2>"
    assert chosen["wte"] == "dense" and step.plan["wte"].reason == "no glob matches"


def test_densify_undoes_compress(step):
    p, _ = step.compress(MLP.params, MLP.state)
    dense = step.densify(p)
    assert jax.tree.structure(dense) == jax.tree.structure(MLP.params)
    kept = dense["layer0"]["w"] != 0
    np.testing.assert_array_equal(dense["layer0"]["w"], MLP.params["layer0"]["w"] * kept)
    assert kept.reshape(5, 8, 7, 8).any(axis=3).sum(axis=1).tolist() == [[2] * 7] * 5
    stored = step.storage(p)["layer1/w"]
    np.testing.assert_allclose(dense["layer1"]["w"], stored["u"] @ stored["v"], atol=1e-5)
    np.testing.assert_array_equal(dense["layer2"]["w"], MLP.params["layer2"]["w"])


def test_an_earlier_pattern_can_be_kept(step):
    """Rewinding: new weights on the pattern of old ones."""
    p, _ = step.compress(MLP.params, MLP.state)
    other = MLP.reseed(9)
    q, _ = step.compress(other.params, other.state, pattern=p)
    r, _ = step.compress(other.params, other.state)
    old, kept, fresh = (step.storage(handle)["layer0/w"] for handle in (p, q, r))
    np.testing.assert_array_equal(kept["indices"], old["indices"])
    assert not np.array_equal(fresh["indices"], old["indices"])
    mask = step.densify(p)["layer0"]["w"] != 0
    np.testing.assert_array_equal(
        step.densify(q)["layer0"]["w"], other.params["layer0"]["w"] * mask
    )
    np.testing.assert_array_equal(
        step.storage(q)["layer1/w"]["u"], step.storage(r)["layer1/w"]["u"]
    )


def test_compile_with_runs_on_the_same_storage(step):
    def evaluate(params, x, y):
        loss = MLP.model.loss(params, x, y)
        return {"loss": loss, "bits": loss / np.log(2)}

    p, s = step.compress(MLP.params, MLP.state)
    x, y = MLP.batches[0]
    bits = step.compile_with(evaluate, (MLP.params, x, y))
    for _ in range(2):
        found = bits(p, x, y)
        expected = evaluate(step.densify(p), x, y)
        assert set(found) == set(expected)
        np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
        np.testing.assert_allclose(found["bits"], expected["bits"], rtol=1e-5)
        p, s, loss = step(p, s, x, y)
        np.testing.assert_allclose(loss, expected["loss"], rtol=1e-5)


def test_compile_with_takes_a_transposed_first_use():
    """The function has the views of the step, not ones of its own."""
    one = case("mlp", "nesterov", "nm vector 8", seed=3)
    step = one.compile()
    p, _ = step.compress(one.params, one.state)
    f = step.compile_with(
        lambda y, params: y @ params["layer0"]["w"].T,
        (np.ones((2, 56), np.float32), one.params),
        1,
    )
    y = np.random.default_rng(0).standard_normal((2, 56)).astype(np.float32)
    expected = y @ step.densify(p)["layer0"]["w"].T
    np.testing.assert_allclose(f(y, p), expected, rtol=1e-4, atol=1e-5)


def test_compile_with_compiles_again_for_another_batch(step, caplog):
    evaluate = step.compile_with(MLP.model.loss, (MLP.params, *MLP.batches[0]))
    p, _ = step.compress(MLP.params, MLP.state)
    dense = step.densify(p)
    for count in (13, 4, 9, 4):
        x, y = (a[:count] for a in MLP.batches[1])
        found = evaluate(p, x, y)
        np.testing.assert_allclose(found, MLP.model.loss(dense, x, y), rtol=1e-5)
    again = [r for r in evaluate.remarks if "compiled again" in r]
    assert len(again) == 2 and "'1' is of shape (4, 40), not (13, 40)" in again[0]
    assert sum("compiled again" in r.message for r in caplog.records) == 2
    x, y = MLP.batches[0]
    for args in ((p, x[0], y), (p, x[:, :7], y)):
        with pytest.raises(ValueError, match=r"'1' must be of shape \(13, 40\), found"):
            evaluate(*args)
    with pytest.raises(TypeError, match="'1' must be of dtype float32, found float64"):
        evaluate(p, x.astype(np.float64), y)


def test_remarks_name_the_parameter_or_the_place_in_the_users_source():
    def train_step(params, state, x, y):
        params, state, loss = MLP.train_step(params, state, x, y)
        return params, state, loss, params["layer0"]["w"] * 2  # made dense

    source, first = inspect.getsourcelines(train_step)
    line = first + next(i for i, text in enumerate(source) if "made dense" in text)
    one = sparsam.compile(
        train_step,
        (MLP.params, MLP.state, *MLP.batches[0]),
        structure={"layer0/w": "nm<2:4>"},
    )
    assert "layer1/w stays dense: no structure was asked for" in one.remarks
    (dense,) = (r for r in one.remarks if "is made dense: it is returned" in r)
    assert dense.startswith(f"{__file__}:{line}:") and '"layer0/w"' in dense
    assert all(len(part) < 400 for r in one.remarks for part in r.splitlines())
    with pytest.raises(sparsam.CompileError) as error:
        sparsam.compile(
            MLP.train_step,
            (MLP.params, MLP.state, *MLP.batches[0]),
            structure={"layer0/w": "nm<1:3>"},
        )
    assert str(error.value).startswith("layer0/w: ") and "\n" not in str(error.value)


def test_ir_after_each_stage(step):
    assert "sparsam.param" in step.ir("import")
    assert "sparsam.gradient" in step.ir("find-parameters")
    assert "#sparsam.nm<2:8, vector = 8>" in step.ir("apply-structure")
    assert "sparsam.densify" in step.ir("expand-storage")
    propagated = step.ir("propagate")
    assert "sparsam.spmm" in propagated and "sparsam.sddmm" in propagated
    assert "memref" in step.ir("to-cpu") and "sparsam.spmm" not in step.ir("to-cpu")
    with pytest.raises(ValueError, match="no stage 'nonsense'.*propagate"):
        step.ir("nonsense")


def test_what_is_stored_is_small():
    """The bytes of parameters and optimizer state at 2:8 with vector 8."""
    one = case("mlp", "adamw", "nm vector 8")
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    paths = set(one.structures)

    def size(stored):
        return sum(
            a.nbytes
            for path, parts in stored.items()
            for a in parts.values()
            if any(path.endswith(name) for name in paths)
        )

    dense = sum(step.plan[path].cost.dense_bytes for path in paths)
    assert size(step.storage(p)) + size(step.storage(s)) <= 0.27 * 3 * dense
    assert p.nbytes < sum(choice.cost.dense_bytes for choice in step.plan.values())


def test_threads_that_cannot_be():
    for threads in (-1, 1 << 20):
        with pytest.raises(ValueError, match=f"from 0 to 1024, found {threads}"):
            sparsam.set_num_threads(threads)
    for threads in (1.5, "2", True, None):
        with pytest.raises(
            TypeError, match=f"an integer from 0 to 1024, found {threads!r}"
        ):
            sparsam.set_num_threads(threads)


def test_threads_can_be_set(step):
    before = sparsam.num_threads()
    try:
        x, y = MLP.batches[0]
        losses = []
        for threads in (1, 2):
            sparsam.set_num_threads(threads)
            assert sparsam.num_threads() == threads
            p, s = step.compress(MLP.params, MLP.state)
            losses.append(float(step(p, s, x, y)[2]))
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    finally:
        sparsam.set_num_threads(before)
