"""What sparsam-to-cpu makes of linalg, against NumPy in f64: sizes that leave
remainders, every strategy for reductions, operand orders of products."""

import numpy as np
import pytest
from sparsam import _core

DTYPES = {"f32": np.float32, "f64": np.float64}
TOLERANCE = {"f32": 2e-6, "f64": 1e-13}


def run(text, inputs, results, threads=None):
    """Compiles `text`, calls its only function, and returns `results` filled."""
    module = _core.Module.parse(text)
    module.run("sparsam-to-cpu")
    program = module.compile()
    (function,) = program.functions()
    given, free = iter(inputs), iter(results)
    program.call(
        function["name"],
        [next(given if a["role"] == "input" else free) for a in function["arguments"]],
    )
    return results


def assert_close(result, reference, element="f32"):
    assert np.isfinite(result).all()
    error = np.abs(result - reference).max() / max(np.abs(reference).max(), 1e-30)
    assert error < TOLERANCE[element], error


def tensor(shape, element):
    return "tensor<" + "".join(f"{size}x" for size in shape) + f"{element}>"


def reduction(shape, kept, element, body="arith.addf", initial="0.0"):
    letters = [f"d{i}" for i in range(len(shape))]
    result = [shape[i] for i in kept]
    kinds = ", ".join(
        '"parallel"' if i in kept else '"reduction"' for i in range(len(shape))
    )
    x, y = tensor(shape, element), tensor(result, element)
    source = f"affine_map<({', '.join(letters)}) -> ({', '.join(letters)})>"
    target = (
        f"affine_map<({', '.join(letters)}) -> ({', '.join(letters[i] for i in kept)})>"
    )
    return f"""
    func.func @f(%x: {x}) -> {y} {{
      %c = arith.constant {initial} : {element}
      %e = tensor.empty() : {y}
      %z = linalg.fill ins(%c : {element}) outs(%e : {y}) -> {y}
      %r = linalg.generic {{indexing_maps = [{source}, {target}], iterator_types = [{kinds}]}}
          ins(%x : {x}) outs(%z : {y}) {{
      ^bb0(%a: {element}, %o: {element}):
        %0 = {body} %o, %a : {element}
        linalg.yield %0 : {element}
      }} -> {y}
      return %r : {y}
    }}"""


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(
    "shape, kept",
    [
        ((7, 13), (0,)),  # rows, small
        ((600, 517), (0,)),  # rows
        ((7, 13), (1,)),  # columns, small
        ((517, 600), (1,)),  # columns, split along the rows
        ((517, 1000), (1,)),  # columns, in blocks with a remainder
        ((300, 2051), (1,)),
        ((100003,), ()),  # everything, split
        ((17, 331, 29), ()),
        ((9, 41, 350), (1,)),  # in the middle
        ((9, 41, 350), (0, 2)),
        ((4, 8, 33, 35), (0, 1, 3)),
        ((5,), ()),
        ((1, 70000), (0,)),  # one row
    ],
)
def test_sums(shape, kept, element):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, shape).astype(DTYPES[element])
    y = np.full([shape[i] for i in kept], np.nan, DTYPES[element])
    run(reduction(shape, kept, element), [x], [y])
    away = tuple(i for i in range(len(shape)) if i not in kept)
    assert_close(y, x.astype(np.float64).sum(axis=away), element)


@pytest.mark.parametrize(
    "shape, kept", [((600, 517), (0,)), ((517, 600), (1,)), ((100003,), ())]
)
def test_maxima_keep_nan_and_infinity(shape, kept):
    rng = np.random.default_rng(1)
    x = -rng.uniform(1, 2, shape).astype(np.float32)
    x.flat[5] = np.nan
    x.flat[-1] = np.inf
    y = np.zeros([shape[i] for i in kept], np.float32)
    run(reduction(shape, kept, "f32", "arith.maximumf", "0xFF800000"), [x], [y])
    away = tuple(i for i in range(len(shape)) if i not in kept)
    np.testing.assert_array_equal(y, x.max(axis=away))


def test_a_reduction_does_not_depend_on_the_threads():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 1000)).astype(np.float32)
    results = []
    before = _core.num_threads()
    try:
        for threads in (1, 2, 3):
            _core.set_num_threads(threads)
            y = np.zeros((), np.float32)
            run(reduction(x.shape, (), "f32"), [x], [y])
            results.append(y.tobytes())
    finally:
        _core.set_num_threads(before)
    assert len(set(results)) == 1


