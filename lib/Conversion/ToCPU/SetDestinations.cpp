// Every result gets the buffer it will be in before anything is bufferized.
#include "Contraction.h"
#include "Splat.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "sparsam/Conversion/Passes.h"
#include "sparsam/IR/SparsamOps.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_SETDESTINATIONSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using linalg::GenericOp;

namespace {

Value lookThroughReshapes(Value value) {
  while (cpu::isReshape(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

/// `value` in the shape that `like` has in front of the reshapes that lead to it:
/// applies to `value`, which has the type of `like`, their inverses in turn.
Value reshapeBack(OpBuilder &builder, Value value, Value like) {
  while (cpu::isReshape(like.getDefiningOp())) {
    Operation *op = like.getDefiningOp();
    Type type = op->getOperand(0).getType();
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
      value = tensor::ExpandShapeOp::create(builder, op->getLoc(), type, value,
                                            collapse.getReassociationIndices());
    else
      value = tensor::CollapseShapeOp::create(
          builder, op->getLoc(), type, value,
          cast<tensor::ExpandShapeOp>(op).getReassociationIndices());
    like = op->getOperand(0);
  }
  return value;
}

/// What a destination holds before its op runs, where that is known.
struct Contents {
  enum { Undefined, Scalar, Unknown } kind = Unknown;
  Value scalar;
};

Contents getContents(OpBuilder &builder, Value destination) {
  Value source = lookThroughReshapes(destination);
  if (source.getDefiningOp<tensor::EmptyOp>())
    return {Contents::Undefined, {}};
  if (cpu::isSplat(source))
    return {Contents::Scalar, cpu::getSplatScalar(builder, source)};
  return {};
}

/// An operand that is read from the slice that the op's only result is inserted into,
/// at the indices it is inserted at; null if there is none.
OpOperand *getUpdatedSlice(GenericOp op) {
  if (op->getNumResults() != 1 || !op->hasOneUse() || !cpu::isElementwise(op))
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

class Destinations {
public:
  Destinations(func::FuncOp function) : function(function), builder(function) {}

  void giveOwn();
  void donate(int64_t &donated, int64_t &missed);

private:
  void giveOwn(OpOperand &destination);
  /// Sets a destination to `buffer`, with the contents it had.
  void set(OpOperand &destination, Value buffer, const Contents &contents);
  bool donate(BlockArgument argument, Value result);
  bool readInPlace(GenericOp op, OpOperand &init, Value buffer, BlockArgument argument);
  void sinkBelowReaders(Operation *op, BlockArgument argument);

  func::FuncOp function;
  OpBuilder builder;
};

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
  Contents contents = getContents(builder, destination.get());
  auto generic = dyn_cast<GenericOp>(op);
  bool isRead = !generic || generic.payloadUsesValueFromOperand(&destination);
  if (contents.kind == Contents::Unknown && isRead)
    return;
  if (OpOperand *slice = generic && !isRead ? getUpdatedSlice(generic) : nullptr) {
    BlockArgument current = generic.getMatchingBlockArgument(&destination);
    generic.getMatchingBlockArgument(slice).replaceAllUsesWith(current);
    return destination.set(slice->get());
  }
  if (generic && cpu::isContraction(generic) && contents.kind == Contents::Scalar &&
      matchPattern(contents.scalar, m_AnyZeroFloat())) {
    generic->setAttr(cpu::kOverwriteAttr, builder.getUnitAttr());
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

void Destinations::donate(int64_t &donated, int64_t &missed) {
  Operation *terminator = function.getBody().front().getTerminator();
  for (BlockArgument argument : function.getArguments()) {
    auto updates = function.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(),
                                                          "sparsam.updates");
    if (!updates || updates.getInt() < 0 ||
        updates.getInt() >= terminator->getNumOperands())
      continue;
    Value result = terminator->getOperand(updates.getInt());
    if (result == argument)
      continue;
    ++(donate(argument, result) ? donated : missed);
  }
}

bool Destinations::donate(BlockArgument argument, Value result) {
  if (result.getType() != argument.getType())
    return false;
  Value source = lookThroughReshapes(result);
  Operation *op = source.getDefiningOp();
  if (!op || op->getBlock() != argument.getOwner())
    return false;
  OpOperand *init = nullptr;
  if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
    init = dps.getTiedOpOperand(cast<OpResult>(source));
  else if (auto loop = dyn_cast<scf::ForOp>(op))
    init = loop.getTiedLoopInit(cast<OpResult>(source));
  if (!init)
    return false;
  builder.setInsertionPoint(op);
  Contents contents = getContents(builder, init->get());
  if (contents.kind == Contents::Unknown)
    return false;
  Value buffer = reshapeBack(builder, argument, result);
  if (auto generic = dyn_cast<GenericOp>(op)) {
    if (!readInPlace(generic, *init, buffer, argument))
      return false;
  } else if (llvm::any_of(op->getOperands(), [&](Value operand) {
               return lookThroughReshapes(operand) == argument;
             })) {
    return false;
  }
  set(*init, buffer, contents);
  sinkBelowReaders(op, argument);
  return true;
}

/// Lets the payload read what it reads of the argument through the destination. Fails
/// where it reads the argument at other indices than it writes.
bool Destinations::readInPlace(GenericOp op, OpOperand &init, Value buffer,
                               BlockArgument argument) {
  AffineMap map = op.getMatchingIndexingMap(&init);
  SmallVector<OpOperand *> readers;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (lookThroughReshapes(input->get()) != argument)
      continue;
    if (input->get().getType() != buffer.getType() ||
        op.getMatchingIndexingMap(input) != map || !cpu::isElementwise(op))
      return false;
    readers.push_back(input);
  }
  bool isCaptured = false;
  op.getRegion().walk([&](Operation *nested) {
    isCaptured |= llvm::any_of(nested->getOperands(), [&](Value operand) {
      return lookThroughReshapes(operand) == argument;
    });
  });
  if (isCaptured)
    return false;
  BlockArgument current = op.getMatchingBlockArgument(&init);
  for (OpOperand *input : readers)
    op.getMatchingBlockArgument(input).replaceAllUsesWith(current);
  return true;
}

/// An update that nothing but the return waits for leaves the old value to those who
/// still read it.
void Destinations::sinkBelowReaders(Operation *op, BlockArgument argument) {
  Operation *terminator = op->getBlock()->getTerminator();
  SmallVector<Operation *> moved{op};
  for (size_t i = 0; i < moved.size(); ++i)
    for (Operation *user : moved[i]->getUsers())
      if (user != terminator) {
        if (!cpu::isReshape(user))
          return;
        if (!llvm::is_contained(moved, user))
          moved.push_back(user);
      }
  SmallVector<Value> views{argument};
  bool hasLaterReader = false;
  for (size_t i = 0; i < views.size(); ++i)
    for (Operation *user : views[i].getUsers()) {
      if (cpu::isReshape(user))
        views.push_back(user->getResult(0));
      Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
      hasLaterReader |= !cpu::isReshape(user) && ancestor != terminator &&
                        op->isBeforeInBlock(ancestor);
    }
  if (hasLaterReader)
    for (Operation *later : moved)
      later->moveBefore(terminator);
}

struct SetDestinationsPass : sparsam::impl::SetDestinationsPassBase<SetDestinationsPass> {
  using SetDestinationsPassBase::SetDestinationsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration() || !function.getBody().hasOneBlock())
      return;
    Destinations destinations(function);
    destinations.giveOwn();
    int64_t donated = 0, missed = 0;
    destinations.donate(donated, missed);
    numDonated += donated;
    numMissed += missed;
    eraseUnused(function);
  }

  /// Destinations that nothing uses any more, and operands that are read in place.
  void eraseUnused(func::FuncOp function) {
    IRRewriter rewriter(&getContext());
    SmallVector<GenericOp> generics;
    function.walk([&](GenericOp op) { generics.push_back(op); });
    for (GenericOp op : generics)
      eraseUnusedInputs(rewriter, op);
    function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (isa<tensor::EmptyOp, linalg::FillOp, arith::ConstantOp>(op) ||
          cpu::isReshape(op))
        if (isOpTriviallyDead(op))
          rewriter.eraseOp(op);
    });
  }

  static void eraseUnusedInputs(IRRewriter &rewriter, GenericOp op) {
    SmallVector<AffineMap> maps;
    SmallVector<Value> inputs;
    BitVector unused(op->getNumOperands());
    for (OpOperand &operand : op->getOpOperands()) {
      bool isInput = op.isDpsInput(&operand);
      if (isInput && op.getMatchingBlockArgument(&operand).use_empty()) {
        unused.set(operand.getOperandNumber());
        continue;
      }
      maps.push_back(op.getMatchingIndexingMap(&operand));
      if (isInput)
        inputs.push_back(operand.get());
    }
    if (unused.none() || !inversePermutation(concatAffineMaps(maps, op.getContext())))
      return;
    rewriter.modifyOpInPlace(op, [&] {
      op.getRegion().front().eraseArguments(unused);
      op.getInputsMutable().assign(inputs);
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    });
  }
};

} // namespace
