"""`sparsam.compile` and the step that it returns."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Real

import numpy as np

from . import (
    _bundle,
    _calling,
    _export,
    _jax,
    _scores,
    _structures,
    _tiles,
    _trees,
    _tune,
)
from ._arguments import Arrays
from ._checkpoint import Checkpoints
from ._compiled import Compiled
from ._compress import Compressor
from ._family import Family
from ._form import Form
from ._function import Function
from ._gradients import Gradients
from ._imported import ImportedStep
from ._lazy import core as _core
from ._lower import groups
from ._places import Places
from ._reasons import Reasons
from ._refresh import Refresher
from ._request import Request, check_batch
from ._scores import Scores
from ._storage import Dense, Layout, Storage
from ._structures import Choice, Group
from ._variants import Variants

log = logging.getLogger("sparsam")


def compile(
    fn: Callable,
    args: tuple,
    params: int | str = 0,
    state: int | str | None = 1,
    structure: Mapping[str, str] | str = "dense",
    budget: str | None = None,
    target: str = "cpu",
    cpu: str = "host",
    tiles: str | os.PathLike | bool | None = None,
) -> Step:
    """Compiles a training step on structured parameters.

    fn         a JAX function: (parameters, state, batch…) -> new parameters, new state and
               other results, in any tree and order
    args       example arguments: arrays or `jax.ShapeDtypeStruct`s
    params     the parameters: an argument number, or a path into one such as "0/params"
    state      the optimizer state, likewise; None for a step without
    structure  glob over parameter paths -> the text inside `#sparsam.…`, for example
               {"blocks/*/fc": "nm<2:8, vector = 8>", "*/out": "low_rank<32>"}; `*` crosses
               `/`, the first match wins. Or "dense". What no glob matches stays dense.
    target     "cpu"
    cpu        what to compile for, as clang's -mcpu takes it ("x86-64-v3", "znver4"); "host"
               is this machine. It must be able to run the step.
    tiles      a file of tile sizes that `Step.tune` measured, which the products take that
               are in it; True is the user's own file, `$SPARSAM_TILES` or else
               `~/.cache/sparsam/tiles.json`. By default none is read, and all sizes are a
               model's. What is not in it is in `remarks`

    Raises ValueError for a glob that matches nothing and for arguments that do not fit,
    TypeError for an option of another type, and CompileError where the compiler refuses,
    with its whole message. Where it goes on, but not as may be meant (a glob that decides
    nothing, measured sizes that are not there), it is a CompilerWarning, and in `remarks`.
    """
    check_options(budget, target, cpu)
    _check_callable(fn)
    _check_args(args, "the step")
    return Step(
        lambda args: _jax.import_step(fn, args, params, state),
        getattr(fn, "__name__", "step"),
        tuple(args),
        params,
        state,
        _structures.normalise(structure),
        cpu,
        _tiles.resolve(tiles),
    )


def check_text(name: str, given, expected: str):
    """Raises TypeError for an option that is no text."""
    if not isinstance(given, str):
        raise TypeError(f"{name} must be {expected}, found {given!r}")


def _check_args(args, what: str):
    """Raises TypeError for example arguments that are no tuple."""
    if not isinstance(args, (tuple, list)):
        raise TypeError(
            f"args must be the tuple of the arguments of {what}, found "
            f"{type(args).__name__}; for a single argument write (argument,)"
        )


def check_options(budget: str | None, target: str, cpu: str):
    """Raises TypeError for what is no text, NotImplementedError for what comes later, and
    ValueError for a name that is no CPU's."""
    check_text("target", target, "'cpu'")
    check_text("cpu", cpu, "the name of a CPU, such as 'host' or 'x86-64-v3'")
    if budget is not None:
        raise NotImplementedError("budget comes later; give structures by glob")
    if target != "cpu":
        raise NotImplementedError(f"target={target!r} comes later; there is 'cpu'")
    _core.check_cpu(cpu)


def _check_callable(fn):
    if not callable(fn):
        raise TypeError(f"fn must be a function, found {fn!r}")


