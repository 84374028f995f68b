"""The vector widths that a run may use, and what holds each library to one."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Width:
    """bits: of a vector register; env: what keeps the peers to it; own: what single ones
    get besides, by name."""

    cpu: str
    bits: int
    env: dict[str, str]
    own: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)

    def environment(self, peer: str) -> dict[str, str]:
        """All variables of a peer's process."""
        given = {k: v for k, v in os.environ.items() if not k.startswith(HELD)}
        return given | self.env | self.own.get(peer, {})

    @property
    def record(self) -> dict:
        """What of the variables was left out and what is set, for the results."""
        left_out = {k: v for k, v in os.environ.items() if k.startswith(HELD)}
        return {"left_out": left_out, "set": self.env, "own": self.own}


# How variables begin that choose kernels, instructions or threads for a library. The
# caller's would decide who is best; a run sets its own.
HELD = (
    "ATEN_CPU_",
    "DNNL_",
    "GOMP_",
    "GOTO_",
    "KMP_",
    "MKL_",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "TORCHINDUCTOR_",
    "XLA_FLAGS",
)
# OpenBLAS takes slow kernels on a processor that it does not know; and where vectors of
# 512 bits are there, those of 256 may be the faster ones. NumPy has both, and the better
# counts.
HASWELL = {"OPENBLAS_CORETYPE": "Haswell"}
SKYLAKE = {"OPENBLAS_CORETYPE": "SkylakeX"}
NUMPY, NARROW_NUMPY = "numpy", "numpy AVX2"
AVX2 = {
    **HASWELL,
    # YNNPACK's kernels take AVX-512 where it is, whatever XLA is told: without them it
    # multiplies by oneDNN's, which can be held.
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2 --xla_cpu_experimental_ynn_fusion_type=",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "TORCHINDUCTOR_CPP_MARCH": "x86-64-v3",
}

CPUS = ("host", "x86-64-v3")


def cpu_info(key: str) -> str:
    """A line of the first processor in /proc/cpuinfo."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else []:
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def host_bits() -> int:
    flags = cpu_info("flags").split()
    return 512 if "avx512f" in flags else 256 if "avx2" in flags else 128


def dense_peers(bits: int) -> list[str]:
    """The dense libraries of a run."""
    return [NUMPY, *([NARROW_NUMPY] if bits == 512 else []), "jax", "torch"]


def get_width(cpu: str) -> Width:
    """`cpu`: "host" for all that this machine has, or a baseline such as "x86-64-v3"."""
    if cpu == "host":
        bits = host_bits()
        own = {NUMPY: SKYLAKE if bits == 512 else HASWELL} if bits > 128 else {}
        if bits == 512:
            own[NARROW_NUMPY] = HASWELL
        return Width(cpu, bits, {}, own)
    if cpu != "x86-64-v3":
        raise ValueError(f"unknown processor '{cpu}'; there are {', '.join(CPUS)}")
    if host_bits() < 256:
        raise ValueError(f"this machine does not have what '{cpu}' needs")
    return Width(cpu, 256, AVX2)
