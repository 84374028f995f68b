"""Where the gradients of a JAX step are: what its backward pass hands to the optimizer.

JAX notes of each equation which transformations it comes of. Those of a backward pass are
transposed; the optimizer, which takes what they make, is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax.extend.core as jex

from ._jaxprs import inlined, subjaxprs


def with_gradients(
    closed: jex.ClosedJaxpr, updates: Mapping[int, int], params: Mapping[str, int]
) -> tuple[jex.ClosedJaxpr, dict[jex.Var, str]]:
    """The jaxpr with the backward pass at its outermost level, and the variables there that
    are gradients, with the parameters that they are of.

    updates  argument -> the result that is its new value
    params   path -> argument

    No gradients where those of some parameter are not one value from outside of loops,
    such as sums over several passes: the compiler searches for them then. Single numbers,
    which the norm of all gradients brings together, are left out alone.
    """
    closed = inlined(closed, lambda eqn: not _is_backward(eqn) and _holds_backward(eqn))
    jaxpr = closed.jaxpr
    made = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
    found: dict[jex.Var, str] = {}
    for path, argument in params.items():
        result = jaxpr.outvars[updates[argument]] if argument in updates else None
        if result is None or result is jaxpr.invars[argument]:
            continue
        reached = _gradients_of(result, made)
        if len(reached) > 1 and math.prod(result.aval.shape) == 1:
            continue
        if len(reached) != 1 or not reached.isdisjoint(found):
            return closed, {}
        (gradient,) = reached
        if gradient.aval.shape != jaxpr.invars[argument].aval.shape:
            return closed, {}
        found[gradient] = path
    return closed, found


def _gradients_of(result, made: Mapping[jex.Var, jex.JaxprEqn]) -> set[jex.Var]:
    """What the backward pass makes of as many entries as the result, and the result is
    computed from by arrays of as many entries; empty where a loop or branch between them
    has a backward pass inside."""
    size = math.prod(result.aval.shape)
    found, seen, worklist = set(), set(), [result]
    while worklist:
        var = worklist.pop()
        if isinstance(var, jex.Literal) or var in seen or var not in made:
            continue
        seen.add(var)
        eqn = made[var]
        if _is_backward(eqn):
            found.add(var)
        elif _holds_backward(eqn):
            return set()
        else:
            worklist += [v for v in eqn.invars if math.prod(v.aval.shape) == size]
    return found


def _is_backward(eqn: jex.JaxprEqn) -> bool:
    return "transpose(" in str(eqn.source_info.name_stack)


def _holds_backward(eqn: jex.JaxprEqn) -> bool:
    return any(
        _is_backward(inner) or _holds_backward(inner)
        for sub in subjaxprs(eqn)
        for inner in sub.eqns
    )
