"""The marker for gradients inside a JAX step, and its evaluation.

`gradient` binds a JAX primitive that does nothing. When a step is imported, its
jaxpr is evaluated once more with the marked values appended to the results, so that
the compiler receives them by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.extend.core as jex
from jax.interpreters import ad, batching, mlir

from ._jaxprs import bind, evaluate, is_call, subjaxprs
from ._trees import key_names

gradient_p = jex.Primitive("sparsam_gradient")
gradient_p.multiple_results = True


@gradient_p.def_impl
def _impl(*leaves, paths):
    return list(leaves)


@gradient_p.def_abstract_eval
def _abstract_eval(*leaves, paths):
    return list(leaves)


def _jvp(primals, tangents, *, paths):
    # The derivative of a gradient is not the gradient that the step applies: the
    # tangents pass unmarked, which also spares a transposition rule.
    return gradient_p.bind(*primals, paths=paths), list(tangents)


def _batch(leaves, dims, *, paths):
    return gradient_p.bind(*leaves, paths=paths), list(dims)


ad.primitive_jvps[gradient_p] = _jvp
batching.primitive_batchers[gradient_p] = _batch
mlir.register_lowering(gradient_p, lambda ctx, *leaves, paths: list(leaves))


def gradient(grads: Any) -> Any:
    """Marks the gradients of the parameters; the identity everywhere else.

    `grads` is the pytree of gradients as `jax.grad` returns it, of the structure of
    the parameters, before clipping or any other work of the optimizer. One call a
    step; anywhere but inside `lax.scan`, `lax.cond` and `lax.while_loop`.

    Needed where the gradients are sums over several backward passes; others are found.
    """
    leaves, tree = jax.tree_util.tree_flatten_with_path(grads)
    if not leaves:
        return grads
    paths = tuple(key_names(path) for path, _ in leaves)
    marked = gradient_p.bind(
        *(jax.numpy.asarray(leaf) for _, leaf in leaves), paths=paths
    )
    return jax.tree_util.tree_unflatten(tree, marked)


def contains_marks(jaxpr: jex.Jaxpr) -> bool:
    """Whether a gradient is marked in a jaxpr or in one inside it."""
    return any(
        eqn.primitive is gradient_p or any(contains_marks(sub) for sub in subjaxprs(eqn))
        for eqn in jaxpr.eqns
    )


def evaluate_with_marks(
    closed: jex.ClosedJaxpr, args: list, gradients: Mapping[jex.Var, tuple[str, ...]]
) -> tuple[list, dict[tuple[str, ...], jax.Array]]:
    """Evaluates a jaxpr; returns its results and the marked gradients by path. Those of
    `gradients` are marked as well.

    Raises ValueError for a gradient marked twice, or inside control flow.
    """
    marks: dict[tuple[str, ...], jax.Array] = {}

    def evaluate_eqn(eqn, operands, jaxpr):
        if eqn.primitive is gradient_p:
            return _mark(operands, eqn.params["paths"], marks)
        if any(contains_marks(sub) for sub in subjaxprs(eqn)):
            if is_call(eqn):
                return evaluate(eqn.params["jaxpr"], operands, evaluate_eqn)
            raise ValueError(
                f"sparsam.gradient is used inside '{eqn.primitive.name}'; mark the gradients "
                "outside of loops, branches and transformations, where the optimizer takes them"
            )
        results = bind(eqn, operands, jaxpr)
        for i, var in enumerate(eqn.outvars):
            if var in gradients:
                (results[i],) = _mark([results[i]], [gradients[var]], marks)
        return results

    return evaluate(closed, args, evaluate_eqn), marks


def _mark(operands, paths, marks):
    results = []
    for path, operand in zip(paths, operands, strict=True):
        if path in marks:
            raise ValueError(
                f"sparsam.gradient marks '{'/'.join(path)}' twice in one step; mark the sum that "
                "the optimizer takes, once"
            )
        # The barrier keeps the importer from folding the marked value into its users, so
        # that the extra result and what the optimizer reads stay one value.
        marks[path] = jax.lax.optimization_barrier(operand)
        results.append(marks[path])
    return results
