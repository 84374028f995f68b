"""Upstream MLIR's sparsifier, alone: its own pipeline, vectorised, and clang.

Serial, since its parallel loops are wrong where they reduce.
"""

import ctypes
import os
import shutil
import string
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
from data import check, matrices, sparse_weights

SOURCES = Path(__file__).resolve().parent.parent / "sparsifier"
TOOLS = {name: shutil.which(name) for name in ("mlir-opt", "mlir-translate", "clang")}


def start(threads: int):
    missing = [name for name, path in TOOLS.items() if not path]
    if missing:
        raise ImportError(f"no {', '.join(missing)} on the path")
    if threads > 1:
        raise ImportError("it is serial")


def version() -> str:
    text = subprocess.run(
        [TOOLS["mlir-opt"], "--version"], capture_output=True, text=True
    )
    return text.stdout.split("version", 1)[-1].split()[0]


def build(name: str, sizes: dict[str, int]):
    """The function of a source for given sizes."""
    host = os.environ["SPARSAM_BENCH_CPU"] == "host"
    wide = host and "avx512f" in Path("/proc/cpuinfo").read_text()
    text = string.Template((SOURCES / f"{name}.mlir").read_text()).substitute(
        {key: str(size) for key, size in sizes.items()}
    )
    pipeline = (
        f"--sparsifier=enable-runtime-library=false vl={16 if wide else 8} "
        "reassociate-fp-reductions=true"
    )
    march = "native" if host else "x86-64-v3"
    with tempfile.TemporaryDirectory() as folder:
        # Two-dimensional matrix products are left alone where they are named.
        lowered = run("mlir-opt", "--linalg-generalize-named-ops", pipeline, given=text)
        translated = run("mlir-translate", "--mlir-to-llvmir", given=lowered)
        library = Path(folder, "product.so")
        run(
            *("clang", "-xir", "-O3", f"-march={march}", "-ffp-contract=fast"),
            *("-Wno-override-module", "-fPIC", "-shared", "-o", str(library), "-"),
            given=translated,
        )
        return ctypes.CDLL(str(library))._mlir_ciface_product


def run(tool: str, *arguments: str, given: str) -> str:
    done = subprocess.run(
        [TOOLS[tool], *arguments], input=given, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{tool} failed: {done.stderr.strip().splitlines()[0]}")
    return done.stdout


def descriptor(array: np.ndarray):
    """A memref of an array, as MLIR's C interface takes it."""
    rank = array.ndim

    class Memref(ctypes.Structure):
        _fields_ = [
            ("allocated", ctypes.c_void_p),
            ("aligned", ctypes.c_void_p),
            ("offset", ctypes.c_int64),
            ("sizes", ctypes.c_int64 * rank),
            ("strides", ctypes.c_int64 * rank),
        ]

    strides = (stride // array.itemsize for stride in array.strides)
    pointer = array.ctypes.data
    integers = ctypes.c_int64 * rank
    return Memref(pointer, pointer, 0, integers(*array.shape), integers(*strides))


class Sparse:
    """One product with W sparse, on features × tokens: what its kernels are made for.

    Each direction has a copy of W of its own.
    """

    def __init__(self, product: str, shape: list[int], block: int, density: float):
        x, _, dy = matrices(shape)
        w = sparse_weights(shape, block, density)
        if product == "backward-weight":
            if block > 1:
                raise NotImplementedError("its sampled product is on CSR alone")
            self._sddmm(w.T, dy.T.copy(), x.T.copy())
        elif product == "forward":
            self._spmm(w.T, x.T.copy(), block)
        else:
            self._spmm(w, dy.T.copy(), block)

    def _store(self, w: np.ndarray, block: int):
        stored = scipy.sparse.csr_matrix(w)
        if block > 1:
            stored = stored.tobsr((block, block))
        stored.sort_indices()
        self.values = stored.data.astype(np.float32).reshape(-1)
        return [
            stored.indptr.astype(np.int32),
            stored.indices.astype(np.int32),
            self.values,
        ]

    def _spmm(self, w: np.ndarray, dense: np.ndarray, block: int):
        sizes = {"M": w.shape[0], "K": w.shape[1], "N": dense.shape[1], "R": block}
        name = "csr_spmm" if block == 1 else "bsr_spmm"
        self.out = np.zeros((sizes["M"], sizes["N"]), np.float32)
        self._bind(name, sizes, [*self._store(w, block), dense, self.out], self.out)
        self.run()
        check("the product", self.out, w @ dense)

    def run(self):
        # It adds to what is there.
        self.out.fill(0)
        self.call()

    def _sddmm(self, w: np.ndarray, dyt: np.ndarray, xt: np.ndarray):
        sizes = {"M": w.shape[0], "N": w.shape[1], "K": dyt.shape[1]}
        self._bind("csr_sddmm", sizes, [*self._store(w, 1), dyt, xt], self.values)
        self.run = self.call
        self.run()
        expected = scipy.sparse.csr_matrix((dyt @ xt.T) * (w != 0))
        check("the sampled product", self.values, expected.data)

    def _bind(self, name: str, sizes: dict, arrays: list[np.ndarray], result: np.ndarray):
        product = build(name, sizes)
        self.arrays = arrays
        memrefs = [descriptor(array) for array in arrays]
        pointers = [ctypes.byref(m) for m in (descriptor(result), *memrefs)]
        self.call = lambda: product(*pointers)


KINDS = {"sparse": Sparse}
