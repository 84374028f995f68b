"""Tests of the Python package: on the CPU, without JAX's 64-bit mode."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")

# The benchmarks are scripts; behind this folder, whose names are the tests' first.
sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "benchmarks"))

# PyTorch is an extra: `tools/dev test` installs it.
if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_torch_*.py"]


@pytest.fixture
def searched(monkeypatch):
    """Unmarked steps as if it could not be seen where their backward pass ends."""
    from sparsam import _jax

    monkeypatch.setattr(_jax, "find_gradients", lambda *_: {})
