"""Scatters of windows as scatters of what is in them."""

from __future__ import annotations

from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo


def open_windows(op):
    """Gives each position of a window an index of its own, where a scatter writes windows
    into dimensions that it indexes (`w.at[0:2].add(x)`), which iree-compile has no way for.

    As in XLA a window that is not inside of the operand as a whole is dropped.
    """
    dims = stablehlo.ScatterDimensionNumbers(op.attributes["scatter_dimension_numbers"])
    operand, indices, updates = op.operands
    indexed = list(dims.scattered_dims_to_operand_dims)
    other = [*dims.inserted_window_dims, *dims.input_batching_dims]
    windows = [dim for dim in range(len(operand.type.shape)) if dim not in other]
    # The dimension of the updates that is a window's in each dimension of the operand.
    place = dict(zip(windows, dims.update_window_dims, strict=True))
    opened = [dim for dim in windows if dim in indexed]
    size = {dim: updates.type.shape[place[dim]] for dim in opened}
    if all(extent == 1 for extent in size.values()):
        return
    closed = [dim for dim in windows if dim not in opened]
    batch = [i for i in range(len(updates.type.shape)) if i not in place.values()]
    order = [*batch, *(place[dim] for dim in opened), *(place[dim] for dim in closed)]
    count = len(batch) + len(opened)
    at = dims.index_vector_dim
    numbers = stablehlo.ScatterDimensionNumbers.get(
        list(range(count, len(order))),
        sorted([*dims.inserted_window_dims, *opened]),
        list(dims.input_batching_dims),
        [dim - (dim > at) for dim in dims.scatter_indices_batching_dims],
        indexed,
        count,
    )
    shape = [updates.type.shape[i] for i in order]
    attributes = {name: op.attributes[name] for name in op.attributes}
    scatter = ir.Operation.create(
        op.name,
        results=[operand.type],
        operands=[
            operand,
            _indices(indices, at, shape[:count], opened, size, indexed, operand),
            stablehlo.TransposeOp(updates, ir.DenseI64ArrayAttr.get(order)).result,
        ],
        attributes=attributes
        | {
            "scatter_dimension_numbers": numbers,
            "indices_are_sorted": ir.BoolAttr.get(False),
        },
        regions=1,
    )
    op.regions[0].blocks[0].append_to(scatter.regions[0])
    op.results[0].replace_all_uses_with(scatter.results[0])
    op.erase()


def _indices(indices, at, shape, opened, size, indexed, operand):
    """The indices of `shape`, the batch dimensions and then those of the windows, with the
    components behind them; -1 in windows that are dropped."""
    element = indices.type.element_type
    whole = ir.RankedTensorType.get(shape, element)
    batch = len(shape) - len(opened)

    def spread(value: int):
        attribute = ir.DenseElementsAttr.get_splat(
            whole, ir.IntegerAttr.get(element, value)
        )
        return stablehlo.ConstantOp(attribute).result

    components, inside = [], None
    for number, dim in enumerate(indexed):
        start = _component(indices, at, number)
        start = stablehlo.BroadcastInDimOp(
            whole, start, ir.DenseI64ArrayAttr.get(range(batch))
        ).result
        last = operand.type.shape[dim] - size.get(dim, 1)
        for direction, bound in (("GE", 0), ("LE", last)):
            fits = stablehlo.CompareOp(
                start,
                spread(bound),
                stablehlo.ComparisonDirectionAttr.get(direction),
            ).result
            inside = stablehlo.AndOp(inside, fits).result if inside else fits
        if dim in opened:
            along = stablehlo.IotaOp(whole, batch + opened.index(dim)).result
            start = stablehlo.AddOp(start, along).result
        components.append(start)
    one = ir.RankedTensorType.get([*shape, 1], element)
    return stablehlo.ConcatenateOp(
        [
            stablehlo.ReshapeOp(
                one, stablehlo.SelectOp(inside, each, spread(-1)).result
            ).result
            for each in components
        ],
        len(shape),
    ).result


def _component(indices, at: int, number: int):
    """One component of indices, without the dimension that it is in."""
    shape = list(indices.type.shape)
    if at == len(shape):
        return indices
    begin, end = [0] * len(shape), list(shape)
    begin[at], end[at] = number, number + 1
    array = ir.DenseI64ArrayAttr.get
    part = stablehlo.SliceOp(indices, array(begin), array(end), array([1] * len(shape)))
    smaller = ir.RankedTensorType.get(
        shape[:at] + shape[at + 1 :], indices.type.element_type
    )
    return stablehlo.ReshapeOp(smaller, part.result).result
