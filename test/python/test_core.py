"""sparsam._core: modules, compilation and calls on arrays."""

import gc
import os
import resource
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from sparsam import _core

# out = a + b, and c, updated in place, becomes c + a; through the workspace.
STEP = """
func.func @step(
    %a: memref<4x8xf32> {sparsam.name = "x"},
    %c: memref<4x8xf32> {sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 0 : i64},
    %b: memref<4x8xf32> {sparsam.name = "y"},
    %out: memref<4x8xf32> {sparsam.result = 1 : i64},
    %scratch: memref<128xi8> {sparsam.workspace}) attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %t = memref.view %scratch[%c0][] : memref<128xi8> to memref<4x8xf32>
  scf.parallel (%i) = (%c0) to (%c4) step (%c1) {
    scf.for %j = %c0 to %c8 step %c1 {
      %x = memref.load %a[%i, %j] : memref<4x8xf32>
      %y = memref.load %b[%i, %j] : memref<4x8xf32>
      %s = arith.addf %x, %y : f32
      memref.store %s, %t[%i, %j] : memref<4x8xf32>
      %z = memref.load %c[%i, %j] : memref<4x8xf32>
      %u = arith.addf %z, %x : f32
      memref.store %u, %c[%i, %j] : memref<4x8xf32>
    }
    scf.reduce
  }
  memref.copy %t, %out : memref<4x8xf32> to memref<4x8xf32>
  return
}
"""

FAILING = """
func.func private @sparsam_runtime_error(!llvm.ptr)
llvm.mlir.global constant @text("the SVD did not converge\\00")
func.func @fails(%a: memref<f32>) attributes {llvm.emit_c_interface} {
  %0 = llvm.mlir.addressof @text : !llvm.ptr
  call @sparsam_runtime_error(%0) : (!llvm.ptr) -> ()
  return
}
func.func @works(%a: memref<f32>) attributes {llvm.emit_c_interface} {
  return
}
"""


@pytest.fixture(scope="module")
def program():
    return _core.Module.parse(STEP).compile()


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    a, c, b = (rng.standard_normal((4, 8), dtype=np.float32) for _ in range(3))
    return a, c, b, np.empty((4, 8), np.float32)


def test_functions_say_what_each_argument_is(program):
    (step,) = program.functions()
    assert step["name"] == "step"
    assert [a["role"] for a in step["arguments"]] == [
        "input",
        "updated",
        "input",
        "result",
    ]
    assert [a["result"] for a in step["arguments"]] == [None, 0, None, 1]
    assert step["arguments"][1]["attributes"]["sparsam.param"] == "w"
    assert step["arguments"][1]["shape"] == (4, 8)
    assert step["arguments"][1]["dtype"] == "float32"
    assert step["workspace_bytes"] == 128
    assert set(program.seconds) >= {"lower", "translate", "load"}


def test_a_call_updates_in_place_and_writes_results(program):
    a, c, b, out = arrays()
    before = c.copy()
    program.call("step", [a, c, b, out])
    np.testing.assert_array_equal(out, a + b)
    np.testing.assert_array_equal(c, before + a)


def test_jax_arrays_are_inputs_without_copies_and_never_outputs(program):
    jnp = pytest.importorskip("jax.numpy")
    import jax

    a, c, b, out = arrays()
    # Not ready yet when the call begins.
    heavy = jax.jit(lambda t: (t @ t @ t)[:4, :8] * 0 + jnp.asarray(a))(
        jnp.ones((900, 900))
    )
    program.call("step", [heavy, c, jnp.asarray(b), out])
    np.testing.assert_array_equal(out, a + b)
    kept = jnp.asarray(c)
    with pytest.raises(TypeError, match="argument 1 '0/w' is written to.*JAX"):
        program.call("step", [a, kept, b, out])


TOGETHER = """
import sys
for name in sys.argv[1:]:
    if name == "jax":
        import jax.numpy as jnp
        assert float((jnp.ones((64, 64)) @ jnp.ones((64, 64)))[0, 0]) == 64
    else:
        import numpy as np
        from sparsam import _core
        text = sys.stdin.read() if name == "core" else text
        program = _core.Module.parse(text).compile()
        a, c, b, out = (np.full((4, 8), k, np.float32) for k in range(4))
        program.call("step", [a, c, b, out])
        assert (out == 2).all()
"""


@pytest.mark.parametrize("order", [["jax", "core", "jax"], ["core", "jax", "core again"]])
def test_jax_lives_in_the_same_process_before_and_after(order):
    pytest.importorskip("jax")
    run = subprocess.run(
        [sys.executable, "-c", TOGETHER, *order], input=STEP, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("position", "array", "error", "message"),
    [
        (
            0,
            np.zeros((4, 8)),
            TypeError,
            "argument 0 'x' must be of dtype float32.*float64",
        ),
        (
            2,
            np.zeros((8, 4), np.float32),
            ValueError,
            r"'y' must be of shape \(4, 8\).*\(8, 4\)",
        ),
        (2, np.zeros(4, np.float32), ValueError, r"is of shape \(4,\)"),
        (0, np.zeros((8, 4), np.float32).T, ValueError, "contiguous"),
        (0, [1.0], TypeError, "must be an array"),
        (0, None, TypeError, "must be an array"),
    ],
)
def test_a_wrong_array_is_refused_by_name(program, position, array, error, message):
    given = list(arrays())
    given[position] = array
    with pytest.raises(error, match=message):
        program.call("step", given)


