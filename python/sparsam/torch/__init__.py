"""Sparsam for PyTorch: training steps of `torch.nn.Module`s, compiled on structured parameters.

step = sparsam.torch.compile(model, loss_fn, sparsam.torch.AdamW(lr=1e-3), (x, y),
                             structure={"*.fc.weight": "nm<2:8, vector = 8>"})
p, s = step.compress()
p, s, loss = step(p, s, x, y)
model = step.to_module(p, s)
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"sparsam.torch needs PyTorch ({error}); install it with `pip install torch`"
    ) from error

from ._optimizers import SGD, Adam, AdamW
from ._step import Step, compile
from ._torch_optim import from_optimizer

__all__ = ["SGD", "Adam", "AdamW", "Step", "compile", "from_optimizer"]
