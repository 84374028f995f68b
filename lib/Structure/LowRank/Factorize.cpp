// The initial factors of low_rank, found by the runtime's singular value
// decomposition.
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "sparsam/Structure/LowRank/LowRank.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The runtime's function for this element type, declared once in the module
/// around the insertion point. It takes memrefs of any identity layout.
func::FuncOp getSvd(ImplicitLocOpBuilder &b, Type element) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string name = "sparsam_svd_f" + std::to_string(element.getIntOrFloatBitWidth());
  if (auto known = module.lookupSymbol<func::FuncOp>(name))
    return known;
  int64_t any = ShapedType::kDynamic;
  auto matrix = MemRefType::get({any, any}, element);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  auto function = func::FuncOp::create(
      b, name, b.getFunctionType({matrix, matrix, matrix}, TypeRange()));
  function.setPrivate();
  function->setAttr("llvm.emit_c_interface", b.getUnitAttr());
  return function;
}

} // namespace

FailureOr<SmallVector<Value>>
LowRankAttr::buildFactorize(OpBuilder &builder, Location loc, Value matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto storage = getStorage(type, [&] { return emitError(loc); });
  if (failed(storage))
    return failure();
  func::FuncOp svd = getSvd(b, type.getElementType());
  Type any = svd.getFunctionType().getInput(0);

  // A call cannot say on tensors that it writes its arguments, so the factors are
  // buffers from the start, which are tensors only once they are written.
  auto source = MemRefType::get(type.getShape(), type.getElementType());
  Value buffer = bufferization::ToBufferOp::create(b, source, matrix, /*read_only=*/true);
  SmallVector<Value> operands{memref::CastOp::create(b, any, buffer)}, buffers, factors;
  for (const StorageTensor &factor : *storage) {
    auto written = MemRefType::get(factor.type.getShape(), type.getElementType());
    buffers.push_back(memref::AllocOp::create(b, written, b.getI64IntegerAttr(64)));
    operands.push_back(memref::CastOp::create(b, any, buffers.back()));
  }
  func::CallOp::create(b, svd, operands);
  for (auto [factor, written] : llvm::zip_equal(*storage, buffers))
    factors.push_back(bufferization::ToTensorOp::create(b, factor.type, written,
                                                        /*restrict=*/true,
                                                        /*writable=*/true));
  return factors;
}