FUNCTIONS = {
    "exp": (np.exp, -20, 20),
    "exp2": (np.exp2, -20, 20),
    "expm1": (np.expm1, -2, 2),
    "tanh": (np.tanh, -10, 10),
    "log": (np.log, 1e-3, 1e3),
    "log1p": (np.log1p, -0.9, 10),
    "sqrt": (np.sqrt, 0, 100),
    "rsqrt": (lambda v: 1 / np.sqrt(v), 1e-3, 100),
    "sin": (np.sin, -7, 7),
    "cos": (np.cos, -7, 7),
    "absf": (np.abs, -1, 1),
    "floor": (np.floor, -9, 9),
    "roundeven": (np.round, -9, 9),
    "cbrt": (np.cbrt, -9, 9),
}


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, element):
    reference, low, high = FUNCTIONS[name]
    x = np.linspace(low, high, 10007).astype(DTYPES[element])
    y = np.full_like(x, np.nan)
    t = tensor(x.shape, element)
    run(
        f"""
    func.func @f(%x: {t}) -> {t} {{
      %e = tensor.empty() : {t}
      %r = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                           iterator_types = ["parallel"]}} ins(%x : {t}) outs(%e : {t}) {{
      ^bb0(%a: {element}, %o: {element}):
        %0 = math.{name} %a : {element}
        linalg.yield %0 : {element}
      }} -> {t}
      return %r : {t}
    }}""",
        [x],
        [y],
    )
    expected = reference(x.astype(np.float64))
    np.testing.assert_allclose(
        y,
        expected,
        **(
            dict(rtol=3e-6, atol=2e-7)
            if element == "f32"
            else dict(rtol=1e-13, atol=1e-15)
        ),
    )


def test_softmax_of_masked_scores():
    """A boolean in memory, infinities, and a row maximum and sum."""
    x = np.random.default_rng(3).standard_normal((128, 192)).astype(np.float32)
    y = np.full_like(x, np.nan)
    t, r, m = "tensor<128x192xf32>", "tensor<128xf32>", "tensor<128x192xi1>"
    loop = 'iterator_types = ["parallel", "parallel"]'
    row = 'iterator_types = ["parallel", "reduction"]'
    id_, of_row = "affine_map<(i, j) -> (i, j)>", "affine_map<(i, j) -> (i)>"
    run(
        f"""
    func.func @f(%x: {t}) -> ({t}, {m}) {{
      %zero = arith.constant 0.0 : f32
      %low = arith.constant 0xFF800000 : f32
      %e = tensor.empty() : {t}
      %em = tensor.empty() : {m}
      %er = tensor.empty() : {r}
      %mask = linalg.generic {{indexing_maps = [{id_}], {loop}}} outs(%em : {m}) {{
      ^bb0(%o: i1):
        %i = linalg.index 0 : index
        %j = linalg.index 1 : index
        %0 = arith.cmpi sle, %j, %i : index
        linalg.yield %0 : i1
      }} -> {m}
      %masked = linalg.generic {{indexing_maps = [{id_}, {id_}, {id_}], {loop}}}
          ins(%mask, %x : {m}, {t}) outs(%e : {t}) {{
      ^bb0(%b: i1, %a: f32, %o: f32):
        %0 = arith.select %b, %a, %low : f32
        linalg.yield %0 : f32
      }} -> {t}
      %m0 = linalg.fill ins(%low : f32) outs(%er : {r}) -> {r}
      %max = linalg.generic {{indexing_maps = [{id_}, {of_row}], {row}}} ins(%masked : {t}) outs(%m0 : {r}) {{
      ^bb0(%a: f32, %o: f32):
        %0 = arith.maximumf %o, %a : f32
        linalg.yield %0 : f32
      }} -> {r}
      %s0 = linalg.fill ins(%zero : f32) outs(%er : {r}) -> {r}
      %exp, %sum = linalg.generic {{indexing_maps = [{id_}, {of_row}, {id_}, {of_row}], {row}}}
          ins(%masked, %max : {t}, {r}) outs(%e, %s0 : {t}, {r}) {{
      ^bb0(%a: f32, %b: f32, %o: f32, %acc: f32):
        %0 = arith.subf %a, %b : f32
        %1 = math.exp %0 : f32
        %2 = arith.addf %acc, %1 : f32
        linalg.yield %1, %2 : f32, f32
      }} -> ({t}, {r})
      %y = linalg.generic {{indexing_maps = [{id_}, {of_row}, {id_}], {loop}}}
          ins(%exp, %sum : {t}, {r}) outs(%e : {t}) {{
      ^bb0(%a: f32, %b: f32, %o: f32):
        %0 = arith.divf %a, %b : f32
        linalg.yield %0 : f32
      }} -> {t}
      return %y, %mask : {t}, {m}
    }}""",
        [x],
        [y, mask := np.zeros(x.shape, bool)],
    )
    expected_mask = np.tril(np.ones(x.shape, bool))
    np.testing.assert_array_equal(mask, expected_mask)
    masked = np.where(expected_mask, x.astype(np.float64), -np.inf)
    weights = np.exp(masked - masked.max(1, keepdims=True))
    assert_close(y, weights / weights.sum(1, keepdims=True))


