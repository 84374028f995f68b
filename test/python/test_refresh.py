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
from patterns import Pattern

SIZES = (16, 24, 8)
SHAPES = {"fc": (16, 24), "out": (24, 8)}
OLD = {
    "nm<2:4>": "nm<1:4>",
    "nm<2:4, vector = 4>": "nm<2:8, vector = 4>",
    "nm<2:4, transposable>": "nm<1:4, transposable>",
    "vnm<4, 2:8>": "vnm<4, 1:8>",
    "block<4x4, density = 0.5>": "block<4x4, density = 0.25>",
    "unstructured<density = 0.5>": "unstructured<density = 0.2>",
}
OPTIMIZER = optax.chain(optax.clip_by_global_norm(0.5), optax.adamw(1e-2))


def init(seed=0):
    rng = np.random.default_rng(seed)
    return {
        path: {
            "w": rng.standard_normal(shape).astype(np.float32) / 4,
            "b": rng.standard_normal(shape[1:]).astype(np.float32) / 4,
        }
        for path, shape in SHAPES.items()
    }


def batch(seed=0, size=12):
    rng = np.random.default_rng([7, seed])
    return tuple(rng.standard_normal((size, n)).astype(np.float32) for n in (16, 8))


def loss(params, x, y):
    hidden = jnp.tanh(x @ params["fc"]["w"] + params["fc"]["b"])
    return jnp.mean((hidden @ params["out"]["w"] + params["out"]["b"] - y) ** 2)


def train_step(params, state, x, y):
    value, grads = jax.value_and_grad(loss)(params, x, y)
    updates, state = OPTIMIZER.update(grads, state, params)
    return optax.apply_updates(params, updates), state, value


PARAMS, STATE = init(), OPTIMIZER.init(init())


def compiled(structure):
    return sparsam.compile(train_step, (PARAMS, STATE, *batch()), structure=structure)


def trained(step, steps=3):
    p, s = step.compress(PARAMS, STATE)
    for number in range(steps):
        p, s, _ = step(p, s, *batch(number))
    return p, s


def weights(dense):
    return {f"{name}/w": np.asarray(dense[name]["w"]) for name in SHAPES}


class Masked:
    """Training of the masked model by JAX alone, in f64."""

    def __init__(self, masks, params=PARAMS, state=STATE):
        self.masks = masks
        with jax.enable_x64(True):
            self.params = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
            self.state = jax.tree.map(
                lambda a: (
                    np.asarray(a, np.float64)
                    if np.asarray(a).dtype == np.float32
                    else np.asarray(a)
                ),
                state,
            )
        self.switch(masks)

    def apply(self, tree):
        def mask(path, leaf):
            text = jax.tree_util.keystr(path, simple=True, separator="/")
            owner = next((name for name in self.masks if text.endswith(name)), None)
            return leaf if owner is None else np.asarray(leaf) * self.masks[owner]

        return jax.tree_util.tree_map_with_path(mask, tree)

    def switch(self, masks):
        """What leaves the pattern is gone; what comes to it starts at zero."""
        self.masks = masks
        self.params, self.state = self.apply(self.params), self.apply(self.state)

    def step(self, x, y):
        with jax.enable_x64(True):

            def masked(params):
                return loss(self.apply_traced(params), x, y)

            value, grads = jax.value_and_grad(masked)(self.params)
            updates, self.state = OPTIMIZER.update(grads, self.state, self.params)
            self.params = optax.apply_updates(self.params, updates)
            return float(value)

    def apply_traced(self, tree):
        return {
            name: {**layer, "w": layer["w"] * self.masks.get(f"{name}/w", 1.0)}
            for name, layer in tree.items()
        }


def close(found, expected, what=""):
    scale = max(np.abs(expected).max(), 1e-12)
    assert np.abs(np.asarray(found, np.float64) - expected).max() <= 2e-4 * scale, what


def pattern_of(text, path):
    return Pattern(patterns.parse(text), (0,), SHAPES[path.split("/")[0]])


def selected_mask(text, path, scores):
    pattern = pattern_of(text, path)
    return reference.mask_of(pattern, reference.select(pattern, scores)).astype(bool)


def gradients(dense, x, y):
    with jax.enable_x64(True):
        dense = jax.tree.map(lambda a: np.asarray(a, np.float64), dense)
        return weights(jax.grad(loss)(dense, x, y))


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


