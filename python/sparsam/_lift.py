"""Dense optimizer state that factors have the projection of.

A factor U of W = U V has the gradient G V^T where W has G, so a first moment M of W would be
M V^T for U, and U^T M for V; a second moment S would be S (V*V)^T, if the entries of G do not
correlate. What M or S is cannot be known from these; taken is the least squares solution,
the smallest one for M, and one not below zero for S.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._storage import Dense, Stored

_STEPS = 100
_TOLERANCE = 1e-7


def lift(
    state: Stored,
    degrees: dict[str, int],
    project: Callable[[Dense], Stored],
    spread: Callable[[Stored], Dense],
) -> Dense:
    """Dense tensors by name, of the state of factors by name and part.

    degrees  name -> 1 for a first moment, 2 for a second
    project  the linear map from all dense tensors to the state; spread is its adjoint
    """
    solvers = {
        name: (_Smallest if degree == 1 else _Positive)()
        for name, degree in degrees.items()
    }
    back = spread(state)
    for name, solver in solvers.items():
        solver.start(_of(state, name), back[name])
    for _ in range(_STEPS):
        if all(solver.done for solver in solvers.values()):
            break
        found = project(
            {name: s.direction.astype(back[name].dtype) for name, s in solvers.items()}
        )
        residuals: Stored = {}
        for name, solver in solvers.items():
            parts = solver.meet(_of(found, name))
            residuals |= {
                (name, part): array.astype(state[name, part].dtype)
                for part, array in parts.items()
            }
        back = spread(residuals)
        for name, solver in solvers.items():
            if not solver.done:
                solver.step(back[name])
    return {name: solver.x.astype(back[name].dtype) for name, solver in solvers.items()}


def _of(stored: Stored, name: str) -> dict[str, np.ndarray]:
    return {
        part: array.astype(np.float64) for (n, part), array in stored.items() if n == name
    }


def _square(parts: dict[str, np.ndarray]) -> float:
    return sum(float(np.vdot(array, array)) for array in parts.values())


class _Smallest:
    """Conjugate gradients on the normal equations (Hestenes and Stiefel, 1952), from zero."""

    def start(self, target: dict[str, np.ndarray], gradient: np.ndarray):
        self.residual = target
        self.direction = gradient.astype(np.float64)
        self.x = np.zeros_like(self.direction)
        self.size = self.first = float(np.vdot(self.direction, self.direction))
        self.done = self.size == 0

    def meet(self, image: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Takes the projection of the direction; returns what is to be spread."""
        length = _square(image)
        if self.done or length == 0:
            self.done = True
            return self.residual
        rate = self.size / length
        self.x = self.x + rate * self.direction
        self.residual = {p: r - rate * image[p] for p, r in self.residual.items()}
        return self.residual

    def step(self, gradient: np.ndarray):
        """Takes the spread residual."""
        size = float(np.vdot(gradient, gradient))
        self.done = size <= _TOLERANCE**2 * self.first
        self.direction = gradient + size / self.size * self.direction
        self.size = size


class _Positive:
    """Multiplicative steps that keep the solution above zero (Daube-Witherspoon and
    Muehllehner, 1986)."""

    def start(self, target: dict[str, np.ndarray], gradient: np.ndarray):
        self.wanted = np.maximum(gradient.astype(np.float64), 0)
        self.x = self.direction = self.wanted
        self.done = not self.wanted.any()

    def meet(self, image: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Takes the projection of the solution; returns what is to be spread."""
        return image

    def step(self, image: np.ndarray):
        """Takes the solution, projected and spread."""
        quotient = np.divide(
            self.wanted, image, out=np.zeros_like(self.x), where=image > 0
        )
        changed = np.abs(quotient - 1)[self.wanted > 0]
        self.done = not changed.size or changed.max() <= _TOLERANCE
        self.x = self.direction = self.x * quotient
