"""Loops that carry values twice, under each other's names, through loops inside: in
buffers of their own, with the numbers of JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparsam

SHAPE = (4, 3)


def put(a, i, value):
    return a.at[i % 4].set(value)


def put_part(a, i, rows):
    return jax.lax.dynamic_update_slice_in_dim(a, rows, i, 0)


def mix(a, b):
    return 0.5 * a - 0.25 * b + 0.125


def fori(body, *init):
    return jax.lax.fori_loop(0, 3, lambda i, c: body(i, *c), init)


def while_(body, *init):
    def step(c):
        return c[0] + 1, body(c[0], *c[1])

    return jax.lax.while_loop(lambda c: c[0] < 3, step, (0, init))[1]


def while_value(body, *init):
    """Its condition reads what is carried."""

    def step(c):
        return c[0] + 1, body(c[0], *c[1])

    def more(c):
        return (c[0] < 3) & (c[1][0].sum() < 1e6)

    return jax.lax.while_loop(more, step, (0, init))[1]


def scan(body, *init):
    """Stacks the last of what is carried."""

    def step(c, i):
        return body(i, *c), c[-1]

    carried, stacked = jax.lax.scan(step, init, jnp.arange(3))
    return (*carried[:-1], carried[-1] + stacked[1])


LOOPS = {"fori": fori, "while": while_, "while value": while_value, "scan": scan}


def inside(update):
    """A loop inside that starts from `init`, as one value."""
    return lambda loop, init: loop(lambda i, c: (update(i, c),), init)[0]


grown = inside(lambda i, c: put(c, i, c[(i + 1) % 4] * 0.5 + 1))
rewritten = inside(lambda i, c: 0.5 * c + 1)

BODIES = {
    "fresh at both": lambda loop, i, a, b: (mix(a, b),) * 2,
    "old at both": lambda loop, i, a, b: (a, a),
    "update at both": lambda loop, i, a, b: (put(a, i, b[0]),) * 2,
    "update elsewhere": lambda loop, i, a, b: (b, put(a, i, b[0])),
    "updates swapped": lambda loop, i, a, b: (put(b, i, a[0]), put(a, i, b[0])),
    "update and old": lambda loop, i, a, b: (put(a, i, 2.0), a),
    "two updates": lambda loop, i, a, b: (put(a, i, 2.0), put(a, i + 1, 3.0)),
    "update of update": lambda loop, i, a, b: (
        put(put(a, i, 2.0), i + 1, b[0]),
        put(a, i, 2.0),
    ),
    "update of a view": lambda loop, i, a, b: (
        (flat := a.reshape(-1).at[1].add(0.25)).reshape(SHAPE),
        flat.at[2].add(b[0, 0]).reshape(SHAPE),
    ),
    "inner from another": lambda loop, i, a, b: (grown(loop, b), b),
    "inner swapped": lambda loop, i, a, b: (grown(loop, b), rewritten(loop, a)),
    "inner at both": lambda loop, i, a, b: (grown(loop, a),) * 2,
    "inner beside its start": lambda loop, i, a, b: (rewritten(loop, a), a + b),
    "inner of an update": lambda loop, i, a, b: (b, grown(loop, put(a, i, b[0]))),
    "inner rotates": lambda loop, i, a, b: loop(lambda j, c, d: (d, c), b, a),
    "inner from one twice": lambda loop, i, a, b: loop(
        lambda j, c, d: (put(d, j, c[0]), mix(c, d)), a, a
    ),
    "inner drops one": lambda loop, i, a, b: loop(
        lambda j, c, d: (put(d, i, b[0]), d), a, b
    ),
    "inner puts parts into another": lambda loop, i, a, b: (
        loop(lambda j, c: (put_part(b, j, jnp.tanh(c[1:3])),), a)[0],
        b + 0.5,
    ),
    "inner puts parts into its start": lambda loop, i, a, b: (
        loop(lambda j, c: (put_part(a, j, 0.9 * c[1:3] + b[:2]),), a)[0],
        mix(a, b),
    ),
    "branches": lambda loop, i, a, b: (
        jax.lax.cond(b[0, 0] > a[0, 0], lambda: put(a, i, b[0]), lambda: a),
        mix(a, b),
    ),
    "branches swap": lambda loop, i, a, b: jax.lax.cond(
        b[0, 0] > a[0, 0], lambda: (put(b, i, a[0]), a), lambda: (a, b)
    ),
    "branches update one or the other": lambda loop, i, a, b: jax.lax.cond(
        b[0, 0] > a[0, 0],
        lambda: (put(a, i, b[0]), b),
        lambda: (b, put(b, i, a[1])),
    ),
    "branches hand on slices": lambda loop, i, a, b: jax.lax.cond(
        b[0, 0] > a[0, 0],
        lambda: (put_part(a, 0, b[1:3]), a),
        lambda: (
            put_part(b, i, jax.lax.cond(i > 0, lambda: a[0:2], lambda: 2 * b[1:3])),
            b,
        ),
    ),
    "branches hand on slices of one shape": lambda loop, i, a, b: (
        put(a, i, 2 * jax.lax.switch(i % 3, [lambda n=n: b[n] for n in range(3)])),
        mix(b, jax.lax.cond(a[0, 0] > 0, lambda: a, lambda: b)[::-1]),
    ),
    "branches in branches hand on slices": lambda loop, i, a, b: (
        put_part(
            b,
            i,
            jax.lax.cond(
                a[0, 0] > 0,
                lambda: jax.lax.cond(b[0, 0] > 0, lambda: a[0:2], lambda: a[1:3]),
                lambda: 3 * b[0:2],
            ),
        ),
        a,
    ),
    "cases swap and update": lambda loop, i, a, b: jax.lax.switch(
        i % 3,
        [
            lambda: (a, b),
            lambda: (b, a),
            lambda: (put(b, i, a[0]), put(a, i, b[0])),
        ],
    ),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("loop", LOOPS)
def test_carried(loop, body):
    def run(a, b):
        return LOOPS[loop](lambda i, *c: BODIES[body](LOOPS[loop], i, *c), a, b)

    def step(params, x, y):
        # From one value, from a parameter that the result updates, from two.
        new, left = run(params["w"], y)
        return {"w": new}, (left, run(x, x), run(x, y))

    check(step)


@pytest.mark.parametrize("loop", LOOPS)
def test_parts_of_what_is_from_outside(loop):
    """Each iteration puts its part into the same tensor, which stays as it was."""

    def step(params, x, y):
        w = params["w"]
        base = jnp.tanh(w * y)

        def run(start, base):
            return LOOPS[loop](lambda i, c: (put_part(base, i, 0.9 * c[1:3]),), start)[0]

        return {"w": run(x, w)}, (run(x, base), run(base, base), base)

    check(step)


@pytest.mark.parametrize("loop", LOOPS)
def test_branches_around_loops(loop):
    """What branches read and write in no order that keeps it in one place."""

    def body(i, a, b, c):
        new = a.T.reshape(SHAPE) * 0.7

        def put_rotated():
            inner = LOOPS[loop](lambda j, d: (jnp.roll(d, 1, 0),), new)
            return put(c, i, inner[0][0])

        chosen = jax.lax.cond(new[0, 0] > b[1, 1], put_rotated, lambda: new)
        return 0.9 * chosen, new, 0.9 * c

    def step(params, x, y):
        new, *left = LOOPS[loop](body, params["w"], x, y)
        return {"w": new}, left

    check(step)


def check(step):
    rng = np.random.default_rng(0)
    w, x, y = (rng.standard_normal(SHAPE).astype(np.float32) for _ in range(3))
    compiled = sparsam.compile(step, ({"w": w}, x, y), state=None)
    p, others = compiled(compiled.compress({"w": w}), x, y)
    expected = jax.jit(step)({"w": w}, x, y)
    for found, wanted in zip(
        jax.tree.leaves((compiled.densify(p), others)),
        jax.tree.leaves(expected),
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
