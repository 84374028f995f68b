"""Models as a JAX user writes them, small and of odd sizes, with the facts the reference needs.

Widths are multiples of a unit, so that the same model comes in sizes that M and V
of a structure divide, and that little else divides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax


@dataclasses.dataclass(frozen=True)
class Model:
    """A model at one size.

    init(rng) -> parameters as a tree of f32 numpy arrays
    batch(rng) -> (x, y)
    loss(params, x, y) -> scalar
    buffers() -> what the model carries besides, as the statistics of a batch norm, or None;
        with it loss(params, buffers, x, y) -> (scalar, new buffers)
    weights: path -> the dimensions contracted by the parameter's first use
    stacked: path -> the dimensions of stacked layers, of the parameters that have any
    """

    name: str
    init: Callable
    batch: Callable
    loss: Callable
    weights: dict[str, tuple[int, ...]]
    buffers: Callable | None = None
    stacked: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)


def _normal(rng, *shape):
    return (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)


def _normal_layers(rng, layers, *shape):
    return np.stack([_normal(rng, *shape) for _ in range(layers)])


def _noise(rng, *shape):
    """Parameters that start as constants in practice; noise makes them tell apart."""
    return (1 + 0.1 * rng.standard_normal(shape)).astype(np.float32)


def _layer_norm(x, gain):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * gain


def mlp(unit: int, sizes=(5, 7, 3, 3)) -> Model:
    sizes = [size * unit for size in sizes]
    batch = 13

    def init(rng):
        return {
            f"layer{i}": {"w": _normal(rng, k, n), "b": 0.1 * _noise(rng, n)}
            for i, (k, n) in enumerate(zip(sizes[:-1], sizes[1:], strict=True))
        }

    def loss(params, x, y):
        for i in range(len(params)):
            layer = params[f"layer{i}"]
            x = x @ layer["w"] + layer["b"]
            if i + 1 < len(params):
                x = jnp.tanh(x) if i else jax.nn.relu(x)
        return optax.softmax_cross_entropy_with_integer_labels(x, y).mean()

    def make_batch(rng):
        x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
        return x, rng.integers(0, sizes[-1], batch).astype(np.int32)

    weights = {f"layer{i}/w": (0,) for i in range(len(sizes) - 1)}
    return Model("mlp", init, make_batch, loss, weights)


def deep_mlp(unit: int) -> Model:
    return mlp(unit, (5, 7, 6, 3, 6, 5, 3, 4))


def gpt(unit: int) -> Model:
    heads = 5 if unit % 2 else 2
    width, hidden, vocab, time, batch, layers = 5 * unit, 7 * unit, 29, 7, 3, 2

    def init(rng):
        return {
            "wte": 0.3 * _normal(rng, vocab, width),
            "wpe": 0.3 * _normal(rng, time, width),
            "blocks": [
                {
                    "ln1": _noise(rng, width),
                    "qkv": _normal(rng, width, 3 * width),
                    "proj": _normal(rng, width, width),
                    "ln2": _noise(rng, width),
                    "fc": _normal(rng, width, hidden),
                    "fcb": 0.1 * _noise(rng, hidden),
                    "out": _normal(rng, hidden, width),
                    "outb": 0.1 * _noise(rng, width),
                }
                for _ in range(layers)
            ],
            "lnf": _noise(rng, width),
        }

    def forward(params, tokens):
        x = params["wte"][tokens] + params["wpe"][None]
        mask = jnp.tril(jnp.ones((time, time), bool))

        def split(a):
            return a.reshape(batch, time, heads, width // heads).transpose(0, 2, 1, 3)

        for block in params["blocks"]:
            q, k, v = jnp.split(_layer_norm(x, block["ln1"]) @ block["qkv"], 3, -1)
            q, k, v = map(split, (q, k, v))
            a = jnp.einsum("bhqd,bhkd->bhqk", q, k) / (width // heads) ** 0.5
            a = jax.nn.softmax(jnp.where(mask, a, -1e9), -1)
            o = jnp.einsum("bhqk,bhkd->bhqd", a, v).transpose(0, 2, 1, 3)
            x = x + o.reshape(batch, time, width) @ block["proj"]
            h = jax.nn.gelu(_layer_norm(x, block["ln2"]) @ block["fc"] + block["fcb"])
            x = x + h @ block["out"] + block["outb"]
        return _layer_norm(x, params["lnf"]) @ params["wte"].T

    def loss(params, x, y):
        logits = forward(params, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def make_batch(rng):
        text = rng.integers(0, vocab, (batch, time + 1)).astype(np.int32)
        return text[:, :-1], text[:, 1:]

    names = ("qkv", "proj", "fc", "out")
    weights = {f"blocks/{i}/{name}": (0,) for i in range(layers) for name in names}
    return Model("gpt", init, make_batch, loss, weights)


def mixer(unit: int) -> Model:
    patches, channels, batch, layers = 3 * unit, 5 * unit, 3, 2
    between_patches, between_channels, pixels, classes = 4 * unit, 7 * unit, 10, 11

    def init(rng):
        return {
            "stem": _normal(rng, pixels, channels),
            "blocks": [
                {
                    "ln1": _noise(rng, channels),
                    "token1": _normal(rng, patches, between_patches),
                    "token2": _normal(rng, between_patches, patches),
                    "ln2": _noise(rng, channels),
                    "channel1": _normal(rng, channels, between_channels),
                    "bias1": 0.1 * _noise(rng, between_channels),
                    "channel2": _normal(rng, between_channels, channels),
                }
                for _ in range(layers)
            ],
            "head": _normal(rng, channels, classes),
        }

    def loss(params, x, y):
        x = x @ params["stem"]
        for block in params["blocks"]:
            h = _layer_norm(x, block["ln1"]).transpose(0, 2, 1)
            h = jax.nn.gelu(h @ block["token1"]) @ block["token2"]
            x = x + h.transpose(0, 2, 1)
            h = _layer_norm(x, block["ln2"]) @ block["channel1"] + block["bias1"]
            x = x + jax.nn.gelu(h) @ block["channel2"]
        logits = x.mean(axis=1) @ params["head"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def make_batch(rng):
        x = rng.standard_normal((batch, patches, pixels)).astype(np.float32)
        return x, rng.integers(0, classes, batch).astype(np.int32)

    names = ("token1", "token2", "channel1", "channel2")
    weights = {f"blocks/{i}/{name}": (0,) for i in range(layers) for name in names}
    return Model("mixer", init, make_batch, loss, weights)


def gated(unit: int) -> Model:
    """A gated MLP and attention within groups, as einsums with batch dimensions b, g (and h)."""
    width, hidden, heads, key = 5 * unit, 3 * unit, 3, {3: 5, 4: 4, 8: 8}[unit]
    batch, groups, time = 2, 3, 5

    def init(rng):
        return {
            "wi": _normal(rng, width, 2, hidden),
            "wo": _normal(rng, hidden, width),
            "wq": _normal(rng, width, heads, key),
            "wk": _normal(rng, width, heads, key),
            "wz": _normal(rng, heads, key, width),
            "scale": _noise(rng, width),
        }

    def loss(params, x, y):
        h = jnp.einsum("bgsd,dcf->bgscf", x * params["scale"], params["wi"])
        h = jax.nn.silu(h[..., 0, :]) * h[..., 1, :]
        x = x + jnp.einsum("bgsf,fd->bgsd", h, params["wo"])
        q = jnp.einsum("bgsd,dhk->bghsk", x, params["wq"])
        k = jnp.einsum("bgsd,dhk->bghsk", x, params["wk"])
        a = jax.nn.softmax(jnp.einsum("bghsk,bghtk->bghst", q, k) / key**0.5, -1)
        z = jnp.einsum("bghst,bghtk->bghsk", a, k)
        return ((jnp.einsum("bghsk,hkd->bgsd", z, params["wz"]) - y) ** 2).mean()

    def make_batch(rng):
        shape = (batch, groups, time, width)
        return tuple(rng.standard_normal(shape).astype(np.float32) for _ in range(2))

    weights = {"wi": (0,), "wo": (0,), "wq": (0,), "wk": (0,), "wz": (0, 1)}
    return Model("gated", init, make_batch, loss, weights)


def _convolve(x, filter, stride=1, padding="SAME"):
    return jax.lax.conv_general_dilated(
        x, filter, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _filter(rng, *shape):
    return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)


def _batch_norm(x, layer, statistics):
    """In training: the batch's own statistics, and the running ones that it leaves."""
    mean = x.mean((0, 1, 2))
    variance = ((x - mean) ** 2).mean((0, 1, 2))
    kept = {
        "mean": 0.9 * statistics["mean"] + 0.1 * mean,
        "variance": 0.9 * statistics["variance"] + 0.1 * variance,
    }
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * layer["gain"] + layer[
        "bias"
    ], kept


