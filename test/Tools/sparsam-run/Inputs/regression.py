"""The arrays of step.mlir, and the same training in NumPy."""

import sys

import numpy as np

command, folder = sys.argv[1:]


def load(name):
    return dict(np.load(f"{folder}/{name}.npz"))


def train(w, mask, x, y):
    for _ in range(5):
        error = x @ (w * mask) - y
        loss = (error**2).sum()
        w = w - np.float32(0.01) * (x.T @ error) * mask
    return w, loss


if command == "make":
    rng = np.random.default_rng(0)
    shapes = {"0/w": (8, 4), "x": (6, 8), "y": (6, 4)}
    arrays = {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}
    np.savez(f"{folder}/dense.npz", **arrays)
elif command == "merge":
    dense, storage = load("dense"), load("storage")
    np.savez(f"{folder}/pruned.npz", x=dense["x"], y=dense["y"], **storage)
elif command == "spoil":
    pruned = load("pruned")
    pruned["0/w/indices"] = np.full_like(pruned["0/w/indices"], 30000)
    np.savez(f"{folder}/bad.npz", **pruned)
elif command == "check":
    dense, storage = load("dense"), load("storage")
    out = load("dense-out")
    w, loss = train(dense["0/w"], np.float32(1), dense["x"], dense["y"])
    np.testing.assert_allclose(out["0/w"], w, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out["loss"], loss, rtol=1e-5)

    # Of each 4 inputs the 2 with the largest weight stay, per output: [output, kept].
    values, indices = storage["0/w/values"], storage["0/w/indices"].astype(int)
    order = np.argsort(-np.abs(dense["0/w"].reshape(2, 4, 4)), axis=1, kind="stable")
    kept = np.sort(order[:, :2], axis=1) + np.array([0, 4])[:, None, None]
    kept = kept.reshape(4, 4).T
    np.testing.assert_array_equal(indices.reshape(4, 4), kept)
    mask = np.zeros((8, 4), np.float32)
    np.put_along_axis(mask, kept.T, 1, axis=0)
    w, loss = train(dense["0/w"] * mask, mask, dense["x"], dense["y"])
    out = load("pruned-out")
    np.testing.assert_allclose(
        out["0/w/values"].reshape(4, 4),
        np.take_along_axis(w, kept.T, 0).T,
        rtol=1e-5,
        atol=1e-6,
    )
    np.testing.assert_allclose(out["loss"], loss, rtol=1e-5)
    assert values.shape == out["0/w/values"].shape == (4, 4, 1)
