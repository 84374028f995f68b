// Means in a factor parameter's optimizer.
//
// A mean is a sum and a constant, the number of what is summed, which is another one for
// factors. The constant stands anywhere behind the sum: sqrt(sum / n), or
// sqrt(sum) / sqrt(n), or a product with 1 / n. So each scalar is followed as a power of
// a sum, and what brings it to the same power of a mean is that constant.
#include "FactorOptimizer.h"
#include "ScalarWork.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "sparsam/Analysis/ElementwiseSlice.h"

using namespace mlir;
using namespace mlir::sparsam;

double MeanDivisor::getNumber(int64_t count) const {
  return std::pow(static_cast<double>(count - lacking),
                  multiplies ? -sum.power : sum.power);
}

namespace {

using Sum = std::optional<ScalarSum>;

class MeanSearch {
public:
  MeanSearch(FactorOptimizer &optimizer, const TensorSets &sets)
      : optimizer(optimizer), sets(sets) {}

  LogicalResult run();

private:
  Sum getSum(Value value);
  Sum getSumOf(Operation *op);
  Sum getSumOfReduction(const FullReduction &reduction);
  Sum getSumOfTwo(Value lhs, Value rhs);
  Sum getSumOfTensors(ArrayRef<Value> scalars);
  std::optional<MeanDivisor> findDivisor(const ScalarWork &work);
  LogicalResult checkTerms(const FullReduction &reduction);
  SmallVector<Operation *> getScalarWorkBehind() const;
  bool isNeutral(Value value) const { return sets.getKind(value) == TensorSets::Neutral; }

  FactorOptimizer &optimizer;
  const TensorSets &sets;
  DenseMap<Value, Sum> sums;
};

} // namespace

static bool isPlain(const Sum &sum) { return sum && sum->power == 1; }

static ScalarSum add(const ScalarSum &a, const ScalarSum &b) {
  ScalarSum sum = a;
  sum.own += b.own;
  sum.others += b.others;
  return sum;
}

Sum MeanSearch::getSumOfReduction(const FullReduction &reduction) {
  linalg::LinalgOp op = reduction.op;
  if (!isa<arith::AddFOp, arith::AddIOp>(reduction.combiner))
    return {};
  if (auto stack = optimizer.stacks.find(op); stack != optimizer.stacks.end())
    return getSumOfTensors(stack->second);
  Value input = op.getDpsInputs()[0];
  auto type = cast<RankedTensorType>(input.getType());
  ScalarSum sum;
  if (optimizer.reductions.contains(op))
    sum.own = 1;
  else if (sets.getKind(input) == TensorSets::OfOthers && type.hasStaticShape())
    sum.others = type.getNumElements();
  else
    return {};
  if (Sum start = getSum(op.getDpsInits()[0]); isPlain(start) && !start->ofTensors)
    sum = add(sum, *start);
  return sum;
}

/// Scalars of different tensors, added: a sum with as many terms as there are tensors.
Sum MeanSearch::getSumOfTensors(ArrayRef<Value> scalars) {
  ScalarSum total;
  total.ofTensors = true;
  for (Value value : scalars) {
    Sum sum = getSum(value);
    if (isPlain(sum) && sum->ofTensors)
      total = add(total, *sum);
    else if (optimizer.own.contains(value))
      ++total.own;
    else if (sets.getKind(value) == TensorSets::OfOthers)
      ++total.others;
    else
      return {};
  }
  return total;
}

Sum MeanSearch::getSumOfTwo(Value lhs, Value rhs) {
  Sum a = getSum(lhs), b = getSum(rhs);
  if (isPlain(a) && isPlain(b) && !a->ofTensors && !b->ofTensors)
    return add(*a, *b);
  return sets.areDisjoint(lhs, rhs) ? getSumOfTensors({lhs, rhs}) : Sum();
}

Sum MeanSearch::getSumOf(Operation *op) {
  auto reduction = matchFullReduction(op);
  if (succeeded(reduction))
    return getSumOfReduction(*reduction);
  auto work = matchScalarWork(op);
  if (!work || work->operands.empty())
    return {};
  if (!work->computes)
    return getSum(work->operands[0]);
  if (findDivisor(*work))
    return {};
  // Terms and bounds that come from no tensor leave a sum a sum.
  SmallVector<Value> taken = llvm::filter_to_vector(
      work->operands, [&](Value operand) { return !isNeutral(operand); });
  auto scaled = [&](double by) {
    Sum sum = taken.size() == 1 ? getSum(taken[0]) : Sum();
    if (sum)
      sum->power *= by;
    return sum;
  };
  if (isa<math::SqrtOp>(work->computes))
    return scaled(0.5);
  if (isa<math::RsqrtOp>(work->computes))
    return scaled(-0.5);
  if (isa<arith::DivFOp>(work->computes))
    return scaled(taken.size() == 1 && taken[0] == work->operands[1] ? -1 : 1);
  if (isa<arith::MulFOp>(work->computes) && work->operands[0] == work->operands[1]) {
    taken.truncate(1);
    return scaled(2);
  }
  if (isa<arith::AddFOp, arith::AddIOp>(work->computes) && taken.size() == 2)
    return getSumOfTwo(taken[0], taken[1]);
  if (isa<arith::AddFOp, arith::AddIOp, arith::SubFOp, arith::MulFOp, arith::NegFOp,
          arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp,
          arith::SelectOp, arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp,
          arith::UIToFPOp, math::AbsFOp>(work->computes))
    return scaled(1);
  return {};
}

