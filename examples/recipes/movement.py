"""Movement pruning: fine-tunes an MLP that reads digits on digits lying on their side, and
keeps the weights that grow, not those that are large (Sanh et al., 2020).

tools/dev exec python examples/recipes/movement.py
"""

from __future__ import annotations

import digits
import numpy as np
from gradual import cubic
from reporting import parse, table


def on_its_side(pictures):
    return np.rot90(pictures, axes=(1, 2))


def fine_tune(step, p, s, data, steps, seed, score, last=0.95, times=8):
    """Prunes `times` times in the first two thirds of the steps, by a kind of `scores`
    that adds up over them, or by magnitude."""
    every = 2 * steps // (3 * times)
    summed = None
    for number, batch in enumerate(data.batches(steps, seed)):
        if score != "magnitude":
            summed = step.scores(p, s, batch, kind=score, acc=summed)
        p, s, _ = step(p, s, *batch)
        times_pruned, left = divmod(number + 1, every)
        if left == 0 and times_pruned <= times:
            density = 1 - cubic(0.1, last, times_pruned / times)
            structure = digits.hidden(f"unstructured<density = {density:.4f}>")
            step, p, s = step.refresh(p, s, structure, score=summed or "magnitude")
    return step, p


def run(steps: int, seed: int) -> dict[str, float]:
    upright, lying = digits.Digits(), digits.Digits(on_its_side)
    start = digits.init(seed)
    dense = digits.compile_dense(upright, start)
    p, s = dense.compress(start, digits.optimizer.init(start))
    p, _ = digits.train(dense, p, s, upright.batches(2 * steps, seed))
    pretrained = dense.densify(p)
    rows = {"before fine-tuning": digits.accuracy(dense, p, lying)}

    def fresh():
        return dense.compress(pretrained, digits.optimizer.init(pretrained))

    p, _ = digits.train(dense, *fresh(), lying.batches(steps, seed + 1))
    rows["dense"] = digits.accuracy(dense, p, lying)
    for score in ("magnitude", "movement", "signed_movement"):
        step, p = fine_tune(dense, *fresh(), lying, steps, seed + 1, score)
        rows[f"5 % of the weights, by {score.replace('_', ' ')}"] = digits.accuracy(
            step, p, lying
        )
    return rows


if __name__ == "__main__":
    options = parse(__doc__, steps=400, seeds=3)
    table([run(options.steps, seed) for seed in range(options.seeds)])
