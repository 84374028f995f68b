"""`Step.refresh` against NumPy, and training on against JAX's step of the masked model, the
mask of which changes where the step is refreshed."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import patterns
import pytest
import reference
import sparsam
from models import CONVOLUTIONAL, STACKED
from oracle import Case
from refreshing import (
    OLD,
    PARAMS,
    SHAPES,
    STATE,
    Masked,
    batch,
    close,
    compiled,
    compiled_in_half,
    gradients,
    in_half,
    loss,
    pattern_of,
    selected_mask,
    trained,
    weights,
)


@pytest.mark.parametrize("score", ["magnitude", "gradient", "movement", "array"])
@pytest.mark.parametrize("old, new", OLD.items())
def test_a_refresh_selects_by_scores_and_training_goes_on(old, new, score):
    step = compiled({"*/w": old})
    p, s = trained(step)
    before, stored = step.densify(p), (step.storage(p), step.storage(s))
    dense = weights(before)
    by_gradient = gradients(before, *batch(50))
    given = {
        path: np.random.default_rng(3).random(w.shape) - 0.5 for path, w in dense.items()
    }
    scores = {
        "magnitude": {path: np.abs(w) for path, w in dense.items()},
        "gradient": {path: np.abs(g) for path, g in by_gradient.items()},
        "movement": {path: np.abs(dense[path] * g) for path, g in by_gradient.items()},
        # Lower numbers are worse, below zero too.
        "array": {path: array + 0.5 for path, array in given.items()},
    }[score]
    step2, p2, s2 = step.refresh(
        p,
        s,
        {"*/w": new},
        score=given if score == "array" else score,
        batch=batch(50) if score in ("gradient", "movement") else None,
    )
    assert p.consumed and s.consumed and step2 is not step
    masks = {path: selected_mask(new, path, scores[path]) for path in scores}
    after = weights(step2.densify(p2))
    for path, w in after.items():
        assert step2.plan[path].structure == new
        np.testing.assert_array_equal(w, dense[path] * masks[path], path)
        lost = np.linalg.norm(dense[path] - w) / np.linalg.norm(dense[path])
        assert abs(step2.plan[path].damage - lost) < 1e-5
        check_state(path, old, new, stored, (step2.storage(p2), step2.storage(s2)))
    follow(step2, p2, s2, {path: w != 0 for path, w in dense.items()}, masks)


def check_state(path, old, new, before, after):
    """The moments of entries that stay are the same numbers; new ones are zero."""
    was, now = pattern_of(old, path), pattern_of(new, path)
    names = [name for name in before[1] if name.endswith(path)]
    assert len(names) == 2
    for name in names:
        moment = was.densify(before[1][name]["values"], was.pattern(before[0][path]))
        expected = reference.gather(now, moment, now.pattern(after[0][path]))
        np.testing.assert_array_equal(after[1][name]["values"], expected, name)


def follow(step, p, s, masks, new_masks, steps=3):
    """Both train on, JAX's model from the start."""
    oracle = Masked(masks)
    for number in range(3):
        oracle.step(*batch(number))
    oracle.switch(new_masks)
    for number in range(60, 60 + steps):
        p, s, value = step(p, s, *batch(number))
        close(value, oracle.step(*batch(number)), "loss")
    for path, dense in weights(step.densify(p)).items():
        close(dense, weights(oracle.params)[path], path)
    return p, s


def test_movement_accumulates_over_batches_and_refreshes():
    step = compiled({"*/w": "unstructured<density = 0.5>"})
    p, s = trained(step)
    acc, sums, signed, moved = None, 0.0, 0.0, None
    for number in range(20, 23):
        dense = weights(step.densify(p))["fc/w"]
        g = gradients(step.densify(p), *batch(number))["fc/w"]
        sums, signed = sums + np.abs(dense * g), signed - dense * g
        acc = step.scores(p, s, batch(number), acc=acc)
        moved = step.scores(p, s, batch(number), kind="signed_movement", acc=moved)
        if number == 21:
            # They are of the parameter's shape, whatever is stored of it.
            step, p, s = step.refresh(p, s, {"fc/w": "unstructured<density = 0.4>"})
        p, s, _ = step(p, s, *batch(number))
    assert (acc.kind, acc.steps) == ("movement", 3)
    close(acc.arrays["fc/w"], sums)
    close(moved.arrays["fc/w"], signed)
    assert (signed < 0).any()
    dense = weights(step.densify(p))["fc/w"]
    active = dense != 0
    for scores, expected in ((acc, sums), (moved, signed)):
        step, p, s = step.refresh(
            p, s, {"fc/w": "unstructured<density = 0.2>"}, score=scores
        )
        expected = np.where(active, expected - signed.min() + 1, 0)
        kept = selected_mask("unstructured<density = 0.2>", "fc/w", expected)
        now = weights(step.densify(p))["fc/w"]
        if scores is acc:
            np.testing.assert_array_equal(now != 0, kept)
            active = kept
        else:
            assert ((now != 0) == active).all()


