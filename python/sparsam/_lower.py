"""Imported MLIR text through the stages of the compiler to a program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ._calling import bits, positions
from ._errors import CompilerWarning, warn
from ._lazy import core as _core
from ._runtime import num_threads
from ._storage import Stored, empty
from ._structures import option
from ._values import Value

STAGES = (
    "import",
    "find-parameters",
    "apply-structure",
    "expand-storage",
    "propagate",
    "to-cpu",
    "lower-to-llvm",
)

COMPANIONS = ("compress", "compress_on_pattern", "densify")


@dataclass(frozen=True)
class Signature:
    arguments: tuple[Value, ...]
    results: tuple[Value, ...]


@dataclass
class Lowered:
    """A module compiled for the CPU.

    entry       name of the step or function; the others are companions
    structures  parameter path -> structure text, of what has one
    pinned      the same with the view written out, to be given to other functions whose
                first use of a parameter may suggest another view
    signatures  of the functions on storage
    flops       of the entry's products, by what computes them
    """

    program: _core.Program
    entry: str
    structures: dict[str, str]
    pinned: dict[str, str]
    signatures: dict[str, Signature]
    remarks: list[str]
    seconds: dict[str, float]
    flops: dict[str, int]
    _positions: dict[str, tuple] = field(default_factory=dict)

    def call(self, name: str, arguments: list, results: Mapping[int, np.ndarray]) -> None:
        """Runs a function; `results` gives the array of each result that is not written
        over an argument."""
        arrays = (
            arguments[position] if position is not None else results[result]
            for position, result in self._positions_of(name)
        )
        self.program.call(name, [bits(array) for array in arrays])

    def _positions_of(self, name: str) -> tuple:
        if name not in self._positions:
            self._positions[name] = positions(self.program, name)
        return self._positions[name]

    def call_new(self, name: str, arguments: list) -> list[np.ndarray]:
        """Runs a function that writes over no argument; returns its results."""
        results = [empty(v.shape, v.dtype) for v in self.signatures[name].results]
        self.call(name, arguments, dict(enumerate(results)))
        return results

    def call_named(self, name: str, given: Stored, names: Mapping[str, str]) -> Stored:
        """The same on what is stored; `names` are those of the parameters' arguments, by
        path."""
        signature = self.signatures[name]

        def key(value: Value) -> tuple[str, str]:
            return names.get(value.param, value.name), value.part

        results = self.call_new(name, [given[key(v)] for v in signature.arguments])
        return {key(v): r for v, r in zip(signature.results, results, strict=True)}


def stages(
    structure: Mapping[str, str], cpu: str = "", tiles: str = ""
) -> dict[str, str]:
    """Stage -> its pass, with its options. `tiles` is a file of tile sizes, of which those
    for as many threads as there are now are taken."""
    passes = {stage: f"sparsam-{stage}" for stage in STAGES}
    if structure:
        # Groups of slices are quoted in the text.
        passes["apply-structure"] += f"{{structures='{option(structure)}'}}"
    options = [f"cpu={cpu}"] if cpu else []
    if tiles:
        options += [f"tiles='{tiles}'", f"threads={num_threads()}"]
    if options:
        passes["to-cpu"] += f"{{{' '.join(options)}}}"
    return passes


def lower(
    text: str,
    structure: Mapping[str, str],
    name: str,
    cpu: str = "",
    tiles: str = "",
) -> Lowered:
    """Compiles imported text; `name` is the file in the compiler's messages. `cpu` is this
    machine's by default, and `tiles` a file of tile sizes."""
    module = _declared(text, structure, name)
    entry, structures, pinned = _structures_of(module)
    passes = stages(structure, cpu, tiles)
    module.run(f"{passes['expand-storage']},{passes['propagate']}")
    signatures = _signatures(module)
    flops = module.flops()[entry]
    module.run(passes["to-cpu"])
    return _compile(module, entry, signatures, structures, pinned, flops)


def pin(text: str, structure: Mapping[str, str], name: str) -> dict[str, str]:
    """path -> structure text with its view, of what `lower` would structure."""
    return _structures_of(_declared(text, structure, name))[2]


