"""Which result of a step is the new value of which argument.

Arguments and results are flat lists of leaves with their paths in the pytrees. A
carried subtree pairs with the subtree of the results that has the same keys, shapes
and element types. Where several do (the moments of an optimizer have the structure of
the parameters), the largest subtree chooses first, then the names, the depth and the
data flow decide, in that order; what stays open is an error.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.extend.core as jex

from ._gradient import gradient_p

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """One array of a pytree: the keys on the way to it, its shape and element type."""

    keys: Keys
    shape: tuple[int, ...]
    dtype: str

    @property
    def path(self) -> str:
        """The keys joined with `/`."""
        return "/".join(self.keys)


def subtree(leaves: list[Leaf], prefix: Keys) -> dict[Keys, int]:
    """The leaves under a prefix: their keys below it, and their positions."""
    n = len(prefix)
    return {leaf.keys[n:]: i for i, leaf in enumerate(leaves) if leaf.keys[:n] == prefix}


@dataclass(frozen=True)
class Carried:
    """A subtree of the arguments whose new value the step returns."""

    role: str
    prefix: Keys
    name: str


class Pairing:
    """Pairs carried subtrees of `arguments` with subtrees of `results`."""

    def __init__(self, arguments: list[Leaf], results: list[Leaf], jaxpr: jex.Jaxpr):
        self.arguments = arguments
        self.results = results
        self.flow = DataFlow(jaxpr)
        self.taken: set[int] = set()
        self._carried: list[Carried] = []

    def candidates(self, prefix: Keys) -> list[Keys]:
        """The prefixes of results with the structure of the arguments under `prefix`."""
        wanted = self._signature(self.arguments, prefix)
        prefixes = dict.fromkeys(
            leaf.keys[:n] for leaf in self.results for n in range(len(leaf.keys) + 1)
        )
        return [
            other
            for other in prefixes
            if self._signature(self.results, other) == wanted
            and self.taken.isdisjoint(subtree(self.results, other).values())
        ]

    def pair(self, carried: list[Carried]) -> dict[int, int]:
        """Argument position -> result position. Raises ValueError where undecided."""
        updates = {}
        self._carried = carried
        for item in sorted(
            carried, key=lambda c: -len(subtree(self.arguments, c.prefix))
        ):
            old = subtree(self.arguments, item.prefix)
            if not old:
                continue
            new = subtree(self.results, self._choose(item))
            self.taken.update(new.values())
            updates.update({position: new[keys] for keys, position in old.items()})
        return updates

    def _signature(self, leaves, prefix):
        return {
            keys: (leaves[i].shape, leaves[i].dtype)
            for keys, i in subtree(leaves, prefix).items()
        }

    def _choose(self, item: Carried) -> Keys:
        left = self.candidates(item.prefix)
        if not left:
            raise ValueError(self._nothing_fits(item))
        rules = (
            lambda c: [k for k in c if k and item.name and k[-1] == item.name],
            lambda c: [k for k in c if len(k) == min(map(len, c))],
            lambda c: [k for k in c if self._reaches(item.prefix, k)],
            lambda c: [k for k in c if not self._is_of_another(k, c)],
            lambda c: (
                [k for k in c if self._is_last(k, c)] if item.role == "params" else []
            ),
        )
        for rule in rules:
            if len(left) > 1:
                left = rule(left) or left
        if len(left) > 1:
            fits = ", ".join(f"'{'/'.join(k)}'" for k in left)
            raise ValueError(
                f"cannot decide which result is the new value of the {item.role} at "
                f"'{'/'.join(item.prefix)}': {fits} fit; return them under different keys, "
                "for example in a dict with the names of the arguments"
            )
        return left[0]

    def _reaches(self, prefix: Keys, candidate: Keys) -> bool:
        """Whether each new value is elementwise work on, among others, the old one."""
        old, new = subtree(self.arguments, prefix), subtree(self.results, candidate)
        return all(old[keys] in self.flow.arguments_of(new[keys]) for keys in old)

    def _is_of_another(self, candidate: Keys, others: list[Keys]) -> bool:
        """Whether an argument that is not carried, as an average of the parameters that is
        passed beside them, goes on in the candidate alone."""
        rest = [other for other in others if other != candidate]
        carried = {item.prefix[:1] for item in self._carried}
        places = dict.fromkeys(leaf.keys[:1] for leaf in self.arguments)
        return any(
            self._is_average(place, candidate, rest)
            for place in places
            if place not in carried
        )

    def _is_last(self, candidate: Keys, others: list[Keys]) -> bool:
        """Whether the candidate is computed from the others: an optimizer makes the new
        state first and the new parameters from it."""
        mine = subtree(self.results, candidate)
        rest = [other for other in others if other != candidate]
        return all(
            self.flow.uses(mine[keys], position)
            for other in rest
            for keys, position in subtree(self.results, other).items()
        ) and not any(
            self._is_average(item.prefix, candidate, rest)
            for item in self._carried
            if item.role != "params"
        )

    def _is_average(self, prefix: Keys, candidate: Keys, rest: list[Keys]) -> bool:
        """Whether the arguments under `prefix` may be an average of the parameters, which
        is computed from the new ones: it goes on in the candidate alone."""
        if candidate not in self.candidates(prefix):
            return False
        return self._reaches(prefix, candidate) and not any(
            self._reaches(prefix, other) for other in rest
        )

    def _nothing_fits(self, item: Carried) -> str:
        hint = "; a step without state has state=None" if item.role == "state" else ""
        return self._find_misfit(item) + hint

    def _find_misfit(self, item: Carried) -> str:
        where = "/".join(item.prefix)
        wanted = self._signature(self.arguments, item.prefix)
        for n in sorted({n for leaf in self.results for n in range(len(leaf.keys) + 1)}):
            for prefix in dict.fromkeys(leaf.keys[:n] for leaf in self.results):
                found = self._signature(self.results, prefix)
                if found.keys() != wanted.keys():
                    continue
                for keys in wanted:
                    if found[keys] != wanted[keys]:
                        return (
                            f"the step returns the {item.role} at '{where}' with another type: "
                            f"'{'/'.join(item.prefix + keys)}' is {_show(wanted[keys])} and "
                            f"'{'/'.join(prefix + keys)}' of the results is {_show(found[keys])}"
                        )
        return (
            f"no result of the step has the structure of the {item.role} at '{where}' "
            f"({len(wanted)} arrays); the step must return their new values"
        )


def _show(signature) -> str:
    shape, dtype = signature
    return f"{dtype}[{','.join(map(str, shape))}]"


# The names of the primitives by which an optimizer works on one entry at a time.
_ELEMENTWISE_NAMES = """
    abs add add_any and cbrt ceil clamp convert_element_type copy copy_p cosh div eq exp exp2 expm1
    floor ge gt integer_pow is_finite le log log1p logistic lt max min mul ne neg not
    optimization_barrier or pow reduce_precision rem round rsqrt select_n sign sin sqrt square sub
    tanh xor
