"""What `Step.refresh` refuses, and that it consumes nothing then."""

import jax
import numpy as np
import pytest
import sparsam
from refreshing import PARAMS, STATE, batch, compiled

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
