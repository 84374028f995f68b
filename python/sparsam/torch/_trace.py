"""From a module, a loss and optimizers to the graph of one training step.

The step is traced twice: first through autograd, which gives forward, backward and update as
operations on plain tensors; then functionalized, so that updates of buffers and other
work in place become values, and decomposed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import jax
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.backends import mkldnn
from torch.func import functional_call, functionalize
from torch.fx import GraphModule, Interpreter
from torch.fx.experimental.proxy_tensor import get_proxy_mode, make_fx
from torch.fx.traceback import preserve_node_meta
from torch.nn.attention import SDPBackend, sdpa_kernel

from . import _decompositions, _places, _refusals, _state
from ._optimizers import Optimizer, scaled, widened
from ._random import Drawings


class _Loss(torch.nn.Module):
    """The loss as a module, so that `functional_call` reaches the model in it."""

    def __init__(self, model: torch.nn.Module, loss_fn: Callable):
        super().__init__()
        self.model = model
        self._loss_fn = loss_fn

    def forward(self, *batch):
        return self._loss_fn(self.model, *batch)


@dataclass(frozen=True)
class Traced:
    """The graph of a step.

    graph   one placeholder a leaf of the arguments; one output a leaf of the results,
            then the gradients
    tree    of the results
    leaves  of the results, without values
    marked  the parameters whose gradients are outputs
    later   those whose gradients the loss itself takes
    """

    graph: GraphModule
    tree: Any
    leaves: tuple[Tensor, ...]
    marked: tuple[str, ...]
    later: tuple[str, ...] = ()


def trace_step(
    model: torch.nn.Module,
    loss_fn: Callable,
    optimizers: dict[str, Optimizer],
    args: tuple,
    seed: int,
) -> Traced:
    """Traces one step of `args`, (parameters, state, *batch) of which only shapes and
    element types matter. Random numbers come of the seed and of the count of steps.

    Raises TypeError and ValueError where the loss is not one, and for a step that cannot be
    traced.
    """
    marked: list[str] = []
    later: list[str] = []

    def step(params, state, *batch):
        leaves = {name: param.detach() for name, param in params.items()}
        for name in optimizers:
            leaves[name].requires_grad_()
        buffers = {
            name: value.clone() for name, value in _state.buffers_in(state).items()
        }
        with _noting_gradients(leaves, later):
            loss, others = _evaluate(model, loss_fn, leaves, buffers, batch)
        trained = [leaves[name] for name in optimizers]
        traced = get_proxy_mode().tracer.graph
        before = len(traced.nodes)
        grads = torch.autograd.grad(loss, trained, allow_unused=True)
        _refusals.check_backward(list(traced.nodes)[before:])
        # As in torch.optim, a parameter that the loss does not need stays as it is.
        found = {
            name: grad.detach()
            for name, grad in zip(optimizers, grads, strict=True)
            if grad is not None
        }
        marked[:] = found
        with torch.no_grad():
            new_params, new_state = _update(optimizers, params, state, found)
        new_state |= _state.with_buffers(buffers)
        results = (new_params, new_state, loss.detach(), *others)
        return results, [found[name] for name in marked]

    params, state = args[:2]
    counted = len(params) + sorted(state).index(_state.STEP)
    traced = _trace(step, args, marked, Drawings(seed), counted)
    return replace(traced, later=tuple(dict.fromkeys(later)))


def trace_function(model: torch.nn.Module, fn: Callable, args: tuple) -> Traced:
    """Traces `fn(model, *batch)` of `args`, (parameters, buffers, *batch), without gradients."""

    def function(params, buffers, *batch):
        # What the function does to buffers is lost with the copies.
        copies = {name: value.clone() for name, value in buffers.items()}
        with torch.no_grad():
            return _call(model, fn, params, copies, batch), []

    return _trace(function, args, [])


def _trace(
    fn: Callable,
    args: tuple,
    marked: list[str],
    drawings: Drawings | None = None,
    counted: int = 0,
) -> Traced:
    """Traces `fn`. The count of steps, of which `drawings` makes random numbers, is the
    leaf `counted`."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    flat, tree = jax.tree.flatten(args)
    with mode:
        flat = [torch.empty(leaf.shape, dtype=leaf.dtype) for leaf in flat]
    shape: list = []

    def on_leaves(*flat):
        results, marks = fn(*jax.tree.unflatten(tree, flat))
        leaves, out_tree = jax.tree.flatten(results)
        _check_results(results)
        shape[:] = leaves, out_tree
        return [*leaves, *marks]

    try:
        # Attention has fused kernels with derivatives of their own.
        with (
            mode,
            sdpa_kernel(SDPBackend.MATH),
            _without_mkldnn(),
            _without_log(),
            preserve_node_meta(),
        ):
            graph = make_fx(
                on_leaves,
                _decompositions.before_functionalization(),
                record_stack_traces=True,
            )(*flat)
            _places.keep_one_frame(graph.graph)
            graph = _functionalized(graph, flat, drawings, counted)
    except RuntimeError as error:
        raise _untraceable(error) from error
    _decompositions.clean(graph)
    _refusals.check(graph, draws=drawings is not None)
    leaves, out_tree = shape
    return Traced(graph, out_tree, tuple(leaves), tuple(marked))