class Step:
    """A compiled training step; see `sparsam.compile`.

    plan   path -> Choice(structure, reason, cost, damage)
    cpu    what it is compiled for
    tiles  the file of tile sizes that its products take; empty for none
    """

    # What a front end for another framework has its own of.
    framework = Arrays()

    def __init__(
        self,
        importer: Callable[[tuple], ImportedStep],
        name: str,
        args: tuple,
        params: int | str,
        state: int | str | None,
        structure: Mapping[str, str],
        cpu: str = "host",
        tiles: str = "",
    ):
        """`importer`: example arguments -> the step as annotated MLIR. `structure`: glob ->
        text. For the rest see `sparsam.compile`."""
        self._import = importer
        self._name = name
        self.cpu = cpu
        self.tiles = tiles
        imported = importer(args)
        self._places = places = Places(args, imported, params, state, self.framework)
        self._set_structure(imported, structure)
        gradients = Gradients(name, places.batch, self._imported_for, imported, cpu)
        self.family = Family(gradients, self)
        leaves = places.leaves
        stateless = None if leaves["state"] else places.trees.get("state")
        self._template = _trees.result_template(
            imported.out_tree,
            imported.updates,
            leaves["params"],
            leaves["state"],
            places.trees.values(),
            stateless,
        )
        self._groups: dict[str, Group] | None = None

    def compress(self, params, state=None, pattern: Storage | None = None):
        """Copies dense parameters and optimizer state into storage: (p, s), or p alone for
        a step without state. The given arrays stay as they are.

        Patterns are selected by magnitude, or taken from the storage `pattern`. Fresh or
        used state is restricted to the pattern, and projected on factors; see
        docs/Refresh.md.

        Raises TypeError for another element type than the example's, and ValueError for
        another tree or shape, weights that are not finite, and state of a factor parameter
        that is neither fresh (one number everywhere, such as zero) nor a moment of the
        gradient.
        """
        if pattern is not None:
            self.check(pattern, "params")
        return self._handles(*self._compressor.compress(params, state, pattern))

    def __call__(self, *args):
        """Runs one step: (p, s, *batch) -> the results of the user's function, in its order
        and tree, with handles for the parameters and the state.

        Consumes p and s and updates their arrays in place. A batch of another size
        compiles the step again for it, with a remark. Raises RuntimeError for a consumed
        handle, TypeError or ValueError for arguments that do not fit, by their path. After
        an exception before the update the handles stay good.
        """
        handles = self.call(self._main).handles(args)
        for role, handle in handles.items():
            self.check(handle, role)
        batch = self._places.batch.read(args[len(handles) :])
        compiled = self._variants.at(batch)
        compiled.imported.check(batch)
        return self.call(compiled).run(handles, batch)

    def densify(self, p: Storage, s: Storage | None = None, smaller: bool = False):
        """The dense parameters, in the user's tree, as new NumPy arrays; with the state `s`,
        (parameters, state).

        With `smaller`, parameters that are sliced come without what was removed, for a model
        that is built with these smaller dimensions, and so do their optimizer state and
        running statistics along the same axes. It computes the same, except where the
        model itself divides by a dimension, as the norms of a sliced residual stream do (a
        step keeps the old divisor, and a smaller model has its own), and where a softmax, a
        sum or a maximum meets removed entries that are not zero.

        Raises ValueError for optimizer state of factors, which has no dense form.
        """
        self.check(p, "params")
        params = self._compressor.densify(p, smaller)
        if s is None:
            return params
        self.check(s, "state")
        return params, _export.dense_state(self.form, p, s, smaller)

    @property
    def groups(self) -> dict[str, Group]:
        """The coupled groups of the parameters, by the name that `slice<group = "…">` gives
        them, in program order; also those that cannot be sliced, with the reason."""
        if self._groups is None:
            self._groups = _structures.make_groups(
                groups(self._main.imported.text, self._name)
            )
        return dict(self._groups)

    def storage(self, p: Storage) -> dict[str, dict[str, np.ndarray]]:
        """Copies of the arrays: path -> part -> array. Parts are those of the structure,
        such as "values" and "indices", or "dense". Takes the state's handle as well."""
        self.check(
            p, "state" if isinstance(p, Storage) and p.role == "state" else "params"
        )
        found: dict[str, dict[str, np.ndarray]] = {}
        for slot, array in zip(p.layout.slots, p.arrays(), strict=True):
            found.setdefault(slot.path, {})[slot.part] = np.array(array)
        return found

    def save(
        self,
        path: str | os.PathLike,
        p: Storage | None = None,
        s: Storage | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        cpu: str | Sequence[str] | None = None,
    ):
        """Writes storage into a safetensors file, with the structures in its metadata:
        parameters and optimizer state, or parameters alone. `metadata` is text of yours.

        Without storage it writes the step itself, for batches of the example's shape, as a
        bundle (PATH.sparsam) that `sparsam.load` and `sparsam-run` take without LLVM.
        `cpu` are the CPUs that it is compiled for, as clang's -mcpu takes them; "host" is this
        machine. By default they are a baseline and this machine. See docs/AheadOfTime.md.

        A bundle's path has to end in `.sparsam`, and a file of storage must not; it may have
        any other ending, `.safetensors` by custom.

        Replaces what is there as a whole or not at all. Raises what the use of p and s in a
        step raises, and ValueError for another ending, and for parameters that are not finite
        and state that is NaN, which `load` would not take.
        """
        if p is None:
            if s is not None or metadata is not None:
                raise TypeError("storage is saved with its parameters: save(path, p, s)")
            record = self._checkpoints.record()
            return _bundle.save(path, self, self._main, self._places.batch, record, cpu)
        if cpu is not None:
            raise TypeError("cpu= is for a bundle, which is saved without storage")
        self.check(p, "params")
        handles = {"params": p}
        if s is not None:
            self.check(s, "state")
            handles["state"] = s
        given = {} if metadata is None else metadata
        texts = given.items() if isinstance(given, Mapping) else ((0, 0),)
        if not all(isinstance(text, str) for pair in texts for text in pair):
            raise TypeError(f"metadata must map text to text, found {metadata!r}")
        self._checkpoints.save(path, handles, given)
        return None

    def load(self, path: str | os.PathLike, state=None):
        """Storage from a safetensors file: (p, s), or p alone for a step without state.

        Of a file that `save` wrote for parameters of these structures, storage as it was.
        Of one with dense parameters, named by their paths with `/` or `.` between the keys,
        what `compress` makes of them. `state` is dense optimizer state to take instead of
        the file's, fresh for example.

        Raises OSError for a file that cannot be read, and ValueError, which names the
        tensors, for one that does not fit: not a whole safetensors file, other structures,
        tensors missing, left over, or of another shape or element type, indices that are no
        pattern, numbers that are not finite, and what `compress` raises.
        """
        return self._handles(*self._checkpoints.load(path, state))

    def compile_with(self, fn: Callable, args: tuple, params: int | str = 0) -> Function:
        """Compiles another function of the parameters for the same storage.

        `args` are examples of its arguments, the dense parameters (or a shape of each)
        among them at `params`. The result takes storage there: f(p, *others). Like a step
        it is compiled again for others of another shape, with a remark.
        """
        _check_callable(fn)
        _check_args(args, "the function")
        return Function(
            self,
            lambda args: _jax.import_function(fn, args, params),
            getattr(fn, "__name__", "function"),
            tuple(args),
            params,
        )

    def refresh(
        self,
        p: Storage,
        s: Storage | None = None,
        structure: Mapping[str, str] | str | None = None,
        score="magnitude",
        batch: tuple | None = None,
        *,
        scope: str = "parameter",
        fraction: float | None = None,
        seed: int | None = None,
        initial=None,
    ):
        """Selects patterns again, or moves parameters to another density, N:M or rank of
        their structure, to dense and from dense: (step, p, s), or (step, p) for a step
        without state.

        structure  glob -> text, of the parameters that change; the others keep what they
                   have. "dense" for all. By default the structures that they have, with
                   patterns selected again
        score      "magnitude"; "gradient" and "movement" (|w ∂L/∂w|) of one batch;
                   "random"; "rigl" (drop `fraction` by magnitude, grow by gradient); what
                   `scores` returned; or arrays by path, larger ones to be kept
        batch      the tuple of the step's further arguments, for scores that need gradients
        scope      "parameter": each ranks its entries by itself, in the groups that its
                   structure has; "group": each output keeps alike; "global": one ranking
                   of all, which gives each parameter a density of its own
        seed       of "random"
        initial    dense optimizer state that entries take which come to a pattern; zero by
                   default

        Entries that stay keep their weights and their state. New ones start at zero. State of
        factors is projected on the new ones. Consumes p and s, but not where an exception
        is raised. The step is compiled for new structures,
        once for each; see docs/Refresh.md.

        Raises what the use of p and s in a step raises, ValueError and TypeError for
        arguments that do not fit, and CompileError.
        """
        request = Request(score, scope, batch, fraction, seed, initial)
        handles = self._handles_of(p, s)
        step, made = Refresher(self, structure, request).run(handles)
        return step, *made

    def scores(
        self,
        p: Storage,
        s: Storage | None = None,
        batch: tuple | None = None,
        kind: str = "movement",
        acc: Scores | None = None,
    ) -> Scores:
        """Scores for `refresh`, of one batch or added to those of others in `acc`, which
        may come from before a refresh. Consumes nothing.

        kind  "movement": the sum of |w ∂L/∂w|; "signed_movement": that of -w ∂L/∂w, what
              moves away from zero counts; "gradient": that of |∂L/∂w|; "change": by how
              much |w| will have grown since now, which reads no batch
        """
        _scores.check_kind(kind)
        handles = self._handles_of(p, s)
        if acc is not None and (not isinstance(acc, Scores) or acc.kind != kind):
            raise ValueError(f"acc must be scores of kind {kind!r}, found {acc!r}")
        if not _scores.KINDS[kind] and (batch is not None or acc is not None):
            raise ValueError(f"kind={kind!r} reads neither a batch nor earlier scores")
        if _scores.KINDS[kind] and batch is None:
            raise ValueError(f"kind={kind!r} needs gradients: give batch=(…)")
        dense = self._dense_of(handles)
        weights = {path: dense[name] for path, name in self.form.names.items()}
        gradients = None if batch is None else self._gradients_of(dense, batch)
        return _scores.accumulate(kind, weights, gradients, acc)

    def gradients(self, p: Storage, s: Storage | None, batch: tuple):
        """path -> the dense gradient at the stored parameters, of entries that are not
        stored too. Consumes nothing; s is None for a step without state."""
        return self._gradients_of(self._dense_of(self._handles_of(p, s)), batch)

    def variant(self, structure: Mapping[str, str]) -> Step:
        """This step with other structures (path -> text), compiled; see `refresh`."""
        step = copy.copy(self)
        step._set_structure(self._main.imported, structure)
        return step

    def tune(
        self,
        tiles: str | os.PathLike | bool | None = None,
        *,
        seconds: float = 60.0,
        verbose: bool = False,
    ) -> list[_tune.Tuned]:
        """Measures which tile sizes the step's structured products are fastest with, on this
        machine and as many threads as there are now, and compiles the step again with
        them. Storage stays good.

        tiles    the file that keeps what was measured: by default the one that the step was
                 compiled with, or else the user's own (see `sparsam.compile`). What is in it
                 is not measured again
        seconds  how long it may measure, roughly; what is left over is measured by the
                 next call
        verbose  whether to print what is measured

        Returns what was measured now. Other steps take it too that are compiled with
        `tiles`. Raises ValueError for a file that cannot be used, and warns of sizes in it
        that a product cannot have, which are measured again. See docs/Performance.md.
        """
        if not isinstance(seconds, Real):
            raise TypeError(f"seconds must be a number, found {seconds!r}")
        if not seconds >= 0:
            raise ValueError(f"seconds must be at least 0, found {seconds!r}")
        path = _tiles.resolve(tiles) or self.tiles or _tiles.default_path()
        found = _tune.tune(self._main, path, seconds, verbose)
        # There is no file yet where the time was up before anything was measured.
        if found or (path != self.tiles and os.path.exists(path)):
            self.tiles = path
            damage = {where: choice.damage for where, choice in self.plan.items()}
            self._set_structure(self._main.imported, self._main.structure)
            for where, lost in damage.items():
                self.plan[where].damage = lost
            self.family.only(self)
        return found

    def ir(self, stage: str) -> str:
        """The module as text after a stage: "import", "find-parameters",
        "apply-structure", "expand-storage", "propagate", "to-cpu" or "lower-to-llvm"."""
        return self._main.ir(stage)

    @property
    def remarks(self) -> list[str]:
        """What the compiler said about rewrites that did not apply and the like, and what it
        warned of."""
        return list(self._variants.remarks)

    @property
    def seconds(self) -> dict[str, float]:
        """Compile time by phase."""
        return dict(self._main.lowered.seconds)

    @property
    def flops(self) -> dict[str, int]:
        """Multiplications and additions in the products of one call, by what computes them:
        "spmm" and "sddmm" (with a pattern), "contractions" and "convolutions" (dense)."""
        return {k: n for k, n in self._main.lowered.flops.items() if k != "einsums"}

    @property
    def pinned(self) -> dict[str, str]:
        """path -> structure text with its view, of the structured parameters."""
        return dict(self._main.lowered.pinned)

    def layout(self, role: str) -> Layout:
        """What the arrays of the "params" or the "state" are."""
        return self._layouts[role]

    def check(self, handle, role: str):
        """Raises TypeError for anything but storage of this step, RuntimeError for a handle
        that a step consumed, and ValueError for arrays that were put into one and do not
        fit, indices that are no pattern among them."""
        _calling.check(handle, role, self._layouts[role], self._main.check_patterns)

    def call(self, compiled: Compiled) -> _calling.StepCall:
        """How the step is called as it was compiled for a batch."""
        if compiled not in self._calls:
            places = self._places
            self._calls[compiled] = _calling.StepCall(
                compiled.entry,
                places.roles,
                self._layouts,
                tuple(compiled.leaf_of),
                tuple(map(places.role, compiled.leaf_of)),
                self._template,
            )
        return self._calls[compiled]

    def __repr__(self) -> str:
        structured = len(self._main.lowered.structures)
        return f"<sparsam.Step {self._name}: {structured} of {len(self.plan)} structured>"

    def _set_structure(self, imported: ImportedStep, structure: Mapping[str, str]):
        """Compiles for structures: glob -> text."""
        globs = _structures.assign(structure, imported.params)
        self._main = Compiled(imported, structure, self._name, self.cpu, self.tiles)
        self._layouts = self._make_layouts(self._main)
        self._calls: dict[Compiled, _calling.StepCall] = {}
        places = self._places
        self._compressor = Compressor(self._main, places, self._layouts)
        self._checkpoints = Checkpoints(
            self._main, places, self._layouts, self._compressor
        )
        self._variants = Variants(self._name, places.batch, self._build, self._main)
        self.form = Form(self._main, places, self._layouts, self._compressor)
        leaves = {path: imported.arguments[i] for path, i in imported.params.items()}
        chosen = self._main.lowered.structures
        coupled = {path: self._main.groups(path) for path in chosen}
        reasons = Reasons(structure, globs, chosen, coupled, self._main.lowered.remarks)
        self.plan: dict[str, Choice] = _structures.make_plan(
            chosen, reasons, leaves, self._layouts["params"]
        )
        self._report()

    def _imported_for(self, shapes) -> ImportedStep:
        return self._import(self._places.examples(shapes))

    def _handles_of(self, p, s) -> dict[str, Storage]:
        """The handles by role, checked."""
        given = {"params": p} | ({"state": s} if "state" in self._places.roles else {})
        if "state" not in given and s is not None:
            raise TypeError("this step was compiled without state (state=None)")
        for role, handle in given.items():
            self.check(handle, role)
        return given

    def _dense_of(self, handles: Mapping[str, Storage]) -> Dense:
        arrays = {role: handle.arrays() for role, handle in handles.items()}
        return self.form.dense(self.form.stored(arrays))

    def _gradients_of(self, dense: Dense, batch) -> dict[str, np.ndarray]:
        check_batch(batch)
        return self.family.gradients.at(dense, self._places.batch.read(tuple(batch)))

    def _make_layouts(self, compiled: Compiled) -> dict[str, Layout]:
        places = self._places
        return {
            role: compiled.layout(
                role, places.leaves[role], len(places.prefix[role]), places.trees[role]
            )
            for role in places.roles
        }

    def _handles(self, handles: list[Storage], damage: Mapping[str, float]):
        """Handles as the user gets them; the damage goes into the plan."""
        for path, lost in damage.items():
            self.plan[path].damage = lost
        return tuple(handles) if len(handles) > 1 else handles[0]

    def _report(self):
        for path, choice in self.plan.items():
            if "but the compiler" in choice.reason:
                log.warning("%s: '%s' stays dense: %s", self._name, path, choice.reason)
        if self.remarks:
            log.info(
                "%s: %d remarks of the compiler; see remarks",
                self._name,
                len(self.remarks),
            )

    def _build(self, shapes) -> Compiled:
        """The step for a batch of these shapes."""
        imported = self._imported_for(shapes)
        compiled = Compiled(
            imported, self._main.lowered.pinned, self._name, self.cpu, self.tiles
        )
        if self._make_layouts(compiled) != self._layouts:
            raise ValueError("the parameters are stored otherwise; compile another step")
        return compiled
