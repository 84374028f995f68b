#include "sparsam/Analysis/GradientDegree.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// What a value is a homogeneous function of, and of which degree.
struct Degree {
  double power = 0;
  bool ofGradient = false, ofState = false, ofParameter = false;
  /// A literal number. One that is added is damping; zero has every degree.
  bool isLiteral = false;

  bool isNumber() const { return !ofGradient && !ofState && !ofParameter; }
  bool isGradient() const { return ofGradient && !ofState && !ofParameter; }
};

using Found = std::optional<Degree>;

Degree unite(const Degree &a, const Degree &b, double power) {
  return {power, a.ofGradient || b.ofGradient, a.ofState || b.ofState,
          a.ofParameter || b.ofParameter, /*isLiteral=*/false};
}

/// Of a sum, a maximum, a choice.
Found join(const Found &a, const Found &b) {
  if (!a || !b)
    return std::nullopt;
  if (a->isLiteral || b->isLiteral)
    return a->isLiteral ? b : a;
  if (a->power != b->power)
    return std::nullopt;
  if (a->ofParameter == b->ofParameter)
    return unite(*a, *b, a->power);
  const Degree &other = a->ofParameter ? *b : *a;
  return other.isGradient() ? Found(other) : std::nullopt;
}

Found multiply(const Found &a, const Found &b, double sign) {
  if (!a || !b)
    return std::nullopt;
  return unite(*a, *b, a->power + sign * b->power);
}

Found raise(Found a, double exponent) {
  if (a) {
    a->power *= exponent;
    a->isLiteral = false;
  }
  return a;
}

class Degrees {
public:
  Degrees(const llvm::DenseMap<Value, Degree> &leaves, int64_t size) : size(size) {
    for (auto [value, degree] : leaves)
      known[value] = degree;
  }

  Found of(Value value) {
    if (auto found = known.find(value); found != known.end())
      return found->second;
    Found degree = compute(value);
    known[value] = degree;
    return degree;
  }

private:
  Found compute(Value value);
  Found computeOf(Operation *op);

  llvm::DenseMap<Value, Found> known;
  /// Elements of the parameter.
  int64_t size;
};

} // namespace

Found Degrees::compute(Value value) {
  Attribute literal;
  if (matchPattern(value, m_Constant(&literal)))
    return Degree{0, false, false, false, /*isLiteral=*/true};
  auto type = dyn_cast<RankedTensorType>(value.getType());
  // The norm that clips, a learning rate: a scale.
  if (type && type.hasStaticShape() && type.getNumElements() == 1 && size != 1)
    return Degree();
  if (type && isUniform(value))
    return Degree();
  if (Value source = getRearranged(value))
    return of(source);
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto elementwise = matchElementwise(op); succeeded(elementwise)) {
    Block *body = linalg::LinalgOp(elementwise->op).getBlock();
    for (OpOperand &operand : op->getOpOperands())
      known[body->getArgument(operand.getOperandNumber())] =
          isa<RankedTensorType>(operand.get().getType()) ? of(operand.get()) : Degree();
    return of(body->getTerminator()->getOperand(0));
  }
  if (OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1)
    return computeOf(op);
  // A scalar from outside of a body.
  return type ? std::nullopt : Found(Degree());
}

Found Degrees::computeOf(Operation *op) {
  SmallVector<Found> in =
      llvm::map_to_vector(op->getOperands(), [&](Value operand) { return of(operand); });
  return llvm::TypeSwitch<Operation *, Found>(op)
      .Case<arith::MulFOp>([&](auto) { return multiply(in[0], in[1], 1); })
      .Case<arith::DivFOp>([&](auto) { return multiply(in[0], in[1], -1); })
      .Case<arith::AddFOp, arith::SubFOp, arith::MaximumFOp, arith::MinimumFOp,
            arith::MaxNumFOp, arith::MinNumFOp>([&](auto) { return join(in[0], in[1]); })
      .Case<math::FmaOp>([&](auto) { return join(multiply(in[0], in[1], 1), in[2]); })
      .Case<arith::SelectOp>([&](auto) { return join(in[1], in[2]); })
      .Case<arith::NegFOp, math::AbsFOp, arith::ExtFOp, arith::TruncFOp>(
          [&](auto) { return in[0]; })
      .Case<math::SqrtOp>([&](auto) { return raise(in[0], 0.5); })
      .Case<math::RsqrtOp>([&](auto) { return raise(in[0], -0.5); })
      .Case<arith::CmpFOp>([&](auto) { return Degree(); })
      .Case<math::PowFOp, math::FPowIOp>([&](auto) -> Found {
        APFloat exponent(0.0);
        APInt whole;
        if (matchPattern(op->getOperand(1), m_ConstantFloat(&exponent)))
          return raise(in[0], exponent.convertToDouble());
        if (matchPattern(op->getOperand(1), m_ConstantInt(&whole)))
          return raise(in[0], static_cast<double>(whole.getSExtValue()));
        return std::nullopt;
      })
      .Default([&](Operation *) -> Found {
        for (const Found &operand : in)
          if (!operand || operand->power != 0 || !operand->isNumber())
            return std::nullopt;
        return Degree();
      });
}

/// Of one state, with what is known of the others.
static std::optional<unsigned> getDegree(const StateUpdate &state,
                                         const llvm::DenseMap<Value, Degree> &leaves,
                                         int64_t size) {
  std::optional<unsigned> found;
  for (unsigned degree : {1, 2}) {
    llvm::DenseMap<Value, Degree> assumed(leaves);
    assumed[state.before] = {static_cast<double>(degree), false, /*ofState=*/true, false,
                             false};
    Found after = Degrees(assumed, size).of(state.after);
    if (!after || after->power != degree || after->ofParameter)
      continue;
    // What fits both follows from no gradient.
    if (found)
      return std::nullopt;
    found = degree;
  }
  return found;
}

SmallVector<std::optional<unsigned>>
sparsam::getGradientDegrees(ArrayRef<StateUpdate> states, Value gradient,
                            Value parameter) {
  int64_t size = cast<RankedTensorType>(gradient.getType()).getNumElements();
  llvm::DenseMap<Value, Degree> leaves;
  leaves[gradient] = {1, /*ofGradient=*/true, false, false, false};
  leaves[parameter] = {1, false, false, /*ofParameter=*/true, false};
  SmallVector<std::optional<unsigned>> degrees(states.size());
  // State may follow from other state, as the largest second moment of AMSGrad.
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [state, degree] : llvm::zip_equal(states, degrees)) {
      if (degree)
        continue;
      degree = getDegree(state, leaves, size);
      if (!degree)
        continue;
      leaves[state.before] = {static_cast<double>(*degree), false, /*ofState=*/true,
                              false, false};
      changed = true;
    }
  }
  return degrees;
}
