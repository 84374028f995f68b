// Rule 11 of the algebra: what is left over of patterns is reported.
#include "PropagateRules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/Convolution.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

bool sparsam::isCompanion(func::FuncOp function) {
  return function->hasAttr(boundary::companion);
}

Value sparsam::getStorageRoot(Value value) {
  value = getViewRoot(value);
  while (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>())
    value = getViewRoot(slice.getSource());
  return value;
}

/// The dense tensor that a pattern is selected from in this function, if it is.
static Value getSelectedFrom(Value index) {
  auto select = getStorageRoot(index).getDefiningOp<SelectOp>();
  return select ? getStorageRoot(select.getSource()) : Value();
}

std::string sparsam::describeParameter(func::FuncOp function, ValueRange storage) {
  for (Value value : storage) {
    Value selectedFrom = getSelectedFrom(value);
    auto argument =
        dyn_cast<BlockArgument>(selectedFrom ? selectedFrom : getStorageRoot(value));
    if (!argument || argument.getOwner() != &function.front())
      continue;
    for (StringRef attribute : {boundary::param, boundary::stateOf})
      if (auto path =
              function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), attribute))
        return ("parameter \"" + path.getValue() + "\"").str();
  }
  return "a parameter";
}

static std::string explain(Operation *user, DensifyOp densify) {
  if (succeeded(Product::of(user)))
    return explainNoSpmm(user, densify);
  if (succeeded(Convolution::of(user)))
    return "a convolution contracts neither all inputs nor all outputs of the view, or "
           "reads a part of it as its windows";
  if (user->hasTrait<OpTrait::ReturnLike>())
    return "it is returned";
  return ("`" + user->getName().getStringRef() + "` needs all of it").str();
}

static void reportDensify(func::FuncOp function, DensifyOp op) {
  std::string parameter = describeParameter(function, op.getStorage());
  SmallVector<Operation *> users = getUsersThroughViews(op.getResult());
  for (Operation *user : users) {
    InFlightDiagnostic remark = op.emitRemark()
                                << parameter << " of " << op.getStructure()
                                << " is made dense: " << explain(user, op);
    remark.attachNote(user->getLoc()) << "used here";
  }
}

/// What is restricted, and why it is not on the pattern from the start.
static std::string explain(func::FuncOp function, RestrictOp op) {
  Value source = getStorageRoot(op.getSource());
  if (llvm::any_of(op.getPattern(),
                   [&](Value index) { return getSelectedFrom(index) == source; }))
    return "is read from a dense tensor: the pattern is selected from it here";
  auto argument = dyn_cast<BlockArgument>(source);
  if (argument && argument.getOwner() == &function.front())
    return "is read from a dense tensor: it is an argument";
  return "is computed dense first: " + explainNoSddmm(op);
}

static void reportRestrict(func::FuncOp function, RestrictOp op) {
  InFlightDiagnostic remark = op.emitRemark()
                              << "a tensor on the pattern of "
                              << describeParameter(function, op.getPattern()) << " "
                              << explain(function, op);
  if (Operation *source = getViewRoot(op.getSource()).getDefiningOp())
    remark.attachNote(source->getLoc()) << "made here";
}

int64_t sparsam::reportLeftovers(func::FuncOp function) {
  if (isCompanion(function))
    return 0;
  int64_t count = 0;
  function.walk([&](Operation *op) {
    if (auto densify = dyn_cast<DensifyOp>(op)) {
      ++count;
      reportDensify(function, densify);
    } else if (auto restrict = dyn_cast<RestrictOp>(op)) {
      ++count;
      reportRestrict(function, restrict);
    }
  });
  return count;
}
