"""Every registered pass and pipeline is described, and tested by files of its name."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Tests of passes and pipelines; those of structures, operations and tools have other names.
FOLDERS = ("Conversion", "Pipelines", "Transforms")


def registered() -> dict[str, str]:
    """Name, without `sparsam-`, -> summary, as `sparsam-opt --help` lists them."""
    run = subprocess.run(
        ["sparsam-opt", "--help"], capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^ +--sparsam-([\w-]+) +-(.*)$", run.stdout, re.MULTILINE)
    return {name: summary.strip() for name, summary in listed}


def files() -> set[str]:
    return {
        path.stem
        for folder in FOLDERS
        for path in (ROOT / "test" / folder).rglob("*.mlir")
    } - {path.stem for path in (ROOT / "test").rglob("Inputs/*.mlir")}


def test_every_pass_is_tested_for_what_it_does_and_for_what_it_refuses():
    passes, tested = registered(), files()
    assert {"find-parameters", "restore-noalias", "to-cpu"} <= set(passes)
    wanted = {name + suffix for name in passes for suffix in ("", "-errors")}
    assert not wanted - tested


def test_every_test_is_named_for_its_pass():
    """`x.mlir`, `x-errors.mlir`, and `x-topic.mlir` for more of either."""
    passes = registered()
    assert not [
        name
        for name in files()
        if not any(name == one or name.startswith(one + "-") for one in passes)
    ]


def test_every_pass_is_described():
    passes = registered()
    assert not [name for name, summary in passes.items() if len(summary) < 10]
    reference = "".join(
        page.read_text() for page in (ROOT / "docs" / "reference").glob("Passes*.md")
    )
    texts = dict(
        re.findall(r"^### `-sparsam-([\w-]+)`$(.*?)(?=^### |\Z)", reference, re.M | re.S)
    )
    pipelines = {"cpu-pipeline", "fusion-pipeline", "lower-to-llvm", "to-cpu"}
    assert set(texts) | pipelines == set(passes)
    for name, text in texts.items():
        summary, _, description = text.strip().partition("\n\n")
        assert summary.startswith("_") and description.strip(), name
