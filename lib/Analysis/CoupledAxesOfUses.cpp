// Axes where values are used: what repeats does not couple its readers, nor does what
// takes all entries.
#include "sparsam/Analysis/CoupledAxes.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The results of a function that are new values of free arguments.
DenseMap<unsigned, BlockArgument> CoupledAxes::getUpdated() const {
  DenseMap<unsigned, BlockArgument> updated;
  for (BlockArgument argument : func::FuncOp(function).getArguments())
    if (auto number = func::FuncOp(function).getArgAttrOfType<IntegerAttr>(
            argument.getArgNumber(), boundary::updates);
        number && isFree(argument))
      updated[number.getInt()] = argument;
  return updated;
}

/// Elementwise work of which only such results come is done on all entries.
void CoupledAxes::findTakingAll() {
  Block &body = function.front();
  auto updated = getUpdated();
  for (OpOperand &use : body.getTerminator()->getOpOperands())
    if (!updated.contains(use.getOperandNumber()))
      takingAll.insert(&use);
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    if (failed(matchElementwise(&op)) || op.use_empty())
      continue;
    if (llvm::all_of(op.getUses(), [&](OpOperand &use) { return takesAll(use); }))
      for (OpOperand &use : op.getOpOperands())
        if (isa<RankedTensorType>(use.get().getType()))
          takingAll.insert(&use);
  }
}

void CoupledAxes::makeDims(SmallVector<Axis> &dims, Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    for (int64_t size : tensor.getShape())
      dims.push_back(axes.make(size));
}

bool CoupledAxes::isUniform(Value value) {
  auto [known, isNew] = uniform.try_emplace(value, false);
  if (!isNew)
    return known->second;
  bool found = isa<RankedTensorType>(value.getType()) && sparsam::isUniform(value);
  return uniform[value] = found;
}

ArrayRef<Axis> CoupledAxes::get(Value value) {
  auto &dims = ofValue[value];
  if (!dims) {
    dims = std::make_unique<SmallVector<Axis>>();
    makeDims(*dims, value.getType());
  }
  return *dims;
}

/// Whether a body reads its position in a loop.
static bool readsPosition(linalg::LinalgOp op, unsigned loop) {
  return op
      ->walk([&](linalg::IndexOp index) {
        return index.getDim() == loop ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

const llvm::SmallBitVector &CoupledAxes::getRepeatedDims(Value value) {
  auto &known = repeated[value];
  if (known)
    return *known;
  known = std::make_unique<llvm::SmallBitVector>();
  llvm::SmallBitVector &dims = *known;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  dims.resize(type ? type.getRank() : 0);
  if (!op || op->getNumResults() != 1 || op.getNumReductionLoops() ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)) || isUniform(value))
    return dims;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!map.isPermutation())
    return dims;
  for (unsigned dim = 0; dim < map.getNumResults(); ++dim) {
    unsigned loop = map.getDimPosition(dim);
    auto isRepeatedIn = [&](OpOperand *use) {
      AffineMap access = op.getMatchingIndexingMap(use);
      bool all = isUniform(use->get());
      return llvm::all_of(llvm::enumerate(access.getResults()), [&](auto result) {
        if (!result.value().isFunctionOfDim(loop))
          return true;
        return isa<AffineDimExpr>(result.value()) &&
               (all || getRepeatedDims(use->get()).test(result.index()));
      });
    };
    if (type.getDimSize(dim) > 1 && !readsPosition(op, loop) &&
        llvm::all_of(op.getDpsInputOperands(), isRepeatedIn))
      dims.set(dim);
  }
  return dims;
}

ArrayRef<Axis> CoupledAxes::get(OpOperand &use) {
  bool isUniformUse = isUniform(use.get()) || takesAll(use);
  if (!isUniformUse && getRepeatedDims(use.get()).none())
    return get(use.get());
  auto &dims = ofUse[&use];
  if (dims)
    return *dims;
  dims = std::make_unique<SmallVector<Axis>>();
  makeDims(*dims, use.get().getType());
  if (!isUniformUse)
    for (auto [dim, axis] : llvm::enumerate(get(use.get())))
      if (!getRepeatedDims(use.get()).test(dim))
        (*dims)[dim] = axis;
  return *dims;
}
