"""Structures from outside the tree go through the unchanged pipeline, and train."""

from __future__ import annotations

import dataclasses
import shutil

import jax
import numpy as np
import pytest
import sparsam
from composed import Composed
from extension import SOURCE, extension
from models import MODELS, OPTIMIZERS, STACKED
from oracle import Case, compare, run
from patterns import Pattern

WIDTH, RANK = 3, 2


@pytest.fixture(scope="module")
def built():
    made = extension()
    sparsam.load_plugin(made.plugin)
    return made


@dataclasses.dataclass(frozen=True)
class Band:
    """#sparsam.band as NumPy has it: where its entries are follows from the shape."""

    width: int

    def index_tensors(self, inputs, outputs):
        return {}

    def entries(self, pattern, inputs, outputs):
        columns = np.arange(outputs)[:, None]
        first = columns * (inputs - self.width + 1) // outputs
        return np.broadcast_arrays(first + np.arange(self.width), columns)


def lora_xs(inputs, shape, stack) -> Composed:
    def build(f):
        return f["base"] + f["u"] @ f["r"] @ f["v"]

    for _ in stack:
        build = jax.vmap(build)
    return Composed(
        f"lora_xs<{RANK}>", build, ("r",), ("base", "u", "v"), {}, inputs, shape, stack
    )


def make(model, optimizer: str, name: str) -> Case:
    """All weights of the model in a structure of the extension."""
    text = {"band": f"band<{WIDTH}>", "lora_xs": f"lora_xs<{RANK}>"}[name]
    one = Case(model, OPTIMIZERS[optimizer](), {}, seed=3)
    one.texts = dict.fromkeys(model.weights, text)
    for path, inputs in model.weights.items():
        shape = np.shape(_leaf(one.params, path))
        stack = model.stacked.get(path, ())
        one.structures[path] = (
            Pattern(Band(WIDTH), inputs, shape, stack)
            if name == "band"
            else lora_xs(inputs, shape, stack)
        )
    return one


def _leaf(tree, path: str):
    for key in path.split("/"):
        tree = tree[int(key) if isinstance(tree, list) else key]
    return tree


@pytest.mark.parametrize("optimizer", ["momentum", "adamw", "lion"])
@pytest.mark.parametrize("model", ["mlp", "gpt", "scan_mlp"])
@pytest.mark.parametrize("name", ["band", "lora_xs"])
def test_ten_steps(built, name, model, optimizer):
    """Against JAX's own steps of the re-parametrised model, as every structure is."""
    one = make((MODELS | STACKED)[model](3), optimizer, name)
    step = one.compile()
    for path in one.texts:
        assert step.plan[path].structure.startswith(name)
    assert not [r for r in step.remarks if "made dense" in r or "dense first" in r]
    p, s = step.compress(one.params, one.state)
    storage = step.storage(p)
    check_start(one, name, storage)
    lines = compare(one, storage, run(step, one, p, s))
    assert not lines, "\n".join(lines)
    assert ("sparsam.spmm" in step.ir("propagate")) == (name == "band")


def check_start(one: Case, name: str, storage) -> None:
    for path, structure in one.structures.items():
        parts = storage[path]
        dense = np.asarray(_leaf(one.params, path))
        if name == "band":
            assert list(parts) == ["values"]
            if not structure.stack:
                rows, columns = structure.structure.entries({}, *dense.shape)
                np.testing.assert_array_equal(parts["values"], dense[rows, columns])
        else:
            np.testing.assert_array_equal(parts["base"], dense)
            assert not parts["r"].any()


def test_the_cost_is_that_of_what_is_stored(built):
    band = sparsam._core.structure_cost("band<3>", [16, 24])
    assert band["entries"] == 72 and band["bytes"] == 288
    adapter = sparsam._core.structure_cost("lora_xs<2>", [16, 24])
    assert adapter["entries"] == 4
    assert adapter["flops_per_row"] == 2 * (16 * 24 + 16 * 2 + 4 + 2 * 24)
    assert adapter["gradient_flops_per_row"] == 8


