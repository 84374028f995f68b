#include "GenericFusion.h"

#include "Splat.h"
#include "TensorOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::sparsam;
using cpu::FusionRoot;
using linalg::GenericOp;

namespace {

class Fusion {
public:
  Fusion(RewriterBase &rewriter, ArrayRef<FusionRoot> roots,
         cpu::InlinePredicate inlineProducer)
      : rewriter(rewriter), roots(roots), inlineProducer(inlineProducer) {}

  FailureOr<GenericOp> run();

private:
  /// Emits the payload of `op` at the iteration that `loops` gives; returns what it
  /// yields.
  const SmallVector<Value> &emit(GenericOp op, AffineMap loops);
  /// The old contents of the destinations, if `op` at `loops` is a root.
  ArrayRef<Value> getRootInits(GenericOp op, AffineMap loops);
  /// The element of an operand of an op at the indices that `map` gives.
  Value read(OpOperand &operand, AffineMap map);
  Value getIndex(Location loc, AffineMap loops, unsigned dim);
  void emitBody(GenericOp op, AffineMap loops, IRMapping &mapping);

  RewriterBase &rewriter;
  ArrayRef<FusionRoot> roots;
  cpu::InlinePredicate inlineProducer;
  SmallVector<SmallVector<Value>> rootInits;
  Block *body = nullptr;
  llvm::MapVector<std::pair<Value, AffineMap>, BlockArgument> inputs;
  DenseMap<std::pair<Operation *, AffineMap>, std::unique_ptr<SmallVector<Value>>>
      emitted;
};

FailureOr<GenericOp> Fusion::run() {
  auto region = std::make_unique<Region>();
  body = new Block;
  region->push_back(body);
  OpBuilder::InsertPoint position = rewriter.saveInsertionPoint();
  llvm::scope_exit restore([&] { rewriter.restoreInsertionPoint(position); });

  SmallVector<Value> inits;
  SmallVector<AffineMap> initMaps;
  SmallVector<Type> types;
  SmallVector<Location> locations;
  for (FusionRoot root : roots) {
    SmallVector<Value> &contents = rootInits.emplace_back();
    for (OpOperand &init : root.op.getDpsInitsMutable()) {
      inits.push_back(init.get());
      initMaps.push_back(root.op.getMatchingIndexingMap(&init).compose(root.loops));
      types.push_back(init.get().getType());
      contents.push_back(body->addArgument(getElementTypeOrSelf(init.get().getType()),
                                           root.op.getLoc()));
    }
    locations.push_back(root.op.getLoc());
  }
  rewriter.setInsertionPointToStart(body);
  SmallVector<Value> yields;
  for (FusionRoot root : roots)
    llvm::append_range(yields, emit(root.op, root.loops));
  linalg::YieldOp::create(rewriter, locations.front(), yields);

  SmallVector<Value> ins;
  SmallVector<AffineMap> maps;
  for (const auto &[access, argument] : inputs) {
    ins.push_back(access.first);
    maps.push_back(access.second);
  }
  llvm::append_range(maps, initMaps);
  if (!inversePermutation(concatAffineMaps(maps, rewriter.getContext()))) {
    return failure();
  }

  // The iterators of the first root hold for the fused op, whose loops they are.
  SmallVector<utils::IteratorType> iterators;
  FusionRoot root = roots.front();
  SmallVector<utils::IteratorType> first = root.op.getIteratorTypesArray();
  AffineMap toFused = inversePermutation(root.loops);
  for (AffineExpr loop : toFused.getResults())
    iterators.push_back(first[cast<AffineDimExpr>(loop).getPosition()]);

  rewriter.restoreInsertionPoint(position);
  auto fused = GenericOp::create(rewriter, rewriter.getFusedLoc(locations), types, ins,
                                 inits, maps, iterators);
  fused.getRegion().takeBody(*region);
  DominanceInfo dominance(fused);
  eliminateCommonSubExpressions(rewriter, dominance, fused);
  return fused;
}

Value Fusion::read(OpOperand &operand, AffineMap map) {
  Value value = operand.get();
  if (!isa<RankedTensorType>(value.getType()))
    return value;
  if (cpu::isSplat(value))
    return cpu::getSplatScalar(rewriter, value);
  if (GenericOp producer = cpu::getInlinableProducer(operand)) {
    auto result = cast<OpResult>(value);
    AffineMap access = producer.getIndexingMapMatchingResult(result);
    AffineMap loops = inversePermutation(access).compose(map);
    if (!getRootInits(producer, loops).empty() || inlineProducer(operand, producer))
      return emit(producer, loops)[result.getResultNumber()];
  }
  auto [entry, isNew] = inputs.insert({{value, map}, BlockArgument()});
  if (isNew)
    entry->second =
        body->insertArgument(inputs.size() - 1, getElementTypeOrSelf(value.getType()),
                             operand.getOwner()->getLoc());
  return entry->second;
}

Value Fusion::getIndex(Location loc, AffineMap loops, unsigned dim) {
  AffineExpr expr = loops.getResult(dim);
  if (auto loop = dyn_cast<AffineDimExpr>(expr))
    return linalg::IndexOp::create(rewriter, loc, loop.getPosition());
  SmallVector<OpFoldResult> indices;
  for (unsigned i = 0; i < loops.getNumDims(); ++i)
    indices.push_back(linalg::IndexOp::create(rewriter, loc, i).getResult());
  return affine::makeComposedAffineApply(
      rewriter, loc, AffineMap::get(loops.getNumDims(), 0, expr), indices);
}

ArrayRef<Value> Fusion::getRootInits(GenericOp op, AffineMap loops) {
  for (auto [root, inits] : llvm::zip_equal(roots, rootInits))
    if (root.op == op && root.loops == loops)
      return inits;
  return {};
}

const SmallVector<Value> &Fusion::emit(GenericOp op, AffineMap loops) {
  if (auto known = emitted.find({op, loops}); known != emitted.end())
    return *known->second;
  ArrayRef<Value> inits = getRootInits(op, loops);
  IRMapping mapping;
  Block &source = op.getRegion().front();
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand).compose(loops);
    unsigned number = operand.getOperandNumber();
    bool isRootInit = !inits.empty() && number >= op.getNumDpsInputs();
    mapping.map(argument,
                isRootInit ? inits[number - op.getNumDpsInputs()] : read(operand, map));
  }
  emitBody(op, loops, mapping);
  auto values = std::make_unique<SmallVector<Value>>();
  for (Value value : source.getTerminator()->getOperands())
    values->push_back(mapping.lookupOrDefault(value));
  std::unique_ptr<SmallVector<Value>> &target = emitted[{op, loops}];
  target = std::move(values);
  return *target;
}

