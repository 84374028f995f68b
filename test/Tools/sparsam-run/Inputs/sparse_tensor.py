"""make ARGS: arguments of a step of products; compare LEFT RIGHT: results that must agree."""

import sys

import numpy as np

if sys.argv[1] == "make":
    rng = np.random.default_rng(0)
    kept = (
        np.sort(rng.random((4, 4, 4)).argsort(-1)[..., :2], -1)
        + 4 * np.arange(4)[:, None]
    )
    np.savez(
        sys.argv[2],
        arg0=rng.standard_normal((5, 16)).astype(np.float32),
        arg1=rng.standard_normal((5, 4)).astype(np.float32),
        arg2=rng.standard_normal((4, 8, 1)).astype(np.float32),
        arg3=kept.reshape(4, 8).astype(np.int16),
    )
else:
    left, right = map(np.load, sys.argv[2:])
    assert set(left) == set(right) and len(left.files) == 3, (set(left), set(right))
    for name in left:
        assert np.abs(left[name]).max() > 0.1, name
        np.testing.assert_allclose(left[name], right[name], atol=1e-5, err_msg=name)
