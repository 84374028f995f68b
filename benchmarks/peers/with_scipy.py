"""SciPy's CSR matrices. They have no product that is sampled on a pattern."""

import scipy
import scipy.sparse
from data import check, matrices, sparse_weights


def start(threads: int):
    pass


def version() -> str:
    return scipy.__version__


class Sparse:
    """One product with W sparse, on features × tokens: what its kernels are made for.

    Each direction has a copy of W of its own.
    """

    def __init__(self, product: str, shape: list[int], block: int, density: float):
        if product == "backward-weight":
            raise NotImplementedError("scipy.sparse has no sampled product")
        x, _, dy = matrices(shape)
        w = sparse_weights(shape, block, density)
        w, dense = (w.T, x.T) if product == "forward" else (w, dy.T)
        self.dense = dense.copy()
        self.weights = scipy.sparse.csr_matrix(w)
        if block > 1:
            self.weights = self.weights.tobsr((block, block))
        check(product, self.run(), w @ dense)

    def run(self):
        return self.weights @ self.dense


KINDS = {"sparse": Sparse}
