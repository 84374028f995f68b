"""JAX, whose programs XLA compiles."""

import time

import jax
from data import matrices
from networks import MODELS
from networks_jax import step_of


def start(threads: int):
    # What the first compilation loads is no part of those that are timed.
    jax.jit(lambda x, w: x @ w).lower(*matrices([4, 4, 4])[:2]).compile()


def version() -> str:
    return jax.__version__


class Products:
    def __init__(self, shape: list[int]):
        self.arrays = [jax.device_put(a) for a in matrices(shape)]
        self.products = jax.jit(lambda x, w, dy: (x @ w, dy @ w.T, x.T @ dy))

    def run(self):
        jax.block_until_ready(self.products(*self.arrays))


class Step:
    """A training step, its parameters and state donated."""

    def __init__(self, model: str, sizes: dict, check_steps: int):
        self.model = model = MODELS[model](**sizes)
        step, optimizer = step_of(model)
        self.params = jax.device_put(model.init())
        self.state = optimizer.init(self.params)
        self.number = 0
        start = time.perf_counter()
        jitted = jax.jit(step, donate_argnums=(0, 1))
        lowered = jitted.lower(self.params, self.state, *model.batch_of(0))
        self.step = lowered.compile()
        compiled = time.perf_counter() - start
        self.facts = {
            "compile_seconds": compiled,
            "memory": self._memory(),
            "losses": [self.run() for _ in range(check_steps)],
        }

    def _memory(self) -> int:
        """What the step holds at once at most: arguments, results and temporaries."""
        sizes = self.step.memory_analysis()
        return (
            sizes.temp_size_in_bytes
            + sizes.argument_size_in_bytes
            + sizes.output_size_in_bytes
            - sizes.alias_size_in_bytes
        )

    def run(self) -> float:
        batch = self.model.batch_of(self.number)
        self.number += 1
        self.params, self.state, loss = self.step(self.params, self.state, *batch)
        jax.block_until_ready((self.params, self.state))
        return float(loss)


KINDS = {"products": Products, "step": Step}
