"""Sparsam: training steps compiled on structured parameters.

step = sparsam.compile(train_step, (params, state, x, y), structure={"*/fc": "nm<2:8, vector = 8>"})
p, s = step.compress(params, state)
p, s, loss = step(p, s, x, y)

`sparsam.__version__` is "major.minor.patch", which bundles name as what made them.
"""

from ._checkpoint import saved_structures
from ._dense_files import load_dense, save_dense
from ._errors import CompileError, CompilerWarning
from ._gradient import gradient
from ._load import Loaded, load
from ._plugins import load_plugin
from ._runtime import version as __version__
from ._scores import Scores
from ._step import Function, Step, compile
from ._storage import Storage
from ._structures import Choice, Cost, Group
from ._threads import num_threads, set_num_threads
from ._tune import Tuned

__all__ = [
    "Choice",
    "CompileError",
    "CompilerWarning",
    "Cost",
    "Function",
    "Group",
    "Loaded",
    "Scores",
    "Step",
    "Storage",
    "Tuned",
    "__version__",
    "compile",
    "gradient",
    "load",
    "load_dense",
    "load_plugin",
    "num_threads",
    "save_dense",
    "saved_structures",
    "set_num_threads",
]