def _untraceable(error: Exception) -> ValueError:
    return ValueError(f"the step cannot be traced: {error}")


def _functionalized(graph: GraphModule, flat, drawings, counted: int) -> GraphModule:
    run = functionalize(Interpreter(graph).run)
    table = _decompositions.after()
    if drawings is None:
        return make_fx(run, table)(*flat)

    def again(*leaves):
        drawings.steps = leaves[counted]
        return run(*leaves)

    return make_fx(again, table | drawings.decompositions())(*flat)


@contextmanager
def _noting_gradients(params: dict[str, Tensor], later: list[str]):
    """Notes the parameters by which `torch.autograd.grad` is called meanwhile."""
    grad = torch.autograd.grad
    names = {id(param): name for name, param in params.items()}

    def noting(outputs, inputs, *args, **kwargs):
        given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
        later.extend(names[id(tensor)] for tensor in given if id(tensor) in names)
        return grad(outputs, given, *args, **kwargs)

    torch.autograd.grad = noting
    try:
        yield
    finally:
        torch.autograd.grad = grad


@contextmanager
def _without_mkldnn():
    """Recurrent layers have a kernel of oneDNN for all of their work."""
    before = mkldnn.enabled
    mkldnn.enabled = False
    try:
        yield
    finally:
        mkldnn.enabled = before


@contextmanager
def _without_log():
    """PyTorch logs the traceback of an operation that does not fit its operands, which the
    error that is raised has."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")

    def drop(record) -> bool:
        return False

    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)


def _call(model, fn, params, buffers, batch):
    wrapped = _Loss(model, fn)
    values = {f"model.{name}": value for name, value in (params | buffers).items()}
    try:
        result = functional_call(wrapped, values, batch)
    except (ValueError, IndexError, AssertionError) as error:
        # So modules refuse operands, besides the RuntimeError of operations.
        raise _untraceable(error) from error
    # A module may put another tensor in the place of a buffer.
    for name in buffers:
        buffers[name] = values[f"model.{name}"]
    return result


def _evaluate(model, loss_fn, params, buffers, batch) -> tuple[Tensor, tuple]:
    """The loss, and what `loss_fn` returns besides."""
    result = _call(model, loss_fn, params, buffers, batch)
    loss, *others = result if type(result) is tuple else (result,)
    if not isinstance(loss, Tensor):
        raise TypeError(
            f"loss_fn must return a scalar tensor, or a tuple that starts with one, found "
            f"{type(loss).__name__}"
        )
    if loss.numel() != 1 or not loss.is_floating_point():
        raise ValueError(
            f"the loss must be one floating-point number, found {loss.dtype} of shape "
            f"{tuple(loss.shape)}; take its mean or sum in loss_fn"
        )
    if not loss.requires_grad:
        raise ValueError("the loss does not depend on any parameter that is trained")
    return loss.reshape(()), jax.tree.map(_detached, tuple(others))


def _detached(leaf):
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def _check_results(results):
    for leaf in jax.tree.leaves(results):
        if not isinstance(leaf, Tensor):
            raise TypeError(
                "results must be tensors in tuples, lists and dicts, found "
                f"{type(leaf).__name__}"
            )


def _update(optimizers, params, state, grads):
    """The new parameters and state, of which some may be the old ones."""
    new_params, new_state = dict(params), dict(state)
    steps = state[_state.STEP]
    new_state[_state.STEP] = steps + 1
    clip = next((o.clip_norm for o in optimizers.values()), None)
    clipped = _clip(grads, clip) if clip is not None and grads else grads
    for name, grad in clipped.items():
        optimizer = optimizers[name]
        own = {slot: state[_state.slot(slot, name)] for slot in optimizer.slots}
        new_params[name], own = optimizer.update(steps, params[name], grad, own)
        new_state |= {_state.slot(slot, name): value for slot, value in own.items()}
    return new_params, new_state


def _clip(grads: dict[str, Tensor], most: float) -> dict[str, Tensor]:
    """`torch.nn.utils.clip_grad_norm_`."""
    total = sum((grad * grad).sum() for grad in map(widened, grads.values()))
    factor = torch.clamp(most / (torch.sqrt(total) + 1e-6), max=1.0)
    return {name: scaled(grad, factor) for name, grad in grads.items()}
