#include "sparsam/Structure/Monarch/Monarch.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Structure/BuildPattern.h"
#include "llvm/ADT/TypeSwitch.h"

#include <array>

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Monarch/Monarch.cpp.inc"

void sparsam::registerMonarch(DialectRegistry &registry) {
  registerStructures<MonarchAttr>(registry);
}

LogicalResult MonarchAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<int64_t> blocks, int64_t rank,
                                  ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (blocks.size() != 2)
    return emitError()
           << "expected two numbers of blocks, of inputs and of outputs, found "
           << blocks.size();
  if (blocks[0] < 1 || blocks[1] < 1)
    return emitError() << "expected at least 1 block, found [" << blocks[0] << ", "
                       << blocks[1] << "]";
  if (rank < 1)
    return emitError() << "expected a rank of at least 1, found " << rank;
  return success();
}

StructureInterface MonarchAttr::withView(ArrayRef<int64_t> in,
                                         ArrayRef<int64_t> stack) const {
  return MonarchAttr::get(getContext(), getBlocks(), getRank(), in, stack);
}

FailureOr<SmallVector<FactorTerm>>
MonarchAttr::getTerms(RankedTensorType matrix,
                      function_ref<InFlightDiagnostic()> emitError) const {
  std::array<int64_t, 2> size;
  for (auto [side, name] :
       llvm::enumerate(std::array<StringRef, 2>{"inputs", "outputs"})) {
    int64_t count = getBlocks()[side], total = matrix.getDimSize(side);
    if (total % count)
      return emitError() << *this << " needs " << name << " that are a multiple of "
                         << count << " blocks, found " << total << " (remainder "
                         << total % count << ")";
    size[side] = total / count;
  }
  if (getRank() > std::min(size[0], size[1]))
    return emitError() << *this << " has a rank larger than its blocks: expected at most "
                       << std::min(size[0], size[1]) << " for " << size[0] << "x"
                       << size[1];
  Type element = matrix.getElementType();
  FactorTerm term;
  term.factors = {{"r", "akbr",
                   RankedTensorType::get(
                       {getBlocks()[0], size[0], getBlocks()[1], getRank()}, element)},
                  {"l", "barn",
                   RankedTensorType::get(
                       {getBlocks()[1], getBlocks()[0], getRank(), size[1]}, element)}};
  term.in = "ak";
  term.out = "bn";
  return SmallVector<FactorTerm>{std::move(term)};
}

FailureOr<StructureCost> MonarchAttr::getCost(RankedTensorType matrix) const {
  auto terms = getTerms(matrix, [] { return InFlightDiagnostic(); });
  if (failed(terms))
    return failure();
  return getCostOfTerms(*terms);
}

FailureOr<SmallVector<Value>>
MonarchAttr::buildFactorize(OpBuilder &builder, Location loc, Value matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto terms = getTerms(type, [&] { return emitError(loc); });
  if (failed(terms))
    return failure();
  int64_t rows = getBlocks()[0], columns = getBlocks()[1];
  int64_t inputs = type.getDimSize(0) / rows, outputs = type.getDimSize(1) / columns;
  Type element = type.getElementType();
  // Each block a matrix of its own: a, k, b, n becomes ab, k, n.
  Value blocks = createReshape(b, loc, matrix, {rows, inputs, columns, outputs});
  blocks = createTranspose(b, loc, blocks, {0, 2, 1, 3});
  blocks = createReshape(b, loc, blocks, {rows * columns, inputs, outputs});
  auto factors = createRuntimeCall(
      b, getRuntimeName("sparsam_svd_batch", element), blocks,
      {RankedTensorType::get({rows * columns, inputs, getRank()}, element),
       RankedTensorType::get({rows * columns, getRank(), outputs}, element)});
  Value r = createReshape(b, loc, factors[0], {rows, columns, inputs, getRank()});
  Value l = createReshape(b, loc, factors[1], {rows, columns, getRank(), outputs});
  return SmallVector<Value>{createTranspose(b, loc, r, {0, 2, 1, 3}),
                            createTranspose(b, loc, l, {1, 0, 2, 3})};
}