def product(terms, sizes, element, result_element=None):
    """A contraction written as an einsum, as one linalg.generic into zeros; operands that
    are narrower than the result are extended."""
    inputs, result = terms.split("->")
    left, right = inputs.split(",")
    letters = sorted(sizes)
    wide = result_element or element
    types = [tensor([sizes[c] for c in term], element) for term in (left, right)]
    types.append(tensor([sizes[c] for c in result], wide))
    maps = ", ".join(
        f"affine_map<({', '.join(letters)}) -> ({', '.join(term)})>"
        for term in (left, right, result)
    )
    kinds = ", ".join('"parallel"' if c in result else '"reduction"' for c in letters)
    kind = "i" if wide.startswith("i") else "f"
    extend = "extsi" if kind == "i" else "extf"
    operands, widened = ("%x", "%y"), ""
    if wide != element:
        operands = ("%wx", "%wy")
        widened = "".join(
            f"%w{name} = arith.{extend} %{name} : {element} to {wide}\n" for name in "xy"
        )
    return f"""
    func.func @f(%a: {types[0]}, %b: {types[1]}) -> {types[2]} {{
      %c = arith.constant {"0" if kind == "i" else "0.0"} : {wide}
      %e = tensor.empty() : {types[2]}
      %z = linalg.fill ins(%c : {wide}) outs(%e : {types[2]}) -> {types[2]}
      %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
          ins(%a, %b : {types[0]}, {types[1]}) outs(%z : {types[2]}) {{
      ^bb0(%x: {element}, %y: {element}, %o: {wide}):
        {widened}
        %0 = arith.mul{kind} {operands[0]}, {operands[1]} : {wide}
        %1 = arith.add{kind} %o, %0 : {wide}
        linalg.yield %1 : {wide}
      }} -> {types[2]}
      return %r : {types[2]}
    }}"""


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "terms, sizes",
    [
        ("mk,kn->mn", dict(m=257, k=130, n=391)),
        ("mk,nk->mn", dict(m=257, k=130, n=391)),
        ("km,nk->nm", dict(m=1000, k=70, n=9)),
        ("bmk,bkn->bmn", dict(b=7, m=65, k=66, n=67)),
        ("bihd,bjhd->bhij", dict(b=3, h=4, i=50, j=60, d=32)),
    ],
)
def test_threaded_products_add_to_what_is_there(terms, sizes, threads):
    """Large enough for threads, and more of these than processors."""
    text = product(terms, sizes, "f32")
    result = tensor([sizes[c] for c in terms.split("->")[1]], "f32")
    text = text.replace(") -> tensor", f", %z: {result}) -> tensor", 1)
    text = "\n".join(
        line
        for line in text.splitlines()
        if not line.strip().startswith(("%c =", "%e =", "%z ="))
    )
    rng = np.random.default_rng(threads)
    inputs, shape = terms.split("->")
    a, b = (
        rng.standard_normal([sizes[c] for c in term]).astype(np.float32)
        for term in inputs.split(",")
    )
    start = rng.standard_normal([sizes[c] for c in shape]).astype(np.float32)
    expected = start + np.einsum(terms, a.astype(np.float64), b.astype(np.float64))
    before = _core.num_threads()
    try:
        _core.set_num_threads(threads)
        (found,) = run(text, [a, b, start.copy()], [np.full_like(start, np.nan)])
    finally:
        _core.set_num_threads(before)
    assert_close(found, expected)


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(
    "terms, sizes",
    [
        ("mk,kn->mn", dict(m=65, k=33, n=129)),
        ("km,kn->mn", dict(m=65, k=300, n=129)),
        ("mk,nk->mn", dict(m=65, k=33, n=129)),
        ("km,nk->mn", dict(m=65, k=33, n=129)),
        ("mk,kn->nm", dict(m=65, k=33, n=129)),
        ("km,nk->nm", dict(m=65, k=33, n=129)),
        ("mk,kn->mn", dict(m=1, k=33, n=129)),
        ("mk,kn->mn", dict(m=65, k=1, n=129)),
        ("mk,kn->mn", dict(m=3, k=2, n=2)),
        ("mk,kn->mn", dict(m=1, k=5000, n=1)),
        ("mk,k->m", dict(m=700, k=300)),
        ("k,kn->n", dict(k=300, n=700)),
        ("bmk,bkn->bmn", dict(b=7, m=33, k=20, n=41)),
        ("bihd,bjhd->bhij", dict(b=3, h=4, i=20, j=20, d=16)),
        ("bhij,bjhd->bihd", dict(b=3, h=4, i=20, j=20, d=16)),
        ("btk,kn->btn", dict(b=3, t=40, k=20, n=70)),
        ("btk,btn->kn", dict(b=3, t=40, k=20, n=70)),
        ("kml,lkn->mn", dict(k=6, m=30, l=10, n=40)),  # K in two parts: packed
        ("abk,kcd->cadb", dict(a=3, b=4, k=5, c=6, d=7)),  # scattered result: packed
        ("abck,abcn->abckn", dict(a=2, b=3, c=4, k=5, n=6)),  # no reduction: loops
    ],
)
def test_products(terms, sizes, element):
    rng = np.random.default_rng(4)
    inputs, result = terms.split("->")
    a, b = (
        rng.standard_normal([sizes[c] for c in term]).astype(DTYPES[element])
        for term in inputs.split(",")
    )
    c = np.full([sizes[x] for x in result], np.nan, DTYPES[element])
    run(product(terms, sizes, element), [a, b], [c])
    assert_close(c, np.einsum(terms, a.astype(np.float64), b.astype(np.float64)), element)