def test_a_read_only_output_is_refused(program):
    a, c, b, out = arrays()
    out.flags.writeable = False
    a.flags.writeable = False
    with pytest.raises(ValueError, match="argument 3 is written to.*read-only"):
        program.call("step", [a, c, b, out])


def test_shared_memory_is_refused_where_it_is_written(program):
    a, c, b, out = arrays()
    with pytest.raises(RuntimeError, match="argument 0 'x' and argument 3 share"):
        program.call("step", [a, c, b, a])
    with pytest.raises(RuntimeError, match="share"):
        program.call("step", [a, c, c, out])
    program.call("step", [a, c, a, out])


def test_unknown_functions_and_wrong_counts(program):
    with pytest.raises(ValueError, match="no function 'stop'.*'step'"):
        program.call("stop", [])
    with pytest.raises(ValueError, match="takes 4 arrays, and got 1"):
        program.call("step", [np.zeros(1)])


def test_a_failure_inside_a_program_is_raised_once():
    program = _core.Module.parse(FAILING).compile()
    scalar = np.zeros((), np.float32)
    with pytest.raises(
        RuntimeError, match="function 'fails' failed: the SVD did not converge"
    ):
        program.call("fails", [scalar])
    program.call("works", [scalar])


def test_calls_from_several_threads(program):
    def work(seed, failures):
        a, c, b, out = arrays(seed)
        for _ in range(50):
            program.call("step", [a, c, b, out])
            if not np.array_equal(out, a + b):
                failures.append(seed)

    failures = []
    threads = [threading.Thread(target=work, args=(i, failures)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_memory_is_constant_over_a_thousand_calls(program):
    given = arrays()
    for _ in range(100):
        program.call("step", given)
    gc.collect()
    tracemalloc.start()
    before, resident = tracemalloc.get_traced_memory()[0], peak_resident()
    for _ in range(1000):
        program.call("step", given)
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] - before < 10_000
    tracemalloc.stop()
    assert peak_resident() - resident < 1_000_000


def peak_resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_many_programs_come_and_go():
    for _ in range(3):
        _core.Module.parse(STEP).compile()
    gc.collect()
    before = peak_resident()
    for _ in range(5):
        _core.Module.parse(STEP).compile()
        gc.collect()
    assert peak_resident() - before < 30_000_000


def test_threads_can_be_set(program):
    default = _core.num_threads()
    try:
        _core.set_num_threads(1)
        assert _core.num_threads() == 1
        test_a_call_updates_in_place_and_writes_results(program)
    finally:
        _core.set_num_threads(0)
    assert _core.num_threads() == default


def test_syntax_errors_say_where():
    with pytest.raises(_core.CompileError, match=r"model\.mlir:2:3: .*"):
        _core.Module.parse("func.func @f() {\n  oops\n}", "model.mlir")


def test_structure_errors_come_from_the_dialect():
    with pytest.raises(_core.CompileError, match="multiple of M = 4, found 15"):
        _core.Module.parse("func.func private @f(tensor<15x8xf32, #sparsam.nm<2:4>>)")


def test_an_unknown_pass_is_an_error():
    module = _core.Module.parse(STEP)
    with pytest.raises(
        _core.CompileError, match="cannot parse the pipeline 'no-such-pass'"
    ):
        module.run("no-such-pass")
    assert module.diagnostics[-1]["severity"] == "error"


def test_tensor_level_functions_do_not_compile_yet():
    module = _core.Module.parse(
        "func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {\n return %a : tensor<4xf32>\n}"
    )
    assert not module.at_boundary
    with pytest.raises(
        _core.CompileError, match="'f' returns a value.*sparsam-cpu-pipeline"
    ):
        module.compile()


def test_passes_run_on_a_clone_alone_and_are_timed():
    module = _core.Module.parse(
        "func.func @f(%a: i32) -> i32 {\n %0 = arith.constant 1 : i32\n return %a : i32\n}"
    )
    clone = module.clone()
    clone.run("canonicalize")
    assert "arith.constant" in module.text()
    assert "arith.constant" not in clone.text()
    assert clone.seconds.keys() == {"canonicalize"}


def test_functions_describe_tensors_and_structures():
    module = _core.Module.parse("""
func.func @f(%w: tensor<8x4xf32, #sparsam.nm<2:4>> {sparsam.param = "w", sparsam.updates = 0 : i64,
             sparsam.no_gradient}, %n: tensor<?xi32>) -> (tensor<i1> {sparsam.name = "done"}) {
  %0 = "some.op"() : () -> tensor<i1>
  return %0 : tensor<i1>
}
func.func private @g(i32)
""")
    (function,) = module.functions()
    weight, count = function["arguments"]
    assert weight["type"] == "tensor<8x4xf32, #sparsam.nm<2:4>>"
    assert weight["attributes"] == {
        "sparsam.param": "w",
        "sparsam.updates": 0,
        "sparsam.no_gradient": True,
    }
    assert (count["shape"], count["dtype"]) == ((None,), "int32")
    (done,) = function["results"]
    assert (done["shape"], done["dtype"], done["attributes"]) == (
        (),
        "bool",
        {"sparsam.name": "done"},
    )


DTYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "bf16": np.uint16, "i1": np.bool_,
          "i8": np.int8, "i16": np.uint16, "i32": np.uint32, "i64": np.int64, "ui8": np.uint8}  # fmt: skip


