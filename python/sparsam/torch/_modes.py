"""Whether modules train or evaluate."""

from __future__ import annotations

from contextlib import contextmanager

import torch


class Modes:
    """The modes of a module and all modules in it, as they are now.

    A step that is traced again for another batch is traced in the mode it had first.
    """

    def __init__(self, module: torch.nn.Module):
        """Notes the modes."""
        self._modes = self._now(module)
        self._module = module

    @contextmanager
    def kept(self):
        """Sets the modes, and afterwards what they were before."""
        before = self._now(self._module)
        self._set(self._modes)
        try:
            yield
        finally:
            self._set(before)

    @staticmethod
    def _now(module):
        return [(inner, inner.training) for inner in module.modules()]

    @staticmethod
    def _set(modes):
        for module, training in modes:
            module.training = training
