#include "sparsam/IR/SparsamOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/IR/KernelTiles.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_OP_CLASSES
#include "sparsam/IR/SparsamOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Shared checks
//===----------------------------------------------------------------------===//

static auto errorsOf(Operation *op) {
  return [op] { return op->emitOpError(); };
}

static LogicalResult requireKind(Operation *op, StructureInterface structure,
                                 StructureKind kind) {
  if (structure.getKind() == kind)
    return success();
  return op->emitOpError() << "needs a "
                           << (kind == StructureKind::Pattern ? "pattern" : "factor")
                           << " structure, found " << structure;
}

/// Tensors and memrefs of the same shape and elements count as the same.
static bool sameShape(Type type, RankedTensorType expected) {
  auto shaped = cast<ShapedType>(type);
  return shaped.hasRank() && shaped.getShape() == expected.getShape() &&
         shaped.getElementType() == expected.getElementType();
}

/// Compares `types` with the storage tensors that `wanted` admits.
static LogicalResult requireStorage(Operation *op, StringRef what, TypeRange types,
                                    ArrayRef<StorageTensor> storage,
                                    function_ref<bool(const StorageTensor &)> wanted) {
  SmallVector<const StorageTensor *> expected;
  for (const StorageTensor &tensor : storage)
    if (wanted(tensor))
      expected.push_back(&tensor);
  if (types.size() != expected.size())
    return op->emitOpError() << "expected " << expected.size() << " " << what
                             << " tensors, found " << types.size();
  for (auto [type, tensor] : llvm::zip_equal(types, expected))
    if (!sameShape(type, tensor->type))
      return op->emitOpError() << "expected " << tensor->name << " of " << tensor->type
                               << ", found " << type;
  return success();
}

static bool all(const StorageTensor &) { return true; }
static bool isPattern(const StorageTensor &tensor) { return tensor.isIndex(); }
static bool isTrainable(const StorageTensor &tensor) { return tensor.isTrainable(); }

static void destinationStyleEffects(
    Operation *op, OperandRange inputs, OpOperand &init,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (!isa<MemRefType>(init.get().getType()))
    return;
  for (OpOperand &operand : op->getOpOperands()) {
    bool isInit = operand.getOperandNumber() == init.getOperandNumber();
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// All operands are tensors and the result is the destination's type, or all are
/// memrefs and there is no result.
static LogicalResult requireDestinationStyle(Operation *op, Value init) {
  bool onTensors = isa<RankedTensorType>(init.getType());
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()) != onTensors)
      return op->emitOpError("mixes tensors and memrefs");
  if (op->getNumResults() != (onTensors ? 1 : 0))
    return op->emitOpError() << "expected " << (onTensors ? "one result" : "no result");
  if (onTensors && op->getResult(0).getType() != init.getType())
    return op->emitOpError() << "expected a result of the destination's type "
                             << init.getType() << ", found "
                             << op->getResult(0).getType();
  return success();
}

//===----------------------------------------------------------------------===//
// densify, restrict, select, factorize, gradient
//===----------------------------------------------------------------------===//

LogicalResult DensifyOp::verify() {
  auto storage = getParameterStorage(getStructure(), cast<RankedTensorType>(getType()),
                                     errorsOf(*this));
  if (failed(storage))
    return failure();
  return requireStorage(*this, "storage", getStorage().getTypes(), *storage, all);
}

LogicalResult RestrictOp::verify() {
  if (failed(requireKind(*this, getStructure(), StructureKind::Pattern)))
    return failure();
  auto storage =
      getParameterStorage(getStructure(), getSource().getType(), errorsOf(*this));
  if (failed(storage) || failed(requireStorage(*this, "pattern", getPattern().getTypes(),
                                               *storage, isPattern)))
    return failure();
  return requireStorage(*this, "values", getValues().getType(), *storage, isTrainable);
}