# Scores that are not of one moment.


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


# Scopes.


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


# Schedules.


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


# What stays as it is.


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


# Factors.


def moments(step, s, path="fc/w"):
    """The first and the second moment's parts."""
    stored = step.storage(s)
    return tuple(
        next(parts for name, parts in stored.items() if f"/{kind}/{path}" in name)
        for kind in ("mu", "nu")
    )


def used_state(steps=3):
    params, state = PARAMS, STATE
    for number in range(steps):
        params, state, _ = jax.jit(train_step)(params, state, *batch(number))
    return jax.tree.map(np.asarray, params), jax.tree.map(np.asarray, state)


def of_factors(u, v, dense, power):
    """What a moment of W is for its factors."""
    return dense @ (v**power).T, (u**power).T @ dense


def test_state_that_is_not_fresh_is_projected_on_factors():
    step = compiled({"fc/w": "low_rank<4>"})
    params, state = used_state()
    p, s = step.compress(params, state)
    factors = step.storage(p)["fc/w"]
    for power, parts in enumerate(moments(step, s), start=1):
        dense = state[1][0][power]["fc"]["w"]
        u, v = of_factors(factors["u"], factors["v"], dense, power)
        close(parts["u"], u)
        close(parts["v"], v)
    # Lower moments of the same factors: what was projected comes back.
    before = moments(step, s)
    step, p, s = step.refresh(p, s, {"fc/w": "low_rank<4>"})
    for first, second in zip(before, moments(step, s), strict=True):
        for part in ("u", "v"):
            scale = np.abs(first[part]).max()
            assert np.abs(second[part] - first[part]).max() < 0.02 * scale, part


def least_squares(u, v, ofU, ofV):
    """The smallest M with M V^T and U^T M nearest to what the factors have."""
    k, n = u.shape[0], v.shape[1]
    basis = np.eye(k * n).reshape(-1, k, n)
    rows = np.concatenate(
        [(basis @ v.T).reshape(k * n, -1), (u.T @ basis).reshape(k * n, -1)], axis=1
    ).T
    target = np.concatenate([ofU.ravel(), ofV.ravel()])
    return np.linalg.lstsq(rows, target, rcond=1e-6)[0].reshape(k, n)


@pytest.mark.parametrize("text, factors", [("low_rank<5>", 5), ("low_rank<2>", 2)])
def test_another_rank(text, factors):
    """Fewer: the nearest product. More: the same product, and the new part learns."""
    step = compiled({"fc/w": "low_rank<3>"})
    p, s = trained(step)
    old, (mu, nu) = step.storage(p)["fc/w"], moments(step, s)
    product = old["u"].astype(np.float64) @ old["v"]
    step, p, s = step.refresh(p, s, {"fc/w": text})
    new, (mu2, nu2) = step.storage(p)["fc/w"], moments(step, s)
    assert new["u"].shape == (16, factors)
    u, singular, v = np.linalg.svd(product)
    nearest = (u[:, :factors] * singular[:factors]) @ v[:factors]
    close(new["u"].astype(np.float64) @ new["v"], nearest)
    dense = least_squares(
        *(a.astype(np.float64) for a in (old["u"], old["v"], mu["u"], mu["v"]))
    )
    for part, expected in zip(
        "uv", of_factors(new["u"], new["v"], dense, 1), strict=True
    ):
        assert np.abs(mu2[part] - expected).max() < 5e-3 * np.abs(expected).max()
    # Second moments stay above zero, of about the size they had.
    for part in "uv":
        assert nu2[part].min() >= 0
        assert 0.1 < nu2[part].max() / nu[part].max() < 10
    if factors > 3:
        assert np.abs(new["u"][:, 3:]).max() > 0 and not new["v"][3:].any()
    p, s, before = step(p, s, *batch(3))
    for _ in range(5):
        p, s, after = step(p, s, *batch(3))
    assert after < before
    assert np.abs(step.storage(p)["fc/w"]["v"]).max(axis=1).min() > 0


def test_factors_end_dense():
    step = compiled({"fc/w": "low_rank<3>"})
    p, s = trained(step)
    product = weights(step.densify(p))["fc/w"]
    step, p, s = step.refresh(p, s, "dense")
    np.testing.assert_array_equal(weights(step.densify(p))["fc/w"], product)
    mu, nu = moments(step, s)
    assert np.abs(mu["dense"]).max() > 0 and nu["dense"].min() >= 0
    p, s, before = step(p, s, *batch(3))
    for _ in range(3):
        p, s, after = step(p, s, *batch(3))
    assert after < before


