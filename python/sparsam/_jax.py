"""From a JAX step to annotated MLIR text for the compiler.

`import_step` traces the step, pairs its carried arguments with its results by tree
path, and has the StableHLO turned into linalg by `iree-compile`, a program of the PyPI
package `iree-base-compiler`. The text is input of `sparsam-import`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import jax
import jax.extend.core as jex

from . import _iree
from ._backward import find_gradients, with_passes_outermost
from ._gradient import contains_marks, evaluate_with_marks, gradient
from ._imported import ImportedStep
from ._jaxprs import arguments_of
from ._later_passes import find_reasons
from ._pairing import Carried, Keys, Leaf, Pairing, subtree
from ._stablehlo import annotate, clamp_gathers, clear_windows, drop_shardings
from ._trees import key_names, keyed_children

__all__ = [
    "ImportedStep",
    "Leaf",
    "gradient",
    "import_function",
    "import_step",
    "resolve",
    "subtree",
]


def import_step(
    fn: Callable, args: tuple, params: int | str, state: int | str | None = None
) -> ImportedStep:
    """Imports a training step.

    `args` are example arguments (arrays or `jax.ShapeDtypeStruct`s). `params` and
    `state` are an argument number or a path into one such as `"0/params"`. The step
    returns the new values of both, anywhere in its results.

    Raises ValueError if a path does not exist or a new value cannot be found,
    CompileError if the importer does not know an operation, and RuntimeError if it is
    missing.
    """
    return _import(fn, args, params, state, carries=True)


def import_function(fn: Callable, args: tuple, params: int | str) -> ImportedStep:
    """Imports a function that reads parameters and returns no new values of them."""
    return _import(fn, args, params, None, carries=False)


def _import(fn, args, params, state, carries) -> ImportedStep:
    args = tuple(args)
    traced = jax.jit(fn, keep_unused=True).trace(*args)
    # The traced types: JAX narrows those of NumPy arrays.
    arguments, in_tree = _leaves(args, traced.jaxpr.in_avals)
    results, out_tree = _leaves(traced.out_info, traced.jaxpr.out_avals)

    param_prefix = resolve(args, params, "params")
    state_prefix = None if state is None else resolve(args, state, "state")
    if state_prefix and state_prefix[: len(param_prefix)] == param_prefix:
        raise ValueError(
            f"state={state!r} is inside of params={params!r}; they must be different places"
        )
    param_leaves = {
        "/".join(keys) or _name(fn, param_prefix) or "param": i
        for keys, i in subtree(arguments, param_prefix).items()
        if jax.numpy.issubdtype(arguments[i].dtype, jax.numpy.floating)
    }
    if not param_leaves:
        raise ValueError(f"params={params!r} holds no floating-point arrays")
    state_leaves = (
        () if state_prefix is None else subtree(arguments, state_prefix).values()
    )

    updates: dict[int, int] = {}
    if carries:
        pairing = Pairing(arguments, results, traced.jaxpr.jaxpr)
        updates = pairing.pair(_carried(fn, pairing, param_prefix, state_prefix))

    marks: dict[str, jax.ShapeDtypeStruct] = {}
    reasons: dict[str, str] = {}
    if carries:
        closed = with_passes_outermost(traced.jaxpr)
        marked = contains_marks(closed.jaxpr)
        known = (closed.jaxpr, updates, param_leaves)
        gradients = {} if marked else find_gradients(*known)
        reasons = find_reasons(*known)
        if marked or gradients:
            traced, marks = _append_marks(closed, gradients, arguments, param_leaves)

    with _one_frame():
        lowered = traced.lower().compiler_ir("stablehlo")
    drop_shardings(lowered)
    clear_windows(lowered)
    clamp_gathers(lowered)
    annotate(lowered, arguments, results, param_leaves, updates, marks, reasons)
    text = _to_linalg(lowered)
    _iree.check_names(text, len(arguments) + len(results))
    return ImportedStep(
        text=text,
        arguments=tuple(arguments),
        results=tuple(results),
        in_tree=in_tree,
        out_tree=out_tree,
        params=param_leaves,
        state=tuple(state_leaves),
        updates=updates,
        marked=tuple(marks),
    )


@contextmanager
def _one_frame():
    """Lets JAX give an operation the place in the source that it is written at, without
    all that called it: a tenth of the text."""
    name = "jax_traceback_in_locations_limit"
    before = getattr(jax.config, name)
    jax.config.update(name, 1)
    try:
        yield
    finally:
        jax.config.update(name, before)


def _leaves(tree, avals) -> tuple[list[Leaf], Any]:
    flat, treedef = jax.tree_util.tree_flatten_with_path(tree)
    leaves = [
        Leaf(key_names(path), tuple(aval.shape), str(aval.dtype))
        for (path, _), aval in zip(flat, avals, strict=True)
    ]
    seen: dict[str, Leaf] = {}
    for leaf in leaves:
        if seen.setdefault(leaf.path, leaf) is not leaf:
            raise ValueError(
                f"two arrays both have the path '{leaf.path}', with the keys "
                f"{seen[leaf.path].keys} and {leaf.keys}; rename one"
            )
    return leaves, treedef


def resolve(args: tuple, where: int | str, what: str) -> Keys:
    """The keys of an argument number or a path. Raises ValueError if there is none."""
    node, keys, rest = args, (), str(where)
    while rest or not keys:
        children = keyed_children(node)
        for step, child in children.items():
            key = "/".join(step)
            if rest == key or rest.startswith(key + "/"):
                node, keys, rest = child, keys + step, rest[len(key) + 1 :]
                break
        else:
            near = ", ".join("/".join(keys + step) for step in children)
            raise ValueError(
                f"{what}={where!r}: there is no '{where}' in the arguments"
                + (f"; there are {near}" if near else "")
            )
    return keys


def _name(fn, prefix: Keys) -> str:
    """The last key of an argument, or the name the function has for it."""
    if len(prefix) > 1:
        return prefix[-1]
    try:
        return list(inspect.signature(fn).parameters)[int(prefix[0])]
    except (TypeError, ValueError, IndexError):
        return ""


def _carried(fn, pairing: Pairing, params: Keys, state: Keys | None) -> list[Carried]:
    """What the step carries: an argument with all that is in it where the step returns
    it as a whole (a `TrainState`), the parameters and the state alone otherwise."""
    carried = []
    for role, prefix in (("params", params), ("state", state)):
        if prefix is None:
            continue
        whole = prefix[:1]
        if any(item.prefix == prefix[: len(item.prefix)] for item in carried):
            continue
        if len(prefix) > 1 and pairing.candidates(whole):
            prefix = whole
        carried.append(Carried(role, prefix, _name(fn, prefix)))
    return carried


def _append_marks(closed: jex.ClosedJaxpr, gradients, arguments, params):
    """Traces again with the marked gradients as further results; `gradients`: variable ->
    parameter, of those that are not marked in the step."""
    marks: dict[Keys, jax.ShapeDtypeStruct] = {}
    found = {var: (path,) for var, path in gradients.items()}

    def with_marks(*flat):
        results, values = evaluate_with_marks(closed, flat, found)
        marks.update(
            {k: jax.ShapeDtypeStruct(v.shape, v.dtype) for k, v in values.items()}
        )
        return [*results, *values.values()]

    # By which remarks call the place of an operation.
    with_marks.__name__ = closed.jaxpr.debug_info.func_name
    traced = jax.jit(with_marks, keep_unused=True).trace(*arguments_of(closed))
    only = next(iter(params))
    named = {("/".join(keys) or only): value for keys, value in marks.items()}
    for path, value in named.items():
        if path not in params:
            raise ValueError(
                f"sparsam.gradient marks '{path}', which is not a parameter; pass it the whole "
                "tree of gradients, in the structure of the parameters"
            )
        leaf = arguments[params[path]]
        if (tuple(value.shape), str(value.dtype)) != (leaf.shape, leaf.dtype):
            raise ValueError(
                f"sparsam.gradient marks '{path}' as {value.dtype}{list(value.shape)}, but the "
                f"parameter is {leaf.dtype}{list(leaf.shape)}"
            )
    return traced, named


_OPTIONS = (
    "--iree-input-type=stablehlo",
    "--compile-to=input",
    "--mlir-print-op-generic",
    # Where the user's source has what the compiler remarks on.
    "--mlir-print-debuginfo",
    # The importer may not change what is computed.
    "--iree-input-demote-f64-to-f32=false",
    "--iree-input-demote-i64-to-i32=false",
)


def _to_linalg(module) -> str:
    return _iree.run(
        "iree-compile", _OPTIONS, module.operation.get_asm(enable_debug_info=True)
    )
