"""The examples of the README and of docs/GettingStarted.md run as they are printed, and both
know every structure."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sparsam import _core

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
STARTED = (ROOT / "docs" / "GettingStarted.md").read_text()
PAGES = sorted((ROOT / "docs" / "structures").glob("*.md"))


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


def run_python(code: str, folder: Path) -> list[float]:
    """The losses that it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder
    )
    assert ran.returncode == 0, ran.stderr
    return [float(line.split()[-1]) for line in ran.stdout.splitlines() if "loss" in line]


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
    losses = run_python(code, tmp_path)
    assert len(losses) >= 2 and losses[-1] < losses[0], losses


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


def test_getting_started_is_one_program(tmp_path):
    first = """
before = np.mean((np.asarray(predict(ts.params, batch[0])) - batch[1]) ** 2)
print("loss", before)
"""
    again = """
step = sparsam.compile(train, (ts, batch), params="0/params", state="0", structure=structure)
p, s = step.compress(ts.params, ts)
for _ in range(20):
    p, s, loss = step(p, s, batch)
print("loss", loss)
"""
    code = blocks("python", STARTED)
    assert len(code) == 6
    losses = run_python("".join([code[0], first, *code[1:], again]), tmp_path)
    before, trained, marked = losses
    assert trained < 0.8 * before
    # Nothing of this step depends on the mark.
    assert abs(marked - trained) < 0.2 * trained


def test_the_table_of_structures():
    """A line for each, whose text is that structure, with a link to its page."""
    listed = re.findall(
        r"^\| \[`((\w+).*)`\]\(docs/structures/(\w+)\.md\) \|", README, re.MULTILINE
    )
    assert sorted(name for _, name, _ in listed) == [page.stem for page in PAGES]
    for text, name, page in listed:
        assert name == page
        _core.Module.parse(f'"test.op"() {{structure = #sparsam.{text}}} : () -> ()')


def test_getting_started_links_each_structure():
    linked = re.findall(r"\[(\w+)\]\(structures/(\w+)\.md\)", STARTED)
    assert all(name == page for name, page in linked)
    assert {page for _, page in linked} == {page.stem for page in PAGES}


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / link).exists(), link
