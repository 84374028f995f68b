"""The project in test/Extension, built against the installed package, once for all tests."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sparsam import _core

SOURCE = Path(__file__).resolve().parents[1] / "Extension"
BUILD = Path(_core.__file__).parents[2]


@dataclass(frozen=True)
class Extension:
    """prefix: where the package is installed; build: the project's own build."""

    prefix: Path
    build: Path

    @property
    def plugin(self) -> Path:
        return self.build / "Extension.so"

    def run(self, *command, **options) -> subprocess.CompletedProcess:
        """A program of the installed package or of the project."""
        folders = [str(self.build), str(self.prefix / "bin"), os.environ["PATH"]]
        environment = os.environ | {"PATH": os.pathsep.join(folders)}
        return subprocess.run(
            [str(part) for part in command],
            env=environment,
            capture_output=True,
            text=True,
            **options,
        )


def _check(*command):
    made = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert made.returncode == 0, f"{command}\n{made.stdout}\n{made.stderr}"


def _cached(name: str) -> str:
    """A variable of the build that the package comes from."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    return re.search(rf"^{name}:\w+=(.*)$", cache, re.MULTILINE)[1]


@contextlib.contextmanager
def _installed():
    """Where the package is installed, for this process alone: test processes share it."""
    folder = BUILD / "test" / "Extension"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _check("cmake", "--install", BUILD, "--prefix", folder / "prefix")
        yield folder / "prefix"


def _build(source: Path, prefix: Path, build: Path, *options: str) -> Extension:
    _check(
        "cmake",
        *("-S", source, "-B", build, "-G", "Ninja", *options),
        f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_C_COMPILER={_cached('CMAKE_C_COMPILER')}",
        f"-DCMAKE_CXX_COMPILER={_cached('CMAKE_CXX_COMPILER')}",
    )
    _check("cmake", "--build", build)
    return Extension(prefix, build)


@functools.cache
def extension() -> Extension:
    """Installed and built as a user would; files that did not change stay as they are."""
    with _installed() as prefix:
        return _build(SOURCE, prefix, prefix.parent / "build")


def rooms(root: Path) -> Extension:
    """What `tools/dev new-structure --root` laid out there, as Rooms.so."""
    with _installed() as prefix:
        return _build(SOURCE / "Rooms", prefix, root / "build", f"-DROOT={root}")
