"""Work on the StableHLO of a step, before it goes to the importer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

from ._windows import open_windows


def _operations(module, wanted: Callable[[str], bool]) -> list:
    found = []

    def visit(op):
        if wanted(op.name):
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def drop_shardings(module):
    """Removes what JAX says about devices (for random keys, without being asked)."""
    for op in _operations(module, lambda name: name.startswith("sdy.")):
        for result, operand in zip(op.results, op.operands, strict=False):
            result.replace_all_uses_with(operand)
        op.erase()


def clear_windows(module):
    """Gives scatters windows that iree-compile takes."""
    for work in (_drop_unit_windows, open_windows):
        for op in _operations(module, lambda name: name == "stablehlo.scatter"):
            if len(op.operands) == 3:
                with module.context, op.location, ir.InsertionPoint(op):
                    work(op)


def _drop_unit_windows(op):
    """Drops dimensions of size one that a scatter writes whole.

    `jnp.take_along_axis`, and with it a cross entropy, makes windows of dimensions of
    size one, which iree-compile takes wrongly where several others are indexed.
    """
    dims = stablehlo.ScatterDimensionNumbers(op.attributes["scatter_dimension_numbers"])
    operand, indices, updates = op.operands
    other = [*dims.inserted_window_dims, *dims.input_batching_dims]
    windows = [dim for dim in range(len(operand.type.shape)) if dim not in other]
    # The dimension of the operand that each window dimension of the updates is.
    pairs = list(zip(windows, dims.update_window_dims, strict=True))
    unit = [pair for pair in pairs if operand.type.shape[pair[0]] == 1]
    unit = [pair for pair in unit if pair[0] not in dims.scattered_dims_to_operand_dims]
    if not unit:
        return
    kept = [i for i in range(len(operand.type.shape)) if i not in [o for o, _ in unit]]
    kept_updates = [
        i for i in range(len(updates.type.shape)) if i not in [u for _, u in unit]
    ]
    numbers = stablehlo.ScatterDimensionNumbers.get(
        [kept_updates.index(u) for o, u in pairs if (o, u) not in unit],
        [kept.index(dim) for dim in dims.inserted_window_dims],
        [kept.index(dim) for dim in dims.input_batching_dims],
        list(dims.scatter_indices_batching_dims),
        [kept.index(dim) for dim in dims.scattered_dims_to_operand_dims],
        dims.index_vector_dim,
    )
    small = _reshape(operand, kept)
    scatter = ir.Operation.create(
        op.name,
        results=[small.type],
        operands=[small, indices, _reshape(updates, kept_updates)],
        attributes={name: op.attributes[name] for name in op.attributes}
        | {"scatter_dimension_numbers": numbers},
        regions=1,
    )
    op.regions[0].blocks[0].append_to(scatter.regions[0])
    whole = stablehlo.ReshapeOp(operand.type, scatter.results[0]).result
    op.results[0].replace_all_uses_with(whole)
    op.erase()


def clamp_gathers(module):
    """Clamps the indices of gathers into the operand, as StableHLO has it: iree-compile
    reads at whatever place they name."""
    for op in _operations(module, lambda name: name == "stablehlo.gather"):
        with module.context, ir.Location.unknown(), ir.InsertionPoint(op):
            _clamp_gather(op)


def _clamp_gather(op):
    dims = stablehlo.GatherDimensionNumbers(op.attributes["dimension_numbers"])
    operand, indices = op.operands
    sizes = ir.DenseI64ArrayAttr(op.attributes["slice_sizes"])
    bounds = np.array(
        [operand.type.shape[dim] - sizes[dim] for dim in dims.start_index_map]
    )
    type = indices.type
    unsigned = ir.IntegerType(type.element_type).is_unsigned
    width = ir.IntegerType(type.element_type).width
    dtype = np.dtype(f"{'u' if unsigned else ''}int{width}")
    # What does not fit the indices' type no index exceeds.
    bounds = np.minimum(bounds, np.iinfo(dtype).max).astype(dtype)

    def spread(values):
        vector = ir.RankedTensorType.get([len(values)], type.element_type)
        constant = stablehlo.ConstantOp(
            ir.DenseElementsAttr.get(values, type=vector)
        ).result
        implicit = dims.index_vector_dim == len(type.shape)
        if implicit:
            scalar = ir.RankedTensorType.get([], type.element_type)
            constant = stablehlo.ReshapeOp(scalar, constant).result
        along = [] if implicit else [dims.index_vector_dim]
        return stablehlo.BroadcastInDimOp(
            type, constant, ir.DenseI64ArrayAttr.get(along)
        ).result

    op.operands[1] = stablehlo.ClampOp(
        spread(np.zeros_like(bounds)), indices, spread(bounds)
    ).result


def _reshape(value, kept: list[int]):
    """`value` with the dimensions `kept`; the others are of size one."""
    shape = [value.type.shape[dim] for dim in kept]
    smaller = ir.RankedTensorType.get(shape, value.type.element_type)
    return stablehlo.ReshapeOp(smaller, value).result


def annotate(module, arguments, results, params, updates, marks, reasons):
    """Replaces the attributes of `main`'s arguments and results by ours."""

    def dictionary(**attributes):
        return ir.DictAttr.get({f"sparsam.{name}": a for name, a in attributes.items()})

    with module.context, ir.Location.unknown():
        text, number = ir.StringAttr.get, ir.IntegerType.get_signless(64)
        args = [{"name": text(leaf.path)} for leaf in arguments]
        for path, i in params.items():
            args[i]["param"] = text(path)
            if path in reasons:
                args[i]["no_gradient"] = text(reasons[path])
        for i, k in updates.items():
            args[i]["updates"] = ir.IntegerAttr.get(number, k)
        outs = [{"name": text(leaf.path)} for leaf in results]
        outs += [{"gradient_of": text(path)} for path in marks]
        (main,) = (
            op
            for op in module.body.operations
            if _text_of(op.attributes, "sym_name") == "main"
        )
        main.attributes["arg_attrs"] = ir.ArrayAttr.get([dictionary(**a) for a in args])
        main.attributes["res_attrs"] = ir.ArrayAttr.get([dictionary(**a) for a in outs])


def _text_of(attributes, name) -> str | None:
    return attributes[name].value if name in attributes else None
