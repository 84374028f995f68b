"""Sparsam, called as its users call it, and its compiled programs without Python."""

import importlib.metadata
import os
import time

import jax
import numpy as np
import sparsam
from data import check, matrices, sparse_weights
from networks import MODELS
from networks_jax import step_of
from references import Reference, compare

# How the weights move where the gradient is to be seen, and where it is not: the values
# that are timed stay as they are.
SEEN, UNSEEN = np.float32(0.01), np.float32(0)


def start(threads: int):
    sparsam.set_num_threads(threads)
    # What the first compilation loads is no part of those that are timed.
    x, w, dy = matrices([4, 4, 4])
    sparsam.compile(products, ({"w": w}, x, dy, SEEN), state=None)


def version() -> str:
    try:
        return importlib.metadata.version("sparsam")
    except importlib.metadata.PackageNotFoundError:
        return "this build"


def compile_step(fn, args: tuple, structure, state: int | None = 1):
    """`sparsam.compile` for the vector width of this run."""
    cpu = os.environ["SPARSAM_BENCH_CPU"]
    more = {} if cpu == "host" else {"cpu": cpu}
    return sparsam.compile(fn, args, state=state, structure=structure, **more)


class Called:
    """A step as Python calls it, `run`, and its program alone, `run_program`.

    handles: the parameters, and the state where there is some.
    """

    def __init__(self, step, handles: tuple, *batch):
        self.step, self.handles, self.batch = step, handles, batch

    def run(self) -> tuple:
        results = self.step(*self.handles, *self.batch)
        self.handles = results[: len(self.handles)]
        return results[len(self.handles) :]

    def run_program(self):
        if not hasattr(self, "program"):
            self._take_program()
        self.program()

    def _take_program(self):
        """What one call from Python passes to the program, for calls of it alone."""
        call, seen = sparsam._core.Program.call, []

        def record(program, name, arrays):
            seen.append((program, name, arrays))
            call(program, name, arrays)

        sparsam._core.Program.call = record
        try:
            self.run()
        finally:
            sparsam._core.Program.call = call
        ((program, name, arrays),) = seen
        self.program = lambda: program.call(name, arrays)


def products(p, x, dy, rate):
    """A step that has little but the products: the gradient moves the stored weights."""
    y, pull = jax.vjp(lambda w, x: x @ w, p["w"], x)
    dw, dx = pull(dy)
    dw = sparsam.gradient({"w": dw})["w"]
    return {"w": p["w"] - rate * dw}, y, dx


class Products(Called):
    def __init__(self, shape: list[int], structure: str, decay: float = 0.0):
        x, w, dy = matrices(shape)
        w = w * np.arange(1, shape[2] + 1, dtype=np.float32) ** np.float32(-decay)
        start = time.perf_counter()
        step = compile_step(products, ({"w": w}, x, dy, SEEN), {"w": structure}, None)
        compiled = time.perf_counter() - start
        cost = step.plan["w"].cost
        self.facts = {
            "flops": sum(step.flops.values()),
            "entries": cost.entries,
            "bytes": cost.bytes,
            "compile_seconds": compiled,
            "remarks": list(step.remarks) if structure != "dense" else [],
        }
        self._check(step, w, x, dy)
        super().__init__(step, (step.compress({"w": w}),), x, dy, UNSEEN)

    def _check(self, step, w, x, dy):
        """Against dense products with what is stored."""
        p = step.compress({"w": w})
        stored, parts = step.densify(p)["w"], step.storage(p)["w"]
        p, y, dx = step(p, x, dy, SEEN)
        check("the forward product", y, x @ stored)
        check("the product back to the input", dx, dy @ stored.T)
        if {"u", "v"} <= set(parts):
            u, v, now = parts["u"], parts["v"], step.storage(p)["w"]
            rights = {"u": x.T @ (dy @ v.T), "v": (x @ u).T @ dy}
            for name, right in rights.items():
                moved = (parts[name] - now[name]) / SEEN
                check(f"the gradient of {name}", moved, right, 1e-3)
            return
        moved = (stored - step.densify(p)["w"]) / SEEN
        right = (x.T @ dy) * (stored != 0)
        check("the gradient of the weights", moved, right, 1e-3)


def gradient(p, x, dy, rate):
    """The product back to the weights alone."""
    dw = sparsam.gradient({"w": x.T @ dy})["w"]
    return {"w": p["w"] - rate * dw}


class Sparse:
    """One product with W sparse, row-major in and out as a step has it, packing counted."""

    def __init__(
        self, product: str, shape: list[int], block: int, density: float, structure: str
    ):
        x, _, dy = matrices(shape)
        w = sparse_weights(shape, block, density)
        # Exactly what is stored: a rounded density would keep a zero more.
        structure = structure.format(density=np.count_nonzero(w) / w.size)
        args = {"w": w}, x, dy, SEEN
        self.step = step = compile_step(gradient, args, {"w": structure}, None)
        self.p = p = step.compress({"w": w})
        check("the stored pattern", step.densify(p)["w"], w)
        if product == "forward":
            self._function(lambda p, x: x @ p["w"], x, x @ w)
        elif product == "backward-input":
            self._function(lambda p, dy: dy @ p["w"].T, dy, dy @ w.T)
        else:
            self._gradient(w, x, dy)

    def _function(self, fn, dense, expected):
        function = self.step.compile_with(fn, (self.step.densify(self.p), dense))
        check("the product", function(self.p, dense), expected)
        self.run = lambda: function(self.p, dense)

    def _gradient(self, w, x, dy):
        moved = (w - self.step.densify(self.step(self.p, x, dy, SEEN))["w"]) / SEEN
        check("the gradient", moved, (x.T @ dy) * (w != 0), 1e-3)
        self.p = self.step.compress({"w": w})

        def run():
            self.p = self.step(self.p, x, dy, UNSEEN)

        self.run = run


class Step(Called):
    """A training step of a model."""

    def __init__(self, model: str, sizes: dict, check_steps: int, structure):
        self.model = model = MODELS[model](**sizes)
        step, optimizer = step_of(model)
        params = model.init()
        state = optimizer.init(params)
        start = time.perf_counter()
        step = compile_step(step, (params, state, *model.batch_of(0)), structure)
        compiled = time.perf_counter() - start
        super().__init__(step, step.compress(params, state))
        self.number = 0
        before, storage = step.densify(self.handles[0]), step.storage(self.handles[0])
        losses = [self.run() for _ in range(check_steps)]
        self.facts = {
            "compile_seconds": compiled,
            "phases": dict(step.seconds),
            "flops": sum(step.flops.values()),
            "memory": self._memory(),
            "losses": losses,
        }
        texts = {path: choice.structure for path, choice in step.plan.items()}
        reference = Reference(model, before, storage, texts)
        batches = map(model.batch_of, range(check_steps))
        after = step.densify(self.handles[0])
        self.facts |= compare(before, after, losses, reference, batches)

    def _memory(self) -> int:
        """Every array that the program takes or gives, and its workspace."""
        lowered = self.step._main.lowered
        (entry,) = (f for f in lowered.program.functions() if f["name"] == lowered.entry)
        return entry["workspace_bytes"] + sum(a["bytes"] for a in entry["arguments"])

    def run(self) -> float:
        self.batch = self.model.batch_of(self.number)
        self.number += 1
        (loss,) = super().run()
        return float(loss)


KINDS = {"products": Products, "sparse": Sparse, "step": Step}
