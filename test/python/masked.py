"""Steps with patterns against JAX's of the masked parameters."""

import jax
import jax.numpy as jnp
import numpy as np


def check_masked(step, params, batch, loss, make_step, paths=("fc", "out")):
    """Three steps of one without state. `make_step` makes the step in JAX of a loss; the
    parameters at `paths` have patterns."""
    p = step.compress(params)
    dense = step.densify(p)
    masks = {path: dense[path] != 0 for path in paths}

    def masked(params, x, y):
        kept = {path: params[path] * masks[path] for path in masks}
        return loss({**params, **kept}, x, y)

    reference = jax.jit(make_step(masked))
    expected = jax.tree.map(jnp.asarray, dense)
    for _ in range(3):
        p, found_loss = step(p, *batch)
        expected, expected_loss = reference(expected, *batch)
        np.testing.assert_allclose(found_loss, expected_loss, rtol=1e-5)
    found = step.densify(p)
    for path, value in expected.items():
        np.testing.assert_allclose(found[path], value, rtol=1e-4, atol=1e-6)
