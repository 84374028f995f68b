"""Other functions of a module on the storage of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from .. import _function
from .._storage import Storage
from . import _arrays
from ._importer import import_function
from ._modes import Modes

if TYPE_CHECKING:
    from ._step import Step


class Function(_function.Function):
    """A function of a module, compiled by `Step.compile_with`; see `sparsam.Function`."""

    def __init__(self, step: Step, model: torch.nn.Module, fn: Callable, batch: tuple):
        """See `Step.compile_with`."""
        _arrays.check_examples(batch)
        modes = Modes(model)

        def importer(args):
            with modes.kept():
                return import_function(model, fn, args)

        params = {name: param.detach() for name, param in model.named_parameters()}
        buffers = {name: buffer.detach() for name, buffer in model.named_buffers()}
        name = getattr(fn, "__name__", "function")
        super().__init__(step, importer, name, (params, buffers, *batch), 0)

    def __call__(self, p: Storage, s: Storage, *batch):
        """f(p, s, *batch): what the function returns, as tensors. Consumes nothing.

        A batch of another shape compiles the function again for it, with a remark.
        """
        results = super().__call__(p, self._step.buffers(s), *batch)
        return _arrays.as_tensors(results)
