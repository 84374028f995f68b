"""The benchmarks as they run, on tiny layers and models: what they measure, what is
missing, and that all libraries compute the same."""

import dataclasses
import json
import types

import aims
import machine
import numpy as np
import pytest
import render
import sparse
import steps
import tables_steps
import threads
from benching import bench
from data import Wrong as WrongProduct
from data import check, sparse_weights
from networks import Gpt, Mlp
from networks_jax import step_of
from results import Results, load
from session import Session
from turns import Crew, Failed, Wrong
from widths import get_width

TINY_GPT = Gpt(width=32, heads=2, layers=2, vocab=17, context=8, batch=3)
TINY_SPARSE = {"shape": [4, 16, 16], "block": 1, "density": 0.5}
TINY_MLP = Mlp(inputs=12, width=16, classes=5, batch=7)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench")
    done = bench(
        *("--only", "products", "--threads", 1, "--repeats", 2, "--out", out),
        *("--shapes", "16x32x64", "--structures", "nm<2:4>", "no_such_structure"),
    )
    assert done.returncode == 0, done.stderr
    return done, json.loads((out / "results.json").read_text())


@pytest.fixture
def session(tmp_path):
    """One of one thread and a single round, whose libraries are real."""
    width = get_width("host")
    found = Results(tmp_path / "results.json", width, {})

    def missing(peer, what, why, wrong):
        found.missing(peer, what, why, 1, wrong)

    with Crew(1, width, tmp_path / "libraries.log", missing) as crew:
        yield Session(1, 1, True, crew, found)


class TestRun:
    def test_every_peer_is_measured_or_missing(self, run):
        _, data = run
        (record,) = data["products"]
        assert record["shape"] == [16, 32, 64]
        missing = {entry["peer"] for entry in data["missing"]}
        for peer in ("numpy", "jax", "torch"):
            assert (peer in record["seconds"]) != (peer in missing)
        for name in ("nm<2:4>", "nm<2:4> (program)"):
            assert len(record["seconds"][name]) == 2
        assert all(s > 0 for seconds in record["seconds"].values() for s in seconds)

    def test_what_it_cannot_compile_is_missing_by_name(self, run):
        done, data = run
        (entry,) = (e for e in data["missing"] if e["what"] == "no_such_structure")
        assert entry["peer"] == "sparsam"
        assert "no_such_structure" in entry["why"]
        assert "no_such_structure" in done.stdout

    def test_tables_and_flops(self, run):
        done, data = run
        assert "16×32×64" in done.stdout
        facts = data["products"][0]["facts"]
        assert facts["numpy"]["flops"] == 6 * 16 * 32 * 64
        assert facts["nm<2:4>"]["flops"] == 3 * 16 * 32 * 64

    @pytest.mark.parametrize(
        "arguments, message",
        [
            (["--threads", 4096], "this process may use"),
            (["--repeats", 0], "--repeats must be at least 1"),
            (["--markdown", "page.md"], "--markdown needs the RESULTS"),
            (["--cpu", "no-such-cpu"], "invalid choice"),
        ],
    )
    def test_wrong_arguments(self, arguments, message):
        done = bench(*arguments)
        assert done.returncode == 2
        assert message in done.stderr