def test_change_is_what_the_magnitude_gained():
    step = compiled({"*/w": "unstructured<density = 0.5>"})
    p, s = step.compress(PARAMS, STATE)
    start = step.scores(p, s, kind="change")
    first = weights(step.densify(p))
    for number in range(3):
        p, s, _ = step(p, s, *batch(number))
    last = weights(step.densify(p))
    step, p, s = step.refresh(p, s, {"*/w": "unstructured<density = 0.2>"}, score=start)
    for path, w in weights(step.densify(p)).items():
        gained = np.abs(last[path]) - np.abs(first[path]) + 10.0
        gained[last[path] == 0] = 0
        kept = selected_mask("unstructured<density = 0.2>", path, gained)
        np.testing.assert_array_equal(w, last[path] * kept, path)


def test_random_is_of_the_seed():
    step = compiled({"*/w": "nm<1:4>"})
    found = []
    for seed in (1, 1, 2):
        p, s = step.compress(PARAMS, STATE)
        again, p, s = step.refresh(p, s, score="random", seed=seed)
        assert again is step
        found.append(weights(step.densify(p))["fc/w"])
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_the_group_scope_keeps_alike_of_each_output():
    step = compiled({"*/w": "dense"})
    p, s = trained(step)
    w = weights(step.densify(p))["fc/w"]
    step, p, s = step.refresh(
        p, s, {"fc/w": "unstructured<density = 0.25>"}, scope="group"
    )
    now = weights(step.densify(p))["fc/w"]
    assert ((now != 0).sum(axis=0) == 4).all()
    threshold = np.sort(np.abs(w), axis=0)[-4]
    np.testing.assert_array_equal(now, np.where(np.abs(w) >= threshold, w, 0))


@pytest.mark.parametrize("scope", ["parameter", "group", "global"])
@pytest.mark.parametrize("contraction", ["bk,kn->bn", "bk,nk->bn"])
def test_every_layout_in_every_scope_by_a_view(contraction, scope):
    inputs = contraction.index("k", 2) - 3
    rng = np.random.default_rng(4)
    shape = (16, 24) if inputs == 0 else (24, 16)
    w, x = rng.standard_normal(shape), rng.standard_normal((5, 16))
    params, x = {"w": w.astype(np.float32)}, x.astype(np.float32)

    def step_fn(params, x):
        def loss(params):
            return jnp.mean(jnp.einsum(contraction, x, params["w"]) ** 2)

        grads = jax.grad(loss)(params)
        return jax.tree.map(lambda w, g: w - 0.1 * g, params, grads)

    step = sparsam.compile(
        step_fn, (params, x), state=None, structure={"w": "unstructured<density = 0.5>"}
    )
    given = rng.permutation(16 * 24).reshape(shape[::-1]).T
    new = {"w": "unstructured<density = 0.25>"}
    for score, scores in (("magnitude", None), ({"w": given}, given)):
        p = step.compress(params)
        w = np.asarray(step.densify(p)["w"])
        scores = np.abs(w) if scores is None else scores
        again, p = step.refresh(p, None, new, score=score, scope=scope)
        axis = inputs if scope == "group" else None
        share = 4 if scope == "group" else 16 * 24 // 4
        threshold = np.sort(scores, axis=axis)
        threshold = threshold[-share] if axis in (0, None) else threshold[:, -share, None]
        kept = np.where(scores >= threshold, w, 0)
        np.testing.assert_array_equal(again.densify(p)["w"], kept)
        again(p, x)