void Fusion::emitBody(GenericOp op, AffineMap loops, IRMapping &mapping) {
  for (Operation &nested : op.getRegion().front().without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(nested)) {
      mapping.map(index.getResult(), getIndex(index.getLoc(), loops, index.getDim()));
      continue;
    }
    Operation *clone = rewriter.clone(nested, mapping);
    if (nested.getNumRegions() == 0)
      continue;
    SmallVector<linalg::IndexOp> inner;
    clone->walk([&](linalg::IndexOp index) { inner.push_back(index); });
    for (linalg::IndexOp index : inner) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(clone);
      rewriter.replaceOp(index, getIndex(index.getLoc(), loops, index.getDim()));
    }
  }
}

} // namespace

GenericOp cpu::getInlinableProducer(OpOperand &operand) {
  auto producer = operand.get().getDefiningOp<GenericOp>();
  if (!producer || !isElementwise(producer) ||
      producer->getBlock() != operand.getOwner()->getBlock())
    return {};
  auto result = cast<OpResult>(operand.get());
  return producer.getIndexingMapMatchingResult(result).isPermutation() ? producer
                                                                       : GenericOp();
}

FailureOr<GenericOp> cpu::fuseGenerics(RewriterBase &rewriter, ArrayRef<FusionRoot> roots,
                                       InlinePredicate inlineProducer) {
  return Fusion(rewriter, roots, inlineProducer).run();
}