def test_a_dynamic_pattern_keeps_all_of_its_state():
    step = compiled({"fc/w": "dynamic<nm<2:4>>"})
    params, state = used_state()
    p, s = step.compress(params, state)
    for power, parts in enumerate(moments(step, s), start=1):
        np.testing.assert_array_equal(parts["dense"], state[1][0][power]["fc"]["w"])
    step, p, s = step.refresh(p, s, {"fc/w": "dynamic<nm<1:4>>"})
    for power, parts in enumerate(moments(step, s), start=1):
        close(parts["dense"], state[1][0][power]["fc"]["w"])
    np.testing.assert_array_equal(step.storage(p)["fc/w"]["dense"], params["fc"]["w"])
    # And ends with a static pattern.
    step, p, s = step.refresh(p, s, {"fc/w": "nm<1:4>"})
    kept = selected_mask("nm<1:4>", "fc/w", params["fc"]["w"])
    np.testing.assert_array_equal(
        weights(step.densify(p))["fc/w"], params["fc"]["w"] * kept
    )
    dense = pattern_of("nm<1:4>", "fc/w")
    for power, parts in enumerate(moments(step, s), start=1):
        indices = dense.pattern(step.storage(p)["fc/w"])
        close(
            parts["values"],
            reference.gather(dense, state[1][0][power]["fc"]["w"], indices),
        )
    step(p, s, *batch())


def train_by(optimizer):
    def train_step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    return train_step


def test_fresh_state_stays_fresh():
    optimizer = optax.adagrad(0.05)
    args = (PARAMS, optimizer.init(PARAMS), *batch())
    step = sparsam.compile(train_by(optimizer), args, structure={"fc/w": "low_rank<3>"})
    p, s = step.compress(*args[:2])
    for text in ({"fc/w": "low_rank<2>"}, "dense"):
        step, p, s = step.refresh(p, s, text)
        (parts,) = (a for name, a in step.storage(s).items() if name.endswith("fc/w"))
        assert all((array == np.float32(0.1)).all() for array in parts.values())


def test_state_that_is_no_moment_of_the_gradient_is_refused():
    """RMSProp's momentum adds up steps, which do not scale with the gradient."""
    optimizer = optax.rmsprop(0.01, momentum=0.9)
    train, state = train_by(optimizer), optimizer.init(PARAMS)
    step = sparsam.compile(
        train, (PARAMS, state, *batch()), structure={"fc/w": "low_rank<3>"}
    )
    p, s = step.compress(PARAMS, state)
    p, s, _ = step(p, s, *batch())
    with pytest.raises(
        ValueError, match="'1/.*trace/fc/w' of 'fc/w' is not fresh.*low_rank<3>"
    ):
        step.refresh(p, s, {"fc/w": "low_rank<2>"})
    params, used, _ = jax.jit(train)(PARAMS, state, *batch())
    with pytest.raises(ValueError, match="trace/fc/w' of 'fc/w' is not fresh"):
        step.compress(params, used)
    step(p, s, *batch())


def test_what_is_frozen_has_no_state_to_lose_or_to_give():
    step = compiled("dense")
    p, s = trained(step)
    with pytest.raises(ValueError, match="frozen.* of 'fc/w' keeps no optimizer state"):
        step.refresh(p, s, {"fc/w": "frozen"})
    step = compiled({"fc/w": "frozen"})
    p, s = trained(step)
    with pytest.raises(ValueError, match="frozen.* of 'fc/w' keeps no optimizer state"):
        step.refresh(p, s, "dense")
    step(p, s, *batch())


# Misuse.

