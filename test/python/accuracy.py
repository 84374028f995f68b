"""How far the compiled elementary functions on f32 are from the exact results.

Run as a program it measures them and prints the table of docs/Numerics.md:

    tools/dev exec python test/python/accuracy.py [--step N] [--cpu NAME] [FUNCTION...]

Every N-th of all 2^32 numbers of f32 is taken; all of them, by default. The reference is
f64, whose own error is some 1e-9 of the distance of two f32.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import scipy.special
from sparsam import _core

CHUNK = 1 << 20
SMALLEST_NORMAL = 2.0**-126
INF, NAN = np.inf, np.nan


@dataclasses.dataclass(frozen=True)
class Function:
    exact: Callable[[np.ndarray], np.ndarray]
    # (argument, exact result), as IEEE 754 and annex F of C have them.
    special: list[tuple[float, float]]


ODD = [(0.0, 0.0), (-0.0, -0.0), (NAN, NAN)]
EVEN = [(NAN, NAN)]
LOGARITHM = [(0.0, -INF), (-0.0, -INF), (1, 0), (-1, NAN), (INF, INF), (-INF, NAN)]
# What the compiler replaces by polynomials or instructions.
COMPILED = {
    "exp": Function(
        np.exp,
        [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (NAN, NAN), (89, INF), (-104, 0)],
    ),
    "expm1": Function(
        np.expm1, [*ODD, (INF, INF), (-INF, -1), (89, INF), (-104, -1), (1e-40, 1e-40)]
    ),
    "log": Function(np.log, [*LOGARITHM, (NAN, NAN)]),
    "log2": Function(np.log2, [*LOGARITHM, (NAN, NAN)]),
    "log1p": Function(
        np.log1p, [*ODD, (-1, -INF), (-2, NAN), (INF, INF), (-INF, NAN), (1e-40, 1e-40)]
    ),
    "tanh": Function(np.tanh, [*ODD, (INF, 1), (-INF, -1), (1e-40, 1e-40)]),
    "erf": Function(scipy.special.erf, [*ODD, (INF, 1), (-INF, -1)]),
    "erfc": Function(
        scipy.special.erfc,
        [(0.0, 1), (-0.0, 1), (INF, 0), (-INF, 2), (NAN, NAN), (11, 0)],
    ),
    "asin": Function(np.arcsin, [*ODD, (2, NAN), (-2, NAN), (INF, NAN), (-INF, NAN)]),
    "acos": Function(
        np.arccos, [(1, 0), (2, NAN), (-2, NAN), (INF, NAN), (-INF, NAN), (NAN, NAN)]
    ),
    "rsqrt": Function(
        lambda x: 1 / np.sqrt(x),
        [(0.0, INF), (-0.0, -INF), (-1, NAN), (INF, 0), (-INF, NAN), (NAN, NAN)],
    ),
    "sqrt": Function(
        np.sqrt, [(0.0, 0.0), (-0.0, -0.0), (-1, NAN), (INF, INF), (-INF, NAN)]
    ),
}
# What is left to the C library.
LIBRARY = {
    "sin": Function(np.sin, [*ODD, (INF, NAN), (-INF, NAN)]),
    "cos": Function(np.cos, [(0.0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN), (NAN, NAN)]),
    "tan": Function(np.tan, [*ODD, (INF, NAN), (-INF, NAN)]),
    "atan": Function(np.arctan, [*ODD, (INF, np.pi / 2), (-INF, -np.pi / 2)]),
    "cbrt": Function(np.cbrt, [*ODD, (1, 1), (-8, -2), (INF, INF), (-INF, -INF)]),
    "exp2": Function(np.exp2, [(0.0, 1), (INF, INF), (-INF, 0), (NAN, NAN), (128, INF)]),
    "sinh": Function(np.sinh, [*ODD, (INF, INF), (-INF, -INF), (90, INF)]),
    "cosh": Function(np.cosh, [(0.0, 1), (INF, INF), (-INF, INF), (NAN, NAN), (90, INF)]),
}
FUNCTIONS = COMPILED | LIBRARY


def compile_functions(names: Iterable[str], cpu: str = "host") -> _core.Program:
    """Each function on a whole chunk, as a step has it."""
    chunk = f"tensor<{CHUNK}xf32>"
    text = "".join(
        f"""
        func.func @{name}(%x: {chunk}) -> {chunk} {{
          %init = tensor.empty() : {chunk}
          %y = linalg.map {{ math.{name} }} ins(%x : {chunk}) outs(%init : {chunk})
          return %y : {chunk}
        }}"""
        for name in names
    )
    module = _core.Module.parse(text)
    module.run(f"sparsam-to-cpu{{cpu={cpu}}}")
    return module.compile()


def apply(program: _core.Program, name: str, x: np.ndarray) -> np.ndarray:
    padded = np.zeros(CHUNK, np.float32)
    padded[: x.size] = x
    y = np.full(CHUNK, NAN, np.float32)
    program.call(name, [padded, y])
    return y[: x.size]


@dataclasses.dataclass
class Error:
    size: float = 0
    argument: float = NAN

    def take(self, x: np.ndarray, sizes: np.ndarray):
        at = int(sizes.argmax())
        if sizes[at] > self.size:
            self.size, self.argument = float(sizes[at]), float(x[at])


@dataclasses.dataclass
class Worst:
    """The largest errors so far. One ulp is the distance of the correctly rounded result
    to the next larger number."""

    ulp: Error = dataclasses.field(default_factory=Error)
    relative: Error = dataclasses.field(default_factory=Error)
    # Of results that are subnormal, whose distances are all the same.
    subnormal: Error = dataclasses.field(default_factory=Error)
    # Arguments whose result is infinite or NaN where it should not be, or the other way
    # round.
    wrong: list[float] = dataclasses.field(default_factory=list)

    def take(self, x: np.ndarray, y: np.ndarray, exact: np.ndarray):
        rounded = exact.astype(np.float32)
        finite = np.isfinite(rounded) & np.isfinite(y)
        same = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
        # The largest numbers may round to infinity, and what should to the largest.
        largest = np.abs(exact) >= np.finfo(np.float32).max * (1 - 2.0**-21)
        self.wrong += x[~(finite | same | largest)][:9].tolist()
        error = np.abs(y.astype(np.float64) - exact)
        ulp = error / np.spacing(np.abs(rounded))
        normal = finite & (np.abs(exact) >= SMALLEST_NORMAL)
        self.ulp.take(x, np.where(normal, ulp, 0))
        self.relative.take(x, np.where(normal, error / np.abs(exact), 0))
        self.subnormal.take(x, np.where(finite & ~normal, ulp, 0))


def measure(program: _core.Program, name: str, chunks: Iterable[np.ndarray]) -> Worst:
    """Over chunks of arguments, as their bits."""
    worst = Worst()
    for bits in chunks:
        x = bits.view(np.float32)
        with np.errstate(all="ignore"):
            exact = FUNCTIONS[name].exact(x.astype(np.float64))
            worst.take(x, apply(program, name, x), exact)
    return worst


def all_numbers(step: int) -> Iterable[np.ndarray]:
    for first in range(0, 1 << 32, CHUNK * step):
        yield np.arange(first, min(first + CHUNK * step, 1 << 32), step, np.uint32)


def is_same(found: np.float32, expected: float) -> bool:
    """The same number, to the sign of a zero; any NaN."""
    rounded = np.float32(expected)
    if np.isnan(rounded):
        return bool(np.isnan(found))
    return bool(found == rounded and np.signbit(found) == np.signbit(rounded))


def wrong_specials(program: _core.Program, name: str) -> list[tuple[float, float, float]]:
    """(argument, result, expected) of those special arguments that come out wrong."""
    arguments, expected = np.array(FUNCTIONS[name].special).T
    found = apply(program, name, arguments.astype(np.float32))
    return [
        (x, float(y), e)
        for x, y, e in zip(arguments, found, expected, strict=True)
        if not is_same(y, e)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("functions", nargs="*", default=list(FUNCTIONS))
    parser.add_argument("--step", type=int, default=1, help="take every so many-th f32")
    parser.add_argument("--cpu", default="host", help="compile for this CPU")
    options = parser.parse_args()
    program = compile_functions(options.functions, options.cpu)
    print("| function | ulp | at | relative | at | subnormal results | wrong |")
    print("|---|---|---|---|---|---|---|")
    for name in options.functions:
        worst = measure(program, name, all_numbers(options.step))
        wrong = [f"{name}({x:.9g})" for x in worst.wrong[:3]]
        wrong += [f"{name}({x}) = {y}" for x, y, _ in wrong_specials(program, name)]
        print(
            f"| `{name}` | {worst.ulp.size:.3g} | {worst.ulp.argument:.9g} "
            f"| {worst.relative.size:.3g} | {worst.relative.argument:.9g} "
            f"| {worst.subnormal.size:.3g} | {', '.join(wrong) or 'none'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
