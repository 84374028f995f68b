"""Low-rank fine-tuning: cuts a trained GPT's linear layers to a quarter of their rank by
their singular values and trains the factors on.

tools/dev exec python examples/recipes/low_rank.py
"""

from __future__ import annotations

import scripture
from reporting import parse, table

STRUCTURE = {f"blocks/*/{name}": "low_rank<64>" for name in scripture.LINEAR}


def run(steps: int, seed: int) -> dict[str, float]:
    task = scripture.Task(seed, pretraining=3 * steps, steps=steps)
    _, dense, _ = task.fine_tune("dense")
    cut, trained, _ = task.fine_tune(STRUCTURE)
    return {
        "before fine-tuning": task.before,
        "dense, trained on": dense,
        "cut to rank 64": cut,
        "rank 64, trained on": trained,
    }


if __name__ == "__main__":
    options = parse(__doc__, steps=100, seeds=3)
    runs = [run(options.steps, seed) for seed in range(options.seeds)]
    table(runs, "bits a character", digits=3)
