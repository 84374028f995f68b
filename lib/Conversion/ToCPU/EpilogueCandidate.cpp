#include "EpilogueCandidate.h"

#include "Buffers.h"
#include "KernelEffects.h"
#include "MergeLoops.h"
#include "TensorOps.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;
using linalg::GenericOp;
using Spread = Epilogue::Spread;

EpilogueCandidate::EpilogueCandidate(SpmmOp product, GenericOp op, ArrayRef<Value> read,
                                     const KernelLibrary &library)
    : product(product), op(op), read(read), library(library), result(product.getInit()) {
  getUsedValuesDefinedAbove(op.getRegion(), captured);
}

SmallVector<GenericOp> cpu::findElementwiseBehind(SpmmOp product) {
  SetVector<Operation *> found;
  if (Value root = getRootBuffer(product.getInit()))
    forEachUserThroughViews(root, [&](Operation *user) {
      auto op = dyn_cast<GenericOp>(user);
      if (op && op->getBlock() == product->getBlock() && product->isBeforeInBlock(op) &&
          op.hasPureBufferSemantics() && isElementwise(op))
        found.insert(op);
    });
  auto ops =
      llvm::map_to_vector(found, [](Operation *op) { return cast<GenericOp>(op); });
  llvm::sort(ops, [](GenericOp a, GenericOp b) { return a->isBeforeInBlock(b); });
  return ops;
}

bool EpilogueCandidate::readsResult() {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    return isResult(operand) && isRead(operand);
  });
}

bool EpilogueCandidate::isResult(OpOperand &operand) {
  return lookThroughViews(operand.get()) == lookThroughViews(result);
}

bool EpilogueCandidate::isRead(OpOperand &operand) {
  return !op.getMatchingBlockArgument(&operand).use_empty();
}

bool EpilogueCandidate::collectDefinitions(Value value) {
  Operation *definition = value.getDefiningOp();
  if (!definition || definition->getBlock() != product->getBlock() ||
      definition->isBeforeInBlock(product) || definitions.contains(definition))
    return true;
  if (definition->getNumRegions() != 0 ||
      !(isPure(definition) || isa<memref::AllocOp>(definition)))
    return false;
  for (Value operand : definition->getOperands())
    if (!collectDefinitions(operand))
      return false;
  definitions.insert(definition);
  return true;
}

bool EpilogueCandidate::isMovable() {
  for (Value value : llvm::concat<const Value>(SmallVector<Value>(op->getOperands()),
                                               captured.getArrayRef()))
    if (!collectDefinitions(value))
      return false;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isRead(operand) && !isUnchangedBetween(operand.get(), product, op, library))
      return false;
    if (op.isDpsInit(&operand) && !isUnusedBetween(operand.get(), product, op))
      return false;
  }
  return true;
}

/// Finds the loops that together run over tokens, and those over features. There are none
/// where there is one token, or feature.
bool EpilogueCandidate::splitLoops() {
  ArrayRef<int64_t> shape = cast<MemRefType>(result.getType()).getShape();
  SmallVector<int64_t> counts{1, 1};
  groups.assign(2, {});
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges())) {
    bool isFeature = counts[0] >= shape[0];
    groups[isFeature].push_back(dim);
    counts[isFeature] *= size;
  }
  return op.getNumLoops() != 0 && ArrayRef(counts) == shape;
}

bool EpilogueCandidate::hasMergeableLoops() {
  for (unsigned dim = 1; dim < op.getNumLoops(); ++dim)
    if (dim != groups[0].size() && !areMergeable(op, dim - 1))
      return false;
  return true;
}

/// How the operand goes with tokens and features; null where it takes another order.
std::optional<Spread> EpilogueCandidate::getSpread(OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  std::optional<unsigned> places[2];
  unsigned used = 0;
  for (auto [place, group] : llvm::zip_equal(places, groups))
    if (!group.empty()) {
      place = map.getResultPosition(getAffineDimExpr(group.front(), op.getContext()));
      used += place ? group.size() : 0;
    }
  auto [tokens, features] = places;
  if (used != map.getNumResults() || (tokens && features && *tokens > *features))
    return std::nullopt;
  bool forEachToken = tokens || (features && groups[0].empty());
  bool forEachFeature = features || (tokens && groups[1].empty());
  if (forEachToken)
    return forEachFeature ? Spread::Element : Spread::Token;
  return forEachFeature ? Spread::Feature : Spread::All;
}

std::string EpilogueCandidate::findObstacle(OpOperand &operand) {
  std::string name = "operand " + std::to_string(operand.getOperandNumber());
  std::optional<Spread> spread = getSpread(operand);
  if (isResult(operand))
    return spread == Spread::Element ? "" : name + " reads the product in another order";
  bool isOutput = op.isDpsInit(&operand);
  if (!isOutput && !isRead(operand))
    return "";
  if (!spread || (isOutput && spread != Spread::Element))
    return name + " goes neither with tokens and features in this order nor with one of "
                  "them alone";
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return "";
  if (*spread == Spread::Element || *spread == Spread::Feature) {
    std::optional<StridedLayout> layout = getStridedLayout(type);
    if (!layout || layout->strides.back() != 1)
      return name + " does not have consecutive features side by side";
    unsigned bits =
        type.getElementType().isIntOrFloat() ? type.getElementTypeBitWidth() : 0;
    if (bits < 8 || !llvm::isPowerOf2_32(bits))
      return name + " has elements that are not whole bytes in vectors";
  }
  Value root = getRootBuffer(operand.get());
  if (root == getRootBuffer(result))
    return name + " shares the buffer of the product";
  if (!isOutput)
    return "";
  for (Value value : read)
    if (root == getRootBuffer(value))
      return name + " shares the buffer of what the product multiplies with";
  for (OpOperand &other : op->getOpOperands())
    if (op.isDpsInput(&other) && isa<MemRefType>(other.get().getType()) &&
        root == getRootBuffer(other.get()) &&
        (lookThroughViews(other.get()) != lookThroughViews(operand.get()) ||
         getSpread(other) != Spread::Element))
      return name + " shares the buffer of operand " +
             std::to_string(other.getOperandNumber());
  return "";
}

bool cpu::isScalarConstant(Operation *op) {
  Attribute value;
  return op && matchPattern(op, m_Constant(&value)) && isa<IntegerAttr, FloatAttr>(value);
}

std::string EpilogueCandidate::findObstacle(Operation &inner) {
  bool worksOnVectors = isScalarConstant(&inner);
  if (OpTrait::hasElementwiseMappableTraits(&inner) && isPure(&inner))
    // LLVM has powers of vectors, but with one exponent.
    worksOnVectors = !isa<math::FPowIOp>(inner) &&
                     llvm::all_of(inner.getResultTypes(), VectorType::isValidElementType);
  return worksOnVectors
             ? ""
             : "'" + inner.getName().getStringRef().str() + "' does not work on vectors";
}

std::string EpilogueCandidate::findObstacle() {
  if (!splitLoops())
    return "its loops do not go over the product's tokens and features in this order";
  if (!hasMergeableLoops())
    return "its loops over tokens, or over features, do not run through memory as one";
  for (OpOperand &operand : op->getOpOperands())
    if (std::string why = findObstacle(operand); !why.empty())
      return why;
  for (Operation &inner : op.getRegion().front().without_terminator())
    if (std::string why = findObstacle(inner); !why.empty())
      return why;
  for (Value value : captured)
    if (!isScalarConstant(value.getDefiningOp()) &&
        !VectorType::isValidElementType(value.getType()))
      return "its region reads a value from outside that is no number";
  return "";
}
