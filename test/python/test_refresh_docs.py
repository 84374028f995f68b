"""The page on refreshing runs as it is printed: the first block, and the others after it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "Refresh.md").read_text()
FIRST, *OTHERS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
# What is stored in the end, of all entries.
DENSITIES = [0.2, 0.1, 0.3, 0.2, 1.0]


@pytest.mark.parametrize("code, density", list(zip(OTHERS, DENSITIES, strict=True)))
def test_a_schedule(code, density):
    check = f"""
share = np.concatenate([w.ravel() for w in step.densify(p).values()])
share = (share != 0).mean()
assert abs(share - {density}) < 0.01, share
assert loss < 0.35, loss
"""
    ran = subprocess.run(
        [sys.executable, "-c", FIRST + code + check], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
