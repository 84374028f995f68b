"""Steps wholly in half precision against the re-parametrised model's in f64: no further off
than four times JAX's own step in the same half precision, or four roundings."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import slices
from models import CONVOLUTIONAL, MODELS, STACKED, deep_mlp
from oracle import Case, references, run
from reference import misses, paths

ALL = MODELS | STACKED | CONVOLUTIONAL | {"deep mlp": deep_mlp}
HALVES = {"bf16": jnp.bfloat16, "f16": jnp.float16}

# As `models` has them, with an epsilon that f16 has and that small squares do not vanish
# beside.
OPTIMIZERS = {
    "momentum": lambda: optax.sgd(0.05, momentum=0.9),
    "adamw": lambda: optax.chain(
        optax.clip_by_global_norm(0.3), optax.adamw(3e-3, eps=1e-3, weight_decay=0.1)
    ),
    "lion": lambda: optax.lion(1e-3, weight_decay=0.05),
}


def in_half(model, element):
    """The same model of parameters, inputs and buffers in half precision."""

    def cast(tree):
        return jax.tree.map(
            lambda leaf: (
                np.asarray(leaf, HALVES[element])
                if jnp.issubdtype(leaf.dtype, jnp.floating)
                else leaf
            ),
            tree,
        )

    return dataclasses.replace(
        model,
        init=lambda rng: cast(model.init(rng)),
        batch=lambda rng: cast(model.batch(rng)),
        buffers=model.buffers and (lambda: cast(model.buffers())),
    )


def misses_in_half(case, storage, found, element, tolerance=0.0, absolute=0.0):
    singles, double = references(case, storage, single=HALVES[element])
    tolerance = max(tolerance, 2 * float(jnp.finfo(HALVES[element]).eps))
    return misses(found, singles, double, case.texts, tolerance, absolute)


# A sign that rounding turns is a step of Lion's the other way, with its roundings; what
# follows from it is seen in state of some 0.1.
TURNED = {"lion": 2.1 * 1e-3}


def check(case, step, element, optimizer):
    p, s = step.compress(case.params, case.state)
    storage = step.storage(p)
    for parts in storage.values():
        for name, array in parts.items():
            assert array.dtype == HALVES[element] or array.dtype.kind in "iu", name
    turned = TURNED.get(optimizer, 0.0)
    found = run(step, case, p, s)
    lines = misses_in_half(case, storage, found, element, turned / 0.1, turned)
    assert not lines, "\n".join(lines)


TEXTS = [
    "nm<2:4, vector = 4>",
    "lora<3, alpha = 6>",
    "nm<2:4>",
    "low_rank<3>",
    "block<4x2, density = 0.5>",
    "dense",
]


def dealt(model, element, optimizer, texts, seed):
    built = in_half(ALL[model](4), element)
    chosen = {path: texts[i % len(texts)] for i, path in enumerate(built.weights)}
    return Case(built, OPTIMIZERS[optimizer](), chosen, seed)


@pytest.mark.parametrize(
    "model, element, optimizer",
    [
        ("gpt", "bf16", "adamw"),
        ("gpt", "f16", "lion"),
        ("scan_gpt", "bf16", "lion"),
        ("scan_gpt", "f16", "adamw"),
        ("resnet", "bf16", "adamw"),
        ("resnet", "f16", "momentum"),
    ],
)
def test_models(model, element, optimizer):
    case = dealt(model, element, optimizer, TEXTS, seed=21)
    check(case, case.compile(), element, optimizer)


DYNAMIC = [
    "dynamic<nm<2:4>, decay = 0.1>",
    "dynamic<nm<2:4>, soft = true>",
    "dynamic<nm<1:4, vector = 4>>",
    "lora<3, alpha = 6>",
]


@pytest.mark.parametrize("element, optimizer", [("bf16", "adamw"), ("f16", "lion")])
def test_dynamic_patterns(element, optimizer):
    """One step: a rounding error turns what a later one selects."""
    case = dealt("deep mlp", element, optimizer, DYNAMIC, seed=22)
    case.batches = case.batches[:1]
    check(case, case.compile(), element, optimizer)


@pytest.mark.parametrize(
    "model, element, optimizer, requests",
    [
        (
            "mlp",
            "bf16",
            "adamw",
            {"layer0/w": "slice<keep = 0.5>", "layer1/w": "slice<keep = 4>"},
        ),
        ("gpt", "f16", "lion", {"blocks/*/fc": "slice<keep = 0.5>"}),
    ],
)
def test_slices(model, element, optimizer, requests):
    case, step = slices.compiled(
        in_half(ALL[model](4), element), OPTIMIZERS[optimizer](), requests, seed=23
    )
    p, _ = step.compress(case.params, case.state)
    storage = step.storage(p)
    assert case.structures
    for path, structure in case.structures.items():
        assert storage[path]["values"].size < np.size(paths(case.params)[path])
        assert structure.pattern(storage[path])
    check(case, step, element, optimizer)


@pytest.mark.parametrize("element", HALVES)
def test_it_notices(element):
    """A learning rate that is off by a fifth."""
    case = dealt("mlp", element, "momentum", TEXTS, seed=24)
    step = case.compile()
    p, s = step.compress(case.params, case.state)
    storage = step.storage(p)
    found = run(step, case, p, s)
    assert not misses_in_half(case, storage, found, element)
    case.optimizer = optax.sgd(0.06, momentum=0.9)
    lines = misses_in_half(case, storage, found, element)
    assert any(line.startswith("params") for line in lines)
