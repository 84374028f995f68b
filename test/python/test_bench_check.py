"""`tools/dev bench --check`: every aim that was asked for has a figure, or is named."""

import json

import expected
import plan
import pytest
import render
from benching import bench, planned
from ratios import Figure

FULL = plan.make()
NM = "nm<2:4, vector = 8>"


def shown(data, path, *options):
    """The benchmarks' command on results."""
    path.write_text(json.dumps(data))
    return bench(path, *options)


@pytest.mark.parametrize("bits", [512, 256])
def test_all_that_is_asked_for_passes(bits):
    data = json.loads(json.dumps(planned(FULL, bits)))
    assert render.missed(data) == []
    assert expected.not_asked(data) == []


def test_results_without_a_plan_are_of_a_full_run(tmp_path):
    data = planned(FULL)
    del data["plan"]
    done = shown(data, tmp_path / "results.json", "--check")
    assert done.returncode == 0, done.stderr
    data["sparse"] = []
    done = shown(data, tmp_path / "results.json", "--check")
    assert done.returncode == 1
    assert "sparse, one thread: CSR forward against scipy: there is no" in done.stderr
    # What is shown again and not checked is no failure.
    assert shown(data, tmp_path / "results.json").returncode == 0


def test_every_figure_with_an_aim_is_expected():
    """An aim that a table gains is one that cannot go missing in silence."""
    figures = {"products": 0, "sparse": 0, "steps": 0, "scaling": 0}
    for table in render.all_tables(planned(FULL)):
        aimed = [figure for figure in table.figures if figure.aim]
        if aimed:
            (part,) = (p for p, words in TITLES.items() if words in table.title)
            figures[part] += len(aimed)
    counts = dict.fromkeys(figures, 0)
    for aim in expected.aims_of(FULL, 512):
        counts[aim.needs[0].part] += 1
    # A line has two: its exponent, and how straight it is.
    counts["scaling"] *= 2
    assert figures == counts


TITLES = {
    "products": "Products with structured weights",
    "sparse": "Sparse libraries",
    "steps": "training step",
    "scaling": "grows with the work",
}


def drop(part, *names):
    def dropped(data):
        for record in data[part]:
            for name in names:
                record["seconds"].pop(name, None)

    return dropped


def empty(part):
    return lambda data: data.update({part: []})


def without(part, place, threads):
    def gone(data):
        data[part] = [
            record
            for record in data[part]
            if (expected.place_of(part, record), record["threads"]) != (place, threads)
        ]

    return gone


def without_fact(name, fact):
    def gone(data):
        for record in data["steps"]:
            record["facts"].get(name, {}).pop(fact, None)

    return gone


@pytest.mark.parametrize(
    "change, names",
    [
        (empty("products"), [f"products, one thread: {NM}: there is no", "numpy"]),
        (empty("scaling"), ["scaling, one thread: width: dense", "width 2048"]),
        (drop("products", "torch"), [f"{NM}: there is no time of torch, 512×768×3072"]),
        (drop("products", "numpy AVX2"), ["there is no time of numpy AVX2"]),
        (drop("products", NM), [f"1 → 2 threads: {NM}: there is no time of {NM}"]),
        (
            without("products", "128×1024×1024", 1),
            [f"no time of {NM}, time of numpy, time of numpy AVX2, time of jax, time of"],
        ),
        (without("products", "2048×512×2048", 2), ["2048×512×2048 on 2 threads"]),
        (drop("sparse", "sparsifier"), ["CSR forward against sparsifier"]),
        (
            without("sparse", "BSR forward at 0.1, 512×768×3072", 1),
            ["BSR forward against torch: there is no", "BSR forward at 0.1, 512"],
        ),
        (empty("steps"), ["dense in the gpt, times JAX: there is no time of dense"]),
        (drop("steps", "torch.compile"), ["there is no time of torch.compile, mlp"]),
        (without_fact("jax", "memory"), ["there is no memory of jax, gpt on 2 threads"]),
        (
            without_fact("dense", "compile_seconds"),
            ["compilation against JAX's: there is no compile_seconds of dense"],
        ),
        (
            drop("scaling", "block<16x16, density = 0.3>"),
            ["density: block, 16 × 16: there is no time of block<16x16, density = 0.3>"],
        ),
        (without("scaling", "width 512", 1), ["width: dense: there is no time of dense"]),
    ],
)
def test_what_has_no_figure_fails_by_name(change, names):
    data = planned(FULL)
    change(data)
    missed = "\n".join(render.missed(data))
    for name in names:
        assert name in missed


