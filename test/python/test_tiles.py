"""Tile sizes: any of them give the right products, and the search for faster ones."""

import json
import multiprocessing
import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sparsam
import test_products
from models import CONVOLUTIONAL, MODELS, OPTIMIZERS, STACKED
from oracle import Case
from sparsam import _candidates, _core, _trials
from sparsam._compiled import Compiled

SHAPES = [(1, 24, 40), (7, 40, 24), (33, 24, 40), (100, 40, 24)]

# Structure, outputs of a block, and inputs that are not torn apart in x and dx.
STRUCTURES = [
    ("nm<2:4>", 1, 4),
    ("nm<2:4, vector = 8>", 8, 4),
    ("nm<1:8, vector = 4>", 4, 8),
    ("vnm<8, 2:8>", 1, 8),
    ("unstructured<density = 0.3>", 1, 1),
    ("block<8x8, density = 0.4>", 8, 8),
    ("block<4x2, density = 0.5>", 2, 4),
]


def tile_texts(rng, vector, unit, tokens, inputs, outputs):
    """Random tile sizes of the three products, as attributes."""
    texts = []
    # Single outputs may be what is gathered for dx.
    rows = min(inputs, outputs) if vector == 1 else inputs
    for product in ("spmm", "spmm_transposed", "sddmm"):
        tiles = {
            "part": rng.integers(1, vector + 1),
            "token_vectors": rng.integers(1, 9),
            "range": unit * rng.integers(1, rows // unit + 1),
        }
        if product == "sddmm" and vector == 1:
            tiles["jobs"] = 2 ** rng.integers(0, 3)
        elif product == "sddmm":
            tiles |= {
                "jobs": rng.integers(1, 13),
                "chunk": rng.integers(1, min(tokens, 80) + 1),
            }
        # Any of them may be left to the model.
        kept = [name for name in tiles if rng.random() < 0.8]
        sizes = ", ".join(f"{name} = {tiles[name]}" for name in kept)
        texts.append(f", sparsam.tiles = {{{sizes}}}")
    return texts


@pytest.mark.parametrize("bits", [256, 512])
@pytest.mark.parametrize("text, vector, unit", STRUCTURES)
def test_any_tiles_give_the_products(text, vector, unit, bits):
    for seed, shape in enumerate(SHAPES):
        rng = np.random.default_rng((seed, bits))
        attributes = tile_texts(rng, vector, unit, *shape)
        test_products.check_products(
            text, *shape, seed=seed, attributes=attributes, vector_bits=bits
        )


HUGE = 2**63 - 1

# Sizes that no product below has, and what is said of them.
OUT_OF_REACH = [
    ("part", 0, "'part' to be from 1 to 128, found 0"),
    ("part", -1, "'part' to be from 1 to 128, found -1"),
    ("part", HUGE, f"'part' to be from 1 to 128, found {HUGE}"),
    ("part", 9, "blocks of 8 outputs, of which no more .*found part = 9"),
    ("token_vectors", 100000, "'token_vectors' to be from 1 to 16, found 100000"),
    ("jobs", HUGE, f"'jobs' to be from 1 to 128, found {HUGE}|has no 'jobs'"),
    ("range", 0, "'range' to be at least 1, found 0"),
    ("range", 1, "groups of 4, expected a multiple, .*found range = 1"),
    ("range", 100000, "a multiple, up to all 24, found range = 100000"),
    ("range", HUGE, f"a multiple, up to all 24, found range = {HUGE}"),
    ("chunk", 100000, "8 tokens, .*found chunk = 100000|has no 'chunk'"),
    ("chunk", HUGE, f"8 tokens, .*found chunk = {HUGE}|has no 'chunk'"),
]


@pytest.mark.parametrize("name, size, message", OUT_OF_REACH)
def test_sizes_out_of_reach(name, size, message):
    """Each is an error that names the size, in each of the products."""
    structure = test_products.patterns.parse("nm<2:4, vector = 8>")
    for place in range(3):
        attributes = ["", "", ""]
        attributes[place] = f", sparsam.tiles = {{{name} = {size}}}"
        text = test_products.products(structure, 8, 24, 40, "f32", attributes)
        with pytest.raises(Exception, match=message):
            test_products.compile_function(text)


@pytest.mark.parametrize("name, size, message", OUT_OF_REACH)
def test_a_file_of_sizes_out_of_reach(tmp_path, name, size, message):
    """The step says so, and has the model's."""
    path = str(tmp_path / "tiles.json")
    given = {"x": np.ones((8, 24), np.float32), "w": np.ones((24, 40), np.float32)}

    def step(params, state, x):
        loss = lambda w: jnp.mean((x @ w) ** 2)  # noqa: E731
        return {"w": params["w"] - 0.1 * jax.grad(loss)(params["w"])}, state

    def compile(**options):
        return sparsam.compile(
            step,
            ({"w": given["w"]}, np.float32(0), given["x"]),
            structure={"w": "nm<2:4, vector = 8>"},
            **options,
        )

    products = compile()._main.products()
    _core.add_tiles(path, [(each["key"], {name: size}, 2.0, 1.0) for each in products])
    remarks = compile(tiles=path).remarks
    assert len(remarks) == len(products)
    for remark in remarks:
        assert re.search(
            f"has the model's tile sizes: with those in.*({message})", remark
        )


def test_sizes_out_of_reach_are_measured_again(tmp_path, one_vector_wins):
    path = tmp_path / "tiles.json"
    step = compiled()
    (spoilt, *_) = step._main.products()
    others = [
        (each["key"], {}, 1.0, 1.0) for each in step._main.products() if each != spoilt
    ]
    _core.add_tiles(str(path), [(spoilt["key"], {"range": 10**6}, 2.0, 1.0), *others])
    with pytest.warns(
        UserWarning,
        match=r"spmm of nm<2:4, vector = 4>, 33 x 24 x 40, is measured again: "
        r"'.*tiles.json' has range = 1000000 for it, and it .*up to all 24",
    ):
        found = step.tune(path)
    assert {each.structure for each in found} == {spoilt["key"]["structure"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert step.tune(path) == []
    assert not compiled(tiles=path).remarks


def test_one_activation_packed_twice():
    """Products that read x at different heights each have panels of their own."""
    tiles = [f", sparsam.tiles = {{token_vectors = {n}}}" for n in (1, 2, 3)]
    for text in ("nm<2:4, vector = 8>", "unstructured<density = 0.3>"):
        test_products.check_products(text, 100, 24, 40, "f64", attributes=tiles)


def test_kernels_of_other_tiles_are_others():
    """Products that differ in their tiles alone share no kernel, nor what sorts for it."""
    structure = test_products.patterns.parse("unstructured<density = 0.3>")
    tokens, inputs, outputs = 300, 64, 96
    rng = np.random.default_rng(0)
    x = rng.standard_normal((tokens, inputs)).astype(np.float32)
    pattern = structure.random(rng, inputs, outputs)
    values = rng.standard_normal(structure.values_shape(inputs, outputs))
    values = values.astype(np.float32)
    expected = x @ test_products.patterns.densify(
        structure, values, pattern, inputs, outputs
    )
    texts = []
    for height in (1, 2, 8):
        tiles = f", sparsam.tiles = {{token_vectors = {height}, range = 16}}"
        text = test_products.products(
            structure, tokens, inputs, outputs, "f32", (tiles, "", "")
        )
        texts += [text.replace("@forward", f"@forward{height}").split("func.func")[1]]
    program = test_products.compile_function("func.func" + "func.func".join(texts))
    stored = test_products.stored_pattern(structure, pattern, inputs, outputs)
    for height in (1, 2, 8):
        y = test_products.nan((tokens, outputs), np.float32)
        test_products.call(program, f"forward{height}", [x, values, *stored], [y])
        test_products.assert_close(y, expected, "f32")


def train_step(params, state, x, y):
    def loss(params):
        hidden = jax.nn.relu(x @ params["in"])
        return jnp.mean((hidden @ params["out"] - y) ** 2)

    value, gradients = jax.value_and_grad(loss)(params)
    params = jax.tree.map(lambda w, g: w - 0.1 * g, params, gradients)
    return params, state, value


STRUCTURE = {"in": "nm<2:4, vector = 4>", "out": "unstructured<density = 0.3>"}


def example():
    rng = np.random.default_rng(0)

    def array(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    params = {"in": array(24, 40), "out": array(40, 12)}
    return params, np.float32(0), array(33, 24), array(33, 12)


def compiled(structure=STRUCTURE, **options):
    return sparsam.compile(train_step, example(), structure=structure, **options)


def with_one_layer(**options):
    return compiled({"in": STRUCTURE["in"]}, **options)


def loss_and_params(step):
    params, state, x, y = example()
    p, s = step.compress(params, state)
    p, s, loss = step(p, s, x, y)
    return [loss, *jax.tree.leaves(step.densify(p))]


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@pytest.fixture
def one_vector_wins(monkeypatch):
    """Every program is made and run, and the times are as if single vectors of tokens
    were the fastest."""
    real, ran = _trials.Layer.seconds, []

    def seconds(self, trials, rounds):
        ran.extend(real(self, trials, 1))

        def weight(trial):
            return sum((tiles or {}).get("token_vectors", 5) for tiles in trial.values())

        return [[1e-3 * weight(trial)] * rounds for trial in trials]

    monkeypatch.setattr(_trials.Layer, "seconds", seconds)
    return ran


def test_search_writes_and_uses_the_file(tmp_path, one_vector_wins):
    path = tmp_path / "folder" / "tiles.json"
    step = compiled()
    expected = loss_and_params(step)
    params, state, x, y = example()
    p, s = step.compress(params, state)

    found = step.tune(path)
    # The gradient of x, which is not needed, has no product.
    assert sorted((each.structure, each.product, each.shape) for each in found) == [
        ("nm<2:4, vector = 4>", "sddmm", (33, 24, 40)),
        ("nm<2:4, vector = 4>", "spmm", (33, 24, 40)),
        ("unstructured<density = 0.3>", "sddmm", (33, 40, 12)),
        ("unstructured<density = 0.3>", "spmm", (33, 40, 12)),
        ("unstructured<density = 0.3>", "spmm_transposed", (33, 40, 12)),
    ]
    assert all(each.tiles["token_vectors"] == 1 for each in found)
    assert all(each.seconds < each.model_seconds for each in found)
    entries = json.loads(path.read_text())["entries"]
    assert sorted(each["product"] for each in entries) == sorted(
        each.product for each in found
    )
    assert {each["threads"] for each in entries} == {sparsam.num_threads()}

    # Storage of before goes on, and the numbers stay.
    assert "_t1" in step.ir("to-cpu")
    assert not step.remarks
    p, s, loss = step(p, s, x, y)
    assert_same([loss, *jax.tree.leaves(step.densify(p))], expected)

    # Another step reads the file, and there is nothing to measure.
    one_vector_wins.clear()
    again = compiled(tiles=path)
    assert "_t1" in again.ir("to-cpu") and not again.remarks
    # So does what a bundle is made of.
    assert "_t1" in again._main.lowered_for("host").text()
    assert again.tune() == [] and not one_vector_wins
    assert_same(loss_and_params(again), expected)
    # Without the option nothing is read.
    assert "_t1" not in compiled().ir("to-cpu")


def test_a_real_search(tmp_path):
    """Whatever wins, it is written, and the step stays right."""
    step = with_one_layer()
    expected = loss_and_params(step)
    found = step.tune(tmp_path / "tiles.json", seconds=300)
    assert len(found) == 2
    assert_same(loss_and_params(step), expected)


def test_the_model_wins(tmp_path, monkeypatch):
    monkeypatch.setattr(
        _trials.Layer,
        "seconds",
        lambda self, trials, rounds: [[1.0] * rounds] * len(trials),
    )
    step = compiled()
    plain = step.ir("to-cpu")
    assert [each.tiles for each in step.tune(tmp_path / "tiles.json")] == [{}] * 5
    assert step.ir("to-cpu") == plain and not step.remarks


def test_time_is_bounded(tmp_path, one_vector_wins, caplog):
    path = tmp_path / "tiles.json"
    step = compiled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert step.tune(path, seconds=0) == []
    assert "2 layers are left" in caplog.text
    assert not step.tiles and not path.exists()


def test_refreshed_steps_are_tuned_too(tmp_path, one_vector_wins):
    """Those of before, which are kept, had other sizes."""
    step = with_one_layer()
    params, state, x, y = example()
    other, p, s = step.refresh(*step.compress(params, state), structure="dense")
    step, p, s = other.refresh(p, s, structure={"in": STRUCTURE["in"]})
    step.tune(tmp_path / "tiles.json")
    other, p, s = step.refresh(p, s, structure="dense")
    again, p, s = other.refresh(p, s, structure={"in": STRUCTURE["in"]})
    assert again is step and "_t1" in again.ir("to-cpu")
    assert other.tiles == step.tiles


@pytest.mark.parametrize("name", ["scan_gpt", "resnet"])
def test_every_product_is_known(name, tmp_path):
    """What is measured is what the lowering asks for: in loops over layers, of merged
    products, and where convolutions are unfolded."""
    model = (MODELS | STACKED | CONVOLUTIONAL)[name](4)
    texts = dict.fromkeys(model.weights, "nm<2:4, vector = 4>")
    step = Case(model, OPTIMIZERS["momentum"](), texts).compile()
    path = str(tmp_path / "tiles.json")
    known = step._main.products()
    assert len(known) >= 9
    _core.add_tiles(path, [(each["key"], {}, 1.0, 1.0) for each in known])
    compiled = Compiled(step._main.imported, step._main.structure, name, step.cpu, path)
    assert not [each for each in compiled.lowered.remarks if "tile sizes" in each]


def test_other_threads_are_measured_apart(tmp_path, one_vector_wins, capsys):
    path = tmp_path / "tiles.json"
    threads = sparsam.num_threads()
    step = with_one_layer()
    step.tune(path)
    assert not capsys.readouterr().out
    sparsam.set_num_threads(threads + 1)
    try:
        other = with_one_layer(tiles=path)
        assert f"for {_cpu_name()} and {threads + 1} threads" in "\n".join(other.remarks)
        assert len(other.tune()) == 2
    finally:
        sparsam.set_num_threads(threads)
    assert len(json.loads(path.read_text())["entries"]) == 4


def _cpu_name():
    return with_one_layer()._main.products()[0]["key"]["cpu"]


def test_default_file(tmp_path, monkeypatch, one_vector_wins):
    monkeypatch.delenv("SPARSAM_TILES", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with_one_layer().tune()
    assert (tmp_path / "sparsam" / "tiles.json").exists()
    assert "_t1" in with_one_layer(tiles=True).ir("to-cpu")
    monkeypatch.setenv("SPARSAM_TILES", str(tmp_path / "named.json"))
    with_one_layer().tune()
    assert (tmp_path / "named.json").exists()


def test_a_corrupt_file(tmp_path, one_vector_wins):
    path = tmp_path / "tiles.json"
    path.write_text('{"version": 1, "entries": [')
    step = with_one_layer(tiles=path)
    assert any("no whole file of tile sizes" in each for each in step.remarks)
    with pytest.raises(ValueError, match="tiles.json' is no whole file of tile sizes"):
        step.tune()
    assert path.read_text() == '{"version": 1, "entries": ['


def test_a_file_that_cannot_be_written(tmp_path, one_vector_wins):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write it"):
        with_one_layer().tune(tmp_path / "file" / "tiles.json")


def test_paths_that_are_none():
    with pytest.raises(TypeError, match="tiles must be the path of a file"):
        with_one_layer(tiles=3)
    with pytest.raises(ValueError, match="no path with a quote"):
        with_one_layer(tiles="a'b.json")


def entry(tokens):
    key = {
        "cpu": "one",
        "vector_bits": 256,
        "l1_bytes": 1,
        "l2_bytes": 2,
        "threads": 1,
        "product": "spmm",
        "structure": "nm<2:4>",
        "element": "f32",
        "tokens": tokens,
        "inputs": 8,
        "outputs": 8,
    }
    return key, {"range": 4}, 2.0, 1.0


def add(path, numbers):
    for number in numbers:
        _core.add_tiles(path, [entry(number)])


def test_processes_add_to_one_file(tmp_path):
    path = str(tmp_path / "tiles.json")
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=add, args=(path, range(first, 60, 3)))
        for first in (0, 1, 2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    keys = [entry(number)[0] for number in range(60)]
    assert _core.find_tiles(path, keys) == [{"range": 4}] * 60
    assert _core.find_tiles(path, [entry(60)[0]]) == [None]
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "tiles.json",
        "tiles.json.lock",
    ]


@pytest.mark.parametrize(
    "text, vector, unit", [*STRUCTURES, ("block<16x16, density = 0.5>", 16, 16)]
)
def test_candidates_suit_the_kernels(text, vector, unit):
    """Every candidate passes the compiler's checks."""
    structure = test_products.patterns.parse(text)
    for shape in ((7, 48, 80), (300, 960, 480)):
        module = _core.Module.parse(test_products.products(structure, *shape, "f32"))
        for product in module.products():
            assert product["outputs"] == vector
            trials = [
                {product["key"]["product"]: sizes}
                for height in _candidates.heights(product)
                for tiles in _candidates.in_registers(product, height)
                for sizes in (
                    tiles,
                    *_candidates.ranges(product, tiles),
                    *_candidates.chunks(product, tiles),
                )
            ]
            assert len(trials) >= 4
            layer = _trials.Layer([product], "host")
            made = "\n".join(layer.function(f"f{i}", t) for i, t in enumerate(trials))
            lowered = _core.Module.parse(made)
            lowered.run("sparsam-to-cpu")
            assert not lowered.diagnostics


def test_verbose(tmp_path, capsys, one_vector_wins):
    with_one_layer().tune(tmp_path / "tiles.json", verbose=True)
    out = capsys.readouterr().out
    assert "nm<2:4, vector = 4>, 33 x 24 x 40" in out and "sddmm: " in out
