"""From the graph of a step to annotated MLIR text for the compiler.

The importer and the passes are those of torch-mlir, in the PyPI package
`iree-base-compiler`; the text is input of `sparsam-import`.
"""

from __future__ import annotations

from iree.compiler import ir
from iree.compiler.extras.fx_importer import FxImporter

from .. import _iree
from .._later_passes import DEPENDS
from .._pairing import Leaf
from ._trace import Traced

# torch-mlir's way to linalg on tensors, up to where IREE would wrap the function for its
# own runtime.
_ON_FUNCTIONS = """
    torch-reduce-op-variants torch-decompose-complex-ops torch-scalarize-shapes
    torch-restructure-non-constant-axes convert-torch-to-tmtensor
    torch-iree-tm-tensor-to-linalg-ext torch-iree-torch-unstructured-to-linalg-ext
    convert-torch-to-tensor convert-torch-to-linalg cse convert-torch-to-scf
    convert-torch-to-arith
"""
_PIPELINE = (
    f"builtin.module(func.func({','.join(_ON_FUNCTIONS.split())}),"
    "convert-torch-conversion-to-mlprogram,func.func(cse),"
    "torch-func-backend-type-conversion,"
    "func.func(canonicalize,torch-finalizing-backend-type-conversion,canonicalize))"
)
_OPTIONS = (
    "--allow-unregistered-dialect",
    "--mlir-print-op-generic",
    # Where the user's source has what the compiler remarks on.
    "--mlir-print-debuginfo",
    f"--pass-pipeline={_PIPELINE}",
)


def lower(
    traced: Traced,
    arguments: list[Leaf],
    results: list[Leaf],
    params: dict[str, int],
    updates: dict[int, int],
) -> str:
    """The text of the graph as a function `main`, with the names and roles of its arguments
    and results."""
    for node in traced.graph.graph.nodes:
        if node.op == "placeholder":
            # Arguments come from nowhere in the source; they are named instead.
            node.meta["stack_trace"] = ""
    with ir.Context() as context, ir.Location.unknown():
        context.allow_unregistered_dialects = True
        importer = FxImporter(context=context)
        main = importer.import_stateless_graph(traced.graph.graph, func_name="main")
        _annotate(main, arguments, results, params, updates, traced)
        text = importer.module.operation.get_asm(enable_debug_info=True)
    text = _iree.run("iree-opt", _OPTIONS, text)
    _iree.check_names(text, len(arguments) + len(results))
    return text


def _annotate(main, arguments, results, params, updates, traced):
    args = [{"name": ir.StringAttr.get(leaf.path)} for leaf in arguments]
    for path, i in params.items():
        args[i]["param"] = ir.StringAttr.get(path)
        if path in traced.later:
            args[i]["no_gradient"] = ir.StringAttr.get(DEPENDS)
    number = ir.IntegerType.get_signless(64)
    for i, k in updates.items():
        args[i]["updates"] = ir.IntegerAttr.get(number, k)
    outs = [{"name": ir.StringAttr.get(leaf.path)} for leaf in results]
    outs += [{"gradient_of": ir.StringAttr.get(path)} for path in traced.marked]

    def dictionaries(values):
        return ir.ArrayAttr.get(
            [
                ir.DictAttr.get({f"sparsam.{name}": a for name, a in value.items()})
                for value in values
            ]
        )

    main.attributes["arg_attrs"] = dictionaries(args)
    main.attributes["res_attrs"] = dictionaries(outs)
