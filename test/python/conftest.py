"""Tests of the Python package: on the CPU, without JAX's 64-bit mode."""

import importlib.util
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

# PyTorch is an extra: `tools/dev test` installs it.
if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_torch_*.py"]