UNSTRUCTURED = {"*/w": "unstructured<density = 0.5>"}
BAD = np.zeros((16, 24))
BAD[3, 4] = np.nan
MISUSE = {
    "score": (dict(score="magnitud"), ValueError, "there are 'magnitude', 'gradient'"),
    "change": (dict(score="change"), ValueError, r"step\.scores\(p, kind='change'\)"),
    "scope": (
        dict(scope="layer"),
        ValueError,
        "there are 'group', 'parameter', 'global'",
    ),
    "no batch": (dict(score="gradient"), ValueError, "needs gradients: give batch"),
    "batch": (dict(batch=batch()), ValueError, "reads no batch"),
    "batch type": (
        dict(score="gradient", batch=batch()[0]),
        TypeError,
        "must be the tuple",
    ),
    "batch count": (
        dict(score="gradient", batch=batch()[:1]),
        TypeError,
        "expected 2 arg",
    ),
    "fraction": (dict(fraction=0.3), ValueError, "fraction is for score='rigl'"),
    "no fraction": (dict(score="rigl", batch=batch()), ValueError, "needs fraction="),
    "fraction range": (
        dict(score="rigl", batch=batch(), fraction=1.5),
        ValueError,
        "from 0 to 1, found 1.5",
    ),
    "rigl scope": (
        dict(score="rigl", batch=batch(), fraction=0.3, scope="global"),
        ValueError,
        "within each parameter",
    ),
    "seed": (dict(seed=3), ValueError, "seed is for score='random'"),
    "glob": (dict(structure={"nothing": "nm<2:4>"}), ValueError, "matches no parameter"),
    "family": (
        dict(structure={"fc/w": "nm<2:4>"}),
        ValueError,
        "'fc/w' is stored as unstructured.*another unstructured or to dense, not to nm<2:4>",
    ),
    "density": (
        dict(structure={"fc/w": "unstructured<density = 1.5>"}),
        sparsam.CompileError,
        "density from 0 to 1, found 1.5",
    ),
    "array missing": (
        dict(score={"fc/w": np.zeros((16, 24))}),
        ValueError,
        "no array for 'out/w'",
    ),
    "array path": (
        dict(score={"fc/v": np.zeros((16, 24))}),
        ValueError,
        "score has 'fc/v'",
    ),
    "array shape": (
        dict(score={"fc/w": np.zeros((24, 16)), "out/w": np.zeros((24, 8))}),
        ValueError,
        r"'fc/w' must be of the parameter's shape \(16, 24\), found \(24, 16\)",
    ),
    "array NaN": (
        dict(score={"fc/w": BAD, "out/w": np.zeros((24, 8))}),
        ValueError,
        r"score of 'fc/w' has nan at \(3, 4\)",
    ),
    "array type": (
        dict(score={"fc/w": np.full((16, 24), "a"), "out/w": np.zeros((24, 8))}),
        TypeError,
        "must be of numbers",
    ),
    "tree": (dict(score=[1, 2]), ValueError, "expected arrays by path"),
    "initial": (dict(initial={"m": 1}), ValueError, "of the state: expected|the state"),
}


@pytest.fixture(scope="module")
def one():
    return compiled(UNSTRUCTURED)


@pytest.mark.parametrize("arguments, error, text", MISUSE.values(), ids=list(MISUSE))
def test_misuse_is_an_error_that_consumes_nothing(one, arguments, error, text):
    p, s = one.compress(PARAMS, STATE)
    before = one.densify(p)
    with pytest.raises(error, match=text):
        one.refresh(p, s, **arguments)
    jax.tree.map(np.testing.assert_array_equal, one.densify(p), before)
    one(p, s, *batch())


def test_handles_are_those_of_the_step(one):
    p, s = one.compress(PARAMS, STATE)
    with pytest.raises(
        TypeError, match="expected the state storage, found NoneType|found N"
    ):
        one.refresh(p)
    with pytest.raises(TypeError, match="expected the params storage, found the state"):
        one.refresh(s, p)
    sparser, p2, s2 = one.refresh(p, s, {"*/w": "unstructured<density = 0.25>"})
    for use in (one.refresh, lambda p, s: one.gradients(p, s, batch())):
        with pytest.raises(RuntimeError, match="consumed"):
            use(p, s)
        with pytest.raises(TypeError, match="of another step"):
            use(p2, s2)
    with pytest.raises(RuntimeError, match="consumed"):
        one.scores(p, s, batch())


def test_scores_refuse_what_does_not_fit(one):
    p, s = one.compress(PARAMS, STATE)
    acc = one.scores(p, s, batch())
    for arguments, text in (
        (dict(kind="speed"), "there are 'movement', 'signed_movement'"),
        (dict(), "needs gradients"),
        (
            dict(batch=batch(), kind="gradient", acc=acc),
            "must be scores of kind 'gradient'",
        ),
        (dict(batch=batch(), kind="change"), "reads neither"),
    ):
        with pytest.raises(ValueError, match=text):
            one.scores(p, s, **arguments)
    assert not p.consumed


