"""How many threads the calls of compiled programs have."""

from __future__ import annotations

import os
from numbers import Integral

from . import _runtime
from ._errors import warn


def num_threads() -> int:
    """How many threads a call would have now."""
    return _runtime.num_threads()


def set_num_threads(threads: int):
    """Sets the number of threads of every later call, in all of the process.

    threads  from 1 to 1,024, or 0 for the default of OpenMP: `OMP_NUM_THREADS`, or else one
             for each core that the process may use

    More threads than cores take turns on these, which is slower: a UserWarning says so.
    Raises TypeError for what is no integer, and ValueError for one that is out of range;
    the number then stays as it is.
    """
    if not isinstance(threads, Integral) or isinstance(threads, bool):
        raise TypeError(f"threads must be an integer from 0 to 1024, found {threads!r}")
    if not 0 <= threads <= 1024:
        raise ValueError(f"threads must be from 0 to 1024, found {threads}")
    cores = len(os.sched_getaffinity(0))
    if threads > cores:
        many = "1 core" if cores == 1 else f"{cores} cores"
        warn(f"threads={threads}: this process may use {many}, on which they take turns")
    _runtime.set_num_threads(int(threads))
