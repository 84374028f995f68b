#include "ProductFunction.h"

#include "sparsam/Analysis/Views.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The loops of a product: rows of the activations, then the dimensions of the form.
struct ProductLoops {
  explicit ProductLoops(const SparseForm &form) {
    bindDims(form.type.getContext(), rows, first, second);
    inputs = form.isTransposed ? second : first;
    outputs = form.isTransposed ? first : second;
  }

  AffineMap getMap(ArrayRef<AffineExpr> dims) const {
    return AffineMap::get(3, 0, dims, rows.getContext());
  }
  SmallVector<utils::IteratorType> getIterators(AffineExpr reduced) const {
    SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
    iterators[cast<AffineDimExpr>(reduced).getPosition()] =
        utils::IteratorType::reduction;
    return iterators;
  }

  AffineExpr rows, first, second, inputs, outputs;
};

Value buildSparse(OpBuilder &builder, Location loc, SparseTensorInterface structure,
                  const SparseForm &form, RankedTensorType matrix, Value values,
                  ValueRange pattern) {
  SmallVector<Value> levels = structure.buildLevels(builder, loc, matrix, pattern);
  Value flat = buildFlat(builder, loc, values);
  return sparse_tensor::AssembleOp::create(builder, loc, form.type, levels, flat);
}

/// What a product adds to an entry that it has the sum of so far, with multiplication
/// only where the entry is stored.
void buildSampled(OpBuilder &builder, Location loc, ValueRange in) {
  Type type = in[2].getType();
  auto present = sparse_tensor::UnaryOp::create(builder, loc, type, in[2]);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&present.getPresentRegion(), {}, type, loc);
    Value product = arith::MulFOp::create(builder, loc, in[0], in[1]);
    sparse_tensor::YieldOp::create(builder, loc, product);
  }
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  auto sum = sparse_tensor::ReduceOp::create(builder, loc, type, in[2], present, zero);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&sum.getRegion(), {}, {type, type}, {loc, loc});
    Value next =
        arith::AddFOp::create(builder, loc, block->getArgument(0), block->getArgument(1));
    sparse_tensor::YieldOp::create(builder, loc, next);
  }
  linalg::YieldOp::create(builder, loc, sum.getResult());
}

} // namespace

func::FuncOp ProductFunctions::get(SpmmOp op, SparseTensorInterface structure,
                                   const SparseForm &form) {
  bool transposed = op.getTransposed();
  StringRef name =
      transposed ? "sparsam_sparse_tensor_spmm_transposed" : "sparsam_sparse_tensor_spmm";
  return create(
      name, op, structure, op->getResultTypes(),
      [&](OpBuilder &builder, Location loc, ValueRange arguments) -> Value {
        Value weights = buildSparse(builder, loc, structure, form, op.getMatrixType(),
                                    arguments[1], arguments.drop_front(2).drop_back());
        ProductLoops loops(form);
        AffineExpr summed = transposed ? loops.outputs : loops.inputs;
        AffineExpr kept = transposed ? loops.inputs : loops.outputs;
        return linalg::GenericOp::create(
                   builder, loc, arguments.back().getType(),
                   ValueRange{arguments[0], weights}, arguments.back(),
                   {loops.getMap({loops.rows, summed}),
                    loops.getMap({loops.first, loops.second}),
                    loops.getMap({loops.rows, kept})},
                   loops.getIterators(summed),
                   [](OpBuilder &nested, Location loc, ValueRange in) {
                     Value product = arith::MulFOp::create(nested, loc, in[0], in[1]);
                     Value sum = arith::AddFOp::create(nested, loc, in[2], product);
                     linalg::YieldOp::create(nested, loc, sum);
                   })
            .getResult(0);
      });
}

func::FuncOp ProductFunctions::get(SddmmOp op, SparseTensorInterface structure,
                                   const SparseForm &form) {
  auto values = cast<ShapedType>(op.getInit().getType());
  bool onMemrefs = isa<MemRefType>(values);
  auto written = MemRefType::get(ShapedType::kDynamic, values.getElementType());
  return create(
      "sparsam_sparse_tensor_sddmm", op, structure,
      onMemrefs ? TypeRange(written) : TypeRange(op->getResultTypes()),
      [&](OpBuilder &builder, Location loc, ValueRange arguments) -> Value {
        Value sampled =
            buildSparse(builder, loc, structure, form, op.getMatrixType(),
                        arguments.back(), arguments.drop_front(2).drop_back());
        ProductLoops loops(form);
        Value result = linalg::GenericOp::create(
                           builder, loc, form.type, arguments.take_front(2), sampled,
                           {loops.getMap({loops.rows, loops.inputs}),
                            loops.getMap({loops.rows, loops.outputs}),
                            loops.getMap({loops.first, loops.second})},
                           loops.getIterators(loops.rows), buildSampled)
                           .getResult(0);
        Value stored = sparse_tensor::ToValuesOp::create(builder, loc, result);
        if (onMemrefs)
          return stored;
        // Upstream counts N of M as one; the values are those of the destination.
        int64_t count = values.getNumElements();
        Value whole = memref::ReinterpretCastOp::create(
            builder, loc, MemRefType::get(count, values.getElementType()), stored,
            /*offset=*/0, /*sizes=*/{count}, /*strides=*/{1});
        Value all = bufferization::ToTensorOp::create(
            builder, loc, RankedTensorType::get(count, values.getElementType()), whole,
            /*restrict=*/true, /*writable=*/true);
        return createReshape(builder, loc, all, values.getShape());
      });
}

func::FuncOp ProductFunctions::create(StringRef name, Operation *op, Attribute structure,
                                      TypeRange results, Body body) {
  MLIRContext *context = op->getContext();
  auto type = FunctionType::get(context, op->getOperandTypes(), results);
  func::FuncOp &function = functions[{StringAttr::get(context, name), structure, type}];
  if (function)
    return function;
  Location loc = op->getLoc();
  OpBuilder builder(context);
  function = func::FuncOp::create(builder, loc, name, type);
  function.setPrivate();
  // Sparsification takes what dense code is next to it for its own.
  function.setNoInline(true);
  symbols.insert(function);
  builder.setInsertionPointToStart(function.addEntryBlock());
  SmallVector<Value> arguments;
  for (Value argument : function.getArguments()) {
    if (auto memref = dyn_cast<MemRefType>(argument.getType())) {
      // Sampling writes into a tensor of which the pattern is a part, though not there.
      bool isWritable = isa<SddmmOp>(op) || argument == function.getArguments().back();
      argument = bufferization::ToTensorOp::create(
          builder, loc, RankedTensorType::get(memref.getShape(), memref.getElementType()),
          argument,
          /*restrict=*/true, isWritable);
    }
    arguments.push_back(argument);
  }
  Value result = body(builder, loc, arguments);
  if (results.empty())
    bufferization::MaterializeInDestinationOp::create(
        builder, loc, /*result=*/Type(), result, function.getArguments().back(),
        /*restrict=*/true, /*writable=*/true);
  func::ReturnOp::create(builder, loc,
                         results.empty() ? ValueRange() : ValueRange(result));
  return function;
}
