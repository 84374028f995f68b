#include "sparsam/Transforms/Algebra.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The storage of what a densify makes, which its verifier has checked.
static SmallVector<StorageTensor> storageOf(StructureInterface structure,
                                            RankedTensorType type) {
  Location loc = UnknownLoc::get(type.getContext());
  auto storage =
      getParameterStorage(structure, type, [&] { return mlir::emitError(loc); });
  return succeeded(storage) ? *storage : SmallVector<StorageTensor>();
}

std::optional<StoredPattern> sparsam::getPattern(DensifyOp densify) {
  if (densify.getStructure().getKind() != StructureKind::Pattern)
    return std::nullopt;
  StoredPattern pattern{densify.getStructure(), {}};
  auto storage =
      storageOf(densify.getStructure(), cast<RankedTensorType>(densify.getType()));
  for (auto [value, tensor] : llvm::zip(densify.getStorage(), storage))
    if (tensor.isIndex())
      pattern.indices.push_back(value);
  return pattern;
}

Value sparsam::getStoredValues(DensifyOp densify) {
  auto storage =
      storageOf(densify.getStructure(), cast<RankedTensorType>(densify.getType()));
  for (auto [value, tensor] : llvm::zip(densify.getStorage(), storage))
    if (tensor.isTrainable())
      return value;
  return {};
}

/// Whether `pattern` is known at the definition of `source` already, as it is where it
/// comes from the function's arguments.
static bool dominates(const StoredPattern &pattern, Value source) {
  return llvm::all_of(pattern.indices, [&](Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument &&
           argument.getOwner()->getParent()->isAncestor(source.getParentRegion());
  });
}

RestrictOp sparsam::getOrCreateRestrict(RewriterBase &rewriter, Location loc,
                                        Value source, const StoredPattern &pattern) {
  // Right after its source is a place that serves all users. Other places would need
  // the order of operations, which the driver's rewrites make expensive to ask for.
  OpBuilder::InsertionGuard guard(rewriter);
  bool isEarly = dominates(pattern, source);
  if (isEarly)
    rewriter.setInsertionPointAfterValue(source);
  for (Operation *user : source.getUsers()) {
    auto known = dyn_cast<RestrictOp>(user);
    if (!known || known->getBlock() != rewriter.getInsertionBlock() ||
        !(StoredPattern{known.getStructure(), SmallVector<Value>(known.getPattern())} ==
          pattern))
      continue;
    // Also tells the driver to look at it again: it may have waited for this.
    rewriter.modifyOpInPlace(known, [] {});
    auto point = rewriter.getInsertionPoint();
    if (point == known->getIterator())
      return known;
    bool isLater = isEarly || (point != known->getBlock()->end() &&
                               !known->isBeforeInBlock(&*point));
    if (isLater)
      rewriter.moveOpBefore(known, known->getBlock(), point);
    return known;
  }
  auto sourceType = cast<RankedTensorType>(source.getType());
  Type valuesType;
  for (const StorageTensor &tensor : storageOf(pattern.structure, sourceType))
    if (tensor.isTrainable())
      valuesType =
          RankedTensorType::get(tensor.type.getShape(), sourceType.getElementType());
  return RestrictOp::create(rewriter, loc, valuesType, source, pattern.indices,
                            pattern.structure);
}

DensifyOp sparsam::createDensify(OpBuilder &builder, Location loc, Value values,
                                 const StoredPattern &pattern, RankedTensorType type) {
  SmallVector<Value> storage;
  auto indices = pattern.indices.begin();
  for (const StorageTensor &tensor : storageOf(pattern.structure, type))
    storage.push_back(tensor.isTrainable() ? values : *indices++);
  return DensifyOp::create(builder, loc, type, storage, pattern.structure);
}
