"""One-shot pruning: trains an MLP dense, keeps its largest weights, trains these on.

tools/dev exec python examples/recipes/one_shot.py
"""

from __future__ import annotations

import digits
from reporting import parse, table

STRUCTURES = ["nm<2:4>", "nm<2:8, vector = 8>"] + [
    f"unstructured<density = {density}>" for density in (0.5, 0.1, 0.03)
]


def run(steps: int, seed: int) -> dict[str, float]:
    data = digits.Digits()
    start = digits.init(seed)
    dense = digits.compile_dense(data, start)

    def trained():
        p, s = dense.compress(start, digits.optimizer.init(start))
        return digits.train(dense, p, s, data.batches(steps, seed))

    rows = {"dense": digits.accuracy(dense, trained()[0], data)}
    for structure in STRUCTURES:
        step, p, s = dense.refresh(*trained(), digits.hidden(structure))
        rows[f"{structure}, at once"] = digits.accuracy(step, p, data)
        p, s = digits.train(step, p, s, data.batches(steps // 2, seed + 1))
        rows[f"{structure}, trained on"] = digits.accuracy(step, p, data)
    return rows


if __name__ == "__main__":
    options = parse(__doc__, steps=400, seeds=3)
    table([run(options.steps, seed) for seed in range(options.seeds)])
