"""The C++ API: parsing, passes, compilation and calls.

Everything that can go wrong in the compiler raises `CompileError` with the whole text
of the errors and their locations. What passes say besides (warnings, remarks) is
collected in `Module.diagnostics`.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import numpy as np

from ._errors import CompileError as CompileError

class Diagnostic(TypedDict):
    severity: Literal["error", "warning", "remark"]
    location: str
    """`name:line:column` in the text that was parsed, a name, or empty."""
    message: str
    text: str
    """The message after its location, where it does not name that itself."""

class Value(TypedDict):
    """An argument or a result of a function at any level."""

    type: str
    """The MLIR type as printed, `tensor<4x8xf32, #sparsam.nm<2:4>>`."""
    dtype: str
    """NumPy's name of the element type (`bfloat16` included), unsigned for the integers of
    storage; empty if there is none."""
    shape: tuple[int | None, ...]
    """None for an extent that is not static."""
    attributes: dict[str, bool | int | float | str]
    """`sparsam.name` and the like. Unit attributes are True, attributes without an
    equivalent in Python are their printed text."""

class Function(TypedDict):
    name: str
    public: bool
    arguments: list[Value]
    results: list[Value]

class Group(TypedDict):
    """A coupled group: an axis of the parameters of a step."""

    name: str
    """The parameter that has it first and its dimension, as a structure names it."""
    size: int
    members: list[str]
    """Where the parameters have it, in the form of its name."""
    obstacle: str
    """Why it cannot be sliced; empty where it can."""

class ProgramArgument(Value):
    role: Literal["input", "updated", "result"]
    """`updated`: read, and overwritten with a result. `result`: overwritten only."""
    result: int | None
    """Which result is written here."""
    bytes: int

class ProgramFunction(TypedDict):
    name: str
    arguments: list[ProgramArgument]
    """In the order of `Program.call`; the workspace is the Program's own and not here."""
    workspace_bytes: int

class Product(TypedDict):
    """A structured product and what its kernel can be cut into."""

    key: dict[str, str | int]
    """What names it in a file of tile sizes: "product" ("spmm", "spmm_transposed" or
    "sddmm"), "structure", "element", "tokens", "inputs", "outputs"; "cpu", "vector_bits",
    "l1_bytes", "l2_bytes" and "threads"."""
    values: list[str]
    """The types of the stored values, and of the index tensors."""
    pattern: list[str]
    tiles: dict[str, int]
    """The model's."""
    outputs: int
    """The most of "part"."""
    rows: int
    """What "range" is of; below it a multiple of "unit"."""
    unit: int
    jobs_in_vector: bool
    """Whether "jobs" is a power of two of at most "lanes"."""
    elements: int | None
    """The most of "range" times "token_vectors" times "lanes"."""
    lanes: int
    registers: int
    measured: dict[str, int] | None
    """What the file of tile sizes has for it; None where it was not measured."""
    obstacle: str
    """Why the product cannot have these sizes; empty where it can."""

