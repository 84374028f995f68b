"""What the benchmarks tell each library of the processor."""

import pytest
import widths


@pytest.fixture
def held(monkeypatch):
    """An environment that holds libraries back."""
    for name in ("OPENBLAS_CORETYPE", "OMP_NUM_THREADS", "XLA_FLAGS", "KEPT"):
        monkeypatch.setenv(name, "held")


def test_both_of_numpys_kernels_run_on_wide_vectors(monkeypatch, held):
    monkeypatch.setattr(widths, "host_bits", lambda: 512)
    width = widths.get_width("host")
    peers = widths.dense_peers(width.bits)
    assert peers == ["numpy", "numpy AVX2", "jax", "torch"]
    kernels = {
        peer: width.environment(peer).get("OPENBLAS_CORETYPE")
        for peer in (*peers, "sparsam")
    }
    assert kernels == {
        "numpy": "SkylakeX",
        "numpy AVX2": "Haswell",
        **dict.fromkeys(("jax", "torch", "sparsam")),
    }


def test_narrow_vectors(monkeypatch, held):
    monkeypatch.setattr(widths, "host_bits", lambda: 256)
    width = widths.get_width("host")
    assert widths.dense_peers(width.bits) == ["numpy", "jax", "torch"]
    assert width.environment("numpy")["OPENBLAS_CORETYPE"] == "Haswell"
    monkeypatch.setattr(widths, "host_bits", lambda: 512)
    held_to = widths.get_width("x86-64-v3")
    assert (held_to.bits, held_to.own) == (256, {})
    assert held_to.environment("jax")["XLA_FLAGS"].startswith("--xla_cpu_max_isa=AVX2 ")


def test_the_callers_variables_reach_no_library(held):
    width = widths.get_width("host")
    made = width.environment("jax")
    assert made["KEPT"] == "held"
    assert "held" not in (made.get("OMP_NUM_THREADS"), made.get("XLA_FLAGS"))
    left_out = width.record["left_out"]
    assert left_out["OPENBLAS_CORETYPE"] == left_out["OMP_NUM_THREADS"] == "held"
    assert "KEPT" not in left_out
