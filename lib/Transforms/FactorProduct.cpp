#include "FactorProduct.h"
#include "sparsam/Analysis/Views.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// A structure's einsum with the sizes of its letters.
struct SizedEinsum {
  FactorEinsum einsum;
  RankedTensorType matrix;
  llvm::StringMap<int64_t> sizes;

  SmallVector<int64_t> getShape(StringRef letters) const {
    SmallVector<int64_t> shape;
    for (size_t i = 0; i < letters.size(); ++i)
      shape.push_back(sizes.lookup(letters.substr(i, 1)));
    return shape;
  }
  std::string getMatrixTerm() const { return einsum.in + einsum.out; }
};

} // namespace

static FailureOr<SizedEinsum> getSizedEinsum(const StructuredParameter &parameter) {
  auto error = [&] { return emitError(parameter.loc) << parameter.path << ": "; };
  auto view = getMatrixView(parameter.structure, parameter.type, error);
  if (failed(view))
    return failure();
  auto einsum = parameter.structure.getEinsum(view->matrix);
  if (failed(einsum))
    return error() << parameter.structure << " has no einsum";
  SizedEinsum sized{*einsum, view->matrix, {}};
  if (einsum->factors.size() != parameter.storage.size())
    return error() << parameter.structure << " has " << einsum->factors.size()
                   << " factors in its einsum and " << parameter.storage.size()
                   << " in its storage";
  for (auto [term, tensor] : llvm::zip_equal(einsum->factors, parameter.storage)) {
    if (static_cast<int64_t>(term.size()) != tensor.type.getRank())
      return error() << parameter.structure << ": term \"" << term << "\" does not fit "
                     << tensor.name << " of " << tensor.type;
    for (auto [dim, letter] : llvm::enumerate(term))
      sized.sizes[StringRef(&letter, 1)] = tensor.type.getDimSize(dim);
  }
  return sized;
}

FailureOr<Value> sparsam::createFactorProduct(OpBuilder &builder, Location loc,
                                              const StructuredParameter &parameter,
                                              ValueRange factors) {
  auto sized = getSizedEinsum(parameter);
  if (failed(sized))
    return failure();
  std::string term = sized->getMatrixTerm();
  auto type =
      RankedTensorType::get(sized->getShape(term), parameter.type.getElementType());
  std::string subscripts = llvm::join(sized->einsum.factors, ",") + "->" + term;
  Value product = EinsumOp::create(builder, loc, type, factors, subscripts);
  Value matrix = createReshape(builder, loc, product, sized->matrix.getShape());
  return createFromMatrix(builder, loc, matrix, parameter.type, parameter.structure);
}

FailureOr<SmallVector<Value>>
sparsam::createFactorGradients(OpBuilder &builder, Location loc,
                               const StructuredParameter &parameter, ValueRange factors,
                               Value gradient) {
  auto sized = getSizedEinsum(parameter);
  if (failed(sized))
    return failure();
  std::string matrixTerm = sized->getMatrixTerm();
  Value matrix = createMatrixOf(builder, loc, gradient, parameter.structure);
  matrix = createReshape(builder, loc, matrix, sized->getShape(matrixTerm));
  SmallVector<Value> gradients;
  for (auto [number, term] : llvm::enumerate(sized->einsum.factors)) {
    SmallVector<Value> inputs{matrix};
    SmallVector<std::string> terms{matrixTerm};
    for (auto [other, factor] : llvm::enumerate(factors)) {
      if (other == number)
        continue;
      inputs.push_back(factor);
      terms.push_back(sized->einsum.factors[other]);
    }
    std::string known = llvm::join(terms, "");
    if (term.find_first_not_of(known) != std::string::npos)
      return emitError(parameter.loc)
             << parameter.path << ": " << parameter.structure << " sums a dimension of \""
             << term << "\" alone, expected each in another factor or the matrix";
    gradients.push_back(EinsumOp::create(builder, loc, factors[number].getType(), inputs,
                                         llvm::join(terms, ",") + "->" + term));
  }
  return gradients;
}
