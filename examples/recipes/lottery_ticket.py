"""Lottery ticket with rewinding: prunes a trained MLP, puts the surviving weights back to
what they were early in training, and trains them again (Frankle et al., 2020).

tools/dev exec python examples/recipes/lottery_ticket.py
"""

from __future__ import annotations

import digits
from reporting import parse, table

STRUCTURE = digits.hidden("unstructured<density = 0.05>")


def run(steps: int, seed: int, rewind: int = 20) -> dict[str, float]:
    data = digits.Digits()
    start = digits.init(seed)
    dense = digits.compile_dense(data, start)

    p, s = dense.compress(start, digits.optimizer.init(start))
    p, s = digits.train(dense, p, s, data.batches(rewind, seed))
    early = dense.densify(p)
    p, s = digits.train(dense, p, s, data.batches(steps, seed + 1))
    rows = {"dense": digits.accuracy(dense, p, data)}
    sparse, ticket, _ = dense.refresh(p, s, STRUCTURE)
    rows["5 % of the weights, pruned after training"] = digits.accuracy(
        sparse, ticket, data
    )

    def retrained(params) -> float:
        p, s = sparse.compress(params, digits.optimizer.init(params), pattern=ticket)
        p, _ = digits.train(sparse, p, s, data.batches(steps, seed + 1))
        return digits.accuracy(sparse, p, data)

    rows[f"the ticket, rewound to step {rewind} and trained"] = retrained(early)
    rows["the ticket's pattern, other initial weights"] = retrained(
        digits.init(seed + 100)
    )
    return rows


if __name__ == "__main__":
    options = parse(__doc__, steps=400, seeds=6)
    table([run(options.steps, seed) for seed in range(options.seeds)])
