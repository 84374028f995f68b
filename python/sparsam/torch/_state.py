"""The state of a step: a flat dict of tensors by name.

`step` counts the steps; `exp_avg.layer.weight` and the like are the optimizer's state of
a parameter, under the names of `torch.optim`; `buffers.norm.running_mean` and the like are the
module's buffers.
"""

from __future__ import annotations

from torch import Tensor

STEP = "step"
_BUFFERS = "buffers."


def slot(kind: str, parameter: str) -> str:
    """The name of a part of the optimizer's state."""
    return f"{kind}.{parameter}"


def with_buffers(buffers: dict[str, Tensor]) -> dict[str, Tensor]:
    """Buffers by their names in the state."""
    return {_BUFFERS + name: value for name, value in buffers.items()}


def buffers_in(state: dict) -> dict:
    """The buffers of a state, by their names in the module."""
    return {
        name.removeprefix(_BUFFERS): value
        for name, value in state.items()
        if name.startswith(_BUFFERS)
    }
