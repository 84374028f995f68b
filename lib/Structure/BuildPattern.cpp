#include "sparsam/Structure/BuildPattern.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace mlir::sparsam;

Value sparsam::createZeros(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape,
                           Type element) {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value empty = tensor::EmptyOp::create(b, shape, element);
  return linalg::FillOp::create(b, zero, empty).getResult(0);
}

AffineMap sparsam::getDims(ImplicitLocOpBuilder &b, unsigned rank,
                           ArrayRef<unsigned> positions) {
  return AffineMap::getMultiDimMapWithTargets(rank, positions, b.getContext());
}

Value sparsam::createGeneric(
    ImplicitLocOpBuilder &b, ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
    ArrayRef<utils::IteratorType> iterators,
    function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
  return linalg::GenericOp::create(
             b, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &builder, Location loc, ValueRange arguments) {
               ImplicitLocOpBuilder inner(loc, builder);
               linalg::YieldOp::create(inner, body(inner, arguments));
             })
      .getResult(0);
}

Value sparsam::createMap(ImplicitLocOpBuilder &b, Value source, Type element,
                         function_ref<Value(ImplicitLocOpBuilder &, Value)> body) {
  auto type = cast<RankedTensorType>(source.getType());
  Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  return createGeneric(
      b, source, empty, {identity, identity}, iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange in) { return body(b, in[0]); });
}

Value sparsam::createStoredIndices(ImplicitLocOpBuilder &b, Value indices, Type element) {
  Type from = getElementTypeOrSelf(indices);
  if (from == element)
    return indices;
  bool narrows = from.getIntOrFloatBitWidth() > element.getIntOrFloatBitWidth();
  return createMap(b, indices, element, [&](ImplicitLocOpBuilder &b, Value in) -> Value {
    if (narrows)
      return arith::TruncIOp::create(b, element, in);
    return arith::ExtUIOp::create(b, element, in);
  });
}

Value sparsam::createLoop(
    ImplicitLocOpBuilder &b, Value first, Value end, Value carried,
    function_ref<Value(ImplicitLocOpBuilder &, Value, Value)> body) {
  Value step = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(
      b, first, end, step, carried,
      [&](OpBuilder &builder, Location loc, Value i, ValueRange values) {
        ImplicitLocOpBuilder inner(loc, builder);
        scf::YieldOp::create(inner, body(inner, i, values.front()));
      });
  return loop.getResult(0);
}

Value sparsam::createIndexRead(ImplicitLocOpBuilder &b, Value indices, ValueRange at) {
  Value stored = tensor::ExtractOp::create(b, indices, at);
  return arith::IndexCastUIOp::create(b, b.getIndexType(), stored);
}

std::string sparsam::getRuntimeName(StringRef name, Type element) {
  return (name + "_f" + Twine(element.getIntOrFloatBitWidth())).str();
}

/// The runtime's function, declared once in the module around the insertion point.
static func::FuncOp declare(ImplicitLocOpBuilder &b, StringRef name,
                            TypeRange arguments) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (auto known = module.lookupSymbol<func::FuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  auto function =
      func::FuncOp::create(b, name, b.getFunctionType(arguments, TypeRange()));
  function.setPrivate();
  function->setAttr("llvm.emit_c_interface", b.getUnitAttr());
  return function;
}

SmallVector<Value> sparsam::createRuntimeCall(ImplicitLocOpBuilder &b, StringRef name,
                                              ValueRange inputs,
                                              ArrayRef<RankedTensorType> results,
                                              ValueRange numbers) {
  SmallVector<Value> operands, written;
  auto pass = [&](Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<int64_t> any(type.getRank(), ShapedType::kDynamic);
    operands.push_back(
        memref::CastOp::create(b, MemRefType::get(any, type.getElementType()), buffer));
  };
  // A call cannot say on tensors that it writes its arguments, so the results are
  // buffers from the start, which are tensors only once they are written.
  for (Value input : inputs) {
    auto type = cast<RankedTensorType>(input.getType());
    auto source = MemRefType::get(type.getShape(), type.getElementType());
    pass(bufferization::ToBufferOp::create(b, source, input, /*read_only=*/true));
  }
  for (RankedTensorType type : results) {
    written.push_back(memref::AllocOp::create(
        b, MemRefType::get(type.getShape(), type.getElementType()),
        b.getI64IntegerAttr(64)));
    pass(written.back());
  }
  llvm::append_range(operands, numbers);
  func::FuncOp function = declare(b, name, ValueRange(operands).getTypes());
  func::CallOp::create(b, function, operands);
  SmallVector<Value> tensors;
  for (auto [type, buffer] : llvm::zip_equal(results, written))
    tensors.push_back(bufferization::ToTensorOp::create(b, type, buffer,
                                                        /*restrict=*/true,
                                                        /*writable=*/true));
  return tensors;
}

Value sparsam::createScatter(
    ImplicitLocOpBuilder &b, Value values, RankedTensorType matrix,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> place) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(values.getType()).getShape();
  SmallVector<Value> lower(shape.size(), arith::ConstantIndexOp::create(b, 0));
  SmallVector<Value> steps(shape.size(), arith::ConstantIndexOp::create(b, 1)), upper;
  for (int64_t size : shape)
    upper.push_back(arith::ConstantIndexOp::create(b, size));
  Value zeros = createZeros(b, matrix.getShape(), matrix.getElementType());
  // A pattern never names one entry twice, but only a loop says so in IR that
  // bufferizes in place.
  scf::LoopNest nest = scf::buildLoopNest(
      b, b.getLoc(), lower, upper, steps, zeros,
      [&](OpBuilder &builder, Location loc, ValueRange at, ValueRange carried) {
        ImplicitLocOpBuilder inner(loc, builder);
        SmallVector<Value> to = place(inner, at);
        Value entry = tensor::ExtractOp::create(inner, values, at);
        Value updated = tensor::InsertOp::create(inner, entry, carried[0], to);
        return scf::ValueVector{updated};
      });
  return nest.results.front();
}

FailureOr<Value> sparsam::createGather(
    OpBuilder &builder, Location loc, StructureInterface structure, Value matrix,
    ValueRange indices, ArrayRef<SmallVector<unsigned>> dims,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> place) {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto storage = structure.getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  RankedTensorType stored = storage->front().type;
  Value empty = tensor::EmptyOp::create(b, stored.getShape(), type.getElementType());
  SmallVector<AffineMap> maps;
  for (ArrayRef<unsigned> read : dims)
    maps.push_back(getDims(b, stored.getRank(), read));
  maps.push_back(b.getMultiDimIdentityMap(stored.getRank()));
  SmallVector<utils::IteratorType> loops(stored.getRank(), utils::IteratorType::parallel);
  return createGeneric(b, indices, empty, maps, loops,
                       [&](ImplicitLocOpBuilder &b, ValueRange in) -> Value {
                         SmallVector<Value> at;
                         for (Value index : in.drop_back())
                           at.push_back(
                               arith::IndexCastUIOp::create(b, b.getIndexType(), index));
                         return tensor::ExtractOp::create(b, matrix, place(b, at));
                       });
}
