// The initial factors of low_rank, found by the runtime's singular value
// decomposition.
#include "sparsam/Structure/BuildPattern.h"
#include "sparsam/Structure/LowRank/LowRank.h"

using namespace mlir;
using namespace mlir::sparsam;

FailureOr<SmallVector<Value>>
LowRankAttr::buildFactorize(OpBuilder &builder, Location loc, Value matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto terms =
      getTerms(cast<RankedTensorType>(matrix.getType()), [&] { return emitError(loc); });
  if (failed(terms))
    return failure();
  ArrayRef<Factor> factors = terms->front().factors;
  Type element = factors[0].type.getElementType();
  return createRuntimeCall(b, getRuntimeName("sparsam_svd", element), matrix,
                           {factors[0].type, factors[1].type});
}
