"""A step or a function of a module as the compiler takes it."""

from __future__ import annotations

from collections.abc import Callable

import jax
import torch

from .._imported import ImportedStep
from .._pairing import Leaf
from .._trees import key_names
from . import _arrays, _linalg
from ._checks import find_checks
from ._optimizers import Optimizer
from ._trace import Traced, trace_function, trace_step


def import_step(
    model: torch.nn.Module,
    loss_fn: Callable,
    optimizers: dict[str, Optimizer],
    args: tuple,
    seed: int,
) -> ImportedStep:
    """Imports one training step of `args`, (parameters, state, *batch)."""
    traced = trace_step(model, loss_fn, optimizers, args, seed)
    params, state = args[:2]
    # The results start with the new parameters and state, in the order of the old.
    carried = len(params) + len(state)
    return _imported(traced, args, {i: i for i in range(carried)})


def import_function(model: torch.nn.Module, fn: Callable, args: tuple) -> ImportedStep:
    """Imports `fn(model, *batch)` of `args`, (parameters, buffers, *batch)."""
    return _imported(trace_function(model, fn, args), args, {})


def _imported(traced: Traced, args: tuple, updates: dict[int, int]) -> ImportedStep:
    flat, in_tree = jax.tree_util.tree_flatten_with_path(args)
    arguments = [_leaf(path, value) for path, value in flat]
    named, _ = jax.tree_util.tree_flatten_with_path(
        jax.tree.unflatten(traced.tree, traced.leaves)
    )
    results = [_leaf(path, value) for path, value in named]
    floats = {
        name: position
        for position, name in enumerate(sorted(args[0]))
        if args[0][name].dtype.is_floating_point
    }
    carried_state = range(len(args[0]), len(args[0]) + len(args[1]))
    batch = range(len(args[0]) + len(args[1]), len(arguments))
    unchanged = _unchanged(traced, updates)
    return ImportedStep(
        text=_linalg.lower(traced, arguments, results, floats, updates),
        arguments=tuple(arguments),
        results=tuple(results),
        in_tree=in_tree,
        out_tree=traced.tree,
        params=floats,
        state=tuple(carried_state) if updates else (),
        updates=updates,
        marked=traced.marked,
        check=find_checks(traced.graph, {i: _called(arguments[i]) for i in batch}),
        unchanged=unchanged,
    )


def _unchanged(traced: Traced, updates: dict[int, int]) -> frozenset[int]:
    """The arguments that the graph returns as they are, as their own new values."""
    nodes = traced.graph.graph.nodes
    given = [node for node in nodes if node.op == "placeholder"]
    (returned,) = next(iter(reversed(nodes))).args
    return frozenset(i for i, result in updates.items() if returned[result] is given[i])


def _called(leaf: Leaf) -> str:
    return f"argument '{'.'.join(leaf.keys)}'"


def _leaf(path, value: torch.Tensor) -> Leaf:
    return Leaf(
        key_names(path), tuple(value.shape), str(_arrays.numpy_dtype(value.dtype))
    )
