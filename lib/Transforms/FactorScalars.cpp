// Where the scalars of a factor parameter's optimizer go.
//
// From each reduction the walk goes forward through scalar work. As long as this takes in
// nothing of other parameters the scalar is the parameter's own: one for each tensor.
// What joins the own scalars of all tensors (a global norm) is in any order, and the
// factors' take the place of the parameter's there.
#include "FactorOptimizer.h"
#include "ScalarWork.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/ElementwiseSlice.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

class ScalarWalk {
public:
  ScalarWalk(FactorOptimizer &optimizer, const TensorSets &sets)
      : optimizer(optimizer), parameter(optimizer.parameter), sets(sets) {}

  LogicalResult run();

private:
  LogicalResult visit(OpOperand &use);
  LogicalResult visitReturn(OpOperand &use);
  LogicalResult visitScalarWork(Operation *user, OpOperand &use);
  LogicalResult visitElementwise(const ElementwiseOp &elementwise, OpOperand &use);
  LogicalResult visitStack(Operation *user, OpOperand &use);
  LogicalResult refuseMeeting(Operation *op) const;
  void noteUnclear(Operation *user);
  LogicalResult checkUnclear();
  bool takesOthers(Operation *op) const;
  void addOwn(Value value) {
    if (optimizer.own.insert(value).second)
      worklist.push_back(value);
  }

  FactorOptimizer &optimizer;
  const StructuredParameter &parameter;
  const TensorSets &sets;
  SmallVector<Value> worklist;
  /// Combiners of an own scalar with another that depends on the parameter.
  SmallVector<std::pair<Operation *, Value>> unclear;
};

} // namespace

LogicalResult ScalarWalk::refuseMeeting(Operation *op) const {
  InFlightDiagnostic diagnostic =
      op->emitOpError() << "takes a scalar of the optimizer of " << parameter.path
                        << " and those of other parameters, expected a sum, product, "
                           "maximum or minimum of them, so "
                        << parameter.structure
                        << " has no scalar for its factors; choose a pattern structure "
                           "or dense";
  diagnostic.attachNote(parameter.loc) << "the parameter is here";
  return diagnostic;
}

bool ScalarWalk::takesOthers(Operation *op) const {
  bool others = false;
  forEachUsedValue(
      op, [&](Value used) { others |= sets.getKind(used) == TensorSets::OfOthers; });
  return others;
}

/// What is told to the caller is over all factors. What is kept for the next step is one
/// scalar for each tensor of the optimizer's, of which the factors have more.
LogicalResult ScalarWalk::visitReturn(OpOperand &use) {
  unsigned number = use.getOperandNumber();
  if (!optimizer.isCarriedResult(number)) {
    optimizer.outside.push_back(&use);
    return success();
  }
  InFlightDiagnostic diagnostic =
      use.getOwner()->emitOpError()
      << "keeps a scalar of the optimizer of " << parameter.path << " alone as result "
      << number << ", of which " << parameter.structure
      << " would need one for each of its factors; choose a pattern structure or dense";
  diagnostic.attachNote(parameter.loc)
      << "the parameter is here; if the scalar is a global one of this only parameter, "
         "mark its gradient with sparsam.gradient";
  return diagnostic;
}

void ScalarWalk::noteUnclear(Operation *user) {
  auto work = matchScalarWork(user);
  if (failed(matchFullReduction(user)) && !(work && isCombiner(work->computes)))
    return;
  forEachUsedValue(user, [&](Value used) {
    if (sets.getKind(used) == TensorSets::OfParameter)
      unclear.emplace_back(user, used);
  });
}

/// A scalar that depends on the parameter is own, or made behind a join and so the same
/// for all tensors. Where it is neither, as the norm of a gradient that is not known as
/// one, it may be a tensor's in a sum over all.
LogicalResult ScalarWalk::checkUnclear() {
  if (unclear.empty())
    return success();
  SmallVector<Value> behind;
  for (const ScalarJoin &join : optimizer.joins)
    llvm::append_range(behind,
                       optimizer.getInBody(join.operand->getOwner())->getResults());
  for (Operation *reduction : optimizer.global)
    behind.push_back(reduction->getResult(0));
  DenseSet<Value> joined(behind.begin(), behind.end());
  while (!behind.empty())
    for (Operation *user : behind.pop_back_val().getUsers())
      for (Value result : optimizer.getInBody(user)->getResults())
        if (joined.insert(result).second)
          behind.push_back(result);
  for (auto [op, value] : unclear) {
    if (optimizer.own.contains(value) || joined.contains(value))
      continue;
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "takes a scalar of the optimizer of " << parameter.path
                          << " and one that is not known to be of the optimizer; mark "
                             "the gradients with sparsam.gradient";
    diagnostic.attachNote(parameter.loc) << "the parameter is here";
    return diagnostic;
  }
  return success();
}

