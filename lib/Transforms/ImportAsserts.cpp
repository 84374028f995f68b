// Checks of indices, which torch-mlir puts into the bodies that read at them.
#include "ImportLinalgExt.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

/// Whether an index may be anything: it is no loop's index and no constant.
static bool isComputed(Value index) {
  Operation *op = index.getDefiningOp();
  return !op || !(op->hasTrait<OpTrait::ConstantLike>() || isa<linalg::IndexOp>(op));
}

static Value clamp(OpBuilder &builder, Location loc, Value index, int64_t size) {
  Value first = arith::ConstantIndexOp::create(builder, loc, 0);
  Value last = arith::ConstantIndexOp::create(builder, loc, size - 1);
  Value raised = arith::MaxSIOp::create(builder, loc, index, first);
  return arith::MinSIOp::create(builder, loc, raised, last);
}

unsigned sparsam::importIndexChecks(linalg::GenericOp generic) {
  auto asserts = llvm::to_vector(generic.getBody()->getOps<cf::AssertOp>());
  auto reads = llvm::to_vector(generic.getBody()->getOps<tensor::ExtractOp>());
  // Without a read of static shape it is not known what is checked.
  if (asserts.empty() || reads.empty() || llvm::any_of(reads, [](tensor::ExtractOp read) {
        RankedTensorType type = read.getTensor().getType();
        return !type.hasStaticShape() || type.getNumElements() == 0;
      }))
    return 0;
  OpBuilder builder(generic.getContext());
  for (tensor::ExtractOp read : reads) {
    builder.setInsertionPoint(read);
    for (auto [operand, size] :
         llvm::zip_equal(read.getIndicesMutable(), read.getTensor().getType().getShape()))
      if (isComputed(operand.get()))
        operand.set(clamp(builder, read.getLoc(), operand.get(), size));
  }
  for (cf::AssertOp check : asserts)
    check.erase();
  return asserts.size();
}
