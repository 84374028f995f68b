"""Gradual pruning: raises the sparsity from 10 to 50 % while an MLP trains, fast at first
and slower later (Zhu and Gupta, 2017), and to 97 % in the same way.

tools/dev exec python examples/recipes/gradual.py
"""

from __future__ import annotations

import digits
from reporting import parse, table


def cubic(first: float, last: float, share: float) -> float:
    """The sparsity after a share of the schedule, equation 1 of the paper."""
    return last + (first - last) * (1 - share) ** 3


def pruned_gradually(step, p, s, data, steps, seed, last, times=10):
    """Prunes `times` times in the first two thirds of the steps."""
    every = 2 * steps // (3 * times)
    for number in range(times):
        p, s = digits.train(step, p, s, data.batches(every, seed + number))
        sparsity = cubic(0.1, last, number / (times - 1))
        structure = digits.hidden(f"unstructured<density = {1 - sparsity:.4f}>")
        step, p, s = step.refresh(p, s, structure)
    rest = steps - times * every
    return step, *digits.train(step, p, s, data.batches(rest, seed + times))


def run(steps: int, seed: int) -> dict[str, float]:
    data = digits.Digits()
    start = digits.init(seed)
    dense = digits.compile_dense(data, start)

    def fresh():
        return dense.compress(start, digits.optimizer.init(start))

    p, _ = digits.train(dense, *fresh(), data.batches(steps, seed))
    rows = {"dense": digits.accuracy(dense, p, data)}
    for last in (0.5, 0.97):
        step, p, _ = pruned_gradually(dense, *fresh(), data, steps, seed, last)
        rows[f"10 to {last:.0%}"] = digits.accuracy(step, p, data)
        structure = digits.hidden(f"unstructured<density = {1 - last:.4f}>")
        p, s = digits.train(dense, *fresh(), data.batches(2 * steps // 3, seed))
        step, p, s = dense.refresh(p, s, structure)
        p, _ = digits.train(step, p, s, data.batches(steps - 2 * steps // 3, seed + 1))
        rows[f"{last:.0%} at once, as many steps"] = digits.accuracy(step, p, data)
    return rows


if __name__ == "__main__":
    options = parse(__doc__, steps=600, seeds=3)
    table([run(options.steps, seed) for seed in range(options.seeds)])
