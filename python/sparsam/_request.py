"""The arguments of `Step.refresh`."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from . import _scores

SCOPES = ("group", "parameter", "global")


def check_batch(batch):
    """Raises TypeError for what is not a tuple of the step's further arguments."""
    if not isinstance(batch, (tuple, list)):
        raise TypeError(
            "batch must be the tuple of the step's arguments behind the storage, found "
            f"{type(batch).__name__}"
        )


@dataclass(frozen=True)
class Request:
    """The arguments of `Step.refresh`, checked as far as they can be alone."""

    score: Any
    scope: str
    batch: tuple | None
    fraction: float | None
    seed: int | None
    initial: Any

    def __post_init__(self):
        named = isinstance(self.score, str)
        rigl = named and self.score == "rigl"
        if named:
            _scores.check_name(self.score)
        if self.scope not in SCOPES:
            raise ValueError(
                f"scope={self.scope!r}: there are {', '.join(map(repr, SCOPES))}"
            )
        if self.batch is not None:
            check_batch(self.batch)
        what = f"score={self.score!r}" if named else "a score that is given"
        if named and _scores.NAMES[self.score]:
            if self.batch is None:
                raise ValueError(f"{what} needs gradients: give batch=(…)")
        elif self.batch is not None:
            raise ValueError(f"{what} reads no batch; leave it out")
        if rigl and self.scope != "parameter":
            raise ValueError(
                f"score='rigl' drops and grows within each parameter; scope={self.scope!r} "
                "does not apply"
            )
        if rigl and self.fraction is None:
            raise ValueError(
                "score='rigl' needs fraction=, the share of what is stored that is dropped "
                "and grown, such as 0.3"
            )
        if self.fraction is not None:
            if not rigl:
                raise ValueError(f"fraction is for score='rigl', found it with {what}")
            if not isinstance(self.fraction, Real) or not 0 <= self.fraction <= 1:
                raise ValueError(f"fraction must be from 0 to 1, found {self.fraction!r}")
        if self.seed is not None and not (named and self.score == "random"):
            raise ValueError(f"seed is for score='random', found it with {what}")
        if self.seed is not None and not (
            isinstance(self.seed, Integral) and self.seed >= 0
        ):
            raise ValueError(
                f"seed must be an integer of at least 0, found {self.seed!r}"
            )
