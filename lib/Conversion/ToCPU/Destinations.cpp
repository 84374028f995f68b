#include "Destinations.h"

#include "Splat.h"
#include "TensorOps.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "sparsam/IR/SparsamOps.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;
using linalg::GenericOp;

Contents Destinations::getContents(Value destination) {
  Value source = lookThroughReshapes(destination);
  if (source.getDefiningOp<tensor::EmptyOp>())
    return {Contents::Undefined, {}};
  if (isSplat(source))
    return {Contents::Scalar, getSplatScalar(builder, source)};
  return {};
}

/// An operand that is read from the slice that the op's only result is inserted into,
/// at the indices it is inserted at; null if there is none.
static OpOperand *getUpdatedSlice(GenericOp op) {
  if (op->getNumResults() != 1 || !op->hasOneUse() || !isElementwise(op))
    return nullptr;
  auto insert = dyn_cast<tensor::InsertSliceOp>(*op->user_begin());
  if (!insert || insert.getSource() != op->getResult(0))
    return nullptr;
  for (OpOperand *input : op.getDpsInputOperands()) {
    auto extract = input->get().getDefiningOp<tensor::ExtractSliceOp>();
    if (extract && extract.getSource() == insert.getDest() &&
        extract.getType() == insert.getSourceType() &&
        extract.isSameAs(insert, [](OpFoldResult a, OpFoldResult b) { return a == b; }) &&
        op.getMatchingIndexingMap(input) ==
            op.getMatchingIndexingMap(op.getDpsInitOperand(0)))
      return input;
  }
  return nullptr;
}

void Destinations::giveOwn() {
  SmallVector<OpOperand *> destinations;
  function.walk([&](Operation *op) {
    if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
      for (OpOperand &init : dps.getDpsInitsMutable())
        destinations.push_back(&init);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      for (OpOperand &init : loop.getInitArgsMutable())
        destinations.push_back(&init);
    else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      destinations.push_back(&insert.getDestMutable());
    else if (auto insert = dyn_cast<tensor::InsertOp>(op))
      destinations.push_back(&insert.getDestMutable());
  });
  for (OpOperand *destination : destinations)
    if (isa<RankedTensorType>(destination->get().getType()))
      giveOwn(*destination);
}

void Destinations::giveOwn(OpOperand &destination) {
  Operation *op = destination.getOwner();
  Location loc = op->getLoc();
  auto type = cast<RankedTensorType>(destination.get().getType());
  if (!type.hasStaticShape())
    return;
  builder.setInsertionPoint(op);
  Contents contents = getContents(destination.get());
  auto generic = dyn_cast<GenericOp>(op);
  bool isRead = !generic || generic.payloadUsesValueFromOperand(&destination);
  if (contents.kind == Contents::Unknown && isRead)
    return;
  if (OpOperand *slice = generic && !isRead ? getUpdatedSlice(generic) : nullptr) {
    BlockArgument current = generic.getMatchingBlockArgument(&destination);
    generic.getMatchingBlockArgument(slice).replaceAllUsesWith(current);
    return destination.set(slice->get());
  }
  if (generic && isContraction(generic) && contents.kind == Contents::Scalar &&
      matchPattern(contents.scalar, m_AnyZeroFloat())) {
    generic->setAttr(kOverwriteAttr, builder.getUnitAttr());
    contents.kind = Contents::Undefined;
  }
  if (!isRead || isa<sparsam::SpmmOp, sparsam::SddmmOp, linalg::FillOp>(op))
    contents.kind = Contents::Undefined;
  Value buffer =
      tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
  set(destination, buffer, contents);
}

void Destinations::set(OpOperand &destination, Value buffer, const Contents &contents) {
  if (contents.kind == Contents::Scalar)
    buffer = linalg::FillOp::create(builder, destination.getOwner()->getLoc(),
                                    contents.scalar, buffer)
                 .getResult(0);
  destination.set(buffer);
}