def test_the_reason_is_told():
    data = planned(plan.make(["products"], [1]))
    drop("products", "jax")(data)
    entry = {"peer": "jax", "what": "all", "why": "not installed", "threads": 1}
    data["missing"] = [entry]
    missed = render.missed(data)
    assert all("there is no time of jax (not installed)" in each for each in missed)


def test_a_part_alone_is_checked_alone(tmp_path):
    data = planned(plan.make(["products"]))
    done = shown(data, tmp_path / "results.json", "--check")
    assert done.returncode == 0, done.stderr
    _, not_asked = done.stdout.split("not asked for, and not checked:\n")
    assert "steps, 2 threads: dense in the gpt, times JAX\n" in not_asked
    assert "products" not in not_asked
    # The same of results that have all.
    data = planned(FULL)
    data["steps"] = []
    path = tmp_path / "full.json"
    assert shown(data, path, "--check").returncode == 1
    done = shown(data, path, "--check", "--only", "products", "sparse")
    assert done.returncode == 0, done.stderr
    assert "steps, 2 threads" in done.stdout


def test_threads_and_structures_that_are_left_out():
    data = planned(plan.make(["products", "steps"], [1], structures=[NM]))
    assert render.missed(data) == []
    left_out = expected.not_asked(data)
    assert f"products, 1 → 2 threads: {NM}" in left_out
    assert "products, one thread: nm<2:4>" in left_out
    assert f"products, one thread: {NM}" not in left_out
    assert "steps, 2 threads: dense in the gpt, times JAX" in left_out


def test_a_quick_run_is_checked_for_what_it_has():
    asked = plan.make(quick=True)
    assert list(asked) == ["machine", "products", "steps"]
    data = planned(asked)
    assert render.missed(data) == []
    assert "torch.compile" not in data["steps"][0]["seconds"]


def test_a_wrong_result_fails_without_a_check(tmp_path):
    data = planned(FULL)
    entry = {"peer": "sparsam", "what": NM, "why": "it is off by 1", "threads": 1}
    data["missing"] = [entry | {"wrong": True}]
    done = shown(data, tmp_path / "results.json")
    assert done.returncode == 1
    assert f"a result is wrong:\n{NM} of sparsam, one thread: it is off" in done.stderr


def test_lines_that_are_not_straight_miss_their_aim():
    data = planned(FULL)
    for record in data["scaling"]:
        if record["over"] == "width":
            # Costs that do not grow.
            record["seconds"]["dense"] = [1.0]
            if record["shape"][1] == 512:
                record["seconds"]["low_rank<K/8>"] = [2 * 512**2]
    missed = render.missed(data)
    assert len(missed) == 2
    assert "width: dense, compiled by Sparsam, off 1: 1.00 (≤ 0.25)" in missed[0]
    assert "width: low_rank<K/8>, farthest off the line, times" in missed[1]


def test_the_best_library_has_no_aim_for_its_line():
    data = planned(FULL)
    (table,) = (t for t in render.all_tables(data) if "grows" in t.title)
    assert table.rows[0][0] == "density: unstructured"
    for row in table.rows:
        assert row[1] == "1.00"
        assert all(isinstance(cell, Figure) and cell.aim for cell in row[2:])


@pytest.mark.parametrize(
    "text, message",
    [
        (None, "No such file"),
        ("nothing", "expected results as JSON"),
        ("[]", "expected the results.json of a run"),
        ('{"format": 7, "run": {}}', "expected format 1, found 7"),
        (b"\xff\xfe", "expected results as JSON"),
    ],
)
def test_results_that_cannot_be_read(tmp_path, text, message):
    path = tmp_path / "results.json"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = bench(path, "--check")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {path}: ") and message in line


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--cpu", "no-such-cpu"], "--cpu: invalid choice: 'no-such-cpu'"),
        (["--only", "prducts"], "--only: invalid choice: 'prducts' (choose from"),
        (["--shapes", "0x8x8"], "--shapes: invalid shape value: '0x8x8'"),
        (["--threads", 4096], "--threads 4096: this process may use"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, message):
    done = bench(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert message in line
