"""Convolutions, forward and backward, against JAX's own step; test_oracle.py has them under
every structure."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from models import CONVOLUTIONAL, OPTIMIZERS, Model
from oracle import UNITS, Case, check_case

CASES = [
    ("resnet", "momentum", "dense"),
    ("resnet", "adamw", "nm vector 4"),
    ("resnet", "lion", "low_rank"),
    ("vit", "lion", "nm vector 4"),
    ("vit", "momentum", "low_rank"),
]


def made_dense(step) -> list[str]:
    return [r for r in step.remarks if "made dense" in r or "computed dense first" in r]


def dense_tensors(step, case) -> list[str]:
    """The tensors of a structured filter's size in the step after propagation, as the
    parameter's shape and as the matrix of its view."""
    functions = step.ir("propagate").split("func.func ")
    (main,) = (text for text in functions if text.startswith("public @main("))
    types = set()
    for structure in case.structures.values():
        inputs = int(np.prod([structure.shape[d] for d in structure.inputs]))
        outputs = int(np.prod(structure.shape)) // inputs
        for shape in (structure.shape, (inputs, outputs), (outputs, inputs)):
            types.add(f"tensor<{'x'.join(map(str, shape))}xf32>")
    return [type for type in sorted(types) if type in main]


@pytest.mark.parametrize("model, optimizer, structure", CASES)
def test_step(model, optimizer, structure):
    """One structure on all filters leaves none of their size. The gradients are marked: where
    branches are added, biases share one."""
    unit, texts = UNITS[structure]
    built = CONVOLUTIONAL[model](unit)
    chosen = {path: texts[i % len(texts)] for i, path in enumerate(built.weights)}
    seed = CASES.index((model, optimizer, structure))
    case = Case(built, OPTIMIZERS[optimizer](), chosen, seed, mark=True)
    step = case.compile()
    assert not made_dense(step)
    assert not dense_tensors(step, case)
    check_case(case, step)


LAYOUTS = {
    "H": [("NHC", "HIO"), ("NCH", "OIH")],
    "HW": [("NHWC", "HWIO"), ("NCHW", "OIHW")],
    "DHW": [("NDHWC", "DHWIO"), ("NCDHW", "OIDHW")],
}


@dataclasses.dataclass(frozen=True)
class Convolution:
    """One convolution at random: its call, and the shapes of input and filter."""

    arguments: dict
    input: tuple[int, ...]
    filter: tuple[int, ...]
    inputs: tuple[int, ...]

    @staticmethod
    def draw(rng, groups: int = 1, channels: int = 4):
        axes = ["H", "HW", "HW", "DHW"][rng.integers(4)]
        rank = len(axes)
        image, layout = LAYOUTS[axes][rng.integers(2)]

        def sizes(low, high):
            return tuple(int(size) for size in rng.integers(low, high, rank))

        window, stride, dilation = sizes(1, 4), sizes(1, 4), sizes(1, 3)
        inputs, outputs = channels, 4 * int(rng.integers(1, 3))
        # At least as large as a dilated window.
        extent = tuple(
            (w - 1) * d + 1 + int(rng.integers(0, 6))
            for w, d in zip(window, dilation, strict=True)
        )
        padding = [tuple(map(int, rng.integers(0, 3, 2))) for _ in range(rank)]
        if rng.integers(3) == 0:
            padding = ["SAME", "VALID"][rng.integers(2)]
        spatial = dict(zip(axes, zip(extent, window, strict=True), strict=True))
        of_image = {"N": 3, "C": inputs * groups}
        of_filter = {"I": inputs, "O": outputs * groups}
        shape = tuple(of_image[d] if d in of_image else spatial[d][0] for d in image)
        weights = tuple(of_filter[d] if d in of_filter else spatial[d][1] for d in layout)
        contracted = tuple(
            i for i, d in enumerate(layout) if d != "O" and weights[i] != 1
        )
        arguments = {
            "window_strides": stride,
            "padding": padding,
            "rhs_dilation": dilation,
            "dimension_numbers": (image, layout, image),
            "feature_group_count": groups,
        }
        return Convolution(arguments, shape, weights, contracted)

    def __call__(self, x, w):
        return jax.lax.conv_general_dilated(x, w, **self.arguments)


def model_of(convolutions) -> Model:
    """One loss of all, so that one step compiles them; what a convolution reads is a
    parameter too, which takes its gradient through the model."""

    def init(rng):
        def normal(shape):
            return (0.3 * rng.standard_normal(shape)).astype(np.float32)

        return {
            f"conv{i}": {"w": normal(c.filter), "x": normal(c.input)}
            for i, c in enumerate(convolutions)
        }

    def loss(params, x, y):
        total = 0.0
        for i, convolution in enumerate(convolutions):
            layer = params[f"conv{i}"]
            total += jnp.tanh(convolution(x * jnp.sin(layer["x"]), layer["w"])).sum()
        return y * total

    def batch(rng):
        return tuple(rng.standard_normal((2,)).astype(np.float32))

    weights = {f"conv{i}/w": c.inputs for i, c in enumerate(convolutions)}
    return Model("convolutions", init, batch, loss, weights)


@pytest.mark.parametrize("text", ["dense", "nm<2:4>", "low_rank<2>"])
def test_random_convolutions(text):
    """Forward, backward to the input and to the filter, of ranks, layouts, strides,
    paddings and dilations at random; the structure's view is the convolution's."""
    rng = np.random.default_rng(["dense", "nm<2:4>", "low_rank<2>"].index(text))
    model = model_of([Convolution.draw(rng) for _ in range(6)])
    case = Case(model, OPTIMIZERS["momentum"](), dict.fromkeys(model.weights, text))
    step = case.compile()
    assert not made_dense(step)
    check_case(case, step)


@pytest.mark.parametrize("text", ["dense", "nm<1:2>", "low_rank<2>"])
def test_groups(text):
    """A pattern of a grouped filter stays dense, with a remark; factors do not."""
    rng = np.random.default_rng(7)
    model = model_of([Convolution.draw(rng, groups=3, channels=2) for _ in range(3)])
    case = Case(model, OPTIMIZERS["momentum"](), dict.fromkeys(model.weights, text))
    step = case.compile()
    assert bool(made_dense(step)) == text.startswith("nm")
    check_case(case, step)
