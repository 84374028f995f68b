"""The vector widths that a run may use, and what holds each library to one."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Width:
    """bits: of a vector register; env: what keeps the peers to it."""

    cpu: str
    bits: int
    env: dict[str, str]


AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
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


def get_width(cpu: str) -> Width:
    """`cpu`: "host" for all that this machine has, or a baseline such as "x86-64-v3"."""
    if cpu == "host":
        return Width(cpu, host_bits(), {})
    if cpu != "x86-64-v3":
        raise ValueError(f"unknown processor '{cpu}'; there are {', '.join(CPUS)}")
    if host_bits() < 256:
        raise ValueError(f"this machine does not have what '{cpu}' needs")
    return Width(cpu, 256, AVX2)
