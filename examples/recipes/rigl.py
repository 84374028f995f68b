"""RigL: trains an MLP sparse from the start, and at times drops its smallest weights and
grows others where the gradient is largest (Evci et al., 2020).

tools/dev exec python examples/recipes/rigl.py
"""

from __future__ import annotations

import math

import digits
import optax
from reporting import parse, table

STRUCTURE = digits.hidden("unstructured<density = 0.01>")
FRACTION, MOVES = 0.3, 8
# What the paper trains with: a weight that grows starts at rest, while Adam's second moment
# of zero would throw it far.
OPTIMIZER = optax.sgd(0.1, momentum=0.9)


def with_rigl(step, p, s, data, steps, seed):
    """Moves connections so many times in the first three quarters, ever fewer of them."""
    moving = 3 * steps // 4
    every = -(-moving // (MOVES + 1))
    for number, batch in enumerate(data.batches(steps, seed)):
        if 0 < number < moving and number % every == 0:
            fraction = FRACTION / 2 * (1 + math.cos(math.pi * number / moving))
            everything = data.x, data.y
            step, p, s = step.refresh(
                p, s, score="rigl", fraction=fraction, batch=everything
            )
        p, s, _ = step(p, s, *batch)
    return step, p


def run(steps: int, seed: int) -> dict[str, float]:
    data = digits.Digits()
    start = digits.init(seed)
    dense = digits.compile_dense(data, start, OPTIMIZER)

    def fresh():
        return dense.compress(start, OPTIMIZER.init(start))

    def random_pattern():
        return dense.refresh(*fresh(), STRUCTURE, score="random", seed=seed)

    p, _ = digits.train(dense, *fresh(), data.batches(steps, seed))
    rows = {"dense": digits.accuracy(dense, p, data)}
    step, p, s = random_pattern()
    p, _ = digits.train(step, p, s, data.batches(steps, seed))
    rows["1 % of the weights, a random pattern"] = digits.accuracy(step, p, data)
    step, p, s = random_pattern()
    step, p = with_rigl(step, p, s, data, steps, seed)
    rows["1 % of the weights, RigL"] = digits.accuracy(step, p, data)
    return rows


if __name__ == "__main__":
    options = parse(__doc__, steps=600, seeds=3)
    table([run(options.steps, seed) for seed in range(options.seeds)])