LogicalResult ScalarWalk::visitScalarWork(Operation *user, OpOperand &use) {
  if (!takesOthers(user)) {
    noteUnclear(user);
    for (Value result : user->getResults())
      addOwn(result);
    return success();
  }
  auto reduction = matchFullReduction(user);
  if (succeeded(reduction) && use.getOwner() == user && reduction->op.isDpsInit(&use)) {
    optimizer.joins.push_back({&use, reduction->combiner});
    return success();
  }
  auto work = matchScalarWork(user);
  if (!work || !isCombiner(work->computes))
    return refuseMeeting(user);
  bool first = work->operands[0] == use.get();
  if (work->operands[first ? 0 : 1] != use.get() ||
      sets.getKind(work->operands[first ? 1 : 0]) != TensorSets::OfOthers)
    return refuseMeeting(user);
  optimizer.joins.push_back({&use, work->computes});
  return success();
}

LogicalResult ScalarWalk::visitElementwise(const ElementwiseOp &elementwise,
                                           OpOperand &use) {
  Value result = linalg::LinalgOp(elementwise.op)->getResult(0);
  if (optimizer.tensors.contains(result))
    return success();
  bool uniform = llvm::all_of(elementwise.operands, [&](const ElementwiseOperand &o) {
    return o.access == ElementAccess::Scalar || isUniform(o.value) ||
           optimizer.own.contains(o.value);
  });
  if (!uniform || !optimizer.isOfParameterShape(result)) {
    optimizer.outside.push_back(&use);
    return success();
  }
  if (takesOthers(elementwise.op))
    return refuseMeeting(elementwise.op);
  addOwn(result);
  return success();
}

/// A tensor of scalars, one of each parameter, that is reduced as a whole.
LogicalResult ScalarWalk::visitStack(Operation *user, OpOperand &use) {
  Value stack = user->getResult(0);
  while (stack.hasOneUse()) {
    auto next = dyn_cast<tensor::InsertSliceOp>(*stack.user_begin());
    if (!next || next.getDest() != stack)
      break;
    stack = next.getResult();
  }
  SmallVector<Value> scalars;
  bool takesOthers = false;
  for (auto insert = stack.getDefiningOp<tensor::InsertSliceOp>(); insert;
       insert = insert.getDest().getDefiningOp<tensor::InsertSliceOp>()) {
    scalars.push_back(insert.getSource());
    bool ofOthers = sets.getKind(scalars.back()) == TensorSets::OfOthers;
    if (!isOneElement(scalars.back()) ||
        (!ofOthers && !optimizer.own.contains(scalars.back())))
      return refuseMeeting(user);
    takesOthers |= ofOthers;
  }
  auto reduction = stack.hasOneUse() ? matchFullReduction(*stack.user_begin())
                                     : FailureOr<FullReduction>(failure());
  auto type = cast<RankedTensorType>(stack.getType());
  if (failed(reduction) || !takesOthers ||
      static_cast<int64_t>(scalars.size()) != type.getNumElements() ||
      reduction->term != linalg::LinalgOp(reduction->op).getBlock()->getArgument(0))
    return refuseMeeting(user);
  optimizer.joins.push_back({&use, reduction->combiner});
  optimizer.stacks[reduction->op] = std::move(scalars);
  return success();
}

LogicalResult ScalarWalk::visit(OpOperand &use) {
  Operation *user = optimizer.getInBody(use.getOwner());
  if (user == optimizer.function.getReturn())
    return visitReturn(use);
  auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
  bool isUnused =
      linalgOp && user == use.getOwner() && !linalgOp.payloadUsesValueFromOperand(&use);
  if (isUnused || optimizer.reductions.contains(user) ||
      llvm::any_of(user->getResults(),
                   [&](Value result) { return optimizer.tensors.contains(result); }))
    return success();
  if (llvm::all_of(user->getResults(), isOneElement))
    return visitScalarWork(user, use);
  if (auto elementwise = matchElementwise(user); succeeded(elementwise))
    return visitElementwise(*elementwise, use);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(user);
      insert && &use == &insert.getSourceMutable())
    return visitStack(user, use);
  return refuseMeeting(user);
}

LogicalResult ScalarWalk::run() {
  for (auto &[op, reduction] : optimizer.reductions) {
    if (!optimizer.global.contains(op))
      addOwn(op->getResult(0));
    else
      for (OpOperand &use : op->getResult(0).getUses())
        optimizer.outside.push_back(&use);
  }
  while (!worklist.empty()) {
    Value own = worklist.pop_back_val();
    for (OpOperand &use : own.getUses())
      if (failed(visit(use)))
        return failure();
  }
  return checkUnclear();
}

LogicalResult sparsam::followScalars(FactorOptimizer &optimizer, const TensorSets &sets) {
  return ScalarWalk(optimizer, sets).run();
}
