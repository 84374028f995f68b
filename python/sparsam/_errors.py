"""What the compiler raises, without the compiler."""


class CompileError(RuntimeError):
    """Parsing, a pass or code generation failed; the text has every error and where."""
