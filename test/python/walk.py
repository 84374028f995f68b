"""A step in the middle of the compiler: what its products cost, and what it has tensors of."""

from __future__ import annotations

import math
import re

import reference
from oracle import Case
from sparsam import _core, _jax
from sparsam._lower import STAGES, stages


def propagated(one: Case) -> _core.Module:
    """The step behind sparsam-propagate, where products are what they will be."""
    args = (one.params, one.state, *one.batches[0])
    imported = _jax.import_step(one.train_step, args, 0, 1)
    module = _core.Module.parse(imported.text, "step")
    passes = list(stages(one.texts).values())
    module.run(",".join(passes[: STAGES.index("propagate") + 1]))
    return module


def remarks(module: _core.Module) -> list[str]:
    return [note["text"] for note in module.diagnostics if note["severity"] == "remark"]


def tensor_shapes(text: str, function: str = "main") -> set[tuple[int, ...]]:
    """The shapes of all tensors of floats in a function of a printed module."""
    start = text.index(f"@{function}(")
    end = text.find("\n  func.func ", start)
    types = re.findall(
        r"tensor<((?:\d+x)+)(?:f|bf)\d+", text[start : None if end < 0 else end]
    )
    return {tuple(map(int, shape[:-1].split("x"))) for shape in types}


def storage_shapes(module: _core.Module, function: str = "main") -> dict[str, set]:
    """Parameter -> the shapes of its storage's tensors, of all layers and of one."""
    found: dict[str, set] = {}
    (entry,) = (f for f in module.functions() if f["name"] == function)
    for argument in entry["arguments"]:
        path = argument["attributes"].get("sparsam.param")
        if path and "sparsam.part" in argument["attributes"]:
            shape = argument["shape"]
            found.setdefault(path, set()).update({shape, (1, *shape[1:]), shape[1:]})
    return found


def dense_sizes(one: Case, path: str) -> set[int]:
    """Elements of a parameter's tensor, of one layer and of all."""
    shape = reference.paths(one.params)[path].shape
    layers = math.prod(shape[dim] for dim in one.model.stacked.get(path, ()))
    return {math.prod(shape), math.prod(shape) // layers}


def dense_tensors(one: Case, module: _core.Module) -> dict[str, set[tuple[int, ...]]]:
    """Structured parameter -> the shapes of tensors in the step that are as large as its
    dense tensor. The model's sizes must be such that no activation is; what is stored of
    another parameter may be, and does not count."""
    shapes, stored, found = tensor_shapes(module.text()), storage_shapes(module), {}
    for path, structure in one.texts.items():
        others = set().union(*(own for other, own in stored.items() if other != path))
        sizes = dense_sizes(one, path)
        possible = shapes - (others - stored[path])
        dense = {shape for shape in possible if math.prod(shape) in sizes}
        if structure != "dense" and dense:
            found[path] = dense
    return found


def check_nothing_dense(one: Case, module: _core.Module, said: list[str]) -> None:
    """Neither a tensor of a structured parameter's size, nor a remark that admits one."""
    assert not [r for r in said if re.search("made dense|dense first|forms|needs", r)]
    assert not dense_tensors(one, module)
