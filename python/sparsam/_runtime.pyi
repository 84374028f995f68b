"""Programs that were compiled ahead of time, and threads. No LLVM is needed for these."""

from collections.abc import Sequence
from typing import Any

from ._core import ProgramFunction

version: str
"""Of this Sparsam, as CMake has it and bundles say."""

class Bundle:
    """The code in a bundle that this machine runs best, loaded."""

    @staticmethod
    def open(path: str) -> Bundle:
        """Raises OSError for what is no whole bundle, and where none of its code runs on
        this machine."""

    def functions(self) -> list[ProgramFunction]: ...
    def call(self, name: str, arrays: Sequence[Any]) -> None:
        """See `Program.call`."""

    def check_patterns(
        self, name: str, arrays: Sequence[Any | None]
    ) -> tuple[int, str] | None:
        """Which of the arrays of a function is no index array of its parameter's structure,
        and why; None if all are. Those that are None are not looked at."""

    def read(self, name: str) -> str:
        """What is in a file of the bundle that is no code. Raises OSError without."""

    @property
    def files(self) -> list[str]:
        """The names of the files that are no code."""

    @property
    def cpu(self) -> str:
        """The CPU that the code is for."""

    @property
    def cpus(self) -> list[str]:
        """The CPUs that the bundle has code for."""

def set_num_threads(threads: int) -> None:
    """Threads of every later call, up to 1,024; 0 is OpenMP's default."""

def num_threads() -> int: ...