def lower_for(
    text: str, structure: Mapping[str, str], name: str, cpu: str, tiles: str = ""
) -> _core.Module:
    """The module that `lower` compiles, for a CPU."""
    module = _declared(text, structure, name)
    passes = stages(structure, cpu, tiles)
    module.run(f"{passes['expand-storage']},{passes['propagate']},{passes['to-cpu']}")
    return module


def products(
    text: str, structure: Mapping[str, str], name: str, cpu: str = "", tiles: str = ""
) -> list[_core.Product]:
    """The structured products of what `lower` compiles, on as many threads as there are
    now, with what a file of tile sizes has for them."""
    module = _declared(text, structure, name)
    passes = stages(structure)
    module.run(f"{passes['expand-storage']},{passes['propagate']}")
    return module.products(cpu=cpu, threads=num_threads(), tiles=tiles)


def lower_gradients(text: str, name: str, cpu: str = "") -> Lowered:
    """Compiles the function of parameters and batch that returns the dense gradients."""
    module = _core.Module.parse(text, name)
    module.run("sparsam-import,sparsam-find-parameters,sparsam-extract-gradients")
    (function,) = (f for f in module.functions() if f["public"])
    signatures = _signatures(module)
    module.run(f"sparsam-propagate,{stages({}, cpu)['to-cpu']}")
    return _compile(module, function["name"], signatures)


def lower_refresh(
    text: str, structure: Mapping[str, str], name: str, cpu: str = ""
) -> Lowered:
    """Compiles the functions that move the patterns of a step."""
    module = _declared(text, structure, name)
    _, structures, pinned = _structures_of(module)
    module.run("sparsam-make-refresh")
    signatures = _signatures(module)
    module.run(stages({}, cpu)["to-cpu"])
    return _compile(module, "", signatures, structures, pinned)


def _declared(text: str, structure: Mapping[str, str], name: str) -> _core.Module:
    """The module once its signature declares the structures."""
    module = _core.Module.parse(text, name)
    passes = stages(structure)
    module.run(
        f"{passes['import']},{passes['find-parameters']},{passes['apply-structure']}"
    )
    return module


def _structures_of(module: _core.Module) -> tuple[str, dict[str, str], dict[str, str]]:
    """The name of the step, and path -> structure text, without and with its view."""
    (function,) = (f for f in module.functions() if f["public"])
    structures, pinned = {}, {}
    for argument in function["arguments"]:
        encoding = re.search(r", #sparsam\.(.*)>$", argument["type"])
        if encoding:
            path = argument["attributes"]["sparsam.param"]
            structures[path] = encoding[1]
            pinned[path] = _core.pinned_structure(encoding[1], argument["shape"])
    return function["name"], structures, pinned


def _signatures(module: _core.Module) -> dict[str, Signature]:
    return {
        f["name"]: Signature(
            tuple(map(Value.read, f["arguments"])), tuple(map(Value.read, f["results"]))
        )
        for f in module.functions()
        if f["public"]
    }


def _compile(
    module: _core.Module,
    entry: str,
    signatures: dict[str, Signature],
    structures: Mapping[str, str] | None = None,
    pinned: Mapping[str, str] | None = None,
    flops: Mapping[str, int] | None = None,
) -> Lowered:
    program = module.compile()
    notes = [n for n in module.diagnostics if n["severity"] in ("remark", "warning")]
    remarks = [note["text"] for note in notes]
    for note in notes:
        if note["severity"] == "warning":
            warn(note["text"], CompilerWarning)
    seconds = dict(module.seconds) | dict(program.seconds)
    return Lowered(
        program,
        entry,
        dict(structures or {}),
        dict(pinned or {}),
        signatures,
        remarks,
        seconds,
        dict(flops or {}),
    )


def groups(text: str, name: str) -> list[_core.Group]:
    """The coupled groups of imported text."""
    module = _core.Module.parse(text, name)
    passes = stages({})
    module.run(f"{passes['import']},{passes['find-parameters']}")
    return module.groups()


def text_after(
    text: str,
    structure: Mapping[str, str],
    name: str,
    stage: str,
    cpu: str = "",
    tiles: str = "",
) -> str:
    """The module after a stage."""
    if stage not in STAGES:
        raise ValueError(f"there is no stage '{stage}'; there are {', '.join(STAGES)}")
    module = _core.Module.parse(text, name)
    passes = list(stages(structure, cpu, tiles).values())
    module.run(",".join(passes[: STAGES.index(stage) + 1]))
    return module.text()
