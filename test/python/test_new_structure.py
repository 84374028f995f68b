"""tools/dev new-structure makes rooms that build, and whose tests fail only where the
mathematics is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from extension import rooms

ROOT = Path(__file__).resolve().parents[2]


def new_structure(*arguments) -> subprocess.CompletedProcess:
    script = ROOT / "tools" / "new_structure.py"
    return subprocess.run(
        [sys.executable, script, *map(str, arguments)], capture_output=True, text=True
    )


def files(root: Path) -> list[Path]:
    """What was laid out, without what was built of it."""
    parts = [root / part for part in ("include", "lib", "test", "docs")]
    return [path for part in parts for path in part.rglob("*") if path.is_file()]


def run_lines(test: Path) -> list[str]:
    """The commands of a lit test."""
    text = test.read_text().replace("\\\n// RUN:", "")
    return [
        line.removeprefix("// RUN:").strip()
        for line in text.splitlines()
        if line.startswith("// RUN:")
    ]


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    for arguments in (["BlockCirculant"], ["Toeplitz", "--kind", "factors"]):
        made = new_structure(*arguments, "--root", root)
        assert made.returncode == 0, made.stderr
        assert "left to write for #sparsam." in made.stdout
    return root


# What each test needs that is not written yet; None for those that pass.
MISSING = {
    "block-circulant-errors": None,
    "toeplitz-errors": None,
    "BlockCirculant/type": None,
    "BlockCirculant/select": "BlockCirculantAttr::buildSelect",
    "BlockCirculant/densify": "BlockCirculantAttr::buildDensify",
    "BlockCirculant/restrict": "BlockCirculantAttr::buildRestrict",
    "Toeplitz/type": "ToeplitzAttr::getTerms",
    "Toeplitz/step": "ToeplitzAttr::getTerms",
}


def test_they_build_and_fail_where_the_mathematics_is_missing(laid_out):
    built = rooms(laid_out)
    plugin = built.build / "Rooms.so"
    tests = sorted((laid_out / "test" / "Structure").rglob("*.mlir"))
    known = {
        name: next(test for test in tests if str(test).endswith(f"{name}.mlir"))
        for name in MISSING
    }
    assert sorted(known.values()) == tests
    for name, missing in MISSING.items():
        for line in run_lines(known[name]):
            command = line.replace(
                "sparsam-opt", f"sparsam-opt --load-dialect-plugin={plugin}"
            ).replace("%s", str(known[name]))
            ran = built.run("bash", "-c", f"set -o pipefail; {command}")
            if missing:
                assert ran.returncode != 0, name
                assert f"{missing} is not written yet: " in ran.stderr, name
            else:
                assert ran.returncode == 0, f"{name}: {ran.stderr}"


def test_the_page_and_the_reference_know_it(laid_out):
    page = (laid_out / "docs" / "structures" / "block_circulant.md").read_text()
    assert page.startswith("# `#sparsam.block_circulant<count>`")
    for path in files(laid_out):
        assert not re.search("@[A-Za-z]+@", str(path) + path.read_text()), path


def test_what_is_made_is_formatted(laid_out):
    sources = [path for path in files(laid_out) if path.suffix in (".h", ".cpp")]
    checked = subprocess.run(
        ["clang-format-22", f"--style=file:{ROOT / '.clang-format'}", "-n", "-Werror"]
        + sources,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["low_rank"], "'low_rank' is no name of a structure: expected a C++ class name"),
        (["LowRank"], "there is a structure LowRank already: include/sparsam/Structure/"),
        (
            ["Other", "--mnemonic", "nm"],
            "#sparsam.nm is in include/sparsam/Structure/NM/",
        ),
        (["Other", "--mnemonic", "a-b"], "'a-b' cannot be written in #sparsam.a-b"),
        (["Other", "--kind", "sum"], "invalid choice: 'sum'"),
        ([], "the following arguments are required: name"),
    ],
)
def test_names_that_it_refuses(arguments, message):
    refused = new_structure(*arguments)
    assert refused.returncode != 0
    assert message in refused.stderr
    assert not (ROOT / "lib" / "Structure" / "Other").exists()


def test_tools_dev_lists_it():
    usage = subprocess.run(
        [ROOT / "tools" / "dev", "help"], capture_output=True, text=True, check=True
    )
    assert "new-structure NAME" in usage.stdout


PARTS = ["benchmarks", "cmake", "docs", "include", "lib", "python", "test", "tools"]


def configure_line() -> str:
    """How docs/GettingStarted.md configures without tools/dev."""
    page = (ROOT / "docs" / "GettingStarted.md").read_text()
    (line,) = re.findall(r"^cmake --preset .*$", page, re.MULTILINE)
    return line.replace('"$PWD/.venv/bin/python"', sys.executable)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree that was configured before the rooms were laid out in it."""
    root = tmp_path_factory.mktemp("copy")
    unwanted = shutil.ignore_patterns("build", "__pycache__")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=unwanted)
    for name in ("CMakeLists.txt", "CMakePresets.json", ".clang-format"):
        shutil.copy(ROOT / name, root / name)
    # A precompiled header pays for more than a few files.
    run_in(root, f"{configure_line()} -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON")
    for arguments in (["BlockCirculant"], ["Toeplitz", "--kind", "factors"]):
        script = root / "tools" / "new_structure.py"
        run_in(root, " ".join([sys.executable, str(script), *arguments]))
    return root


def run_in(root: Path, command: str) -> str:
    """What it prints, where it succeeds. The project's Python comes first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def test_the_tree_finds_new_rooms(tree):
    """No list is edited: the build that was there finds, compiles and registers them."""
    objects = "lib/CMakeFiles/Sparsam.dir"
    room = f"{objects}/Structure/Toeplitz/Toeplitz.cpp.o"
    run_in(tree, f"ninja -C build/release -j 2 {objects}/InitAll.cpp.o {room}")
    listed = tree / "build/release/include/sparsam/Structure/Structures.h.inc"
    linked = run_in(tree, "ninja -C build/release -t query lib/libSparsam.so.0.1.0")
    for name, sources in {
        "BlockCirculant": ["BlockCirculant", "Builders"],
        "Toeplitz": ["Toeplitz"],
    }.items():
        assert f"register{name}(registry)" in listed.read_text()
        for source in sources:
            assert f"{objects}/Structure/{name}/{source}.cpp.o" in linked


def test_the_tree_finds_their_tests_and_pages(tree):
    shown = run_in(tree, "lit --show-tests build/release/test")
    assert all(f"{name}.mlir" in shown for name in MISSING)
    wrote = run_in(tree, f"{sys.executable} tools/reference.py")
    pages = "Structure-block_circulant.md, Structure-toeplitz.md"
    assert wrote == f"wrote {pages}\n"
    run_in(tree, f"{sys.executable} -m pytest -q test/python/test_structure_pages.py")
