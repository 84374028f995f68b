"""Tests of the Python package: on the CPU, without JAX's 64-bit mode."""

import importlib.util
import os

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")

# PyTorch is an extra: `tools/dev test` installs it.
if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_torch_*.py"]


@pytest.fixture
def searched(monkeypatch):
    """Unmarked steps as if it could not be seen where their backward pass ends."""
    from sparsam import _jax

    monkeypatch.setattr(_jax, "with_gradients", lambda closed, *_: (closed, {}))
