"""`Step.refresh` and `Step.compress` of factors: where the optimizer state goes."""

import jax
import numpy as np
import optax
import pytest
import reference
import sparsam
from refreshing import (
    PARAMS,
    STATE,
    batch,
    close,
    compiled,
    compiled_in_half,
    in_half,
    loss,
    pattern_of,
    selected_mask,
    train_step,
    trained,
    weights,
)


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


def of_monarch(factors, dense, power):
    blocks = dense.reshape(4, 4, 2, 12)
    r, left = factors["r"] ** power, factors["l"] ** power
    return {
        "r": np.einsum("akbn,barn->akbr", blocks, left),
        "l": np.einsum("akbr,akbn->barn", r, blocks),
    }


def of_tensor_train(factors, dense, power):
    pieces = dense.reshape(4, 4, 4, 6)
    first, second = factors["core0"] ** power, factors["core1"] ** power
    return {
        "core0": np.einsum("kanb,rab->knr", pieces, second),
        "core1": np.einsum("kanb,knr->rab", pieces, first),
    }


def of_lora(factors, dense, power):
    u, v = of_factors(factors["u"], factors["v"], dense, power)
    return {"u": 2.0**power * u, "v": 2.0**power * v}


def of_sum(factors, dense, power):
    u, v = of_factors(factors["u"], factors["v"], dense, power)
    outputs = np.arange(dense.shape[1])[:, None]
    entries = dense[factors["indices"].astype(int), outputs]
    return {"u": u, "v": v, "values": entries[..., None]}


@pytest.mark.parametrize(
    "text, project",
    [
        ("lora<4, alpha = 8>", of_lora),
        ("lora<4, alpha = 8, base = nm<2:4>>", of_lora),
        ("sum<low_rank<3>, nm<1:4>>", of_sum),
        ("monarch<[4, 2], rank = 2>", of_monarch),
        ("tensor_train<[4, 4], [4, 6], ranks = [3]>", of_tensor_train),
    ],
)
def test_each_einsum_projects_as_its_page_says(text, project):
    step = compiled({"fc/w": text})
    params, state = used_state()
    p, s = step.compress(params, state)
    factors = step.storage(p)["fc/w"]
    for power, parts in enumerate(moments(step, s), start=1):
        expected = project(factors, state[1][0][power]["fc"]["w"], power)
        assert sorted(parts) == sorted(expected)
        for name, part in parts.items():
            close(part, expected[name])


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


def trained_in_half(structure, steps=4):
    """A step in bf16, and what is stored after some of them."""
    step, params, state = compiled_in_half(structure)
    p, s = step.compress(params, state)
    for number in range(steps):
        p, s, _ = step(p, s, *in_half(batch(number)))
    return step, p, s


def copied(tree):
    return jax.tree.map(np.array, tree)


def in_f32(step, handles):
    """The numbers of handles in bf16 as those of a step in f32."""
    flat = [jax.tree.flatten(handle) for handle in step.compress(PARAMS, STATE)]
    return tuple(
        jax.tree.unflatten(
            tree, [np.array(a, b.dtype) for a, b in zip(own, like, strict=True)]
        )
        for own, (like, tree) in zip(map(jax.tree.leaves, handles), flat, strict=True)
    )


def assert_rounded_once(found, exact):
    """Off by half of the last bit of bf16, and by what f32 makes of the exact number."""
    exact = np.asarray(exact, np.float64)
    allowed = 2.0**-8 * np.abs(exact) + 1e-5 * np.abs(exact).max()
    assert found.dtype.name == "bfloat16"
    assert (np.abs(found.astype(np.float64) - exact) <= allowed).all()


@pytest.mark.parametrize(
    "text", ["low_rank<4>", "tensor_train<[4, 4], [4, 6], ranks = [5]>"]
)
def test_state_in_half_precision_is_found_in_f32(text):
    """The dense state of factors in bf16 is that of the same numbers in f32, rounded once."""
    half, p, s = trained_in_half({"fc/w": text})
    single = compiled({"fc/w": text})
    wide = in_f32(single, (p, s))
    half, _, s = half.refresh(p, s, "dense")
    single, _, wide = single.refresh(*wide, "dense")
    for found, exact in zip(moments(half, s), moments(single, wide), strict=True):
        assert_rounded_once(found["dense"], exact["dense"])
        assert np.abs(exact["dense"]).max() > 0


@pytest.mark.parametrize("rank", [2, 6])
def test_state_in_half_precision_goes_to_another_rank(rank):
    step, p, s = trained_in_half({"fc/w": "low_rank<4>"})
    before, sizes = copied((p, s)), moments(step, s)
    single = compiled({"fc/w": "low_rank<4>"})
    wide = in_f32(single, (p, s))
    single, _, wide = single.refresh(*wide, "dense")
    step, p, s = step.refresh(*before, {"fc/w": f"low_rank<{rank}>"})
    u, v = (step.storage(p)["fc/w"][part].astype(np.float64) for part in "uv")
    for power, found in enumerate(moments(step, s), start=1):
        dense = moments(single, wide)[power - 1]["dense"].astype(np.float64)
        for part, exact in zip("uv", of_factors(u, v, dense, power), strict=True):
            assert_rounded_once(found[part], exact)
            was = np.abs(sizes[power - 1][part].astype(np.float64)).max()
            assert 0.1 < np.abs(exact).max() / was < 10
    p, s, first = step(p, s, *in_half(batch(3)))
    for _ in range(8):
        p, s, last = step(p, s, *in_half(batch(3)))
    assert last < first


def test_state_in_half_precision_survives_many_refreshes():
    """Back and forth between ranks, the moments neither grow nor vanish."""
    step, p, s = trained_in_half({"fc/w": "low_rank<4>"})
    sizes = [np.abs(m["u"].astype(np.float64)).max() for m in moments(step, s)]
    for rank in (6, 4, 6, 4):
        step, p, s = step.refresh(p, s, {"fc/w": f"low_rank<{rank}>"})
        p, s, _ = step(p, s, *in_half(batch(3)))
    for moment, size in zip(moments(step, s), sizes, strict=True):
        assert 0.1 < np.abs(moment["u"].astype(np.float64)).max() / size < 10
