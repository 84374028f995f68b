"""Storage as a pytree: what is put into it from outside, and who owns the arrays."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparsam
from oracle import case

MLP = case("mlp", "adamw", "mixed", seed=1)
BATCH = MLP.batches[0]


@pytest.fixture(scope="module")
def step():
    return MLP.compile()


@pytest.fixture
def handles(step):
    return step.compress(MLP.params, MLP.state)


def loss_of(step, p, s) -> float:
    return float(step(p, s, *BATCH)[2])


def with_indices(p, change):
    """The storage with the indices of layer0/w changed."""

    def edit(path, array):
        if jax.tree_util.keystr(path, simple=True) != "layer0/w/indices":
            return array
        array = np.array(array)
        change(array)
        return array

    return jax.tree_util.tree_map_with_path(edit, p)


def test_a_refused_call_consumes_nothing(step, handles):
    p, s = handles
    doubles = jax.tree.map(lambda a: a * np.float64(1) if a.ndim else a, s)
    with pytest.raises(
        ValueError,
        match=r"^'1/0/mu/layer0/b' in the state storage must be float32\[56\], "
        r"found float64\[56\]$",
    ):
        step(p, doubles, *BATCH)
    taller = jax.tree.map(lambda a: a[None], p)
    with pytest.raises(
        ValueError,
        match=r"'layer0/b' in the params storage must be .*\[56\], found .*\[1, 56\]",
    ):
        step(taller, s, *BATCH)
    with pytest.raises(ValueError, match="'layer0/b' in .* must be .*, found object"):
        step(jax.tree.map(lambda a: None, p), s, *BATCH)
    assert not any(h.consumed for h in (p, s, doubles, taller))
    step(p, s, *BATCH)


def test_a_failing_program_consumes_nothing(step, handles, monkeypatch):
    p, s = handles
    with monkeypatch.context() as patch:

        def fail(*_):
            raise RuntimeError("the program failed")

        patch.setattr(type(step._main.entry), "call", fail)
        with pytest.raises(RuntimeError, match="the program failed"):
            step(p, s, *BATCH)
    assert not p.consumed and not s.consumed
    step(p, s, *BATCH)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda i: i.__setitem__((2, 3), 60000),
            r"'layer0/w' in the params storage: indices\[2, 3\] is 60000, expected an input from 8 to 15",
        ),
        (
            lambda i: i.__setitem__((0, 0), 39),
            r"indices\[0, 0\] is 39, expected an input from 0 to 7",
        ),
        (
            lambda i: i.__setitem__((6, slice(0, 2)), [5, 2]),
            r"indices\[6, 1\] is 2, expected one above the 5 before it",
        ),
        (
            lambda i: i.__setitem__((1, slice(4, 6)), [17, 17]),
            r"indices\[1, 5\] is 17, expected one above the 17 before it",
        ),
    ],
    ids=["beyond", "another group", "descending", "twice"],
)
def test_indices_that_are_no_pattern(step, handles, change, message):
    p, s = handles
    bad = with_indices(p, change)
    evaluate = step.compile_with(MLP.model.loss, (MLP.params, *BATCH))
    for use in (
        lambda: step(bad, s, *BATCH),
        lambda: step.densify(bad),
        lambda: step.storage(bad),
        lambda: evaluate(bad, *BATCH),
        lambda: step.compress(MLP.params, MLP.state, pattern=bad),
    ):
        with pytest.raises(ValueError, match=message):
            use()
    step(p, s, *BATCH)


def test_only_storage_from_outside_is_checked(step, handles, monkeypatch):
    checked = []
    original = type(step._main).check_patterns
    monkeypatch.setattr(
        type(step._main),
        "check_patterns",
        lambda self, *rest: checked.append(1) or original(self, *rest),
    )
    p, s = handles
    p, s, _ = step(p, s, *BATCH)
    assert not checked
    p, s = jax.tree.map(jnp.asarray, (p, s))
    p_values = step.storage(p)
    p, s, _ = step(p, s, *BATCH)
    step(p, s, *BATCH)
    assert len(checked) == 2  # once a handle
    assert p_values


def test_another_pattern_put_in_by_hand_is_used(step, handles):
    p, _ = handles
    other = with_indices(p, lambda i: i.__setitem__((slice(None), slice(0, 2)), [0, 7]))
    kept = step.densify(other)["layer0"]["w"][:8] != 0
    assert kept.any(axis=1).tolist() == [True, *[False] * 6, True]


def test_not_a_number_is_the_users_own(step, handles):
    p, s = handles
    p = jax.tree.map(lambda a: a * np.nan if a.dtype.kind == "f" else a, p)
    assert np.isnan(loss_of(step, p, s))


@pytest.mark.parametrize(
    "put", [np.asarray, jnp.asarray, lambda a: np.array(a, order="F")]
)
def test_arrays_put_in_stay_as_they_are(step, handles, put):
    leaves, tree = jax.tree.flatten(handles)
    leaves = [put(np.array(leaf)) for leaf in leaves]
    before = [np.array(leaf) for leaf in leaves]
    p, s = jax.tree.unflatten(tree, leaves)
    for _ in range(3):
        p, s, loss = step(p, s, *BATCH)
    assert np.isfinite(loss)
    for leaf, old in zip(leaves, before, strict=True):
        np.testing.assert_array_equal(leaf, old)


def test_a_deleted_array_is_named(step, handles):
    p, s = jax.tree.map(jnp.asarray, handles)
    jax.tree.leaves(p)[0].delete()
    with pytest.raises(ValueError, match="'layer0/b' in .* is a JAX array that was del"):
        step(p, s, *BATCH)


def test_storage_of_another_structure_of_the_same_shapes():
    """nm<2:8> and nm<1:4> store as much; their patterns are not each other's."""
    args = (MLP.params, MLP.state, *BATCH)
    one, two = (
        sparsam.compile(MLP.train_step, args, structure={"layer0/w": text})
        for text in ("nm<2:8>", "nm<1:4>")
    )
    p, _ = one.compress(MLP.params, MLP.state)
    with pytest.raises(TypeError, match="found that of another step"):
        two.densify(p)


def test_threads_on_one_handle_and_on_their_own(step):
    """Of two calls with one handle one wins; calls with handles of their own all work."""
    p, s = step.compress(MLP.params, MLP.state)
    expected = loss_of(step, *step.compress(MLP.params, MLP.state))
    own = [step.compress(MLP.params, MLP.state) for _ in range(4)]
    outcomes, barrier = [], threading.Barrier(8)

    def work(p, s):
        barrier.wait()
        try:
            outcomes.append(loss_of(step, p, s))
        except RuntimeError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=work, args=h) for h in [*own, *[(p, s)] * 4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [o for o in outcomes if isinstance(o, float)] == [expected] * 5
    refused = [o for o in outcomes if isinstance(o, str)]
    assert len(refused) == 3 and all("was consumed by a step" in o for o in refused)


def test_a_consumed_half_gives_the_other_back(step, handles):
    p, s = handles
    q, _ = step.compress(MLP.params, MLP.state)
    step(q, s, *BATCH)
    with pytest.raises(RuntimeError, match="the state storage was consumed"):
        step(p, s, *BATCH)
    assert not p.consumed