Sum MeanSearch::getSum(Value value) {
  if (!value.getDefiningOp())
    return {};
  if (auto found = sums.find(value); found != sums.end())
    return found->second;
  Sum sum = isNeutral(value) ? Sum() : getSumOf(value.getDefiningOp());
  return sums[value] = sum;
}

/// The constant in a product or quotient that makes a mean of a sum.
std::optional<MeanDivisor> MeanSearch::findDivisor(const ScalarWork &work) {
  if (!isa<arith::MulFOp, arith::DivFOp>(work.computes))
    return std::nullopt;
  for (unsigned place : {0, 1}) {
    Sum sum = getSum(work.operands[1 - place]);
    if (!sum || !isNeutral(work.operands[place]))
      continue;
    auto number = getConstantNumber(work.operands[place]);
    if (!number)
      continue;
    int64_t count =
        sum->getCount(sum->ofTensors ? 1 : optimizer.parameter.type.getNumElements());
    MeanDivisor divisor{work.operands[place], isa<arith::MulFOp>(work.computes), *sum};
    for (; divisor.lacking <= (sum->ofTensors ? 0 : 1); ++divisor.lacking) {
      double expected = divisor.getNumber(count);
      if (count - divisor.lacking > 1 && std::abs(*number - expected) <= 1e-6 * expected)
        return divisor;
    }
  }
  return std::nullopt;
}

/// A division of each term, in front of the sum, is not rewritten: what it makes may have
/// other readers.
LogicalResult MeanSearch::checkTerms(const FullReduction &reduction) {
  linalg::LinalgOp op = reduction.op;
  Value term = reduction.term;
  if (auto argument = dyn_cast<BlockArgument>(term)) {
    auto producer =
        op->getOperand(argument.getArgNumber()).getDefiningOp<linalg::LinalgOp>();
    if (!producer || !optimizer.tensors.contains(producer->getResult(0)))
      return success();
    op = producer;
    term = op.getBlock()->getTerminator()->getOperand(0);
  }
  Operation *scaled = term.getDefiningOp();
  if (!isa_and_nonnull<arith::MulFOp, arith::DivFOp>(scaled))
    return success();
  int64_t count = optimizer.parameter.type.getNumElements();
  for (Value operand : scaled->getOperands()) {
    auto number = getConstantNumber(getOutside(op, operand));
    double expected = isa<arith::MulFOp>(scaled) ? 1.0 / count : count;
    if (!number || count == 1 || std::abs(*number - expected) > 1e-6 * expected)
      continue;
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "divides what is summed over " << optimizer.parameter.path
                          << " by " << count << ", the number of its elements, which "
                          << optimizer.parameter.structure
                          << " has another of; divide the sum";
    diagnostic.attachNote(optimizer.parameter.loc) << "the parameter is here";
    return diagnostic;
  }
  return success();
}

/// The ops of one element that the parameter's reductions lead to, in order.
SmallVector<Operation *> MeanSearch::getScalarWorkBehind() const {
  SmallVector<Value> worklist(optimizer.own.begin(), optimizer.own.end());
  for (auto &[op, reduction] : optimizer.reductions)
    worklist.push_back(op->getResult(0));
  for (auto &[op, scalars] : optimizer.stacks)
    worklist.push_back(op->getResult(0));
  llvm::SetVector<Operation *> behind;
  while (!worklist.empty())
    for (Operation *user : worklist.pop_back_val().getUsers()) {
      Operation *op = optimizer.getInBody(user);
      if (llvm::all_of(op->getResults(), isOneElement) && behind.insert(op))
        llvm::append_range(worklist, op->getResults());
    }
  SmallVector<Operation *> ordered = behind.takeVector();
  llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ordered;
}

LogicalResult MeanSearch::run() {
  for (auto &[op, reduction] : optimizer.reductions)
    if (isa<arith::AddFOp>(reduction.combiner) && failed(checkTerms(reduction)))
      return failure();
  for (Operation *op : getScalarWorkBehind()) {
    auto work = matchScalarWork(op);
    if (!work || !work->computes || isNeutral(op->getResult(0)))
      continue;
    if (auto divisor = findDivisor(*work); divisor && divisor->sum.own)
      optimizer.divisors[op] = *divisor;
  }
  return success();
}

LogicalResult sparsam::findMeans(FactorOptimizer &optimizer, const TensorSets &sets) {
  return MeanSearch(optimizer, sets).run();
}
