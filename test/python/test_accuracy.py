"""The elementary functions are as accurate as docs/Numerics.md says."""

import platform
import re
from pathlib import Path

import accuracy
import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs/Numerics.md"
# Some of all numbers, and all those close to these.
SAMPLES = 1 << 18
SPECIAL = [0.0, 2.0**-126, 0.5, 1.0, 2.0, 3.92, 7.9, 9.0, 10.0, 87.3, 88.7, 103.9, 3e38]
NEAR = 2000
# The second has no fused multiply-add.
CPUS = ["host", "x86-64"] if platform.machine() == "x86_64" else ["host"]


def stated() -> dict[str, tuple[float, float]]:
    """Function: largest errors of normal and of subnormal results, in ulp."""
    rows = re.findall(
        r"^\| `(\w+)` \| ([\d.]+) \|(?:[^|]+\|){3} ([\d.]+|to zero) \|",
        PAGE.read_text(),
        re.MULTILINE,
    )
    return {
        name: (float(ulp), np.inf if small == "to zero" else float(small))
        for name, ulp, small in rows
    }


@pytest.fixture(scope="module", params=CPUS)
def program(request):
    return accuracy.compile_functions(accuracy.FUNCTIONS, request.param)


def sample() -> np.ndarray:
    rng = np.random.default_rng(0)
    bits = [rng.integers(0, 1 << 32, SAMPLES, np.uint32)]
    # Most numbers of f32 are so large or so small that nothing is hard about them.
    bits.append(rng.uniform(-20, 20, SAMPLES).astype(np.float32).view(np.uint32))
    bits.append(rng.uniform(-1, 1, SAMPLES).astype(np.float32).view(np.uint32))
    for number in np.array(SPECIAL, np.float32).view(np.uint32):
        near = np.arange(max(0, int(number) - NEAR), int(number) + NEAR, dtype=np.uint32)
        bits += [near, near | np.uint32(1 << 31)]
    return np.concatenate(bits)


def test_the_page_lists_every_function():
    assert set(stated()) == set(accuracy.FUNCTIONS)


@pytest.mark.parametrize("name", accuracy.FUNCTIONS)
def test_errors_are_within_what_the_page_states(program, name):
    worst = accuracy.measure(program, name, [sample()])
    ulp, subnormal = stated()[name]
    assert not worst.wrong
    assert worst.ulp.size <= ulp, worst.ulp
    assert worst.subnormal.size <= subnormal, worst.subnormal


@pytest.mark.parametrize("name", accuracy.FUNCTIONS)
def test_special_arguments(program, name):
    assert not accuracy.wrong_specials(program, name)
