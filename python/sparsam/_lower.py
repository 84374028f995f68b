"""Imported MLIR text through the stages of the compiler to a program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from . import _core
from ._storage import Stored, empty
from ._structures import option

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
class Value:
    """An argument or a result of a function on storage.

    groups  of a carried argument that is no parameter, the sliced group that each of its
            dimensions has all entries of, "" for none; empty where there is none at all
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    name: str = ""
    param: str = ""
    state_of: str = ""
    part: str = "dense"
    updates: int | None = None
    gradient_of: str = ""
    degree: int | None = None
    groups: tuple[str, ...] = ()

    @staticmethod
    def read(value: Mapping) -> Value:
        attributes = value["attributes"]
        dtype = np.dtype(value["dtype"])
        part = attributes.get("sparsam.part", "dense")
        if part != "dense" and dtype.kind == "i":
            # Storage reads its integers unsigned; MLIR's are signless.
            dtype = np.dtype(f"u{dtype.name}")
        return Value(
            tuple(value["shape"]),
            dtype,
            attributes.get("sparsam.name", ""),
            attributes.get("sparsam.param", ""),
            attributes.get("sparsam.state_of", ""),
            part,
            attributes.get("sparsam.updates"),
            attributes.get("sparsam.gradient_of", ""),
            attributes.get("sparsam.degree"),
            _texts(attributes.get("sparsam.groups", "")),
        )


def _texts(printed: str) -> tuple[str, ...]:
    """The strings of an array attribute as MLIR prints it."""
    escaped = re.findall(r'"([^"]*)"', printed)
    return tuple(
        re.sub(
            rb"\\([0-9A-F]{2}|\\)",
            lambda match: b"\\" if match[1] == b"\\" else bytes([int(match[1], 16)]),
            text.encode(),
        ).decode()
        for text in escaped
    )


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
            for position, result in self.positions(name)
        )
        self.program.call(name, [_bits(array) for array in arrays])

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

    def positions(self, name: str) -> tuple[tuple[int | None, int | None], ...]:
        """For each array of the program's function: the argument it is (None for one that
        only receives a result), and the result that is written to it."""
        if name not in self._positions:
            (function,) = (f for f in self.program.functions() if f["name"] == name)
            found, position = [], 0
            for argument in function["arguments"]:
                if argument["role"] == "result":
                    found.append((None, argument["result"]))
                else:
                    found.append((position, argument["result"]))
                    position += 1
            self._positions[name] = tuple(found)
        return self._positions[name]


def _bits(array: np.ndarray) -> np.ndarray:
    """The array as the core takes it: bfloat16, which NumPy does not have, by its bits."""
    return array.view(np.uint16) if array.dtype.kind == "V" else array


def stages(structure: Mapping[str, str]) -> dict[str, str]:
    """Stage -> its pass, with its options."""
    passes = {stage: f"sparsam-{stage}" for stage in STAGES}
    if structure:
        # Groups of slices are quoted in the text.
        passes["apply-structure"] += f"{{structures='{option(structure)}'}}"
    return passes


def lower(text: str, structure: Mapping[str, str], name: str) -> Lowered:
    """Compiles imported text; `name` is the file in the compiler's messages."""
    module = _declared(text, structure, name)
    entry, structures, pinned = _structures_of(module)
    passes = stages(structure)
    module.run(f"{passes['expand-storage']},{passes['propagate']}")
    signatures = _signatures(module)
    flops = module.flops()[entry]
    module.run(passes["to-cpu"])
    return _compile(module, entry, signatures, structures, pinned, flops)


def pin(text: str, structure: Mapping[str, str], name: str) -> dict[str, str]:
    """path -> structure text with its view, of what `lower` would structure."""
    return _structures_of(_declared(text, structure, name))[2]


def lower_gradients(text: str, name: str) -> Lowered:
    """Compiles the function of parameters and batch that returns the dense gradients."""
    module = _core.Module.parse(text, name)
    module.run("sparsam-import,sparsam-find-parameters,sparsam-extract-gradients")
    (function,) = (f for f in module.functions() if f["public"])
    signatures = _signatures(module)
    module.run("sparsam-propagate,sparsam-to-cpu")
    return _compile(module, function["name"], signatures)


def lower_refresh(text: str, structure: Mapping[str, str], name: str) -> Lowered:
    """Compiles the functions that move the patterns of a step."""
    module = _declared(text, structure, name)
    _, structures, pinned = _structures_of(module)
    module.run("sparsam-make-refresh")
    signatures = _signatures(module)
    module.run("sparsam-to-cpu")
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
    remarks = [
        note["text"]
        for note in module.diagnostics
        if note["severity"] in ("remark", "warning")
    ]
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


def text_after(text: str, structure: Mapping[str, str], name: str, stage: str) -> str:
    """The module after a stage."""
    if stage not in STAGES:
        raise ValueError(f"there is no stage '{stage}'; there are {', '.join(STAGES)}")
    module = _core.Module.parse(text, name)
    passes = list(stages(structure).values())
    module.run(",".join(passes[: STAGES.index(stage) + 1]))
    return module.text()
