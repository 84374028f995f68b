"""Steps on one example: a batch of one, or a vector without a batch. Gradients are outer
products there, which are no contractions in the graph."""

import dataclasses

import optax
import pytest
import sparsam
from models import MODELS
from oracle import Case, check_case

OPTIMIZERS = {
    "nesterov": optax.sgd(0.05, momentum=0.9, nesterov=True),
    "adamw": optax.chain(optax.clip_by_global_norm(0.3), optax.adamw(3e-3)),
}


def one_example(vector: bool):
    """The MLP on the first example of each batch, with or without its dimension."""
    model = MODELS["mlp"](4)

    def batch(rng):
        x, y = model.batch(rng)
        return (x[0], y[0]) if vector else (x[:1], y[:1])

    return dataclasses.replace(model, batch=batch)


@pytest.mark.parametrize("mark", [False, True], ids=["unmarked", "marked"])
@pytest.mark.parametrize("structure", ["nm<2:4, vector = 4>", "low_rank<3>", "dense"])
@pytest.mark.parametrize("vector", [False, True], ids=["batch of one", "vector"])
def test_one_example(vector, structure, mark):
    model = one_example(vector)
    # A global norm needs the gradients of the biases, which without a batch are not sums.
    optimizer = OPTIMIZERS["nesterov" if vector and not mark else "adamw"]
    case = Case(model, optimizer, dict.fromkeys(model.weights, structure), 3, mark)
    step = case.compile()
    check_case(case, step)
    if structure != "dense":
        assert all(step.plan[path].structure == structure for path in model.weights)
    assert not any("dense gradient" in remark for remark in step.remarks)
    (body,) = (f for f in step.ir("propagate").split("func.func") if "@main" in f[:20])
    assert ("sparsam.sddmm" in body) == structure.startswith("nm")
    assert ("tensor<20x28xf32>" in body) == (structure == "dense")


def test_a_global_norm_of_vectors_whose_gradients_are_searched_for_is_refused(searched):
    model = one_example(vector=True)
    chosen = dict.fromkeys(model.weights, "low_rank<3>")
    with pytest.raises(
        sparsam.CompileError, match="mark the gradients with sparsam.gradient"
    ):
        Case(model, OPTIMIZERS["adamw"], chosen).compile()