def resnet(unit: int) -> Model:
    """Two residual blocks, the second of stride 2 with a 1x1 projection."""
    narrow, wide, size, batch, classes = 2 * unit, 4 * unit, 7, 3, 2 * unit
    shapes = {
        "stem": (3, 3, unit, narrow),
        "conv1": (3, 3, narrow, narrow),
        "conv2": (3, 3, narrow, wide),
        "conv3": (3, 3, wide, wide),
        "projection": (1, 1, narrow, wide),
    }

    def init(rng):
        layers = {
            name: {
                "filter": _filter(rng, *shape),
                "gain": _noise(rng, shape[-1]),
                "bias": 0.1 * _noise(rng, shape[-1]),
            }
            for name, shape in shapes.items()
        }
        return layers | {"head": _normal(rng, wide, classes)}

    def buffers():
        return {
            name: {
                "mean": np.zeros(shape[-1], np.float32),
                "variance": np.ones(shape[-1], np.float32),
            }
            for name, shape in shapes.items()
        }

    def loss(params, buffers, x, y):
        kept = {}

        def layer(x, name, stride=1):
            x = _convolve(x, params[name]["filter"], stride)
            x, kept[name] = _batch_norm(x, params[name], buffers[name])
            return x

        x = jax.nn.relu(layer(x, "stem"))
        x = jax.nn.relu(x + layer(x, "conv1"))
        h = layer(jax.nn.relu(layer(x, "conv2", 2)), "conv3")
        x = jax.nn.relu(h + layer(x, "projection", 2))
        logits = x.mean((1, 2)) @ params["head"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), kept

    def make_batch(rng):
        x = rng.standard_normal((batch, size, size, unit)).astype(np.float32)
        return x, rng.integers(0, classes, batch).astype(np.int32)

    weights = {f"{name}/filter": (0, 1, 2) for name in shapes}
    weights |= {"projection/filter": (2,), "head": (0,)}
    return Model("resnet", init, make_batch, loss, weights, buffers)


