// The TT-SVD: each core is what is left of the matrix, unfolded behind its dimensions and
// decomposed (Oseledets, 2011, algorithm 1).
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Structure/BuildPattern.h"
#include "sparsam/Structure/TensorTrain/TensorTrain.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The Frobenius norm of a tensor, a scalar.
static Value buildNorm(ImplicitLocOpBuilder &b, Value tensor) {
  return math::SqrtOp::create(b, buildDot(b, b.getLoc(), tensor, tensor));
}

/// Gives all cores the norm that is the geometric mean of theirs: what they multiply to
/// stays, and gradients are of one size. Where one is zero all stay as they are.
static void balance(ImplicitLocOpBuilder &b, MutableArrayRef<Value> cores) {
  Type element = cast<RankedTensorType>(cores[0].getType()).getElementType();
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(b, b.getFloatAttr(element, value));
  };
  SmallVector<Value> norms;
  Value logs = constant(0), isZero;
  for (Value core : cores) {
    norms.push_back(buildNorm(b, core));
    Value zero =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, norms.back(), constant(0));
    isZero = isZero ? arith::OrIOp::create(b, isZero, zero).getResult() : zero;
    logs = arith::AddFOp::create(b, logs, math::LogOp::create(b, norms.back()));
  }
  Value share = constant(1.0 / static_cast<double>(cores.size()));
  Value mean = math::ExpOp::create(b, arith::MulFOp::create(b, logs, share));
  for (auto [core, norm] : llvm::zip_equal(cores, norms)) {
    Value scale = arith::DivFOp::create(b, mean, norm);
    scale = arith::SelectOp::create(b, isZero, constant(1), scale);
    core = buildScaled(b, b.getLoc(), core, scale);
  }
}

FailureOr<SmallVector<Value>>
TensorTrainAttr::buildFactorize(OpBuilder &builder, Location loc, Value matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  auto terms = getTerms(type, [&] { return emitError(loc); });
  if (failed(terms))
    return failure();
  ArrayRef<Factor> factors = terms->front().factors;
  // k1 ... kd, n1 ... nd becomes k1, n1, ... kd, nd.
  SmallVector<int64_t> pieces(getInputs()), order;
  llvm::append_range(pieces, getOutputs());
  for (int64_t core = 0, count = getInputs().size(); core < count; ++core)
    order.append({core, count + core});
  Value rest = createReshape(b, loc, matrix, pieces);
  rest = createTranspose(b, loc, rest, order);

  SmallVector<Value> cores;
  int64_t left = type.getNumElements(), rank = 1;
  std::string svd = getRuntimeName("sparsam_svd_right", type.getElementType());
  for (auto [core, factor] : llvm::enumerate(factors.drop_back())) {
    int64_t rows = rank * getInputs()[core] * getOutputs()[core];
    left /= getInputs()[core] * getOutputs()[core];
    rank = getRanks()[core];
    rest = createReshape(b, loc, rest, {rows, left});
    auto split =
        createRuntimeCall(b, svd, rest,
                          {RankedTensorType::get({rows, rank}, type.getElementType()),
                           RankedTensorType::get({rank, left}, type.getElementType())});
    cores.push_back(createReshape(b, loc, split[0], factor.type.getShape()));
    rest = split[1];
  }
  cores.push_back(createReshape(b, loc, rest, factors.back().type.getShape()));
  balance(b, cores);
  return cores;
}
