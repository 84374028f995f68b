"""PyTorch, eager and compiled, and its sparse tensors."""

import os
import tempfile
import time
import warnings

# What it compiled for an earlier run would make this one's compile time nothing.
cache = tempfile.TemporaryDirectory(prefix="bench-inductor-", ignore_cleanup_errors=True)
os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache.name

import torch  # noqa: E402
from data import check, matrices, sparse_weights  # noqa: E402
from networks import MODELS  # noqa: E402
from networks_torch import Training  # noqa: E402


def start(threads: int):
    torch.set_num_threads(threads)
    warnings.filterwarnings("ignore", "Sparse.*beta state")


def version() -> str:
    return torch.__version__


class Products:
    def __init__(self, shape: list[int]):
        self.x, self.w, self.dy = map(torch.from_numpy, matrices(shape))
        self.outs = [torch.empty_like(a) for a in (self.dy, self.x, self.w)]

    def run(self):
        torch.mm(self.x, self.w, out=self.outs[0])
        torch.mm(self.dy, self.w.T, out=self.outs[1])
        torch.mm(self.x.T, self.dy, out=self.outs[2])


class Step:
    def __init__(self, model: str, sizes: dict, check_steps: int, compiled: bool):
        self.model = MODELS[model](**sizes)
        self.training = Training(self.model, compiled)
        self.number = 0
        start = time.perf_counter()
        losses = [self.run()]
        first = time.perf_counter() - start
        losses += [self.run() for _ in range(check_steps - 1)]
        self.facts = {"losses": losses}
        if compiled:
            self.facts["compile_seconds"] = first

    def run(self) -> float:
        self.number += 1
        return self.training.step(*self.model.batch_of(self.number - 1))


class Sparse:
    """One product with W sparse, on features × tokens: what its kernels are made for.

    Each direction has a copy of W of its own.
    """

    def __init__(self, product: str, shape: list[int], block: int, density: float):
        if product == "backward-weight" and block > 1:
            raise NotImplementedError("torch.sparse.sampled_addmm is on CSR alone")
        x, _, dy = map(torch.from_numpy, matrices(shape))
        w = torch.from_numpy(sparse_weights(shape, block, density))

        def stored(a):
            a = a.contiguous()
            return a.to_sparse_csr() if block == 1 else a.to_sparse_bsr((block, block))

        xt, dyt = x.T.contiguous(), dy.T.contiguous()
        if product == "forward":
            weights, expected = stored(w.T), w.T @ xt
            self.run = lambda: weights @ xt
        elif product == "backward-input":
            weights, expected = stored(w), w @ dyt
            self.run = lambda: weights @ dyt
        else:
            weights, expected = stored(w), (x.T @ dy) * (w != 0)
            self.run = lambda: torch.sparse.sampled_addmm(weights, xt, dy, beta=0)
        found = self.run()
        check(
            product, found.to_dense() if found.is_sparse_csr else found, expected.numpy()
        )


KINDS = {"products": Products, "step": Step, "sparse": Sparse}