def vit(unit: int) -> Model:
    """Patches embedded by a convolution, one block of attention and one MLP."""
    width, hidden, heads, patch, size, batch = 4 * unit, 5 * unit, 2, 4, 12, 3
    classes, tokens = 2 * unit, (size // patch) ** 2

    def init(rng):
        return {
            "patch": _filter(rng, patch, patch, 3, width),
            "bias": 0.1 * _noise(rng, width),
            "positions": _normal(rng, tokens, width),
            "ln1": _noise(rng, width),
            "qkv": _normal(rng, width, 3 * width),
            "proj": _normal(rng, width, width),
            "ln2": _noise(rng, width),
            "fc": _normal(rng, width, hidden),
            "out": _normal(rng, hidden, width),
            "lnf": _noise(rng, width),
            "head": _normal(rng, width, classes),
        }

    def loss(params, x, y):
        x = _convolve(x, params["patch"], patch, "VALID") + params["bias"]
        x = x.reshape(batch, tokens, width) + params["positions"]

        def split(a):
            return a.reshape(batch, tokens, heads, width // heads).transpose(0, 2, 1, 3)

        qkv = jnp.split(_layer_norm(x, params["ln1"]) @ params["qkv"], 3, -1)
        q, k, v = map(split, qkv)
        a = jnp.einsum("bhqd,bhkd->bhqk", q, k) / (width // heads) ** 0.5
        o = jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(a, -1), v)
        x = x + o.transpose(0, 2, 1, 3).reshape(batch, tokens, width) @ params["proj"]
        h = jax.nn.gelu(_layer_norm(x, params["ln2"]) @ params["fc"])
        x = _layer_norm(x + h @ params["out"], params["lnf"])
        logits = x.mean(1) @ params["head"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def make_batch(rng):
        x = rng.standard_normal((batch, size, size, 3)).astype(np.float32)
        return x, rng.integers(0, classes, batch).astype(np.int32)

    weights = {"patch": (0, 1, 2)}
    weights |= dict.fromkeys(("qkv", "proj", "fc", "out", "head"), (0,))
    return Model("vit", init, make_batch, loss, weights)


def scan_mlp(unit: int) -> Model:
    """Layers of one width that `lax.scan` runs over."""
    width, classes, batch, layers = 5 * unit, 3 * unit, 13, 3

    def init(rng):
        return {
            "stem": _normal(rng, 10, width),
            "layers": {
                "w": _normal_layers(rng, layers, width, width),
                "b": 0.1 * _noise(rng, layers, width),
            },
            "head": _normal(rng, width, classes),
        }

    def loss(params, x, y):
        def layer(x, p):
            return jnp.tanh(x @ p["w"] + p["b"]), None

        x, _ = jax.lax.scan(layer, x @ params["stem"], params["layers"])
        logits = x @ params["head"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def make_batch(rng):
        x = rng.standard_normal((batch, 10)).astype(np.float32)
        return x, rng.integers(0, classes, batch).astype(np.int32)

    weights = {"layers/w": (1,), "head": (0,)}
    return Model("scan_mlp", init, make_batch, loss, weights, stacked={"layers/w": (0,)})


def scan_gpt(unit: int) -> Model:
    """Blocks that `lax.scan` runs over and `jax.checkpoint` computes again; heads are a
    dimension of their weights, contracted in one of them."""
    heads, width, hidden, vocab = 2, 6 * unit, 7 * unit, 29
    size, time, batch, layers = width // 2, 5, 3, 3

    def heads_of(rng, dim, *sizes):
        """A matrix a layer, one dimension of which is heads x size."""
        made = _normal_layers(rng, layers, *sizes)
        return made.reshape(*made.shape[:dim], heads, size, *made.shape[dim + 1 :])

    def init(rng):
        return {
            "wte": 0.3 * _normal(rng, vocab, width),
            "wpe": 0.3 * _normal(rng, time, width),
            "blocks": {
                "ln1": _noise(rng, layers, width),
                "q": heads_of(rng, 2, width, width),
                "k": heads_of(rng, 2, width, width),
                "v": heads_of(rng, 2, width, width),
                "proj": heads_of(rng, 1, width, width),
                "ln2": _noise(rng, layers, width),
                "fc": _normal_layers(rng, layers, width, hidden),
                "fcb": 0.1 * _noise(rng, layers, hidden),
                "out": _normal_layers(rng, layers, hidden, width),
                "outb": 0.1 * _noise(rng, layers, width),
            },
            "lnf": _noise(rng, width),
        }

    def block(x, p):
        mask = jnp.tril(jnp.ones((time, time), bool))

        h = _layer_norm(x, p["ln1"])
        q, k, v = (jnp.einsum("btw,whd->bhtd", h, p[name]) for name in "qkv")
        a = jnp.einsum("bhqd,bhkd->bhqk", q, k) / size**0.5
        a = jax.nn.softmax(jnp.where(mask, a, -1e9), -1)
        o = jnp.einsum("bhqk,bhkd->bhqd", a, v)
        x = x + jnp.einsum("bhqd,hdw->bqw", o, p["proj"])
        h = jax.nn.gelu(_layer_norm(x, p["ln2"]) @ p["fc"] + p["fcb"])
        return x + h @ p["out"] + p["outb"], None

    def loss(params, x, y):
        x = params["wte"][x] + params["wpe"][None]
        x, _ = jax.lax.scan(jax.checkpoint(block), x, params["blocks"])
        logits = _layer_norm(x, params["lnf"]) @ params["wte"].T
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def make_batch(rng):
        text = rng.integers(0, vocab, (batch, time + 1)).astype(np.int32)
        return text[:, :-1], text[:, 1:]

    weights = {f"blocks/{name}": (1,) for name in ("q", "k", "v", "fc", "out")}
    weights["blocks/proj"] = (1, 2)
    return Model(
        "scan_gpt",
        init,
        make_batch,
        loss,
        weights,
        stacked=dict.fromkeys(weights, (0,)),
    )


MODELS = {"mlp": mlp, "gpt": gpt, "mixer": mixer, "gated": gated}
STACKED = {"scan_mlp": scan_mlp, "scan_gpt": scan_gpt}
CONVOLUTIONAL = {"resnet": resnet, "vit": vit}

OPTIMIZERS = {
    "momentum": lambda: optax.sgd(0.05, momentum=0.9),
    "nesterov": lambda: optax.sgd(0.05, momentum=0.9, nesterov=True),
    "adamw": lambda: optax.chain(
        optax.clip_by_global_norm(0.3), optax.adamw(3e-3, weight_decay=0.1)
    ),
    "rmsprop": lambda: optax.rmsprop(3e-3, decay=0.9),
    "lion": lambda: optax.lion(1e-3, weight_decay=0.05),
}
# What every structure is tested with on every model.
TABLE_OPTIMIZERS = ["momentum", "adamw", "lion"]
