"""The page on PyTorch and the example run as they are printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "PyTorch.md").read_text()
FIRST, *OTHERS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def run(*arguments):
    ran = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "120"},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_page():
    """The training learns something; further blocks are expressions."""
    check = "assert loss < 2.2 and trained(x).shape == (32, 10), loss\n"
    run("-c", FIRST + check + "".join(OTHERS))
    assert len(OTHERS) == 1


@pytest.mark.parametrize("steps, least", [(60, 50)])
def test_the_example(steps, least):
    printed = run(str(ROOT / "examples" / "torch_digits.py"), "--steps", str(steps))
    found = re.findall(r"(dense|structured), \w+ +│ +([\d.]+)%", printed)
    assert [name for name, _ in found] == ["dense", "structured"], printed
    assert all(float(percent) > least for _, percent in found), printed
