"""`sparsam.torch.compile` and the step that it returns."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from .. import _step, _structures, _tiles
from .._storage import Storage
from .._trees import listed
from . import _arrays, _state
from ._function import Function
from ._importer import import_step
from ._modes import Modes
from ._optimizers import Optimizer
from ._torch_optim import Groups, from_optimizer, state_of


def compile(
    model: torch.nn.Module,
    loss_fn: Callable,
    optimizer_spec: Optimizer | torch.optim.Optimizer | Groups,
    example_batch: tuple,
    structure: Mapping[str, str] | str = "dense",
    budget: str | None = None,
    target: str = "cpu",
    seed: int = 0,
    cpu: str = "host",
    tiles: str | os.PathLike | bool | None = None,
) -> Step:
    """Compiles a training step of a module on structured parameters.

    model           any module; it stays as it is, in the mode (train or eval) it is in
    loss_fn         loss_fn(model, *batch) -> the loss, a tensor of one number, or a tuple of
                    it and further results
    optimizer_spec  `sparsam.torch.SGD`, `Adam` or `AdamW`; or an instance of the class
                    of `torch.optim` of that name
    example_batch   the tuple of what is passed besides the model: tensors, or tuples,
                    lists and dicts of them
    structure       glob over the names of `named_parameters()` -> the text inside
                    `#sparsam.…`; see `sparsam.compile`
    target          "cpu"
    seed            of the random numbers that the step draws for dropout and the like, anew
                    in every step. PyTorch's generator is neither read nor advanced, so its
                    own training draws others
    cpu             what to compile for; see `sparsam.compile`
    tiles           a file of measured tile sizes; see `sparsam.compile` and `Step.tune`

    Raises ValueError and TypeError for what does not fit, and CompileError where the
    compiler refuses, with its whole message.
    """
    _step.check_options(budget, target, cpu)
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, found {type(model).__name__}")
    if not callable(loss_fn):
        raise TypeError(f"loss_fn must be callable, found {type(loss_fn).__name__}")
    if not isinstance(example_batch, (tuple, list)):
        raise TypeError(
            "example_batch must be the tuple of the arguments behind the model, found "
            f"{type(example_batch).__name__}"
        )
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"seed must be an integer, found {seed!r}")
    return Step(
        model,
        loss_fn,
        optimizer_spec,
        tuple(example_batch),
        structure,
        seed,
        cpu,
        _tiles.resolve(tiles),
    )


class Step(_step.Step):
    """A compiled training step of a module; see `sparsam.torch.compile` and `sparsam.Step`."""

    framework = _arrays.TorchArrays()

    def __init__(
        self,
        model,
        loss_fn,
        optimizer_spec,
        batch,
        structure,
        seed=0,
        cpu="host",
        tiles="",
    ):
        """See `sparsam.torch.compile`."""
        self._model = model
        params = _tensors("parameter", model.named_parameters())
        self._optimizers = optimizers = _optimizers_of(model, optimizer_spec)
        _arrays.check_examples(batch)
        state = self._fresh_state()
        modes = Modes(model)

        def importer(args):
            with modes.kept():
                return import_step(model, loss_fn, optimizers, args, seed)

        super().__init__(
            importer,
            type(model).__name__,
            (params, state, *batch),
            0,
            1,
            _structures.normalise(structure),
            cpu,
            tiles,
        )

    def compress(self, params=None, state=None, pattern: Storage | None = None):
        """Copies parameters and state into storage: (p, s).

        params   a dict of tensors by the names of `named_parameters()`, or a module of the
                 same parameters; by default the module that was compiled, as it is now
        state    an instance of `torch.optim` that trains that module, of which the state is
                 taken; or a dict as `state()` returns; by default fresh
        pattern  storage whose patterns are taken, instead of the largest weights

        Raises as `sparsam.Step.compress` does.
        """
        model = params if isinstance(params, torch.nn.Module) else self._model
        self._check_names(model)
        if params is None or params is model:
            params = _tensors("parameter", model.named_parameters())
        if state is None:
            state = self._fresh_state(model)
        elif isinstance(state, torch.optim.Optimizer):
            state = self._state_of(state, model)
        return super().compress(params, state, pattern)

    def __call__(self, *args):
        """Runs one step: (p, s, *batch) -> p, s, the loss and the further results of
        `loss_fn`, as tensors. See `sparsam.Step`."""
        p, s, *results = super().__call__(*args)
        return (p, s, *_arrays.as_tensors(results))

    def densify(self, p: Storage, s: Storage | None = None, smaller: bool = False):
        """The dense parameters by name, as new tensors; with `s`, (parameters, state), the
        state named as `state` names it. See `sparsam.Step`."""
        return _arrays.as_tensors(super().densify(p, s, smaller))

    def compile_with(self, fn: Callable, example_batch: tuple) -> Function:
        """Compiles another function of the module for the same storage, without gradients.

        fn(model, *batch) returns tensors in tuples, lists and dicts; the module is in the
        mode (train or eval) that it is in now. The result is called with the storage:
        f(p, s, *batch), with the buffers of s, and consumes neither.
        """
        return Function(self, self._model, fn, tuple(example_batch))

    def to_module(
        self,
        p: Storage,
        s: Storage | None = None,
        module: torch.nn.Module | None = None,
        smaller: bool = False,
    ) -> torch.nn.Module:
        """A module with the dense parameters (zeros where a pattern stores nothing, products
        of factors), and with the buffers of `s` where it is given.

        By default a deep copy of the module that was compiled; `module` is written to in
        place and returned. With `smaller` it is one that was built with the sizes that
        slices leave; see `densify`. Without `s`, a step that updates buffers (running
        statistics) warns that they stay as they are in the module.
        """
        if module is None:
            if smaller:
                raise ValueError(
                    "smaller=True needs module=, one that is built with the smaller sizes"
                )
            module = copy.deepcopy(self._model)
        if s is None and (stale := self._updated_buffers()):
            warnings.warn(
                f"the step updates the buffers {listed(stale, 4)}, which to_module(p) leaves as "
                "they are in the module; give the state as well: to_module(p, s)",
                stacklevel=2,
            )
        values = self.densify(p, smaller=smaller)
        if s is not None:
            state = self.densify(p, s, smaller)[1] if smaller else self.state(s)
            values |= _state.buffers_in(state)
        _write(module, values)
        return module

    def state(self, s: Storage) -> dict[str, Tensor]:
        """The state by name, as new tensors: `step`, the optimizer's such as
        `exp_avg.layer.weight` (of structured parameters by their parts, such as
        `exp_avg.layer.weight.values`) and buffers such as `buffers.norm.running_mean`."""
        found = {}
        for path, parts in self.storage(s).items():
            for part, array in parts.items():
                name = path if part == "dense" else f"{path}.{part}"
                found[name] = _arrays.to_torch(array)
        return found

    def buffers(self, s: Storage) -> dict[str, Tensor]:
        """The module's buffers in the state, the storage itself and no copies."""
        self.check(s, "state")
        named = {slot.path: a for slot, a in zip(s.layout.slots, s.arrays(), strict=True)}
        return _arrays.as_tensors(_state.buffers_in(named))

    def _check_names(self, model: torch.nn.Module):
        """Raises ValueError for a module whose parameters have other names."""
        own = [name for name, _ in self._model.named_parameters()]
        found = [name for name, _ in model.named_parameters()]
        if set(own) != set(found):
            raise ValueError(
                "the module must have the parameters of the "
                f"{type(self._model).__name__} that was compiled, {listed(own, 4)}; found a "
                f"{type(model).__name__} with {listed(found, 4) or 'none'}"
            )

    def _updated_buffers(self) -> list[str]:
        """The names of the buffers that a step does not return as they were."""
        imported = self._main.imported
        changed = {
            self.framework.called(imported.arguments[i]): None
            for i in imported.state
            if i not in imported.unchanged
        }
        return list(_state.buffers_in(changed))

    def _fresh_state(self, model: torch.nn.Module | None = None) -> dict[str, Tensor]:
        model = model or self._model
        params = dict(model.named_parameters())
        state = {_state.STEP: torch.zeros((), dtype=torch.int64)}
        for name, optimizer in self._optimizers.items():
            for slot in optimizer.slots:
                state[_state.slot(slot, name)] = torch.zeros_like(params[name].detach())
        buffers = _tensors("buffer", model.named_buffers())
        return state | _state.with_buffers(buffers)

    def _state_of(self, optimizer, model) -> dict[str, Tensor]:
        steps, slots = state_of(optimizer, model, self._optimizers)
        found = {_state.slot(*key): value for key, value in slots.items()}
        found[_state.STEP] = torch.tensor(steps)
        return self._fresh_state(model) | found