STEP = """
func.func @step(%w: tensor<12x6xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                %x: tensor<5x12xf32> {sparsam.name = "x"},
                %dy: tensor<5x6xf32> {sparsam.name = "dy"})
    -> (tensor<12x6xf32>, tensor<5x6xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<5x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x6xf32>) -> tensor<5x6xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x12xf32>, tensor<12x6xf32>)
      outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %ew = tensor.empty() : tensor<12x6xf32>
  %zw = linalg.fill ins(%zero : f32) outs(%ew : tensor<12x6xf32>) -> tensor<12x6xf32>
  %dw = linalg.generic {
      indexing_maps = [affine_map<(k, n, m) -> (m, k)>, affine_map<(k, n, m) -> (m, n)>,
                       affine_map<(k, n, m) -> (k, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %dy : tensor<5x12xf32>, tensor<5x6xf32>) outs(%zw : tensor<12x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<12x6xf32>
  %new = linalg.sub ins(%w, %dw : tensor<12x6xf32>, tensor<12x6xf32>)
      outs(%ew : tensor<12x6xf32>) -> tensor<12x6xf32>
  return %new, %y : tensor<12x6xf32>, tensor<5x6xf32>
}
"""


def test_the_installed_tools_take_it(built, tmp_path):
    """sparsam-opt structures a step, sparsam-run trains it."""
    load = f"--load-dialect-plugin={built.plugin}"
    source = tmp_path / "step.mlir"
    source.write_text(STEP)
    structured = built.run(
        "sparsam-opt",
        source,
        load,
        "-sparsam-find-parameters",
        "-sparsam-apply-structure=structures=w=band<3>",
        check=True,
    )
    assert "tensor<12x6xf32, #sparsam.band<3>>" in structured.stdout
    made = tmp_path / "structured.mlir"
    made.write_text(structured.stdout)
    rng = np.random.default_rng(0)
    x, dy, values = (
        rng.standard_normal(s).astype(np.float32) for s in ((5, 12), (5, 6), (6, 3))
    )
    given = {"x": x, "dy": dy, "arg0": values}
    np.savez(tmp_path / "args.npz", **given)
    ran = built.run(
        "sparsam-run",
        *(made, "--load-dialect-plugin", built.plugin, "--args", tmp_path / "args.npz"),
        *("--results", tmp_path / "results.npz"),
    )
    assert ran.returncode == 0, ran.stderr
    results = np.load(tmp_path / "results.npz")
    rows, columns = Band(3).entries({}, 12, 6)
    w = np.zeros((12, 6), np.float32)
    w[rows, columns] = values
    expected = values - (x.T @ dy)[rows, columns]
    np.testing.assert_allclose(results["arg0"], expected, rtol=1e-5)
    (y,) = (results[name] for name in results.files if results[name].shape == (5, 6))
    np.testing.assert_allclose(y, x @ w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "text, message",
    [
        ("band<0>", "expected a width of at least 1, found 0"),
        ("band<13>", "is wider than the 12 inputs of"),
        ("lora_xs<7>", "has a rank larger than the shape: expected at most 6"),
    ],
)
def test_what_it_refuses(built, tmp_path, text, message):
    source = tmp_path / "step.mlir"
    source.write_text(STEP)
    refused = built.run(
        "sparsam-opt",
        source,
        f"--load-dialect-plugin={built.plugin}",
        "-sparsam-find-parameters",
        f"-sparsam-apply-structure=structures=w={text}",
    )
    assert refused.returncode == 1
    assert message in refused.stderr


def test_without_the_plugin_the_structure_is_unknown(built, tmp_path):
    source = tmp_path / "f.mlir"
    source.write_text("func.func private @f(tensor<8x4xf32, #sparsam.band<3>>)")
    refused = built.run("sparsam-opt", source)
    assert "unknown structure `band`, expected one of block" in refused.stderr


def test_what_is_no_plugin(tmp_path):
    missing = tmp_path / "missing.so"
    with pytest.raises(OSError, match=r"cannot load the plugin '.*missing\.so'"):
        sparsam.load_plugin(missing)
    with pytest.raises(OSError, match="cannot load the plugin"):
        sparsam.load_plugin(__file__)


def test_a_program_in_c_embeds_the_package(built):
    ran = built.run(built.build / "embed")
    expected = SOURCE.parent / "CAPI" / "program.c"
    checked = built.run(
        shutil.which("FileCheck"), expected, input=ran.stdout + ran.stderr
    )
    assert checked.returncode == 0, checked.stderr
