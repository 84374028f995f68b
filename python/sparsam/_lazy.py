"""The compiler, `sparsam._core`, loaded when it is first used: LLVM comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING


class _Lazy:
    def __getattr__(self, name: str):
        from . import _core

        return getattr(_core, name)


if TYPE_CHECKING:
    from . import _core as core
else:
    core = _Lazy()
