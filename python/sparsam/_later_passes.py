"""Parameters whose gradient a later backward pass of the step depends on.

Sharpness-aware minimisation (SAM) moves the parameters along a first gradient and takes a
second one there; MAML, extragradients and penalties on a gradient's norm do likewise. A
structure knows one gradient of a parameter, the one that updates it, so that these
parameters have to stay dense.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property

import jax.extend.core as jex

from ._backward import gradients_of, holds_backward, is_backward
from ._jaxprs import subjaxprs

_DEPENDS = (
    "a later backward pass depends on its gradient (as in SAM, MAML or a penalty on it)"
)
_TWICE = "it is updated more than once; compile one update as the step"

# What gives the entries of its first operand another order, shape or type, or adds to them.
_VIEWS = {
    "add_any",
    "broadcast_in_dim",
    "convert_element_type",
    "copy",
    "expand_dims",
    "mul",
    "neg",
    "optimization_barrier",
    "reduce_precision",
    "reshape",
    "squeeze",
    "transpose",
}
_PRODUCTS = {"conv_general_dilated", "dot_general", "scatter-add"}


def find_reasons(
    jaxpr: jex.Jaxpr, updates: Mapping[int, int], params: Mapping[str, int]
) -> dict[str, str]:
    """Why parameters have no gradient that a structure could take: path -> reason.

    updates  argument -> the result that is its new value
    params   path -> argument
    """
    reasons: dict[str, str] = {}
    # The shape of a single number or row says too little about what its gradient is.
    variables = {jaxpr.invars[i]: path for path, i in params.items()}
    step = _Body(jaxpr, {v: path for v, path in variables.items() if v.aval.ndim > 1})
    for var, path in variables.items():
        argument = params[path]
        if argument not in updates:
            continue
        reached = gradients_of(jaxpr.outvars[updates[argument]], step.made)
        step.applied |= reached
        if var in step.names and any(
            step.depends(b, a) for a in reached & step.needed for b in reached
        ):
            reasons[path] = _TWICE
    for path in step.find():
        reasons.setdefault(path, _DEPENDS)
    return reasons


class _Body:
    """The equations of a step, or of a loop or branch that has backward passes inside.

    names    variable -> the path of the parameter that it is
    applied  gradients that update a parameter, which may be read behind it
    """

    def __init__(self, jaxpr: jex.Jaxpr, names: Mapping[jex.Var, str]):
        self.jaxpr, self.names = jaxpr, names
        self.made = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
        self.applied: set[jex.Var] = set()
        # By their first result, as equations cannot be keys.
        self._stages = {eqn.outvars[0]: _stage(eqn) for eqn in jaxpr.eqns if eqn.outvars}

    def stage(self, eqn: jex.JaxprEqn) -> int:
        return self._stages[eqn.outvars[0]] if eqn.outvars else _FORWARD

    @cached_property
    def needed(self) -> set[jex.Var]:
        """All that a backward pass depends on."""
        needed: set[jex.Var] = set()
        for eqn in reversed(self.jaxpr.eqns):
            if self.stage(eqn) != _FORWARD or not needed.isdisjoint(eqn.outvars):
                needed |= {v for v in eqn.invars if not isinstance(v, jex.Literal)}
        return needed

    def depends(self, var: jex.Var, source: jex.Var) -> bool:
        """Whether a variable is computed from another one."""
        seen, worklist = set(), [var]
        while worklist:
            eqn = self.made.get(worklist.pop())
            for operand in eqn.invars if eqn else ():
                if operand is source:
                    return True
                if not isinstance(operand, jex.Literal) and operand not in seen:
                    seen.add(operand)
                    worklist.append(operand)
        return False

    def find(self) -> set[str]:
        """The parameters whose gradient, other than those applied, enters a later pass."""
        found = self._moved()
        for eqn in self.jaxpr.eqns:
            for var in eqn.invars:
                if (
                    not isinstance(var, jex.Literal)
                    and var in self.made
                    and var not in self.applied
                    and self._enters_later_pass(self.made[var], eqn)
                ):
                    found |= self._parameters_of(var)
            if holds_backward(eqn):
                for body, names in self._inside(eqn):
                    found |= _Body(body, names).find()
        return found

    def _enters_later_pass(self, made: jex.JaxprEqn, eqn: jex.JaxprEqn) -> bool:
        if self.stage(made) == _FORWARD:
            return False
        if self.stage(eqn) == _FORWARD:
            return not self.needed.isdisjoint(eqn.outvars)
        return self.stage(made) == _DIFFERENTIATED and self.stage(eqn) == _BACKWARD

    def _parameters_of(self, var: jex.Var) -> set[str]:
        """The parameters whose gradient, or that of single examples, a result of a backward
        pass may be: those of its shape, where it is a product of no parameter."""
        shape = var.aval.shape
        paths = {
            path
            for parameter, path in self.names.items()
            if shape[len(shape) - len(parameter.aval.shape) :] == parameter.aval.shape
        }
        return paths if paths and self._is_product(var) else set()

    def _is_product(self, var) -> bool:
        eqn = self.made.get(var)
        while eqn and eqn.primitive.name in _VIEWS:
            var = eqn.invars[0]
            eqn = None if isinstance(var, jex.Literal) else self.made.get(var)
        if not eqn or self.stage(eqn) == _FORWARD:
            return False
        if holds_backward(eqn):
            return True
        return eqn.primitive.name in _PRODUCTS and not any(
            self._origins.get(v, set()) & set(self.names)
            for v in eqn.invars
            if not isinstance(v, jex.Literal)
        )

    @cached_property
    def _origins(self) -> dict[jex.Var, set[jex.Var]]:
        """The parameters and results of backward passes that forward work is computed from
        by arrays of as many entries."""
        origins: dict[jex.Var, set[jex.Var]] = {var: {var} for var in self.names}
        for eqn in self.jaxpr.eqns:
            for var in eqn.outvars:
                if self.stage(eqn) != _FORWARD:
                    origins[var] = {var}
                    continue
                size = math.prod(var.aval.shape)
                origins[var] = set().union(
                    *(
                        origins.get(operand, ())
                        for operand in eqn.invars
                        if not isinstance(operand, jex.Literal)
                        and math.prod(operand.aval.shape) == size
                    )
                )
        return origins

    def _moved(self) -> set[str]:
        """Parameters that a later pass reads moved by what a backward pass made."""
        found: set[str] = set()
        for var, origins in self._origins.items():
            if var in self.needed and any(
                v in self.made and v not in self.applied for v in origins
            ):
                found |= {self.names[v] for v in origins if v in self.names}
        return found

    def _inside(self, eqn: jex.JaxprEqn):
        """The jaxprs in an equation, with what is a parameter there."""
        for body in subjaxprs(eqn):
            # Conditions and branches take the last operands, which other things go before.
            operands = eqn.invars[len(eqn.invars) - len(body.invars) :]
            yield (
                body,
                {
                    inner: self.names[outer]
                    for inner, outer in zip(body.invars, operands, strict=False)
                    if not isinstance(outer, jex.Literal) and outer in self.names
                },
            )


# Of no backward pass; of one that a later pass differentiates; of any other, or with one
# inside.
_FORWARD, _DIFFERENTIATED, _BACKWARD = range(3)


def _stage(eqn: jex.JaxprEqn) -> int:
    if is_backward(eqn):
        outermost = re.search(r"(jvp|transpose)\(", str(eqn.source_info.name_stack))
        return _DIFFERENTIATED if outermost[1] == "jvp" else _BACKWARD
    return _BACKWARD if holds_backward(eqn) else _FORWARD
