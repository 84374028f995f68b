#include "ImportLinalgExt.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

FailureOr<Block *> sparsam::getCombiner(Operation *op, Type element, StringRef what) {
  if (op->getNumRegions() != 1 || !op->getRegion(0).hasOneBlock())
    return op->emitOpError("expected one region of one block");
  Block *combiner = &op->getRegion(0).front();
  Operation *yield = combiner->empty() ? nullptr : &combiner->back();
  if (combiner->getArgumentTypes() != TypeRange{element, element} || !yield ||
      yield->getName().getStringRef() != "iree_linalg_ext.yield" ||
      yield->getNumOperands() != 1 || yield->getOperand(0).getType() != element)
    return op->emitOpError("expected a region that takes ")
           << what << ", of type " << element << ", and yields the new one";
  return combiner;
}

Value sparsam::cloneCombiner(OpBuilder &builder, Block &combiner, Value lhs, Value rhs) {
  IRMapping mapping;
  mapping.map(combiner.getArgument(0), lhs);
  mapping.map(combiner.getArgument(1), rhs);
  for (Operation &op : llvm::drop_end(combiner))
    builder.clone(op, mapping);
  return mapping.lookupOrDefault(combiner.back().getOperand(0));
}
