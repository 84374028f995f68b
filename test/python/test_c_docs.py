"""The programs in C that the documentation has compile and run as they are printed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CC = shutil.which("cc") or shutil.which("clang")
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror")


def blocks(page: str, language: str, after: str = "") -> list[str]:
    """The page's blocks of code, those behind some text."""
    text = (ROOT / "docs" / page).read_text()
    text = text[text.index(after) :]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def programs(page: str) -> list[str]:
    return [block for block in blocks(page, "c") if "int main(" in block]


def run(folder: Path, *command) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def libraries() -> Path:
    """Where those of the build are, beside its programs."""
    if not CC:
        pytest.skip("there is no C compiler")
    return Path(shutil.which("sparsam-compile")).resolve().parents[1] / "lib"


def build(folder: Path, source: str, libraries: Path, *arguments):
    (folder / "main.c").write_text(source)
    search = (f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-L.", "-Wl,-rpath,$ORIGIN")
    includes = (f"-I{ROOT / 'include'}", "-I.")
    run(folder, CC, *STRICT, *includes, "main.c", *search, *arguments, "-o", "main")


@pytest.mark.parametrize("page, count", [("CAPI.md", 1), ("AheadOfTime.md", 1)])
def test_all_whole_programs_are_tested(page, count):
    assert len(programs(page)) == count


def test_the_c_api(tmp_path, libraries):
    (source,) = programs("CAPI.md")
    llvm = run(tmp_path, shutil.which("llvm-config"), "--includedir").strip()
    build(
        tmp_path,
        source,
        libraries,
        *("-isystem", llvm, "-lSparsamProgramCAPI", "-lSparsamCAPI"),
    )
    assert run(tmp_path, "./main") == "values[0] = -3.2\n"


def test_ahead_of_time(tmp_path, libraries):
    """Each command and program of the page's example, in their order."""
    (mlir,) = blocks("AheadOfTime.md", "mlir")
    (tmp_path / "step.mlir").write_text(mlir)
    bundle, compress, train, library = (
        block.splitlines()[0] for block in blocks("AheadOfTime.md", "sh", after=mlir)
    )
    _, dense, storage = blocks("AheadOfTime.md", "python")
    shell = ("/bin/sh", "-c")
    run(tmp_path, *shell, bundle)
    run(tmp_path, sys.executable, "-c", dense)
    run(tmp_path, *shell, compress)
    assert np.load(tmp_path / "storage.npz")["w/indices"].dtype == np.uint16
    run(tmp_path, sys.executable, "-c", storage)
    run(tmp_path, *shell, train)
    assert (tmp_path / "out.npz").exists()

    run(tmp_path, *shell, library)
    header = (tmp_path / "step.h").read_text()
    printed, source = blocks("AheadOfTime.md", "c")
    assert printed in header
    build(tmp_path, source, libraries, "-lstep", "-lSparsamRuntime")
    assert run(tmp_path, "./main").splitlines()[0] == "y[0] = -8"
