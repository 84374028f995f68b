"""The README's examples run as they are printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_readme_has_both_examples():
    assert len(blocks("python")) == 1
    assert any("sparsam-opt" in block for block in blocks("sh"))


@pytest.mark.parametrize("code", blocks("python"))
def test_python_example_is_short(code):
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 15, len(lines)
    assert ";" not in code


@pytest.mark.parametrize("code", blocks("python"))
def test_python_example(code, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    losses = [
        float(line.split()[-1]) for line in ran.stdout.splitlines() if "loss" in line
    ]
    assert len(losses) >= 2 and losses[-1] < losses[0], ran.stdout


@pytest.mark.parametrize(
    "code", [block for block in blocks("sh") if "sparsam-opt" in block]
)
def test_opt_example(code, tmp_path):
    files = blocks("mlir")
    assert len(files) == 1
    (tmp_path / "step.mlir").write_text(files[0])
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code.replace("tools/dev exec ", "")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert "sparsam.spmm" in ran.stdout and "sparsam.sddmm" in ran.stdout
