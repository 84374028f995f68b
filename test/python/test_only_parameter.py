"""A norm over the only parameter that has a gradient: global if that is known, per tensor if
it is searched for."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from models import Model
from oracle import Case, check_case


def clip_each(largest):
    """What `optax.clip_by_global_norm` does, for each tensor alone."""

    def clip(updates, state, params=None):
        def one(g):
            norm = jnp.sqrt(jnp.sum(g * g))
            return jnp.where(norm < largest, g, (g / norm) * largest)

        return jax.tree.map(one, updates), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), clip)


GLOBAL = optax.chain(optax.clip_by_global_norm(0.05), optax.sgd(0.5))
PER_TENSOR = optax.chain(clip_each(0.05), optax.sgd(0.5))


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def regression(mark):
    model = Model(
        "regression",
        lambda rng: {"w": normal(rng, 20, 12) / 4},
        lambda rng: (normal(rng, 5, 20), normal(rng, 5, 12)),
        lambda params, x, y: jnp.mean((jnp.tanh(x @ params["w"]) - y) ** 2),
        {"w": (0,)},
    )
    return Case(model, GLOBAL, {"w": "low_rank<3>"}, 2, mark)


@pytest.mark.parametrize(
    "mark, right, wrong, remark",
    [
        (True, GLOBAL, PER_TENSOR, "counts as global"),
        (False, PER_TENSOR, GLOBAL, "counts as one for each tensor"),
    ],
    ids=["marked", "unmarked"],
)
def test_the_mark_decides(mark, right, wrong, remark, searched):
    case = regression(mark)
    step = case.compile()
    assert any(remark in line for line in step.remarks)
    check_case(dataclasses.replace(case, optimizer=right), step)
    with pytest.raises(AssertionError, match="error"):
        check_case(dataclasses.replace(case, optimizer=wrong), step)
