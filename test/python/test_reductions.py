"""Optimizers that reduce over a parameter, against the oracle: norms, means, and what joins
those of all parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sparsam
from models import MODELS
from oracle import Case, check_case


def _rms(g):
    return jnp.sqrt(jnp.mean(g * g))


def _norm(g):
    return jnp.sqrt(jnp.sum(g * g))


def scale_by(scalar):
    """Divides the updates by a scalar of the whole tree."""

    def update(updates, state, params=None):
        by = 1e-3 + scalar(jax.tree.leaves(updates))
        return jax.tree.map(lambda g: g / by, updates), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def unfactored_adafactor(rate):
    """Adafactor on small tensors keeps full second moments. The empty places of factored
    ones, which a tensor and its factors have each, are left out of the state."""
    inner = optax.adafactor(rate)

    def init(params):
        first, *rest = inner.init(params)
        return first.count, first.v, *rest

    def update(updates, state, params):
        first, *_ = inner.init(params)
        first = first._replace(count=state[0], v=state[1])
        updates, (first, *rest) = inner.update(updates, (first, *state[2:]), params)
        return updates, (first.count, first.v, *rest)

    return optax.GradientTransformation(init, update)


def own_share(updates, state, params=None):
    """Each tensor by its share in the norm of all, which is own and joined work at once."""
    total = optax.tree.norm(updates)
    return jax.tree.map(lambda g: g * _norm(g) / total, updates), state


def _sgd(*before):
    return optax.chain(*before, optax.sgd(0.05, momentum=0.9))


def _count(leaves):
    return sum(g.size for g in leaves)


OPTIMIZERS = {
    "block rms": _sgd(optax.clip_by_block_rms(0.01)),
    "param block rms": _sgd(optax.scale_by_param_block_rms()),
    "param block norm": _sgd(optax.scale_by_param_block_norm()),
    "adafactor": unfactored_adafactor(1e-2),
    "lamb": optax.lamb(1e-2, weight_decay=0.1),
    "lars": optax.lars(0.05, weight_decay=0.1),
    "trust ratio": optax.chain(optax.scale_by_trust_ratio(), optax.sgd(0.05)),
    "global norm": _sgd(optax.clip_by_global_norm(0.05)),
    "sum of norms": _sgd(scale_by(lambda leaves: sum(map(_norm, leaves)))),
    "sum of means": _sgd(
        scale_by(lambda leaves: jnp.sqrt(sum(jnp.mean(g * g) for g in leaves)))
    ),
    "largest rms": _sgd(
        scale_by(lambda leaves: jnp.max(jnp.stack([_rms(g) for g in leaves])))
    ),
    "product of norms": _sgd(
        scale_by(lambda leaves: jnp.prod(jnp.stack([10 * _norm(g) for g in leaves])))
    ),
    "mean of norms": _sgd(
        scale_by(lambda leaves: jnp.mean(jnp.stack([_norm(g) for g in leaves])))
    ),
    "mean of three": _sgd(scale_by(lambda leaves: sum(map(_rms, leaves)) / len(leaves))),
    "global rms": _sgd(
        scale_by(
            lambda leaves: jnp.sqrt(sum(jnp.sum(g * g) for g in leaves) / _count(leaves))
        )
    ),
    "norm over root": _sgd(
        scale_by(lambda leaves: optax.tree.norm(leaves) / np.sqrt(_count(leaves)))
    ),
    "own share": _sgd(
        optax.GradientTransformation(lambda params: optax.EmptyState(), own_share)
    ),
    "variance": _sgd(
        optax.stateless_with_tree_map(lambda g, p: (g - g.mean()) / (1e-3 + g.std()))
    ),
    "unbiased variance": _sgd(
        optax.stateless_with_tree_map(lambda g, p: g / (1e-3 + g.std(ddof=1)))
    ),
}

TEXTS = {
    "low_rank": ["low_rank<3>"],
    "nm": ["nm<2:4, vector = 4>"],
    "mixed": ["low_rank<3>", "nm<2:4>", "low_rank<5>"],
}


def mlp_case(optimizer, structure, mark=False, seed=0):
    model = MODELS["mlp"](4)
    texts = TEXTS[structure]
    chosen = {path: texts[i % len(texts)] for i, path in enumerate(model.weights)}
    return Case(model, optimizer, chosen, seed, mark)


@pytest.mark.parametrize("structure", TEXTS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_reductions(optimizer, structure):
    if optimizer == "variance" and structure != "low_rank":
        pytest.skip("moves the entries that a pattern masks")
    mark = list(OPTIMIZERS).index(optimizer) % 2 == 0
    check_case(mlp_case(OPTIMIZERS[optimizer], structure, mark, seed=1))


def test_unit_wise_norms_are_refused_for_factors():
    with pytest.raises(sparsam.CompileError, match="not elementwise"):
        mlp_case(_sgd(optax.adaptive_grad_clip(0.1)), "low_rank").compile()


def test_unit_wise_norms_are_right_for_patterns():
    check_case(mlp_case(_sgd(optax.adaptive_grad_clip(0.1)), "nm"))


def test_a_scalar_kept_for_each_tensor_is_refused_for_factors():
    def update(updates, state, params=None):
        state = jax.tree.map(lambda n, g: 0.9 * n + _norm(g), state, updates)
        return jax.tree.map(lambda g, n: g / n, updates, state), state

    per_tensor = optax.GradientTransformation(
        lambda params: jax.tree.map(lambda p: jnp.zeros(()), params), update
    )
    with pytest.raises(sparsam.CompileError, match="one for each of its factors"):
        mlp_case(_sgd(per_tensor), "low_rank").compile()
