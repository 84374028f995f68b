#include "sparsam/Structure/LoRA/LoRA.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Structure/BuildPattern.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/LoRA/LoRA.cpp.inc"

void sparsam::registerLoRA(DialectRegistry &registry) {
  registerStructures<LoRAAttr>(registry);
}

LogicalResult LoRAAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rank,
                               std::optional<APFloat> alpha, StructureInterface base,
                               int64_t, ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (rank < 1)
    return emitError() << "expected a rank of at least 1, found " << rank;
  if (alpha && !(alpha->isFinite() && alpha->convertToDouble() > 0))
    return emitError() << "expected an alpha that is finite and above zero, found "
                       << alpha->convertToDouble();
  if (base)
    return verifyInnerPattern(base, "base", emitError);
  return success();
}

StructureInterface LoRAAttr::withView(ArrayRef<int64_t> in,
                                      ArrayRef<int64_t> stack) const {
  return LoRAAttr::get(getContext(), getRank(), getAlpha(), getBase(), getSeed(), in,
                       stack);
}

FailureOr<SmallVector<FactorTerm>>
LoRAAttr::getTerms(RankedTensorType matrix,
                   function_ref<InFlightDiagnostic()> emitError) const {
  int64_t inputs = matrix.getDimSize(0), outputs = matrix.getDimSize(1);
  if (getRank() > std::min(inputs, outputs))
    return emitError() << *this << " has a rank larger than the shape: expected at most "
                       << std::min(inputs, outputs) << " for " << inputs << "x"
                       << outputs;
  FactorTerm base, adapter;
  base.factors = {{"base", "kn", matrix, getBase(), /*isFrozen=*/true}};
  Type element = matrix.getElementType();
  adapter.factors = {{"u", "kr", RankedTensorType::get({inputs, getRank()}, element)},
                     {"v", "rn", RankedTensorType::get({getRank(), outputs}, element)}};
  base.in = adapter.in = "k";
  base.out = adapter.out = "n";
  double rank = static_cast<double>(getRank());
  adapter.scale = getAlpha() ? getAlpha()->convertToDouble() / rank : 1;
  return SmallVector<FactorTerm>{std::move(base), std::move(adapter)};
}

FailureOr<StructureCost> LoRAAttr::getCost(RankedTensorType matrix) const {
  auto terms = getTerms(matrix, [] { return InFlightDiagnostic(); });
  if (failed(terms))
    return failure();
  auto cost = getCostOfTerms(*terms);
  if (failed(cost))
    return failure();
  int64_t frozen = 2 * matrix.getNumElements();
  if (getBase()) {
    auto base = getBase().getCost(matrix);
    if (failed(base))
      return failure();
    frozen = base->flopsPerRow;
  }
  cost->flopsPerRow += frozen;
  return cost;
}

FailureOr<SmallVector<Value>> LoRAAttr::buildFactorize(OpBuilder &builder, Location loc,
                                                       Value matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto terms = getTerms(type, [&] { return emitError(loc); });
  if (failed(terms))
    return failure();
  ArrayRef<Factor> adapter = terms->back().factors;
  Value seed = arith::ConstantOp::create(b, b.getI64IntegerAttr(getSeed()));
  Value u =
      createRuntimeCall(b, getRuntimeName("sparsam_gaussian", type.getElementType()),
                        matrix, adapter[0].type, seed)[0];
  Value empty =
      tensor::EmptyOp::create(b, adapter[1].type.getShape(), type.getElementType());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type.getElementType()));
  Value v = linalg::FillOp::create(b, zero, empty).getResult(0);
  return SmallVector<Value>{matrix, u, v};
}
