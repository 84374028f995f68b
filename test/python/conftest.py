"""Tests of the Python package: on the CPU, without JAX's 64-bit mode."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
