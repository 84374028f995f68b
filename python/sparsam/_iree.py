"""The programs of the PyPI package `iree-base-compiler`, which turn a framework's graph
into linalg."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable

from ._errors import CompileError


def run(tool: str, options: Iterable[str], text: str) -> str:
    """The module that a program makes of `text`. Raises CompileError with its errors, and
    RuntimeError where it is missing."""
    ran = subprocess.run(
        [_path(tool), *options, "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if ran.returncode != 0:
        lines = ran.stderr.decode(errors="replace").splitlines()
        # Without the operands, which may be hundreds.
        errors = [
            re.sub(r"\(%[^)]*\)", "(…)", line) for line in lines if "error:" in line
        ]
        raise CompileError(
            f"{tool} could not turn the step into linalg: "
            + "\n".join(line[:300] for line in (errors or lines[-3:])[:5])
        )
    return ran.stdout.decode()


def check_names(text: str, count: int):
    """Raises RuntimeError unless `count` arguments and results still have their names.

    The attributes travel through another compiler; a step without them would be a step
    without parameters.
    """
    if text.count("sparsam.name = ") != count:
        raise RuntimeError(
            "iree-compile dropped attributes of the function's arguments; sparsam is made "
            "for iree-base-compiler 3.13"
        )


def _path(tool: str) -> str:
    """The path of a program, of this interpreter's environment if it has one."""
    try:
        from iree.compiler.tools.binaries import find_tool

        return find_tool(tool)
    except (ImportError, ValueError):
        found = shutil.which(tool)
        if found:
            return found
        raise RuntimeError(
            f"sparsam needs {tool} to import a step; install it with "
            "`pip install iree-base-compiler`"
        ) from None
