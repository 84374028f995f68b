"""LoRA: fine-tunes a GPT of the Old Testament on the New through low-rank adapters, on a
dense frozen base and on one that keeps 2 of 8 weights (Hu et al., 2021).

tools/dev exec python examples/recipes/lora.py
"""

from __future__ import annotations

import scripture
from reporting import parse, table

# The first match wins: what has no adapter is frozen.
LORA = {f"blocks/*/{name}": "lora<8, alpha = 16>" for name in scripture.LINEAR}
PRUNED = "LoRA, r = 8, on a 2:8 base"
STRUCTURES = {
    "all parameters, dense": "dense",
    "LoRA, r = 8": LORA | {"*": "frozen"},
    PRUNED: {glob: "lora<8, alpha = 16, base = nm<2:8, vector = 8>>" for glob in LORA}
    | {"*": "frozen"},
}


def run(steps: int, seed: int) -> dict[str, float]:
    task = scripture.Task(seed, pretraining=3 * steps, steps=steps)
    rows = {"before fine-tuning": task.before}
    for name, structure in STRUCTURES.items():
        before, after, _ = task.fine_tune(structure)
        # The adapters start as the base alone, which pruning made worse.
        if name == PRUNED:
            rows["the 2:8 base, before fine-tuning"] = before
        rows[name] = after
    return rows


if __name__ == "__main__":
    options = parse(__doc__, steps=100, seeds=3)
    runs = [run(options.steps, seed) for seed in range(options.seeds)]
    table(runs, "bits a character", digits=3)