/// restrict(densify(values, pattern), pattern) = values, for the same pattern.
OpFoldResult RestrictOp::fold(FoldAdaptor) {
  auto densify = getSource().getDefiningOp<DensifyOp>();
  if (!densify || densify.getStructure() != getStructure())
    return {};
  auto storage = getParameterStorage(getStructure(), getSource().getType(),
                                     [&] { return emitOpError(); });
  if (failed(storage))
    return {};
  Value values;
  SmallVector<Value> pattern;
  for (auto [value, tensor] : llvm::zip_equal(densify.getStorage(), *storage)) {
    if (tensor.isTrainable())
      values = value;
    else
      pattern.push_back(value);
  }
  if (!llvm::equal(pattern, getPattern()))
    return {};
  return values;
}

LogicalResult SelectOp::verify() {
  if (failed(requireKind(*this, getStructure(), StructureKind::Pattern)))
    return failure();
  auto storage =
      getParameterStorage(getStructure(), getSource().getType(), errorsOf(*this));
  if (failed(storage))
    return failure();
  return requireStorage(*this, "pattern", getResultTypes(), *storage, isPattern);
}

LogicalResult SelectCoupledOp::verify() {
  if (getSources().empty() || getSources().size() != getStructures().size())
    return emitOpError() << "expected one structure for each source and at least one, "
                         << "found " << getStructures().size() << " for "
                         << getSources().size();
  for (auto [source, attr] : llvm::zip_equal(getSources(), getStructures())) {
    auto structure = dyn_cast<StructureInterface>(attr);
    if (!structure || structure.getTypeID() != getStructures()[0].getTypeID())
      return emitOpError() << "expected structures of one kind, found " << attr;
    if (!structure.getStack().empty())
      return emitOpError() << "cannot choose for layers: " << structure;
    auto storage = getParameterStorage(
        structure, cast<RankedTensorType>(source.getType()), errorsOf(*this));
    if (failed(storage))
      return failure();
    llvm::erase_if(*storage, [](const StorageTensor &part) { return !part.isIndex(); });
    auto axes = structure.getSlicedAxes();
    auto *axis = llvm::find_if(
        axes, [&](const SlicedAxis &own) { return own.group == getGroupAttr(); });
    if (axis == axes.end())
      return emitOpError() << structure << " has no axis of group " << getGroupAttr();
    const StorageTensor &indices = (*storage)[axis - axes.begin()];
    if (!sameShape(getIndices().getType(), indices.type))
      return emitOpError() << "expected " << indices.name << " of " << indices.type
                           << ", found " << getIndices().getType();
  }
  return success();
}

LogicalResult FactorizeOp::verify() {
  if (failed(requireKind(*this, getStructure(), StructureKind::Factors)))
    return failure();
  auto storage =
      getParameterStorage(getStructure(), getSource().getType(), errorsOf(*this));
  if (failed(storage))
    return failure();
  if (getPattern().empty())
    return requireStorage(*this, "factor", getResultTypes(), *storage, all);
  if (failed(
          requireStorage(*this, "pattern", getPattern().getTypes(), *storage, isPattern)))
    return failure();
  return requireStorage(*this, "factor", getResultTypes(), *storage,
                        [](const StorageTensor &tensor) { return !tensor.isIndex(); });
}

LogicalResult GradientOp::verify() {
  if (getParam().empty())
    return emitOpError("expected the path of a parameter, found an empty one");
  return success();
}

//===----------------------------------------------------------------------===//
// einsum
//===----------------------------------------------------------------------===//

SmallVector<StringRef> EinsumOp::getTerms() {
  auto [inputs, result] = getSubscripts().split("->");
  SmallVector<StringRef> terms;
  inputs.split(terms, ',');
  terms.push_back(result);
  return terms;
}

