"""What the benchmarks compare steps with structures with."""

import jax
import numpy as np
import pytest
from data import Wrong
from networks import Gpt
from networks_jax import step_of
from references import Reference, compare, leaves

MODEL = Gpt(width=16, heads=2, layers=1, vocab=11, context=4, batch=2)
BATCHES = [MODEL.batch_of(number) for number in range(3)]


def masked():
    """Parameters of which one has half of its entries, and how they train."""
    params = MODEL.init()
    fc = params["blocks"][0]["fc"]
    mask = np.arange(fc.size).reshape(fc.shape) % 2 == 0
    params["blocks"][0]["fc"] = fc * mask
    storage = {path: {"dense": leaf} for path, leaf in leaves(params).items()}
    storage["blocks/0/fc"] = {"values": None, "indices": None}
    reference = Reference(MODEL, params, storage, {"blocks/0/fc": "nm<1:2>"})
    return params, reference


def trained(reference):
    losses = [reference.step(*batch) for batch in BATCHES]
    return losses, reference.now()


def as_tree(params, found):
    tree = jax.tree_util.tree_structure(params)
    return jax.tree_util.tree_unflatten(tree, list(map(np.asarray, found.values())))


def test_a_step_that_trains_the_same():
    params, reference = masked()
    losses, after = trained(reference)
    found = compare(params, as_tree(params, after), losses, masked()[1], BATCHES)
    assert found == {"loss_error": 0, "update_error": 0}
    # The pattern stays.
    fc = np.asarray(after["blocks/0/fc"])
    assert np.count_nonzero(fc) == fc.size / 2


def test_a_dense_reference_is_the_frameworks_own_step():
    params = MODEL.init()
    step, optimizer = step_of(MODEL)
    state, losses, now = optimizer.init(params), [], params
    for batch in BATCHES:
        now, state, loss = step(now, state, *batch)
        losses.append(float(loss))
    storage = {path: {"dense": leaf} for path, leaf in leaves(params).items()}
    found = compare(params, now, losses, Reference(MODEL, params, storage, {}), BATCHES)
    assert found["update_error"] < 1e-3


def test_other_losses_and_other_parameters_are_wrong():
    params, reference = masked()
    losses, after = trained(reference)
    with pytest.raises(Wrong, match="its losses are"):
        compare(params, params, [losses[0], 9.0, losses[2]], masked()[1], BATCHES)
    fc = np.asarray(after["blocks/0/fc"])
    # A tenth of a way that is not its own, for one parameter.
    after["blocks/0/fc"] = fc + 0.1 * (fc - params["blocks"][0]["fc"])
    with pytest.raises(Wrong, match="'blocks/0/fc' moved otherwise by 1.0e-01"):
        compare(params, as_tree(params, after), losses, masked()[1], BATCHES)


def test_factors_and_what_is_frozen():
    params = MODEL.init()
    rng = np.random.default_rng(0)
    u, v = (rng.standard_normal(s, np.float32) * 0.1 for s in ((16, 2), (2, 64)))
    storage = {path: {"dense": leaf} for path, leaf in leaves(params).items()}
    storage["blocks/0/fc"] = {"base": None, "u": u, "v": v}
    texts = dict.fromkeys(storage, "frozen<in = [1]>")
    texts["blocks/0/fc"] = "lora<2, alpha = 4>"
    reference = Reference(MODEL, params, storage, texts)
    _, after = trained(reference)
    before = leaves(params)
    moved = {
        p for p, a in after.items() if np.abs(np.asarray(a) - before[p]).max() > 1e-6
    }
    assert moved == {"blocks/0/fc"}
    now = reference.free["blocks/0/fc"]
    base = before["blocks/0/fc"] - 2 * u @ v
    expected = base + 2 * np.asarray(now["u"]) @ np.asarray(now["v"])
    np.testing.assert_allclose(after["blocks/0/fc"], expected, atol=1e-6)