"""
_ELEMENTWISE = frozenset(_ELEMENTWISE_NAMES.split()) | {gradient_p.name}


class DataFlow:
    """Which arguments and results of a jaxpr a result is elementwise work on."""

    def __init__(self, jaxpr: jex.Jaxpr):
        self.operands: dict = {}
        self.inner: dict = {}
        self.results = [self._resolve(v) for v in self._read(jaxpr, lambda var: var)]
        self.position = {var: i for i, var in enumerate(jaxpr.invars)}

    def arguments_of(self, result: int) -> set[int]:
        """The positions of the arguments reached from a result."""
        return {self.position[var] for var in self._walk(result) if var in self.position}

    def uses(self, result: int, other: int) -> bool:
        """Whether a result is elementwise work on the value of another result."""
        return self.results[other] in self._walk(result)

    def _read(self, jaxpr, name):
        """Notes the operands of each value; `name` tells the variables of one call of a
        jaxpr from those of another. Returns the names of the results."""

        def rename(atoms):
            return [None if isinstance(a, jex.Literal) else name(a) for a in atoms]

        for eqn in jaxpr.eqns:
            operands, results = rename(eqn.invars), rename(eqn.outvars)
            if eqn.primitive is jex.primitives.jit_p:
                inner = eqn.params["jaxpr"].jaxpr
                names = dict(zip(inner.invars, operands, strict=True))
                values = self._read(
                    inner, lambda var, names=names: names.setdefault(var, object())
                )
                self.inner.update(zip(results, values, strict=True))
            elif eqn.primitive.name in _ELEMENTWISE:
                pairwise = eqn.primitive.multiple_results
                for i, result in enumerate(results):
                    self.operands[result] = [operands[i]] if pairwise else operands
        return rename(jaxpr.outvars)

    def _resolve(self, var):
        """The value inside the calls that a result of a call is."""
        while var in self.inner:
            var = self.inner[var]
        return var

    def _walk(self, result: int) -> set:
        seen: set = set()
        work = [self.results[result]]
        while work:
            var = self._resolve(work.pop())
            if var is not None and var not in seen:
                seen.add(var)
                work += self.operands.get(var, [])
        return seen