LogicalResult EinsumOp::verify() {
  if (getSubscripts().count("->") != 1)
    return emitOpError() << "expected one `->` in the subscripts, found \""
                         << getSubscripts() << "\"";
  SmallVector<StringRef> terms = getTerms();
  SmallVector<RankedTensorType> types;
  for (Value input : getInputs())
    types.push_back(cast<RankedTensorType>(input.getType()));
  types.push_back(getType());
  if (terms.size() != types.size())
    return emitOpError() << "expected a term for each of " << types.size() - 1
                         << " operands, found " << terms.size() - 1;
  std::map<char, int64_t> sizes;
  for (auto [position, term, type] : llvm::enumerate(terms, types)) {
    bool isResult = position + 1 == terms.size();
    if (type.getElementType() != getType().getElementType())
      return emitOpError() << "expected elements of " << getType().getElementType()
                           << " throughout, found " << type;
    if (static_cast<int64_t>(term.size()) != type.getRank())
      return emitOpError() << "term \"" << term << "\" does not fit " << type;
    for (auto [dim, letter] : llvm::enumerate(term)) {
      if (!llvm::isAlpha(letter))
        return emitOpError() << "expected letters, found \"" << term << "\"";
      if (term.count(letter) != 1)
        return emitOpError() << "term \"" << term << "\" repeats a letter";
      auto [known, isNew] = sizes.try_emplace(letter, type.getDimSize(dim));
      if (isNew && isResult)
        return emitOpError() << "letter " << StringRef(&letter, 1)
                             << " of the result is in no operand";
      if (known->second != type.getDimSize(dim))
        return emitOpError() << "letter " << StringRef(&letter, 1) << " has sizes "
                             << known->second << " and " << type.getDimSize(dim);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// spmm, sddmm
//===----------------------------------------------------------------------===//

static LogicalResult requireDefaultView(Operation *op, StructureInterface structure) {
  if (structure.getIn().empty() && structure.getStack().empty())
    return success();
  return op->emitOpError() << "needs a structure in the default view, found "
                           << structure;
}

RankedTensorType SpmmOp::getMatrixType() {
  auto input = cast<ShapedType>(getInput().getType());
  auto output = cast<ShapedType>(getInit().getType());
  SmallVector<int64_t> shape{input.getDimSize(1), output.getDimSize(1)};
  if (getTransposed())
    std::swap(shape[0], shape[1]);
  return RankedTensorType::get(shape, output.getElementType());
}

LogicalResult SpmmOp::verify() {
  if (failed(requireKind(*this, getStructure(), StructureKind::Pattern)) ||
      failed(requireDefaultView(*this, getStructure())) ||
      failed(requireDestinationStyle(*this, getInit())))
    return failure();
  auto input = cast<ShapedType>(getInput().getType());
  auto output = cast<ShapedType>(getInit().getType());
  if (input.getDimSize(0) != output.getDimSize(0))
    return emitOpError() << "input has " << input.getDimSize(0)
                         << " rows and the destination " << output.getDimSize(0);
  auto storage = getStructure().getStorage(getMatrixType(), errorsOf(*this));
  if (failed(storage))
    return failure();
  if (failed(requireStorage(*this, "storage", getStorage().getTypes(), *storage, all)))
    return failure();
  return verifyTilesAttr(*this);
}

void SpmmOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  destinationStyleEffects(*this, getOperands(), getInitMutable(), effects);
}

RankedTensorType SddmmOp::getMatrixType() {
  auto lhs = cast<ShapedType>(getLhs().getType());
  auto rhs = cast<ShapedType>(getRhs().getType());
  return RankedTensorType::get({lhs.getDimSize(1), rhs.getDimSize(1)},
                               lhs.getElementType());
}

LogicalResult SddmmOp::verify() {
  if (failed(requireKind(*this, getStructure(), StructureKind::Pattern)) ||
      failed(requireDefaultView(*this, getStructure())) ||
      failed(requireDestinationStyle(*this, getInit())))
    return failure();
  auto lhs = cast<ShapedType>(getLhs().getType());
  auto rhs = cast<ShapedType>(getRhs().getType());
  if (lhs.getDimSize(0) != rhs.getDimSize(0))
    return emitOpError() << "lhs has " << lhs.getDimSize(0) << " rows and rhs "
                         << rhs.getDimSize(0);
  auto storage = getStructure().getStorage(getMatrixType(), errorsOf(*this));
  if (failed(storage) || failed(requireStorage(*this, "pattern", getPattern().getTypes(),
                                               *storage, isPattern)))
    return failure();
  if (failed(requireStorage(*this, "values", getInit().getType(), *storage, isTrainable)))
    return failure();
  return verifyTilesAttr(*this);
}

void SddmmOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  destinationStyleEffects(*this, getOperands(), getInitMutable(), effects);
}
