"""The numbers and tables that the benchmarks make of what they measured, on results whose
figures are known."""

import json

import aims
import page
import plan
import pytest
import ratios
import render
import tables_others
import tables_products
from benching import bench, products_record, results


class TestRatios:
    RECORD = products_record({"numpy": [4, 6, 5], "jax": [3, 3, 9], "x": [1, 2, 3]})

    def test_the_best_peer_is_that_of_the_least_median(self):
        assert ratios.best(self.RECORD) == "jax"
        assert ratios.best(self.RECORD, ("torch",)) is None

    def test_ratio_is_taken_round_by_round(self):
        figure = ratios.ratio(self.RECORD, "jax", "x")
        assert (figure.value, figure.low, figure.high) == (3, 1.5, 3)
        assert ratios.ratio(self.RECORD, "torch", "x") is None

    def test_means(self):
        figures = [ratios.Figure(2, 1, 4), ratios.Figure(8, 4, 9)]
        mean = ratios.mean(figures)
        assert (mean.value, mean.low, mean.high) == pytest.approx((4, 2, 6))
        assert ratios.spread([1, 2, 3, 4, 5]) == pytest.approx(2 / 3)

    def test_part_of_peak(self):
        data = results(machine=[{"threads": 1, "gflops": [100.0, 200.0, 50.0]}])
        assert ratios.peak(data, 2) is None
        part = ratios.part_of_peak(data, self.RECORD, "x", 200e9)
        assert part == pytest.approx(0.5)

    def test_straightness(self):
        x = [1, 2, 4, 8]
        assert ratios.straightness(x, [3, 12, 48, 192]) == pytest.approx((2, 1))
        _, off = ratios.straightness(x, [1, 2, 8, 8])
        assert off > 1.4

    def test_aims(self):
        aim = aims.Aim(2.0, 1.5)
        assert (aim.on(512), aim.on(256)) == (2.0, 1.5)
        assert ratios.Figure(1.7, aim=aim, bits=256).met
        assert not ratios.Figure(1.7, aim=aim, bits=512).met
        assert aims.Aim(1.5, at_most=True).met(1.4, 512)
        assert aims.resolve("low_rank<K/4>", 3072, 768) == "low_rank<192>"


class TestTables:
    LABEL = "nm<2:4, vector = 8>"

    def products(self, ours, threads=1, **more):
        seconds = {"numpy": [8.0] * 3, "jax": [6.0] * 3, self.LABEL: [ours] * 3}
        seconds |= {"numpy AVX2": [7.0] * 3, "torch": [9.0] * 3}
        return products_record(seconds, threads, **more)

    def checked(self, **parts):
        """Results that are asked for one product alone."""
        shapes = [(512, 768, 3072)]
        asked = plan.make(["products"], [1], shapes=shapes, structures=[self.LABEL])
        return results(plan=asked, **parts)

    def test_threads(self):
        def record(threads, case, seconds):
            return {"threads": threads, "case": case, "seconds": seconds}

        data = results(
            threads=[
                record(1, "few", {"a": [0.004, 0.002, 0.003], "b": [0.002]}),
                record(2, "few", {"a": [0.002], "b": []}),
            ]
        )
        (table,) = tables_others.threads(data)
        assert table.columns[2:] == ["one thread, ms", "2 threads, ms", "1 → 2 threads"]
        assert table.rows == [
            ["few", "a", "3", "2", pytest.approx(1.5)],
            ["few", "b", "2", None, None],
        ]
        assert tables_others.threads(results()) == []
        # As runs wrote it before this was measured.
        del data["threads"]
        assert tables_others.threads(data) == []

    def test_products_are_set_against_the_best_of_their_group(self):
        records = [self.products(3.0), self.products(1.5, shape=(128, 1024, 1024))]
        data = results(products=records)
        table = tables_products.structured_products(data, 1)
        (row,) = (r for r in table.rows if r[0] == self.LABEL)
        assert row[1].value == pytest.approx(8**0.5)
        assert row[1].aim.on(512) == 1.9
        assert row[4:6] == [2.0, 4.0]

    def test_threads_count_on_the_worst_shape_but_the_smallest(self):
        data = results(
            products=[
                self.products(3.0),
                self.products(2.0, threads=2),
                self.products(3.0, shape=(256, 256, 256)),
                self.products(3.0, threads=2, shape=(256, 256, 256)),
            ]
        )
        assert tables_products.two_threads(data, self.LABEL).value == 1.5

    def test_the_aim_of_factors_is_a_part_of_what_they_save(self):
        label = "low_rank<K/4>"
        record = products_record(
            {"numpy": [6.0] * 3, label: [2.0] * 3}, flops={label: 25}
        )
        row = tables_products.product_row(
            results(products=[record]), [record], [record["shape"]], label, True
        )
        whole, part = row[1]
        assert (whole.value, whole.aim) == (pytest.approx(3), None)
        assert part.value == pytest.approx(0.75)
        assert not part.met

    def test_lines_that_are_drawn(self):
        record = {
            "over": "density",
            "family": "f",
            "shape": [1, 2, 2],
            "threads": 1,
            "at": {"a": 0.5, "b": 0.1},
            "seconds": {"numpy": [9], "a": [5, 6, 7], "b": [1]},
        }
        assert tables_others.lines(results(scaling=[record])) == [
            ("density: f", [0.1, 0.5], [1, 6])
        ]

    def test_missed_aims(self):
        good, bad = self.products(3.0), self.products(6.0)
        assert render.missed(self.checked(products=[good])) == []
        (missed,) = render.missed(self.checked(products=[bad]))
        assert self.LABEL in missed and "1.00 [1.00, 1.00] (≥ 1.9)" in missed

    def test_what_is_missing_of_ours_is_missed(self):
        entry = {"peer": "sparsam", "what": "a", "why": "b", "threads": 1}
        there = {"products": [self.products(3.0)]}
        missed = render.missed(self.checked(missing=[entry], **there))
        assert missed == ["a is missing: b"]
        entry["peer"] = "torch"
        assert render.missed(self.checked(missing=[entry], **there)) == []

    def test_check_fails_on_a_missed_aim(self, tmp_path):
        path = tmp_path / "results.json"
        for ours, status in ((3.0, 0), (6.0, 1)):
            path.write_text(json.dumps(self.checked(products=[self.products(ours)])))
            done = bench(path, "--check")
            assert done.returncode == status, done.stderr
            assert ("an aim is missed" in done.stderr) == bool(status)

    def test_results_on_a_page(self, tmp_path):
        path, written = tmp_path / "results.json", tmp_path / "page.md"
        machine = [{"threads": 1, "gflops": [100.0], "read_gb_s": {"L1": [200.0]}}]
        data = results(products=[self.products(6.0)], machine=machine)
        path.write_text(json.dumps(data))
        written.write_text(f"before\n{page.BEGIN}\nan earlier run\n{page.END}\nafter\n")
        for _ in range(2):
            page.fill(written, [path])
        text = written.read_text()
        assert text.startswith("before\n") and text.endswith("\nafter\n")
        assert (
            "an earlier run" not in text
            and text.count("**1.00 [1.00, 1.00] (≥ 1.9)**") == 1
        )
        assert "images/bench-512-roofline.png" in text
        assert (tmp_path / "images/bench-512-roofline.png").stat().st_size > 1000

    def test_a_page_without_marks(self, tmp_path):
        written = tmp_path / "page.md"
        written.write_text("nothing\n")
        with pytest.raises(SystemExit, match="expected the marks"):
            page.fill(written, [])
