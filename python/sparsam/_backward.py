"""Where the gradients of a JAX step are: what its backward pass hands to the optimizer.

JAX notes of each equation which transformations it comes of. Those of a backward pass are
transposed; the optimizer, which takes what they make, is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax.extend.core as jex

from ._jaxprs import inlined, subjaxprs


def with_passes_outermost(closed: jex.ClosedJaxpr) -> jex.ClosedJaxpr:
    """The jaxpr with its backward passes outside of calls."""
    return inlined(closed, holds_backward)


def find_gradients(
    jaxpr: jex.Jaxpr, updates: Mapping[int, int], params: Mapping[str, int]
) -> dict[jex.Var, str]:
    """The variables that are gradients, with the parameters that they are of.

    updates  argument -> the result that is its new value
    params   path -> argument

    None where those of some parameter are not one value from outside of loops,
    such as sums over several passes: the compiler searches for them then. Single numbers,
    which the norm of all gradients brings together, are left out alone.
    """
    made = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
    found: dict[jex.Var, str] = {}
    for path, argument in params.items():
        result = jaxpr.outvars[updates[argument]] if argument in updates else None
        if result is None or result is jaxpr.invars[argument]:
            continue
        reached = gradients_of(result, made)
        if any(holds_backward(made[var]) for var in reached):
            return {}
        if len(reached) > 1 and math.prod(result.aval.shape) == 1:
            continue
        if len(reached) != 1 or not reached.isdisjoint(found):
            return {}
        (gradient,) = reached
        if gradient.aval.shape != jaxpr.invars[argument].aval.shape:
            return {}
        found[gradient] = path
    return found


def gradients_of(result, made: Mapping[jex.Var, jex.JaxprEqn]) -> set[jex.Var]:
    """What the backward pass makes of as many entries as the result, and the result is
    computed from by arrays of as many entries. A loop or branch that has a backward pass
    inside counts as one."""
    size = math.prod(result.aval.shape)
    found, seen, worklist = set(), set(), [result]
    while worklist:
        var = worklist.pop()
        if isinstance(var, jex.Literal) or var in seen or var not in made:
            continue
        seen.add(var)
        eqn = made[var]
        if is_pass(eqn):
            found.add(var)
        else:
            worklist += [v for v in eqn.invars if math.prod(v.aval.shape) == size]
    return found


def is_pass(eqn: jex.JaxprEqn) -> bool:
    """Whether it is of a backward pass, or has one inside."""
    return is_backward(eqn) or holds_backward(eqn)


def is_backward(eqn: jex.JaxprEqn) -> bool:
    return "transpose(" in str(eqn.source_info.name_stack)


def holds_backward(eqn: jex.JaxprEqn) -> bool:
    """Whether it is no part of a backward pass, but a loop, branch or call that has one
    inside."""
    return not is_backward(eqn) and any(
        is_pass(inner) for sub in subjaxprs(eqn) for inner in sub.eqns
    )
