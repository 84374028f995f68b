"""Jaxprs inside of others, and their evaluation."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.extend.core as jex


def subjaxprs(eqn: jex.JaxprEqn) -> list[jex.Jaxpr]:
    """The jaxprs among the parameters of an equation."""
    found = []
    for leaf in jax.tree_util.tree_leaves(
        list(eqn.params.values()),
        is_leaf=lambda x: isinstance(x, (jex.Jaxpr, jex.ClosedJaxpr)),
    ):
        if isinstance(leaf, jex.ClosedJaxpr):
            found.append(leaf.jaxpr)
        elif isinstance(leaf, jex.Jaxpr):
            found.append(leaf)
    return found


def evaluate(closed: jex.ClosedJaxpr, args, evaluate_eqn: Callable) -> list:
    """The results of a jaxpr, equation by equation.

    evaluate_eqn  (equation, operands, the jaxpr that it is in) -> results
    """
    jaxpr = closed.jaxpr
    values: dict = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    values |= zip(jaxpr.invars, args, strict=True)

    def read(atom):
        return atom.val if isinstance(atom, jex.Literal) else values[atom]

    for eqn in jaxpr.eqns:
        results = evaluate_eqn(eqn, [read(atom) for atom in eqn.invars], jaxpr)
        values.update(zip(eqn.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def bind(eqn: jex.JaxprEqn, operands, jaxpr: jex.Jaxpr) -> list:
    """The results of one equation of a jaxpr, with its place in the source."""
    inputs = {
        atom: value
        for atom, value in zip(eqn.invars, operands, strict=True)
        if not isinstance(atom, jex.Literal)
    }
    alone = jaxpr.replace(
        constvars=[],
        invars=list(inputs),
        outvars=list(eqn.outvars),
        eqns=[eqn],
        effects=eqn.effects,
    )
    return jax.core.eval_jaxpr(alone, [], *inputs.values())


def arguments_of(closed: jex.ClosedJaxpr) -> list[jax.ShapeDtypeStruct]:
    """Arguments that a jaxpr is traced again with."""
    return [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in closed.jaxpr.invars]


def is_call(eqn: jex.JaxprEqn) -> bool:
    """Whether an equation calls a jitted function."""
    return eqn.primitive is jex.primitives.jit_p


def inlined(closed: jex.ClosedJaxpr, wanted: Callable) -> jex.ClosedJaxpr:
    """The jaxpr with the wanted calls of jitted functions replaced by what they do, and
    those inside of them."""

    def evaluate_eqn(eqn, operands, jaxpr):
        if is_call(eqn) and wanted(eqn):
            return evaluate(eqn.params["jaxpr"], operands, evaluate_eqn)
        return bind(eqn, operands, jaxpr)

    if not any(is_call(eqn) and wanted(eqn) for eqn in closed.jaxpr.eqns):
        return closed
    args = arguments_of(closed)
    return jax.make_jaxpr(lambda *flat: evaluate(closed, flat, evaluate_eqn))(*args)
