#include "sparsam/Structure/TensorTrain/TensorTrain.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/TensorTrain/TensorTrain.cpp.inc"

/// One letter of the alphabet a piece, for the input, the output and the rank.
static constexpr size_t maxCores = 8;

void sparsam::registerTensorTrain(DialectRegistry &registry) {
  registerStructures<TensorTrainAttr>(registry);
}

static int64_t product(ArrayRef<int64_t> sizes) {
  int64_t total = 1;
  for (int64_t size : sizes)
    total *= size;
  return total;
}

LogicalResult TensorTrainAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                      ArrayRef<int64_t> inputs, ArrayRef<int64_t> outputs,
                                      ArrayRef<int64_t> ranks, ArrayRef<int64_t>,
                                      ArrayRef<int64_t>) {
  if (inputs.size() != outputs.size() || inputs.size() < 2 || inputs.size() > maxCores)
    return emitError() << "expected as many input as output pieces, from 2 to "
                       << maxCores << ", found " << inputs.size() << " and "
                       << outputs.size();
  if (ranks.size() + 1 != inputs.size())
    return emitError() << "expected " << inputs.size() - 1 << " ranks between "
                       << inputs.size() << " cores, found " << ranks.size();
  for (ArrayRef<int64_t> sizes : {inputs, outputs, ranks})
    for (int64_t size : sizes)
      if (size < 1)
        return emitError() << "expected pieces and ranks of at least 1, found " << size;
  return success();
}

StructureInterface TensorTrainAttr::withView(ArrayRef<int64_t> in,
                                             ArrayRef<int64_t> stack) const {
  return TensorTrainAttr::get(getContext(), getInputs(), getOutputs(), getRanks(), in,
                              stack);
}

FailureOr<SmallVector<FactorTerm>>
TensorTrainAttr::getTerms(RankedTensorType matrix,
                          function_ref<InFlightDiagnostic()> emitError) const {
  ArrayRef<int64_t> inputs = getInputs(), outputs = getOutputs(), ranks = getRanks();
  auto requireProduct = [&](ArrayRef<int64_t> pieces, int64_t total,
                            StringRef name) -> LogicalResult {
    // Pieces are any numbers yet, and their product may be more than 64 bits hold.
    uint64_t product = 1;
    for (int64_t piece : pieces)
      product = llvm::SaturatingMultiply<uint64_t>(product, piece);
    if (product == static_cast<uint64_t>(total))
      return success();
    return emitError() << *this << " has " << name << " pieces of product " << product
                       << ", expected " << total;
  };
  if (failed(requireProduct(inputs, matrix.getDimSize(0), "input")) ||
      failed(requireProduct(outputs, matrix.getDimSize(1), "output")))
    return failure();
  FactorTerm term;
  for (size_t core = 0; core < inputs.size(); ++core) {
    char input = 'a' + core, output = 'i' + core, rank = 'q' + core;
    Factor factor;
    factor.name = "core" + std::to_string(core);
    SmallVector<int64_t> shape;
    if (core > 0) {
      factor.letters += static_cast<char>(rank - 1);
      shape.push_back(ranks[core - 1]);
    }
    factor.letters += {input, output};
    shape.append({inputs[core], outputs[core]});
    if (core < ranks.size()) {
      factor.letters += rank;
      shape.push_back(ranks[core]);
      int64_t before =
          product(inputs.take_front(core + 1)) * product(outputs.take_front(core + 1));
      int64_t most = std::min(before, matrix.getNumElements() / before);
      if (ranks[core] > most)
        return emitError() << *this << " has rank " << ranks[core] << " behind core "
                           << core << ", expected at most " << most
                           << ", the product of the pieces on one side";
    }
    factor.type = RankedTensorType::get(shape, matrix.getElementType());
    term.factors.push_back(std::move(factor));
    term.in += input;
    term.out += output;
  }
  return SmallVector<FactorTerm>{std::move(term)};
}

/// Of a row contracted with one core after the other, from the left or from the right,
/// whichever is cheaper.
static int64_t getChainFlops(ArrayRef<int64_t> inputs, ArrayRef<int64_t> outputs,
                             ArrayRef<int64_t> ranks) {
  int64_t fromLeft = 0, fromRight = 0;
  for (size_t core = 0; core < inputs.size(); ++core) {
    int64_t size = inputs[core] * outputs[core] * (core ? ranks[core - 1] : 1) *
                   (core < ranks.size() ? ranks[core] : 1);
    fromLeft += 2 * size * product(inputs.drop_front(core + 1)) *
                product(outputs.take_front(core));
    fromRight += 2 * size * product(inputs.take_front(core)) *
                 product(outputs.drop_front(core + 1));
  }
  return std::min(fromLeft, fromRight);
}

FailureOr<StructureCost> TensorTrainAttr::getCost(RankedTensorType matrix) const {
  auto terms = getTerms(matrix, [] { return InFlightDiagnostic(); });
  if (failed(terms))
    return failure();
  return getCostOfTerms(*terms, getChainFlops(getInputs(), getOutputs(), getRanks()));
}
