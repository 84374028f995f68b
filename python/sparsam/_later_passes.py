"""Parameters whose gradient a later backward pass of the step depends on.

Sharpness-aware minimisation (SAM) moves the parameters along a first gradient and takes a
second one there; MAML, extragradients and penalties on a gradient's norm do likewise. A
structure knows one gradient of a parameter, the one that updates it, so that these
parameters have to stay dense.
"""

from __future__ import annotations

import enum
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import jax.extend.core as jex

from ._backward import gradients_of, holds_backward, is_backward
from ._jaxprs import subjaxprs

DEPENDS = (
    "a later backward pass depends on its gradient (as in SAM, MAML or a penalty on it)"
)
_TWICE = (
    "of the gradients that it is updated with one depends on another; compile one update "
    "as the step"
)

_PRODUCTS = {"conv_general_dilated", "dot_general"}
# What loops and branches are; other equations with one jaxpr inside are calls.
_CONTROL = {"cond", "scan", "while"}
# Work on the entries of an array, in places of their own.
_ENTRYWISE = {
    "add",
    "add_any",
    "broadcast_in_dim",
    "concatenate",
    "convert_element_type",
    "copy",
    "div",
    "dynamic_slice",
    "expand_dims",
    "mul",
    "neg",
    "optimization_barrier",
    "pad",
    "reduce_precision",
    "reshape",
    "select_n",
    "slice",
    "split",
    "squeeze",
    "stop_gradient",
    "sub",
    "transpose",
}


def find_reasons(
    jaxpr: jex.Jaxpr, updates: Mapping[int, int], params: Mapping[str, int]
) -> dict[str, str]:
    """Why parameters have no gradient that a structure could take: path -> reason.

    updates  argument -> the result that is its new value
    params   path -> argument
    """
    reasons: dict[str, str] = {}
    # What the gradient of a single number or row is cannot be seen from products.
    matrices = {path: i for path, i in params.items() if jaxpr.invars[i].aval.ndim > 1}
    made = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
    for path, argument in matrices.items():
        if argument in updates:
            reached = gradients_of(jaxpr.outvars[updates[argument]], made)
            if len(reached) > 1 and _is_chain(reached, made):
                reasons[path] = _TWICE
    body = _Body(jaxpr, {i: {path} for path, i in params.items()}, {})
    applied = body.reached([updates[i] for i in params.values() if i in updates])
    for path in body.find(applied):
        if path in matrices:
            reasons.setdefault(path, DEPENDS)
    return reasons


def _is_chain(variables: set[jex.Var], made: Mapping[jex.Var, jex.JaxprEqn]) -> bool:
    """Whether one of some variables is computed from another one."""
    seen, worklist = set(), list(variables)
    while worklist:
        eqn = made.get(worklist.pop())
        for operand in eqn.invars if eqn else ():
            if isinstance(operand, jex.Literal) or operand in seen:
                continue
            if operand in variables:
                return True
            seen.add(operand)
            worklist.append(operand)
    return False


class _Stage(enum.Enum):
    """Whether an equation is of a backward pass, and of one that a later pass goes back
    through."""

    FORWARD = enum.auto()
    DIFFERENTIATED = enum.auto()
    BACKWARD = enum.auto()


def _stage(eqn: jex.JaxprEqn) -> _Stage:
    if not is_backward(eqn):
        return _Stage.FORWARD
    outermost = re.search(r"(jvp|transpose)\(", str(eqn.source_info.name_stack))
    return _Stage.DIFFERENTIATED if outermost[1] == "jvp" else _Stage.BACKWARD


