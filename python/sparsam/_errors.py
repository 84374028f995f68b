"""What the compiler raises and warns of, without the compiler."""

import os
import sys
import warnings


class CompileError(RuntimeError):
    """Parsing, a pass or code generation failed; the text has every error and where."""


class CompilerWarning(UserWarning):
    """The compiler went on with what it may not be meant to; the text says what and where."""


def warn(text: str, kind: type[Warning] = UserWarning):
    """A warning at the line of the user that called the package."""
    package, level, frame = (
        os.path.join(os.path.dirname(__file__), ""),
        2,
        sys._getframe(1),
    )
    while frame.f_back and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, kind, stacklevel=level)
