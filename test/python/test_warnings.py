"""What the compiler warns of reaches its user as a Python warning."""

import warnings

import pytest
import sparsam
from oracle import case

MLP = case("mlp", "adamw", "mixed", seed=1)
ARGS = (MLP.params, MLP.state, *MLP.batches[0])
FIRST = {"layer0/w": "nm<2:8, vector = 8>"}


def compile_with(structure, **more):
    return sparsam.compile(MLP.train_step, ARGS, structure=structure, **more)


def test_a_glob_that_decides_nothing(capfd):
    with pytest.warns(
        sparsam.CompilerWarning, match=r"`layer0/w\*` decides nothing"
    ) as seen:
        step = compile_with(FIRST | {"layer0/w*": "nm<1:4>"})
    (warning,) = seen
    assert issubclass(warning.category, UserWarning)
    assert warning.filename == __file__
    # It stays among the remarks, and nothing is printed.
    assert str(warning.message) in step.remarks
    assert capfd.readouterr().err == ""


def test_a_file_of_tile_sizes_that_is_not_there(tmp_path):
    path = tmp_path / "tiles.json"
    with pytest.warns(sparsam.CompilerWarning, match=f"{path}.*cannot read it"):
        compile_with(FIRST, tiles=path)


def test_warnings_may_be_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error", sparsam.CompilerWarning)
        with pytest.raises(sparsam.CompilerWarning, match="decides nothing"):
            compile_with(FIRST | {"layer0/w*": "nm<1:4>"})


def test_remarks_are_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_with(FIRST)


def test_more_threads_than_cores(monkeypatch):
    before = sparsam.num_threads()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    try:
        with pytest.warns(UserWarning, match="threads=99: .* 2 cores") as seen:
            sparsam.set_num_threads(99)
        assert seen[0].filename == __file__
        assert sparsam.num_threads() == 99
    finally:
        sparsam.set_num_threads(0)
        sparsam.set_num_threads(before)