@pytest.mark.parametrize(
    "new", ["unstructured<density = 0.25>", "block<1x4, density = 0.25>"]
)
def test_the_global_scope_is_one_ranking(new):
    step = compiled({"*/w": "dense"})
    p, s = trained(step)
    before = weights(step.densify(p))
    # One layer counts for more.
    given = {"fc/w": np.abs(before["fc/w"]) * 1.3, "out/w": np.abs(before["out/w"])}
    step, p, s = step.refresh(p, s, {"*/w": new}, score=given, scope="global")
    after = weights(step.densify(p))
    size = 1 if new.startswith("u") else 4
    units = {
        path: scores.reshape(scores.shape[0], -1, size).mean(-1)
        for path, scores in given.items()
    }
    ranked = np.sort(np.concatenate([u.ravel() for u in units.values()]))[::-1]
    threshold = ranked[len(ranked) // 4 - 1]
    for path, unit in units.items():
        share = (unit >= threshold).mean()
        kept = (after[path] != 0).mean()
        if size == 1:
            assert kept == share
            kept_entries = given[path] * (given[path] >= threshold)
            np.testing.assert_array_equal(after[path] != 0, kept_entries != 0)
        else:
            rows = unit.shape[0]
            assert kept == patterns.count_at(share, rows) / rows
    assert (after["fc/w"] != 0).mean() > 0.25 > (after["out/w"] != 0).mean()
    step(p, s, *batch())


def cubic(t, start=0.9, end=0.5):
    return end + (start - end) * (1 - t) ** 3


def test_a_cubic_schedule_prunes_and_ends_dense():
    step = compiled("dense")
    p, s = step.compress(PARAMS, STATE)
    masks = {f"{name}/w": np.ones(shape, bool) for name, shape in SHAPES.items()}
    oracle, losses = Masked(masks), []
    for number in range(8):
        if number % 2 == 0:
            density = round(cubic(number / 6), 4)
            step, p, s = step.refresh(p, s, {"*/w": f"unstructured<density = {density}>"})
            dense = weights(step.densify(p))
            for w in dense.values():
                assert (w != 0).sum() == patterns.count_at(density, w.size)
            oracle.switch({path: w != 0 for path, w in dense.items()})
        p, s, value = step(p, s, *batch(number))
        losses.append((value, oracle.step(*batch(number))))
    step, p, s = step.refresh(p, s, "dense")
    assert all(choice.structure == "dense" for choice in step.plan.values())
    oracle.switch({path: np.ones_like(mask) for path, mask in masks.items()})
    for number in range(8, 11):
        p, s, value = step(p, s, *batch(number))
        losses.append((value, oracle.step(*batch(number))))
    for mine, theirs in losses:
        close(mine, theirs)
    dense = weights(step.densify(p))
    assert all((w != 0).all() for w in dense.values())
    for path, w in dense.items():
        close(w, weights(oracle.params)[path], path)


def rigl_mask(text, path, w, mask, g, fraction):
    """Evci et al. (2020), for single entries: drop by magnitude, grow by gradient among all
    that are not kept."""
    count = int(mask.sum())
    stay = count - int(np.floor(fraction * count + 0.5))
    kept = np.zeros(mask.size, bool)
    kept[np.argsort(-np.where(mask, np.abs(w), -1).ravel(), kind="stable")[:stay]] = True
    kept = kept.reshape(mask.shape)
    return selected_mask(text, path, np.where(kept, 1e6, np.abs(g)))


@pytest.mark.parametrize(
    "text", ["unstructured<density = 0.3>", "nm<2:4>", "nm<2:4, transposable>"]
)
def test_rigl_drops_and_grows(text):
    step = compiled({"*/w": text})
    p, s = trained(step)
    first = step
    oracle = Masked({path: w != 0 for path, w in weights(step.densify(p)).items()})
    for number in range(3):
        oracle.step(*batch(number))
    masks = oracle.masks
    for round_ in range(3):
        dense = step.densify(p)
        w, g = weights(dense), gradients(dense, *batch(80 + round_))
        step, p, s = step.refresh(
            p, s, score="rigl", fraction=0.3, batch=batch(80 + round_)
        )
        assert step is first
        was = masks
        stored = step.storage(p)
        masks = {
            path: reference.mask_of(
                pattern_of(text, path), pattern_of(text, path).pattern(stored[path])
            ).astype(bool)
            for path in w
        }
        for path, mask in masks.items():
            assert (mask & ~was[path]).any() and (was[path] & ~mask).any()
            if "transposable" not in text:
                expected = rigl_mask(text, path, w[path], was[path], g[path], 0.3)
                np.testing.assert_array_equal(mask, expected, path)
            now = weights(step.densify(p))[path]
            np.testing.assert_array_equal(now, np.where(mask & was[path], w[path], 0))
        oracle.switch(masks)
        for number in range(90 + 2 * round_, 92 + 2 * round_):
            p, s, value = step(p, s, *batch(number))
            close(value, oracle.step(*batch(number)), "loss")
    for path, dense in weights(step.densify(p)).items():
        close(dense, weights(oracle.params)[path], path)


def test_a_lottery_ticket_rewinds():
    """Frankle and Carbin (2019): the surviving weights start again as they were."""
    step = compiled("dense")
    p, s = trained(step)
    step, p, s = step.refresh(p, s, {"*/w": "unstructured<density = 0.2>"})
    masks = {path: w != 0 for path, w in weights(step.densify(p)).items()}
    p, s = step.compress(PARAMS, STATE, pattern=p)
    for path, w in weights(step.densify(p)).items():
        np.testing.assert_array_equal(w, weights(PARAMS)[path] * masks[path], path)
    oracle = Masked(masks)
    for number in range(3):
        p, s, value = step(p, s, *batch(number))
        close(value, oracle.step(*batch(number)))


def test_parameters_that_no_glob_matches_keep_pattern_and_factors():
    step = compiled({"fc/w": "unstructured<density = 0.5>", "out/w": "low_rank<3>"})
    p, s = trained(step)
    kept, kept_state = step.storage(p)["out/w"], step.storage(s)
    step2, p, s = step.refresh(p, s, {"fc/w": "unstructured<density = 0.25>"})
    for part, array in step2.storage(p)["out/w"].items():
        np.testing.assert_array_equal(array, kept[part], part)
    state = step2.storage(s)
    names = [name for name in state if name.endswith("out/w")]
    assert len(names) == 2
    for name in names:
        for part, array in state[name].items():
            assert np.abs(array).max() > 0
            np.testing.assert_array_equal(array, kept_state[name][part], name)
    other = compiled({"fc/w": "nm<2:4>", "out/w": "nm<2:4>"})
    p, s = trained(other)
    before = other.storage(p)["out/w"]
    other, p, s = other.refresh(p, s, {"fc/w": "nm<1:4>"}, score="random")
    for part, array in other.storage(p)["out/w"].items():
        np.testing.assert_array_equal(array, before[part])


def test_structures_that_were_there_are_not_compiled_again():
    step = compiled({"*/w": "nm<2:4>"})
    p, s = step.compress(PARAMS, STATE)
    sparser, p, s = step.refresh(p, s, {"*/w": "nm<1:4>"})
    back, p, s = sparser.refresh(p, s, {"fc/w": "nm<2:4>", "out/w": "#sparsam.nm<2:4>"})
    assert back is step
    again, p, s = back.refresh(p, s, {"*/w": "nm<1:4>"})
    assert again is sparser
    p, s, _ = again(p, s, *batch(size=5))


def test_new_entries_take_the_initial_state():
    """As Adagrad's, which starts at 0.1."""
    step = compiled({"*/w": "unstructured<density = 0.3>"})
    p, s = trained(step)
    initial = jax.tree.map(lambda a: np.full_like(a, 0.25), STATE)
    before = weights(step.densify(p))["fc/w"] != 0
    step, p, s = step.refresh(p, s, "dense", initial=initial)
    for name, parts in step.storage(s).items():
        if name.endswith("fc/w"):
            assert (parts["dense"][~before] == 0.25).all()
            assert (parts["dense"][before] != 0.25).all()


def test_gradients_are_dense():
    step = compiled({"fc/w": "nm<1:4>", "out/w": "low_rank<2>"})
    p, s = trained(step)
    found = step.gradients(p, s, batch(4, size=7))
    assert set(found) == {"fc/w", "fc/b", "out/w", "out/b"} and not p.consumed
    for path, g in gradients(step.densify(p), *batch(4, size=7)).items():
        assert np.abs(g).min() > 0
        close(found[path], g, path)


def test_a_step_without_state():
    def sgd(params, x, y):
        return jax.tree.map(
            lambda w, g: w - 0.1 * g, params, jax.grad(loss)(params, x, y)
        )

    step = sparsam.compile(
        sgd, (PARAMS, *batch()), state=None, structure={"*/w": "nm<2:4>"}
    )
    p = step.compress(PARAMS)
    step, p = step.refresh(
        p, structure={"*/w": "nm<1:4>"}, score="gradient", batch=batch()
    )
    assert (weights(step.densify(p))["fc/w"] != 0).mean() <= 0.25
    p = step(p, *batch())


@pytest.mark.parametrize("text", ["unstructured<density = 0.5>", "nm<2:4>"])
def test_each_stacked_layer_is_selected_by_itself(text):
    one = Case(STACKED["scan_mlp"](8), optax.adamw(1e-3), {})
    path = next(iter(one.model.stacked))
    step = sparsam.compile(
        one.train_step, (one.params, one.state, *one.batches[0]), structure={path: text}
    )
    p, s = step.compress(one.params, one.state)
    for b in one.batches[:2]:
        p, s, _ = step(p, s, *b)
    w = reference.paths(step.densify(p))[path]
    g = step.gradients(p, s, one.batches[3])[path]
    new = text.replace("0.5", "0.25").replace("2:4", "1:4")
    step, p, s = step.refresh(p, s, {path: new}, score="movement", batch=one.batches[3])
    now = reference.paths(step.densify(p))[path]
    scores = np.abs(w.astype(np.float64) * g)
    pattern = reference.parse(
        new, one.model.weights[path], w.shape, one.model.stacked[path]
    )
    mask = reference.mask_of(pattern, reference.select(pattern, scores))
    np.testing.assert_array_equal(now, w * mask)
    step, p, s = step.refresh(p, s, score="rigl", fraction=0.5, batch=one.batches[4])
    again = reference.paths(step.densify(p))[path]
    changed = (again != 0).sum() / (now != 0).sum()
    assert 0.4 < changed < 0.95
    step(p, s, *one.batches[5])


def test_filters_and_buffers():
    model = CONVOLUTIONAL["resnet"](4)
    path = max(model.weights, key=lambda name: len(model.weights[name]))
    one = Case(model, optax.adamw(1e-3), {path: "nm<2:4>"})
    step = one.compile()
    p, s = step.compress(one.params, one.state)
    p, s, _ = step(p, s, *one.batches[0])
    step, p, s = step.refresh(
        p, s, {path: "nm<1:4>"}, score="gradient", batch=one.batches[1]
    )
    assert "in = [" in step.pinned[path]
    w = reference.paths(step.densify(p))[path]
    assert 0 < (w != 0).mean() <= 0.25
    step(p, s, *one.batches[2])


def test_half_precision_is_rewound_cut_and_counted():
    step, params, state = compiled_in_half({"fc/w": "nm<2:4>"})
    assert step.plan["fc/w"].cost.entries == 16 * 24 // 2
    p, s = step.compress(params, state)
    selected = step.storage(p)["fc/w"]["indices"]
    for seed in range(3):
        p, s, _ = step(p, s, *in_half(batch(seed)))
    rewound, _ = step.compress(params, state, pattern=p)
    dense = np.asarray(step.densify(rewound)["fc"]["w"], np.float32)
    kept = dense != 0
    assert kept.sum() == 16 * 24 // 2
    np.testing.assert_array_equal(
        dense[kept], np.asarray(params["fc"]["w"], np.float32)[kept]
    )
    np.testing.assert_array_equal(step.storage(rewound)["fc/w"]["indices"], selected)
    sliced, params, state = compiled_in_half({"fc/w": "slice<keep = 10>"})
    p, _ = sliced.compress(params, state)
    smaller = sliced.densify(p, smaller=True)
    assert smaller["fc"]["w"].shape == (16, 10) and smaller["out"]["w"].shape == (10, 8)