def test_control_flow():
    """A branch and a loop of unknown length on tensors, and integer powers."""
    t = "tensor<4xf32>"
    text = f"""
    func.func @f(%x: {t} {{sparsam.updates = 0 : i64}}, %p: tensor<i1>, %n: tensor<i32>)
        -> ({t}, {t}, tensor<i32>) {{
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %branch = tensor.extract %p[] : tensor<i1>
      %end = tensor.extract %n[] : tensor<i32>
      %y = scf.if %branch -> {t} {{
        %0 = math.exp %x : {t}
        scf.yield %0 : {t}
      }} else {{
        scf.yield %x : {t}
      }}
      %w:2 = scf.while (%i = %c0, %v = %y) : (i32, {t}) -> (i32, {t}) {{
        %more = arith.cmpi slt, %i, %end : i32
        scf.condition(%more) %i, %v : i32, {t}
      }} do {{
      ^bb0(%i: i32, %v: {t}):
        %j = arith.addi %i, %c1 : i32
        %z = arith.addf %v, %v : {t}
        scf.yield %j, %z : i32, {t}
      }}
      %power = math.ipowi %n, %n : tensor<i32>
      return %y, %w#1, %power : {t}, {t}, tensor<i32>
    }}"""
    module = _core.Module.parse(text)
    module.run("sparsam-to-cpu")
    program = module.compile()
    for branch in (False, True):
        x = np.array([1, -2, 0.5, 3], np.float32)
        expected = np.exp(x) if branch else x.copy()
        results = [np.full_like(x, np.nan), np.zeros((), np.int32)]
        program.call("f", [x, np.array(branch), np.array(3, np.int32), *results])
        np.testing.assert_allclose(x, expected, rtol=1e-6)
        np.testing.assert_allclose(results[0], 8 * expected, rtol=1e-6)
        assert results[1] == 27