class Module:
    """An MLIR module in a context of its own, which clones share.

    May be used from several threads; work on modules of one context runs one after the
    other, without the GIL.
    """

    @staticmethod
    def parse(text: str, name: str = "<string>") -> Module:
        """Reads MLIR text (generic or pretty); `name` is the file in error messages."""

    def clone(self) -> Module:
        """A copy to run other passes on; its diagnostics and seconds start as these."""

    def run(self, pipeline: str) -> None:
        """Runs passes, for example `"sparsam-import,sparsam-find-parameters"` or
        `"builtin.module(cse)"`, in place. After an error the module is of no use."""

    def text(self, *, locations: bool = False, generic: bool = False) -> str:
        """The module as it is now, as MLIR text."""

    def functions(self) -> list[Function]:
        """The defined functions in order, private ones included."""

    def flops(self) -> dict[str, dict[str, int]]:
        """Function -> kind -> multiplications and additions of its products, as
        `sparsam-count-flops` counts them; what it remarks on joins `diagnostics`."""

    def groups(self) -> list[Group]:
        """The coupled groups of the module's functions, in program order. The module has
        been through `sparsam-find-parameters` and no further."""

    def products(
        self, *, cpu: str = "", threads: int = 0, tiles: str = ""
    ) -> list[Product]:
        """The structured products whose tile sizes can be chosen, in program order, alike
        ones once. `cpu` is as for `compile`; no threads mean one a core. `tiles` is a file
        of tile sizes to look them up in. Raises ValueError for a file that cannot be read
        or is no whole file of tile sizes."""

    @property
    def attributes(self) -> dict[str, bool | int | float | str]:
        """Of the module itself."""

    @property
    def at_boundary(self) -> bool:
        """Whether `compile` takes the module as it is (it has been through
        `sparsam-to-cpu`)."""

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Errors, warnings and remarks since parsing, in order."""

    @property
    def seconds(self) -> dict[str, float]:
        """Time of each pass run so far, by its name."""

    def compile(
        self,
        *,
        pipeline: str = "",
        threads: int = 0,
        cpu: str = "",
        profile: bool = False,
    ) -> Program:
        """Machine code that this host can run; this module stays as it is.

        `pipeline` lowers to the LLVM dialect (`sparsam-lower-to-llvm` by default).
        `threads` compile, one a core by default. `cpu` is as clang's -mcpu takes it, by
        default the one that the passes were told, or the host's. With `profile`, calls are timed
        kernel by kernel; see `take_profile`.
        """

    @staticmethod
    def write_bundle(
        path: str, programs: Sequence[tuple[Module, str]], files: dict[str, str]
    ) -> None:
        """Writes a bundle of one program, each module lowered for the CPU beside it, and of
        further files by name. Replaces a bundle as a whole or not at all."""

class Program:
    """Compiled functions and the scratch memory they share."""

    def functions(self) -> list[ProgramFunction]: ...
    def call(self, name: str, arrays: Sequence[Any]) -> None:
        """Runs a function on arrays, in place and without copies.

        One array per argument of `functions()`: anything with DLPack or the buffer
        protocol, in host memory, row-major, of exactly the argument's dtype and shape
        (a signless integer takes either sign; bfloat16 also comes as uint16). Those
        with a role other than `input` must be writable, may not be JAX arrays, and may
        not share memory with any other. The GIL is released meanwhile.

        Raises TypeError or ValueError that names the argument by its path, and
        RuntimeError if the program itself fails.
        """

    @property
    def seconds(self) -> dict[str, float]:
        """Time of each phase of the compilation."""

def check_pattern(
    structure: str, shape: Sequence[int], indices: Sequence[np.ndarray]
) -> None:
    """Raises ValueError where index tensors, as int64 arrays in the order of the storage,
    are no pattern of a parameter of this shape: what is out of range or out of order."""

def pinned_structure(structure: str, shape: Sequence[int]) -> str:
    """The text of a structure as the compiler prints it, with the view that it has for a
    parameter of this shape written out. Raises ValueError where it does not parse or fit."""

def structure_cost(structure: str, shape: Sequence[int]) -> dict[str, int]:
    """What a parameter of this shape of f32 stores under a structure, "entries" (trainable
    ones) and "bytes", and what a row of a product with a layer of it costs: "flops_per_row"
    forward and backward to the input, "gradient_flops_per_row" backward to the weight.
    Raises ValueError where the text does not parse or fit, or the structure does not know."""

def load_plugin(path: str) -> None:
    """Loads a shared library with structures of its own, which modules that are parsed from
    now on know. Raises RuntimeError where it is none."""

def find_tiles(
    path: str, keys: Sequence[dict[str, str | int]]
) -> list[dict[str, int] | None]:
    """The tile sizes that a file has for products; None for those that it does not have.
    Raises ValueError for one that cannot be read or is no whole file of tile sizes."""

def add_tiles(
    path: str,
    entries: Sequence[tuple[dict[str, str | int], dict[str, int], float, float]],
) -> None:
    """Adds key, tile sizes, the model's seconds and theirs to a file, which may be new and
    which other processes may add to meanwhile. Raises ValueError as `find_tiles` does."""

def check_cpu(name: str) -> None:
    """Raises ValueError, with some names that there are, for one that is no CPU's."""

def default_cpus() -> list[str]:
    """The CPUs that a bundle is for by default."""

class PatternInfo(TypedDict):
    """What selection needs to know of a pattern on a parameter."""

    stack: list[int]
    """The parameter's dimensions that are stacked layers."""
    inputs: list[int]
    outputs: list[int]
    unit: tuple[int, int]
    """Inputs and outputs of what is kept or dropped as a whole."""
    entries: int
    """How many entries are stored, of all layers."""

def describe_pattern(structure: str, shape: Sequence[int]) -> PatternInfo | None:
    """Of a structure's text; None where it is no pattern. Raises ValueError where it does
    not parse or fit."""

def with_density(structure: str, density: float) -> str | None:
    """The text of the same structure at another density; None where it has none that is
    free, and for a number that is no density."""

def sliced_axes(structure: str, shape: Sequence[int]) -> tuple[list[str], list[int]]:
    """The groups of a structure, one for each index tensor of its storage, and the shape of
    what it leaves of a parameter of this shape. No groups for structures that are not one
    choice for several parameters. Raises ValueError where it does not parse or fit."""

def take_profile() -> list[tuple[str, int, float]]:
    """Name, calls and seconds of each kernel and library routine of the programs that
    were compiled with `profile=True`, since the last time; the costliest first."""

def set_num_threads(threads: int) -> None:
    """Threads of every later call, up to 1,024; 0 is OpenMP's default. Users call
    `sparsam.set_num_threads`."""

def num_threads() -> int: ...