def test_global_needs_a_free_density_and_rigl_a_pattern():
    step = compiled({"*/w": "nm<2:4>"})
    p, s = step.compress(PARAMS, STATE)
    with pytest.raises(ValueError, match="scope='global' gives each parameter a density"):
        step.refresh(p, s, scope="global")
    with pytest.raises(ValueError, match="no parameter is given a pattern"):
        step.refresh(p, s, "dense", scope="global")
    step = compiled("dense")
    p, s = step.compress(PARAMS, STATE)
    with pytest.raises(ValueError, match="no parameter has a pattern"):
        step.refresh(p, s)
    with pytest.raises(ValueError, match="'fc/w' is stored as dense"):
        step.refresh(p, s, {"fc/w": "nm<2:4>"}, "rigl", batch(), fraction=0.3)


# Other models: stacked layers, filters, buffers.


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


def test_coupled_structures_are_refused():
    """A slice is one choice for several parameters: no score of one may move it."""
    sliced = compiled({"fc/w": "slice<keep = 12>"})
    p, s = sliced.compress(PARAMS, STATE)
    words = "is selected together with all of group 'fc/w:1', which refresh does not do"
    for structure in (None, {"fc/w": "slice<keep = 6>"}):
        with pytest.raises(ValueError, match=words):
            sliced.refresh(p, s, structure)
    dense = compiled("dense")
    q, t = dense.compress(PARAMS, STATE)
    with pytest.raises(ValueError, match=words):
        dense.refresh(q, t, {"fc/w": "slice<keep = 12>"})
    with pytest.raises(ValueError, match="they go to dense together or not at all"):
        sliced.refresh(p, s, {"fc/w": "dense"})
    expected = sliced.densify(p)
    step, p, s = sliced.refresh(p, s, "dense")
    jax.tree.map(np.testing.assert_array_equal, step.densify(p), expected)


def in_half(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.bfloat16), tree)


def compiled_in_half(structure):
    params = in_half(PARAMS)
    args = params, OPTIMIZER.init(params), *in_half(batch())
    return sparsam.compile(train_step, args, structure=structure), params, args[1]


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


def test_state_of_factors_in_half_precision_is_refused():
    step, params, state = compiled_in_half({"fc/w": "low_rank<4>"})
    p, s = step.compress(params, state)
    p, s, _ = step(p, s, *in_half(batch()))
    with pytest.raises(ValueError, match="state of factors in bfloat16"):
        step.refresh(p, s, {"fc/w": "low_rank<6>"})


def test_what_is_not_finite_selects_nothing():
    step = compiled({"fc/w": "nm<2:4>"})
    p, s = step.compress(PARAMS, STATE)
    broken = tuple(np.full_like(array, np.nan) for array in batch())
    with pytest.raises(ValueError, match="the scores of 'fc/w' are not finite"):
        step.refresh(p, s, score="gradient", batch=broken)
    with pytest.raises(ValueError, match="the scores of '.*' are not finite"):
        step.scores(p, s, broken)
    initial = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), STATE)
    with pytest.raises(ValueError, match="the initial state '.*' are not finite"):
        step.refresh(p, s, initial=initial)


def test_arguments_that_would_be_lost_are_refused():
    step = compiled({"fc/w": "nm<2:4>", "out/w": "low_rank<3>"})
    p, s = step.compress(PARAMS, STATE)
    with pytest.raises(ValueError, match="structure names no parameter"):
        step.refresh(p, s, {})
    with pytest.raises(ValueError, match="no parameter that changes has a pattern"):
        step.refresh(p, s, {"out/w": "low_rank<4>"}, initial=STATE)
    other = sparsam.Scores("movement", 1, {"out/w": np.ones((24, 8))})
    with pytest.raises(ValueError, match="acc has no scores of 'fc/"):
        step.scores(p, s, batch(), acc=other)
    for call in (step.scores, step.gradients):
        with pytest.raises(TypeError, match="batch must be the tuple"):
            call(p, s, batch()[0])
    with pytest.raises(ValueError, match="fraction must be from 0 to 1, found '0.3'"):
        step.refresh(p, s, score="rigl", fraction="0.3", batch=batch())
    with pytest.raises(ValueError, match="seed must be an integer of at least 0"):
        step.refresh(p, s, score="random", seed=-1)