class TestParts:
    def test_the_machine(self, session):
        for _ in range(2):
            machine.measure(session)
        (record,) = session.results.data["machine"]
        assert session.results.data["missing"] == []
        assert len(record["gflops"]) == 2 and min(record["gflops"]) > 0.1
        assert list(record["read_gb_s"]) == ["L1", "L2", "L3", "DRAM"]
        assert all(rates[0] > 0 for rates in record["read_gb_s"].values())

    def test_sparse_libraries_and_ours_compute_the_same(self, session):
        for storage in sparse.PATTERNS:
            for product in sparse.PRODUCTS:
                sparse.measure_one(session, (16, 32, 64), storage, 0.25, product)
        measured = session.results.data["sparse"]
        missing = session.results.data["missing"]
        assert len(measured) == 5
        for record in measured:
            assert record["seconds"]["sparsam"]
            what = f"{record['product']} on {record['storage']}"
            for peer in sparse.PEERS:
                gone = {e["what"] for e in missing if e["peer"] == peer}
                present = peer in record["seconds"]
                assert present != bool(gone & {what, "all", peer}), (peer, what, missing)
        # What a library does not have is said; nothing fails.
        reasons = {e["why"] for e in missing if e["what"] != "all"}
        assert reasons == set(sparse.ABSENT.values())

    def test_threads(self, session):
        threads.measure([session], (64, 96))
        measured = session.results.data["threads"]
        assert session.results.data["missing"] == []
        assert [record["case"] for record in measured] == list(threads.CASES)
        for record in measured:
            assert list(record["seconds"])[0] == "unstructured<density = 0.1>"
            assert all(min(seconds) > 0 for seconds in record["seconds"].values())
        assert len(measured[1]["seconds"]) == 1

    def test_steps_train_the_same_model(self, session):
        sizes = dataclasses.asdict(TINY_GPT)
        labels = ["dense", "nm<2:8, vector = 8>", "low_rank<K/4>", aims.LORA]
        steps.measure(session, "gpt", labels, sizes)
        (record,) = session.results.data["steps"]
        assert {"jax", *labels} <= set(record["seconds"])
        facts = record["facts"]
        assert facts["dense"]["losses"] == pytest.approx(facts["jax"]["losses"], rel=1e-4)
        assert facts["dense"]["flops"] == TINY_GPT.flops
        for name in labels:
            assert 0 <= facts[name]["loss_error"] < 1e-5
            assert 0 < facts[name]["update_error"] < 1e-3
        for name in ("jax", *labels):
            assert facts[name]["memory"] > 4 * 17 * 32
            assert facts[name]["compile_seconds"] > 0
        table = tables_steps.step_table(session.results.data, record)
        assert [row[0] for row in table.rows] == list(record["seconds"])

    def test_a_model_that_trains_otherwise_is_missing(self, session):
        def candidate(name, losses):
            worker = types.SimpleNamespace(peer="jax" if name == "jax" else "sparsam")
            return types.SimpleNamespace(
                name=name, worker=worker, facts={"losses": losses}
            )

        jax = candidate("jax", [1.0, 0.5])
        for name, losses, right in (
            ("dense", [1.0, 0.5001], True),
            ("dense", [1.0, 0.51], False),
            ("nm<2:4>", [1.2, 0.9], True),
            ("nm<2:4>", [1.2, float("nan")], False),
        ):
            made = candidate(name, losses)
            assert steps.is_right(session, [jax, made], made) == right
        (dense, other) = session.results.data["missing"]
        assert (dense["what"], other["what"]) == ("dense", "nm<2:4>")
        assert dense["wrong"] and other["wrong"]

    def test_what_a_library_computes_wrongly_is_told_apart(self, session):
        worker = types.SimpleNamespace(peer="sparsam")
        session.crew._gone(worker, "a", Failed("not there"))
        session.crew._gone(worker, "b", Wrong("it is off"))
        (failed, wrong) = session.results.data["missing"]
        assert "wrong" not in failed and wrong["wrong"]
        assert render.wrong(session.results.data) == [
            "b of sparsam, one thread: it is off"
        ]

    def test_a_library_that_ends_is_missing_and_the_others_go_on(self, session):
        shape = [8, 8, 8]
        crew = session.crew
        kept = crew.make("kept", "scipy", "sparse", product="forward", **TINY_SPARSE)
        lost = crew.make("lost", "numpy", "products", shape=shape)
        lost.worker.process.kill()
        seconds = crew.take_turns([lost, kept], 2)
        assert set(seconds) == {"kept"} and len(seconds["kept"]) == 2
        (entry,) = session.results.data["missing"]
        assert (entry["peer"], entry["what"]) == ("numpy", "lost")
        again = crew.make("again", "numpy", "products", shape=shape)
        assert len(crew.take_turns([again], 1)["again"]) == 1

    def test_results_are_replaced_as_a_whole(self, session):
        session.results.add("products", {"a": 1})
        session.results.save()
        assert load(session.results.path)["products"] == [{"a": 1}]
        assert not session.results.path.with_suffix(".tmp").exists()


class TestModels:
    @pytest.mark.parametrize("model", [TINY_GPT, TINY_MLP], ids=["gpt", "mlp"])
    def test_frameworks_train_the_same_model(self, model):
        pytest.importorskip("torch")
        import networks_torch

        step, optimizer = step_of(model)
        params = model.init()
        state = optimizer.init(params)
        training = networks_torch.Training(model, compiled=False)
        for number in range(4):
            batch = model.batch_of(number)
            params, state, loss = step(params, state, *batch)
            assert training.step(*batch) == pytest.approx(float(loss), rel=1e-5)

    def test_sparse_weights_have_their_density(self):
        w = sparse_weights([4, 32, 64], 8, 0.25)
        kept = (w.reshape(4, 8, 8, 8) != 0).any((1, 3))
        assert (kept.sum(0) == 1).all()
        assert np.count_nonzero(w) == 32 * 64 / 4

    def test_a_wrong_product_is_refused(self):
        right = np.ones((2, 2))
        check("it", right, right)
        with pytest.raises(WrongProduct, match="it is off by"):
            check("it", right + [[0, 0], [0, 0.1]], right)
        with pytest.raises(ValueError, match="it is off by nan"):
            check("it", right * np.nan, right)
