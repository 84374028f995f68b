"""Programs of one layer's structured products with different tile sizes, timed in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

import numpy as np

from ._candidates import Tiles
from ._lazy import core as _core
from ._storage import empty

# Seconds that a turn takes at least, or one call.
_TURN = 0.003
# Product -> tile sizes, of products that run one after the other; none are the model's.
Trial = Mapping[str, Tiles | None]

_PRODUCTS = {
    "spmm": "spmm %x, %v, {pattern} into",
    "spmm_transposed": "spmm %dy, %v, {pattern} into",
    "sddmm": "sddmm %x, %dy on {pattern} into",
}


class Layer:
    """The structured products of one shape and structure, and random operands."""

    def __init__(self, products: Sequence[_core.Product], cpu: str):
        """`products` are alike but for their kind."""
        self.products = {each["key"]["product"]: each for each in products}
        self.cpu = cpu
        first = products[0]
        key = first["key"]
        self._tokens, self._inputs = key["tokens"], key["inputs"]
        self._outputs, self._element = key["outputs"], key["element"]
        self._structure = f"#sparsam.{key['structure']}"
        (self._values,), self._pattern = first["values"], first["pattern"]
        self._operands = self._make_operands()

    def seconds(self, trials: Sequence[Trial], rounds: int) -> list[list[float]]:
        """For each trial the seconds of a call in each round. In a round each has a turn,
        and another one begins each."""
        text = "\n".join(self.function(f"f{i}", t) for i, t in enumerate(trials))
        program = self._compile(text)
        calls = [self._call(program, f"f{i}") for i in range(len(trials))]
        times = [self._turn(call, 1) for call in calls]
        repeats = [max(1, round(_TURN / max(once, 1e-7))) for once in times]
        found: list[list[float]] = [[] for _ in trials]
        for start in range(rounds):
            for i in range(len(trials)):
                i = (i + start) % len(trials)
                found[i].append(self._turn(calls[i], repeats[i]))
        return found

    def _turn(self, call, repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        return (time.perf_counter() - start) / repeats

    def _call(self, program: _core.Program, name: str):
        arrays = _arrays(program, name, self._operands)
        return lambda: program.call(name, arrays)

    def _compile(self, text: str) -> _core.Program:
        module = _core.Module.parse(text, "tune")
        module.run(f"sparsam-to-cpu{{cpu={self.cpu}}}")
        return module.compile()

    def _matrix(self, rows: int, columns: int) -> str:
        return f"tensor<{rows}x{columns}x{self._element}>"

    def _make_operands(self) -> list[np.ndarray]:
        """x, dy, values and the index tensors of a random pattern."""
        weight = self._matrix(self._inputs, self._outputs)
        types = ", ".join(self._pattern)
        count = f":{len(self._pattern)}" if len(self._pattern) > 1 else ""
        results = ", ".join(
            f"%p#{i}" if count else "%p" for i in range(len(self._pattern))
        )
        program = self._compile(f"""
        func.func @select(%w: {weight}) -> ({types}) {{
          %p{count} = sparsam.select %w {{structure = {self._structure}}}
              : ({weight}) -> ({types})
          return {results} : {types}
        }}""")
        rng = np.random.default_rng(0)
        dtype = {"f32": np.float32, "f64": np.float64}[self._element]
        dense = rng.standard_normal((self._inputs, self._outputs)).astype(dtype)
        arrays = _arrays(program, "select", [dense])
        program.call("select", arrays)
        shape = [int(size) for size in self._values[7:-1].split("x")[:-1]]
        return [
            rng.standard_normal((self._tokens, self._inputs)).astype(dtype),
            rng.standard_normal((self._tokens, self._outputs)).astype(dtype),
            rng.standard_normal(shape).astype(dtype),
            *arrays[1:],
        ]

    def function(self, name: str, trial: Trial) -> str:
        """The products of a trial as MLIR."""
        x = self._matrix(self._tokens, self._inputs)
        dy = self._matrix(self._tokens, self._outputs)
        names = [f"%i{i}" for i in range(len(self._pattern))]
        pattern, types = ", ".join(names), ", ".join(self._pattern)
        operands = {
            "spmm": (f"{x}, {self._values}, {types}", dy),
            "spmm_transposed": (f"{dy}, {self._values}, {types}", x),
            "sddmm": (f"{x}, {dy}, {types}", self._values),
        }
        lines = []
        # In the order of a step, which packs x and dy once for two products each.
        for product in (each for each in _PRODUCTS if each in trial):
            given, result = operands[product]
            attributes = [f"structure = {self._structure}"]
            if product == "spmm_transposed":
                attributes.append("transposed")
            if tiles := trial[product]:
                sizes = ", ".join(f"{size} = {n}" for size, n in tiles.items())
                attributes.append(f"sparsam.tiles = {{{sizes}}}")
            text = _PRODUCTS[product].format(pattern=pattern)
            lines += [
                f"%{product}_to = tensor.empty() : {result}",
                f"%{product} = sparsam.{text} %{product}_to {{{', '.join(attributes)}}}",
                f"    : ({given}, {result}) -> {result}",
            ]
        made = [each for each in _PRODUCTS if each in trial]
        results = ", ".join(operands[each][1] for each in made)
        parameters = ", ".join(
            f"{n}: {t}" for n, t in zip(names, self._pattern, strict=True)
        )
        body = "\n  ".join(lines)
        return f"""
func.func @{name}(%x: {x}, %dy: {dy}, %v: {self._values}, {parameters}) -> ({results}) {{
  {body}
  return {", ".join(f"%{each}" for each in made)} : {results}
}}"""


def _arrays(program: _core.Program, name: str, given: list[np.ndarray]) -> list:
    """The arrays of a function whose arguments are `given`; its results are new."""
    (function,) = (f for f in program.functions() if f["name"] == name)
    inputs = iter(given)
    return [
        empty(a["shape"], np.dtype(a["dtype"])) if a["role"] == "result" else next(inputs)
        for a in function["arguments"]
    ]


def ratio(times: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the ratios of the rounds, or, where that is more, the ratio of the
    least times: what comes from noise has rarely both."""
    rounds = statistics.median(a / b for a, b in zip(times, reference, strict=True))
    return max(rounds, min(times) / min(reference))
