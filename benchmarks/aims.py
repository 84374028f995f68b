"""What the benchmarks are to show, in one place: every other file asks here."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Aim:
    """wide, narrow: on vectors of 512 bits, and on narrower ones, where that is another
    number."""

    wide: float
    narrow: float | None = None
    at_most: bool = False

    def on(self, bits: int) -> float:
        return self.narrow if bits < 512 and self.narrow is not None else self.wide

    def met(self, value: float, bits: int) -> bool:
        return value <= self.on(bits) if self.at_most else value >= self.on(bits)


# tokens, inputs, outputs
SHAPES = [
    (512, 768, 3072),
    (512, 3072, 768),
    (2048, 512, 2048),
    (128, 1024, 1024),
    (256, 256, 256),
]

# Forward, backward-input and backward-weight with all packing, one thread: the best dense
# library's time over ours, geometric mean of the shapes. In `low_rank`, K is the smaller
# of inputs and outputs; its aim is a part of how many times fewer operations it has.
VECTORS = {"2:4": Aim(1.9, 1.75), "2:8": Aim(3.6, 3.3), "2:16": Aim(6.8, 6.2)}
BLOCKS_OF_8 = {"0.5": Aim(1.9, 1.75), "0.25": Aim(3.6, 3.3), "0.1": Aim(8.2, 7.5)}
LARGER_BLOCKS = {"0.5": Aim(2.0, 1.85), "0.25": Aim(3.8, 3.6), "0.1": Aim(8.8, 8.0)}
PRODUCTS: dict[str, Aim | None] = {
    **{f"nm<{n}, vector = {v}>": aim for v in (4, 8) for n, aim in VECTORS.items()},
    "nm<2:4>": Aim(1.45, 1.35),
    "nm<1:4>": Aim(2.7, 2.5),
    **{f"block<8x8, density = {d}>": aim for d, aim in BLOCKS_OF_8.items()},
    **{
        f"block<{r}x{r}, density = {d}>": aim
        for r in (16, 32)
        for d, aim in LARGER_BLOCKS.items()
    },
    "unstructured<density = 0.5>": Aim(1.45, 1.35),
    "unstructured<density = 0.25>": Aim(2.7, 2.5),
    "unstructured<density = 0.1>": Aim(5.6, 5.0),
    "unstructured<density = 0.05>": Aim(9.5, 8.0),
    "vnm<64, 2:8>": None,
    "low_rank<K/4>": Aim(0.92),
    "low_rank<K/8>": Aim(0.87),
    "dense": None,
}

# One thread's time over that of two, on every shape but those listed.
THREADS = Aim(1.85)
TOO_SMALL_FOR_THREADS = [(256, 256, 256)]

# Time against work, on log axes: how far the exponent is from 1, and how many times the
# farthest point is off the straight line. A twentieth of the dense product's time that no
# pattern saves (packing activations, writing outputs, the call) makes the exponent 0.79
# from 5 to 100 % density, and the farthest point is 1.11 times off; the rest is for steps
# between kernels and for noise. Time that jumps, or that the work does not decide, is off
# by more.
EXPONENT = Aim(0.25, at_most=True)
STRAIGHTNESS = Aim(1.25, at_most=True)

# Sparse libraries on their own ground: their time over ours, geometric mean of the shapes
# and densities, by library, storage and product.
SPARSE: dict[str, Aim] = {"sparsifier": Aim(2.0), "scipy": Aim(2.5), "torch": Aim(2.0)}

LORA = "lora<8> on nm<2:8, vector = 8>"
# Whole steps on two threads: JAX's time over ours.
STEPS: dict[str, dict[str, Aim]] = {
    "gpt": {
        "dense": Aim(1.6),
        "nm<2:4, vector = 8>": Aim(2.5),
        "nm<2:8, vector = 8>": Aim(4.0),
        "nm<2:16, vector = 8>": Aim(5.5),
        "low_rank<K/4>": Aim(3.2),
        LORA: Aim(4.5),
    },
    "mlp": {"nm<2:16, vector = 8>": Aim(6.0)},
}
STEP_THREADS = 2
# The best of PyTorch's times over ours, in every step.
PYTORCH = Aim(1.0)
# Ours over JAX's: seconds of compilation of each GPT step, bytes of the dense one.
COMPILATION = Aim(1.5, at_most=True)
MEMORY = Aim(1.0, at_most=True)


def is_ratio_of_flops(label: str) -> bool:
    """Whether the aim of a structure is a part of what it saves in operations."""
    return label.startswith("low_rank")


def resolve(label: str, inputs: int, outputs: int) -> str:
    """The text of a structure for a layer, its rank worked out."""
    smaller = min(inputs, outputs)
    return re.sub(r"\bK/(\d+)", lambda found: str(smaller // int(found[1])), label)