@dataclass(eq=False)
class _Node:
    """An equation between values, which have numbers.

    holds   whether it is a loop or branch, of no backward pass, that has one inside
    bodies  of a loop or branch, with the operands that their arguments are
    """

    eqn: jex.JaxprEqn
    stage: _Stage
    operands: list[int]
    results: list[int]
    holds: bool = False
    bodies: list[tuple[_Body, list[int]]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.eqn.primitive.name

    @property
    def is_pass(self) -> bool:
        return self.holds or self.stage is not _Stage.FORWARD


class _Body:
    """The equations of a step, or of a loop or branch in it, with those of the calls in it
    in their places.

    weights   values that are parameters, or made of them and of numbers and rows alone, by
              the paths of these
    partners  values -> the paths of the parameters that they are multiplied with, or that
              are looked up by them
    grads     values -> the paths of the parameters that a backward pass made them of the
              gradients of
    """

    def __init__(
        self,
        jaxpr: jex.Jaxpr,
        weights: Mapping[int, set[str]],
        partners: Mapping[int, set[str]],
        is_inner: bool = False,
        stage: _Stage | None = None,
    ):
        """`weights`, `partners`: of the arguments, by their position. `stage`: of all that is
        inside of a backward pass."""
        self.is_inner = is_inner
        self.nodes: list[_Node] = []
        self.sizes: list[int] = []
        self.arguments = self._values(jaxpr.invars)
        self.outputs = self._expand(jaxpr, self.arguments, stage)
        self.made = {result: node for node in self.nodes for result in node.results}
        self.weights = {self.arguments[i]: paths for i, paths in weights.items()}
        self.partners: defaultdict[int, set[str]] = defaultdict(set)
        for i, paths in partners.items():
            self.partners[self.arguments[i]] |= paths
        self.grads: defaultdict[int, set[str]] = defaultdict(set)
        self.carried: set[int] = set()
        for node in self.nodes:
            self._find_weights(node)
            self._find_partners(node)
        for node in self.nodes:
            self._find_gradients(node)

    def _values(self, atoms: Iterable) -> list[int]:
        first = len(self.sizes)
        self.sizes += [math.prod(atom.aval.shape) for atom in atoms]
        return list(range(first, len(self.sizes)))

    def _expand(
        self, jaxpr: jex.Jaxpr, arguments: Sequence[int], stage: _Stage | None
    ) -> list[int]:
        """Adds the equations of a jaxpr, all of a stage where one is given; its results."""
        values = dict(zip(jaxpr.invars, arguments, strict=True))
        values |= zip(jaxpr.constvars, self._values(jaxpr.constvars), strict=True)

        def read(atoms):
            return [
                self._values([a])[0] if isinstance(a, jex.Literal) else values[a]
                for a in atoms
            ]

        for eqn in jaxpr.eqns:
            own = stage or _stage(eqn)
            operands, inner = read(eqn.invars), subjaxprs(eqn)
            if _is_call(eqn, inner):
                passed = None if own is _Stage.FORWARD else own
                results = self._expand(inner[0], operands, passed)
            else:
                results = self._values(eqn.outvars)
                holds = own is _Stage.FORWARD and holds_backward(eqn)
                self.nodes.append(_Node(eqn, own, operands, results, holds))
            values |= zip(eqn.outvars, results, strict=True)
        return read(jaxpr.outvars)

    def _large(self, node: _Node) -> list[int]:
        return [value for value in node.operands if self.sizes[value] > 1]

    def _root(self, value: int) -> int:
        """What a value is a transpose, reshape, cast or multiple by a number of."""
        while (node := self.made.get(value)) and node.name in _ENTRYWISE:
            large = self._large(node)
            if len(large) != 1 or self.sizes[large[0]] != self.sizes[value]:
                break
            (value,) = large
        return value

    def _find_weights(self, node: _Node):
        if node.name in _CONTROL:
            return self._open(node)
        if node.name not in _ENTRYWISE:
            return
        large = self._large(node)
        known = [v for v in large if v in self.weights]
        if known and all(
            v in self.weights or self._is_repeated(v) or self._is_carried(v)
            for v in large
        ):
            paths = set().union(*(self.weights[v] for v in known))
            self.weights |= dict.fromkeys(node.results, paths)

    def _is_repeated(self, value: int) -> bool:
        node = self.made.get(value)
        return node is not None and node.name == "broadcast_in_dim"

    def _is_carried(self, value: int) -> bool:
        """Whether a value may be what a loop moves a parameter by."""
        return self.is_inner and self._root(value) not in self.made

    def _open(self, node: _Node):
        """Finds the same inside of a loop or branch."""
        for jaxpr in subjaxprs(node.eqn):
            # Conditions and branches take the last operands, which other things go before.
            operands = node.operands[len(node.operands) - len(jaxpr.invars) :]
            weights = {
                i: self.weights[v] for i, v in enumerate(operands) if v in self.weights
            }
            partners = {
                i: found
                for i, value in enumerate(operands)
                if (found := self.partners.get(self._root(value)))
            }
            stage = None if node.stage is _Stage.FORWARD else node.stage
            body = _Body(jaxpr, weights, partners, True, stage)
            body._carry(node.eqn)
            node.bodies.append((body, operands))
            # A condition has other results.
            if len(body.outputs) != len(node.results):
                continue
            for output, result in zip(body.outputs, node.results, strict=True):
                if output in body.weights:
                    self.weights[result] = body.weights[output]

    def _find_partners(self, node: _Node):
        if node.name in _PRODUCTS:
            for a, b in (node.operands, node.operands[::-1]):
                self.partners[self._root(a)] |= self.weights.get(b, set())
        elif node.name == "gather":
            table, rows = node.operands
            self.partners[self._root(rows)] |= self.weights.get(table, set())
        for body, operands in node.bodies:
            for argument, operand in zip(body.arguments, operands, strict=True):
                self.partners[self._root(operand)] |= body.partners.get(argument, set())
            if len(body.outputs) == len(node.results):
                for output, result in zip(body.outputs, node.results, strict=True):
                    found = body.partners.get(body._root(output), set())
                    self.partners[result] |= found

    def _find_gradients(self, node: _Node):
        """A product of a backward pass makes the gradient of what either factor is multiplied
        with elsewhere: x, forward, or dy, back to the input."""
        found: set[str] = set()
        if not node.is_pass:
            return
        if node.name in _PRODUCTS:
            if not any(v in self.weights for v in node.operands):
                found = set().union(
                    *(self.partners.get(self._root(v), set()) for v in node.operands)
                )
        elif node.name == "scatter-add":
            found = self.partners.get(self._root(node.operands[1]), set())
        elif node.name not in _CONTROL:
            found = set().union(*(self.grads.get(v, set()) for v in node.operands))
        for result in node.results if found else ():
            self.grads[result] = found
        for body, _ in node.bodies:
            if len(body.outputs) == len(node.results):
                for i, result in enumerate(node.results):
                    if found := body.gradients_behind(i):
                        self.grads[result] |= found

    def _carry(self, eqn: jex.JaxprEqn):
        """What the last iteration made comes in again."""
        if eqn.primitive.name == "scan":
            first, count = eqn.params["num_consts"], eqn.params["num_carry"]
        elif eqn.primitive.name == "while" and len(self.outputs) == len(eqn.outvars):
            count = len(eqn.outvars)
            first = len(self.arguments) - count
        else:
            return
        for i, argument in enumerate(self.arguments[first : first + count]):
            # That a loop updates a parameter the compiler sees, and says.
            if argument in self.weights:
                continue
            if found := self.gradients_behind(i):
                self.grads[argument] |= found
                self.carried.add(argument)

    @cached_property
    def needed(self) -> set[int]:
        """All that a backward pass depends on."""
        needed: set[int] = set()
        for node in reversed(self.nodes):
            if node.is_pass or not needed.isdisjoint(node.results):
                needed.update(node.operands)
        return needed

    def reached(self, outputs: Iterable[int]) -> set[int]:
        """What backward passes make that these outputs are computed from without another
        pass between."""
        found, seen, worklist = set(), set(), [self.outputs[i] for i in outputs]
        while worklist:
            value = worklist.pop()
            node = self.made.get(value)
            if node is None or value in seen:
                continue
            seen.add(value)
            if node.is_pass:
                found.add(value)
            else:
                worklist += node.operands
        return found

    def gradients_behind(self, output: int) -> set[str]:
        """The parameters whose gradient an output is computed from."""
        return set().union(*(self.grads.get(v, set()) for v in self.reached([output])))

    def find(self, applied: set[int] = frozenset()) -> set[str]:
        """The parameters whose gradient, other than those applied, enters a later pass."""
        found: set[str] = set()
        for node in self.nodes:
            for value in node.operands:
                if value not in applied and self._enters_later_pass(value, node):
                    found |= self.grads.get(value, set())
            for body, _ in node.bodies if node.holds else ():
                found |= body.find()
        return found

    def _enters_later_pass(self, value: int, node: _Node) -> bool:
        if node.holds:
            return True
        if not node.is_pass:
            return not self.needed.isdisjoint(node.results)
        made = self.made.get(value)
        return node.stage is _Stage.BACKWARD and (
            value in self.carried
            or (made is not None and (made.holds or made.stage is _Stage.DIFFERENTIATED))
        )


def _is_call(eqn: jex.JaxprEqn, inner: list[jex.Jaxpr]) -> bool:
    """Whether an equation does to its operands what the jaxpr inside does."""
    if eqn.primitive.name in _CONTROL or len(inner) != 1:
        return False
    (jaxpr,) = inner

    def shapes(atoms):
        return [atom.aval.shape for atom in atoms]

    return shapes(jaxpr.invars) == shapes(eqn.invars) and shapes(jaxpr.outvars) == shapes(
        eqn.outvars
    )