@pytest.mark.parametrize("element", DTYPES)
def test_every_element_type_passes_unchanged(element):
    program = _core.Module.parse(f"""
func.func @copy(%a: memref<3x2x{element}>, %b: memref<3x2x{element}> {{sparsam.result = 0 : i64}})
    attributes {{llvm.emit_c_interface}} {{
  memref.copy %a, %b : memref<3x2x{element}> to memref<3x2x{element}>
  return
}}""").compile()
    a = np.array([[0, 1], [1, 0], [1, 1]]).astype(DTYPES[element])
    b = np.zeros_like(a)
    program.call("copy", [a, b])
    np.testing.assert_array_equal(a, b)


def test_an_undefined_function_is_an_error_of_compilation():
    with pytest.raises(_core.CompileError, match="no_such_routine"):
        _core.Module.parse("""
func.func private @no_such_routine()
func.func @f(%a: memref<f32>) attributes {llvm.emit_c_interface} {
  call @no_such_routine() : () -> ()
  return
}""").compile()


def many_functions(count):
    """Loops alike but for a constant every second time, a shared helper and a counter."""
    functions = [f"""
func.func @f{i}(%a: memref<64xf32> {{sparsam.updates = 0 : i64}}) attributes {{llvm.emit_c_interface}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %k = arith.constant {i // 2}.0 : f32
  scf.parallel (%i) = (%c0) to (%c64) step (%c1) {{
    %x = memref.load %a[%i] : memref<64xf32>
    {"".join(f'%y{j} = arith.addf %{"x" if j == 0 else f"y{j - 1}"}, %k : f32' + chr(10) for j in range(40))}
    memref.store %y39, %a[%i] : memref<64xf32>
    scf.reduce
  }}
  func.call @count(%a) : (memref<64xf32>) -> ()
  return
}}""" for i in range(count)]  # fmt: skip
    return (
        "\n".join(functions)
        + """
memref.global "private" @calls : memref<f32> = dense<0.0>
func.func private @count(%a: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %calls = memref.get_global @calls : memref<f32>
  %n = memref.load %calls[] : memref<f32>
  %next = arith.addf %n, %one : f32
  memref.store %next, %calls[] : memref<f32>
  memref.store %next, %a[%c0] : memref<64xf32>
  return
}"""
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_compiled_by_several_threads_are_one_program(threads):
    program = _core.Module.parse(many_functions(60)).compile(threads=threads)
    for i in range(60):
        a = np.zeros(64, np.float32)
        program.call(f"f{i}", [a])
        assert a[0] == i + 1, "the counter is one variable"
        np.testing.assert_array_equal(a[1:], 40.0 * (i // 2))


def test_a_profile_counts_every_call():
    text = many_functions(1).replace("func.func @f0", "func.func @step")
    program = _core.Module.parse(text).compile(profile=True)
    _core.take_profile()
    for _ in range(3):
        program.call("step", [np.zeros(64, np.float32)])
    profile = _core.take_profile()
    assert {(name, calls) for name, calls, _ in profile} == {
        ("count", 3),
        ("parallel loop", 3),
    }
    assert all(0 <= seconds < 1 for _, _, seconds in profile)
    assert _core.take_profile() == []


@pytest.mark.parametrize(
    "text, shape, pinned",
    [
        ("nm<2:4>", (8, 6), "nm<2:4, in = [0]>"),
        ("low_rank< 3, in=[1] >", (8, 6), "low_rank<3, in = [1]>"),
        ("nm<2:4, stack = [0]>", (3, 8, 6), "nm<2:4, in = [1], stack = [0]>"),
    ],
)
def test_the_view_of_a_structure_written_out(text, shape, pinned):
    assert _core.pinned_structure(text, shape) == pinned
    assert _core.pinned_structure(pinned, shape) == pinned


@pytest.mark.parametrize(
    "text, shape, message",
    [
        ("nm<2>", (8, 6), "structure `nm<2>` does not parse"),
        ("nm<2:4, in = [2]>", (8, 6), "has input dimension 2, expected one of"),
        ("nm<2:4, in = [0, 1]>", (8, 6), "needs at least one output dimension"),
    ],
)
def test_a_view_that_does_not_fit(text, shape, message):
    with pytest.raises(ValueError, match=message):
        _core.pinned_structure(text, shape)