def _optimizers_of(model: torch.nn.Module, spec) -> dict[str, Optimizer]:
    """Parameter name -> its optimizer, of the parameters that are trained."""
    if isinstance(spec, torch.optim.Optimizer):
        spec = from_optimizer(spec)
    if isinstance(spec, Groups):
        found = spec.of(model)
    elif isinstance(spec, Optimizer):
        found = {name: spec for name, p in model.named_parameters() if p.requires_grad}
    else:
        raise TypeError(
            "optimizer_spec must be a sparsam.torch.SGD, Adam or AdamW, or an instance of "
            f"torch.optim, found {spec!r}"
        )
    if not found:
        raise ValueError("the optimizer trains no parameter of the model")
    return found


def _tensors(kind: str, named) -> dict[str, Tensor]:
    """Tensors of a module by name. Raises for those that a step cannot run on."""
    found = {}
    for name, tensor in named:
        what = f"{kind} '{name}'"
        if torch.nn.parameter.is_lazy(tensor):
            raise ValueError(f"{what} is not initialised; call the module once first")
        _arrays.numpy_dtype(_arrays.check_tensor(what, tensor).dtype)
        found[name] = tensor.detach()
    return found


def _write(module: torch.nn.Module, values: dict[str, Tensor]):
    """Puts values into a module's parameters and buffers, by name."""
    own = dict(module.named_parameters()) | dict(module.named_buffers())
    for name, value in values.items():
        if name not in own:
            raise ValueError(f"the module has no parameter or buffer '{name}'")
        if own[name].shape != value.shape:
            raise ValueError(
                f"'{name}' of the module is of shape {tuple(own[name].shape)}, the step's "
                f"of {tuple(value.shape)}"
            )
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
