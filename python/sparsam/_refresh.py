"""`Step.refresh`: to other patterns, densities or ranks during training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from . import _ranking, _scores, _storage, _structures
from ._compress import fresh_value
from ._lazy import core as _core
from ._request import Request
from ._scores import Scores
from ._storage import Dense, Slot, Storage, Stored

if TYPE_CHECKING:
    from ._form import Form
    from ._step import Step


class Refresher:
    """One refresh of a step."""

    def __init__(self, step: Step, structure, request: Request):
        self._step, self._request, self._old = step, request, step.form
        self._moved, wanted = self._wanted(structure)
        self._check_families(wanted)
        self._check_coupled(self._old.pinned, self._moved & set(wanted))
        self._check_whole_groups()
        self._new = step.family.pin(wanted, self._old.pin)
        changed = {p for p, text in self._new.items() if self._old.pinned.get(p) != text}
        self._check_coupled(self._new, changed | self._moved)
        self._targets = {
            path: info
            for path, text in self._new.items()
            if path in self._moved
            and (info := _core.describe_pattern(text, self._old.shapes[path]))
        }
        if request.scope == "global":
            self._check_global()
        self._initial = None
        if request.initial is not None:
            if not self._moved & set(self._old.moves.patterns):
                raise ValueError(
                    "initial is state of entries that a pattern did not store, and no "
                    "parameter that changes has a pattern"
                )
            self._initial = self._old.state(request.initial)
            _scores.check_finite(self._initial, "the initial state")
        self._batch = request.batch and self._old.places.batch.read(tuple(request.batch))

    def run(self, handles: dict[str, Storage]) -> tuple[Step, list[Storage]]:
        """The new step and its storage. Consumes the handles."""
        with _storage.taken(handles.values()) as taken:
            stored = self._old.stored(dict(zip(handles, taken, strict=True)))
            dense = self._old.dense(stored)
            scores = self._scores(stored, dense) if self._targets else {}
            _scores.check_finite(scores, "the scores of")
            if self._request.scope == "global":
                self._set_densities(scores)
            elif self._request.scope == "group":
                scores = self._grouped(scores)
            new = self._step.family.step(self._new, self._step.tiles, self._step.variant)
            return new, new.form.handles(self._move(new, stored, dense, scores), handles)

    def _wanted(self, structure) -> tuple[set[str], dict[str, str]]:
        """The paths that are selected or stored anew, and path -> structure text."""
        old = self._old.pinned
        if structure is None:
            if not self._old.moves.patterns:
                raise ValueError(
                    "no parameter has a pattern that could be selected again; give structure="
                )
            return set(self._old.moves.patterns), dict(old)
        texts = _structures.normalise(structure)
        if not texts and not isinstance(structure, str):
            raise ValueError(
                "structure names no parameter; leave it out to select again, or give "
                "'dense' for all"
            )
        globs = _structures.assign(texts, self._old.shapes)
        moved = set(globs) if texts else set(old)
        wanted = {path: text for path, text in old.items() if path not in moved}
        for path, glob in globs.items():
            if texts[glob].strip() != "dense":
                wanted[path] = texts[glob].strip()
        return moved, wanted

    def _check_families(self, wanted: Mapping[str, str]):
        for path in self._moved:
            old, new = self._old.pinned.get(path), wanted.get(path)
            if old and new and not _is_related(old, new):
                raise ValueError(
                    f"'{path}' is stored as {old}: refresh leads to another "
                    f"{_names(old)[0]} or to dense, not to {new}; compile a step with {new} "
                    "and go through densify and compress"
                )

    def _check_whole_groups(self):
        """Refuses to take some parameters out of a group."""
        old = self._old
        coupled = {path: set(old.compiled.groups(path)) for path in old.pinned}
        for path in sorted(self._moved & set(coupled)):
            for other in sorted(set(coupled) - self._moved):
                if common := coupled[path] & coupled[other]:
                    raise ValueError(
                        f"'{path}' is one choice with '{other}' and all others of group "
                        f"'{min(common)}': they go to dense together or not at all"
                    )

    def _check_coupled(self, structures: Mapping[str, str], paths: set[str]):
        """Refuses what is one choice for several parameters."""
        for path in sorted(paths & set(structures)):
            groups, _ = _core.sliced_axes(structures[path], self._old.shapes[path])
            if groups:
                raise ValueError(
                    f"'{path}' is selected together with all of group '{groups[0]}', which "
                    "refresh does not do; compress densified parameters with a step that is "
                    "compiled with the other structure"
                )

    def _check_global(self):
        for path in self._targets:
            if not _has_density(self._new[path]):
                raise ValueError(
                    f"scope='global' gives each parameter a density of its own, which "
                    f"{self._new[path]} of '{path}' does not have; use scope='parameter', or "
                    "unstructured or block"
                )
        if not self._targets:
            raise ValueError("scope='global': no parameter is given a pattern")

    def _scores(self, stored: Stored, dense: Dense) -> dict[str, np.ndarray]:
        """path -> scores of the parameters whose patterns are selected."""
        score, old = self._request.score, self._old
        weights = {path: dense[old.names[path]] for path in self._targets}
        shapes = {path: old.shapes[path] for path in self._targets}
        if isinstance(score, Scores):
            return _scores.of_handle(score, weights, old.moves.mask(stored))
        if not isinstance(score, str):
            tree = old.layouts["params"].tree
            framework = self._step.framework
            return _scores.of_user(score, shapes, tree, old.leaf_paths(), framework)
        if score == "magnitude":
            return _scores.magnitude(weights)
        if score == "random":
            return _scores.random(shapes, self._request.seed or 0)
        gradients = self._step.family.gradients.at(dense, self._batch)
        if missing := [path for path in weights if path not in gradients]:
            raise ValueError(
                f"no gradient of '{missing[0]}' was found; see the step's remarks"
            )
        if score == "rigl":
            return self._rigl(weights, gradients, old.moves.mask(stored))
        return _scores.accumulate(score, weights, gradients, None).arrays

    def _rigl(self, weights, gradients, masks) -> dict[str, np.ndarray]:
        found = {}
        for path, info in self._targets.items():
            if path not in masks:
                raise ValueError(
                    f"score='rigl' drops and grows on a pattern, and '{path}' is stored as "
                    f"{self._old.pinned.get(path, 'dense')}; choose a first one by magnitude"
                )
            found[path] = _ranking.rigl(
                weights[path],
                gradients[path],
                masks[path],
                self._request.fraction,
                info,
            )
        return found

    def _grouped(self, scores) -> dict[str, np.ndarray]:
        """Scores by which every output keeps alike. Structures that have no free density
        or that keep blocks rank within groups of their own."""
        return {
            path: array
            if self._targets[path]["unit"] != (1, 1) or not _has_density(self._new[path])
            else _ranking.per_output(array, self._targets[path])
            for path, array in scores.items()
        }

    def _set_densities(self, scores):
        densities = _ranking.densities(scores, self._targets)
        self._new = self._new | {
            path: _core.with_density(self._new[path], density)
            for path, density in densities.items()
        }

    def _move(self, new: Step, stored: Stored, dense: Dense, scores) -> Stored:
        """All arrays of the new step's storage."""
        old, form = self._old, new.form
        still = {s.name for s in old.slots if old.parameter_of(s) not in self._moved}
        found = {key: array for key, array in stored.items() if key[0] in still}
        lifted = self._lifted(stored)
        kept_as = {slot.name: slot.dtype for slot in old.slots}
        rounded = {name: a.astype(kept_as[name]) for name, a in lifted.items()}
        grown = self._with_initial(stored, dense) | rounded
        if self._targets:
            found |= self._patterns(new, stored, grown, scores)
        factors = self._moved & set(form.pinned) - set(form.moves.patterns)
        if factors:
            found |= self._factors(form, factors, stored, grown, lifted)
        kept = {slot.name for slot in form.slots}
        for slot in old.slots:
            if slot.name not in kept:
                path = old.parameter_of(slot)
                raise ValueError(
                    f"{form.pinned.get(path, 'dense')} of '{path}' keeps no optimizer state, and "
                    f"'{slot.name}' would be lost"
                )
        for slot in form.slots:
            if (slot.name, slot.part) not in found:
                found[slot.name, slot.part] = self._leftover(slot, form, grown)
        return found

    def _patterns(self, new: Step, stored: Stored, dense: Dense, scores) -> Stored:
        """What is stored of the parameters that are selected anew."""
        form = new.form
        # One function selects for all: what it says of those that stay is not read.
        still = {path: form.names[path] for path in form.moves.patterns}
        still = {path: name for path, name in still.items() if path not in self._targets}
        zeros = {path: np.zeros(form.shapes[path]) for path in still}
        indices = form.moves.select(scores | zeros)
        for key in indices:
            if key[0] in still.values():
                indices[key] = stored[key]
        made = indices | form.moves.restrict(dense, indices)
        for path in self._targets:
            name = form.names[path]
            parts = [a for k, a in made.items() if k[0] == name and k not in indices]
            new.plan[path].damage = _damage(dense[name], parts)
        moved = {s.name for s in form.slots if form.parameter_of(s) in self._targets}
        return {key: array for key, array in made.items() if key[0] in moved}

    def _with_initial(self, stored: Stored, dense: Dense) -> Dense:
        """The dense tensors, with the initial state where no pattern stored any."""
        if self._initial is None:
            return dense
        old, masks, filled = self._old, self._old.moves.mask(stored), dict(dense)
        for slot in old.slots:
            path = old.parameter_of(slot)
            if path in masks and path in self._moved and old.is_state(slot):
                filled[slot.name] = np.where(
                    masks[path], dense[slot.name], self._initial[slot.name]
                )
        return filled

    def _factors(
        self, form: Form, paths: set[str], stored: Stored, dense: Dense, lifted: Dense
    ) -> Stored:
        """What is stored of parameters that come to factors, or to other ones."""
        old, found = self._old, {}
        if paths & set(old.pinned) - set(old.moves.patterns):
            dense = dense | old.moves.sums(stored)
        made = form.factorize(dense)
        # The dense state that was found is not rounded before it is projected.
        wide = {name: a for name, a in lifted.items() if a.dtype != dense[name].dtype}
        if wide:
            projected = form.moves.project(wide, made)
            made |= {key: array for key, array in projected.items() if key[0] in wide}
        for slot in form.slots:
            if form.parameter_of(slot) not in paths:
                continue
            if form.is_state(slot):
                value = fresh_value(_parts(stored, slot.name))
                if value is not None:
                    found[slot.name, slot.part] = _storage.full(slot, value)
                    continue
                form.check_projected(slot)
            array = made[slot.name, slot.part]
            found[slot.name, slot.part] = _storage.copy(array, slot.dtype)
        return found

    def _lifted(self, stored: Stored) -> Dense:
        """Dense state of the factor parameters that move; half precision in f32."""
        old, found, lifted = self._old, {}, None
        for slot in old.slots:
            path = old.parameter_of(slot)
            if (
                slot.name in found
                or path not in self._moved
                or not slot.owner
                or path in old.moves.patterns
                or not old.is_state(slot)
            ):
                continue
            value = fresh_value(_parts(stored, slot.name))
            if value is not None:
                found[slot.name] = np.full(old.shapes[path], value, slot.dtype)
                continue
            old.check_projected(slot)
            lifted = old.moves.lift(stored) if lifted is None else lifted
            found[slot.name] = lifted[slot.name]
        return found

    def _leftover(self, slot: Slot, form: Form, dense: Dense) -> np.ndarray:
        """A dense tensor that had a structure."""
        if slot.owner or slot.name not in dense:
            path = form.parameter_of(slot)
            raise ValueError(
                f"{self._old.pinned.get(path, 'dense')} of '{path}' keeps no optimizer state "
                f"'{slot.name}', which its next structure needs"
            )
        return _storage.copy(dense[slot.name])


def _parts(stored: Stored, name: str) -> list[np.ndarray]:
    return [array for (own, _), array in stored.items() if own == name]


def _has_density(text: str) -> bool:
    """Whether a structure has a density that is free."""
    return _core.with_density(text, 0.5) is not None


def _names(text: str) -> list[str]:
    """The structures in a text, the outermost first."""
    return re.findall(r"^\s*[#\w.]+|[#\w.]+(?=<)", text.replace("#sparsam.", ""))


def _is_related(old: str, new: str) -> bool:
    """Whether one is of the other's structure, or has it inside."""
    return _names(old)[0] in _names(new) or _names(new)[0] in _names(old)


def _damage(dense: np.ndarray, parts: list[np.ndarray]) -> float:
    """|W - stored W| / |W|, of entries of W that are stored as they are."""
    whole = float(np.linalg.norm(dense.astype(np.float64).ravel()))
    kept = sum(float(np.linalg.norm(p.astype(np.float64).ravel())) ** 2 for p in parts)
    return max(whole**2 - kept, 0.0) ** 0.5 / whole if whole else 0.0
