"""Whole steps whose structured products run through upstream's sparse_tensor."""

import re

import jax
import numpy as np
import pytest
from models import MODELS, OPTIMIZERS
from oracle import Case, case, check_case
from sparsam import _lower

STAGES = _lower.stages


@pytest.fixture
def sparse_tensor(monkeypatch):
    """Compiles steps with products=sparse-tensor."""

    def stages(structure, *_):
        passes = STAGES(structure)
        return passes | {"to-cpu": passes["to-cpu"] + "{products=sparse-tensor}"}

    return lambda: monkeypatch.setattr(_lower, "stages", stages)


def product_functions(step) -> set[str]:
    """What computes the step's structured products: names up to what tells shapes apart."""
    found = re.findall(
        r"call @sparsam_(sparse_tensor|spmm|sddmm)(_spmm_transposed|_spmm|_sddmm)?",
        step.ir("to-cpu"),
    )
    return {"".join(names) for names in found}


ALL_THREE = {f"sparse_tensor_{name}" for name in ("spmm", "spmm_transposed", "sddmm")}
PATTERNS = ["nm vector 1", "nm vector 4", "block", "unstructured", "transposable"]


@pytest.mark.parametrize("structure", PATTERNS)
@pytest.mark.parametrize("model", ["mlp", "scan_mlp"])
def test_step_agrees_with_the_reference(model, structure, sparse_tensor):
    sparse_tensor()
    one = case(model, "adamw", structure, seed=PATTERNS.index(structure))
    step = one.compile()
    assert product_functions(step) == ALL_THREE
    assert not [remark for remark in step.remarks if "sparse_tensor" in remark]
    check_case(one, step)


@pytest.mark.parametrize(
    ("text", "products"),
    [
        ("low_rank<4, factors = nm<2:4>>", ALL_THREE),
        ("sum<low_rank<2>, nm<1:4>>", ALL_THREE),
        # What is frozen, or dense beneath, has no sampled gradient.
        ("lora<3, alpha = 6, base = nm<2:4>>", ALL_THREE - {"sparse_tensor_sddmm"}),
        ("dynamic<nm<2:4>>", ALL_THREE - {"sparse_tensor_sddmm"}),
    ],
)
def test_patterns_inside_other_structures(text, products, sparse_tensor):
    sparse_tensor()
    model = MODELS["mlp"](4)
    one = Case(model, OPTIMIZERS["momentum"](), dict.fromkeys(model.weights, text))
    step = one.compile()
    assert product_functions(step) == products
    check_case(one, step)


def run(one: Case, step, steps=3):
    """What some steps leave in storage, and their losses."""
    p, s = step.compress(one.params, one.state)
    losses = []
    for batch in one.batches[:steps]:
        p, s, loss = step(p, s, *batch)
        losses.append(float(loss))
    return losses, jax.tree.map(np.array, (p, s))


@pytest.mark.parametrize("structure", PATTERNS)
def test_step_agrees_with_our_kernels(structure, sparse_tensor):
    one = case("mlp", "momentum", structure)
    ours = one.compile()
    assert product_functions(ours) == {"spmm", "sddmm"}
    sparse_tensor()
    theirs = one.compile()
    assert product_functions(theirs) == ALL_THREE
    losses, storage = run(one, ours)
    other_losses, other_storage = run(one, theirs)
    np.testing.assert_allclose(losses, other_losses, rtol=1e-5)
    for left, right in zip(*map(jax.tree.leaves, (storage, other_storage)), strict=True):
        np.testing.assert_allclose(
            left, right, rtol=0, atol=1e-5 * np.abs(left).max(initial=1e-6)
        )


def test_what_has_no_form_keeps_our_kernels(sparse_tensor):
    sparse_tensor()
    one = case("mlp", "momentum", "vnm")
    step = one.compile()
    assert product_functions(step) == {"spmm", "sddmm"}
    assert [r for r in step.remarks if "does not become sparse_tensor: an N:M level" in r]
    check_case(one, step)
