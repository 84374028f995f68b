#include "StructureRequests.h"
#include "StructuredFunction.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/FirstUse.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_APPLYSTRUCTUREPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// A parameter, and why it has the structure that it has.
struct Parameter {
  func::FuncOp func;
  unsigned argument;
  std::string path;

  BlockArgument getValue() const { return func::FuncOp(func).getArgument(argument); }
  Location getLoc() const { return getValue().getLoc(); }
};

SmallVector<Parameter> getParameters(ModuleOp module) {
  SmallVector<Parameter> parameters;
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isExternal())
      continue;
    for (unsigned number = 0; number < func.getNumArguments(); ++number)
      if ((func.getArgAttr(number, boundary::param) ||
           func.getArgAttr(number, boundary::structure) ||
           getStructure(func.getArgumentTypes()[number])) &&
          !func.getArgAttr(number, boundary::part))
        parameters.push_back({func, number, getParameterName(func, number)});
  }
  return parameters;
}

LogicalResult checkGlobs(ArrayRef<StructureRequest> requests,
                         ArrayRef<Parameter> parameters, Location loc) {
  for (auto [number, request] : llvm::enumerate(requests)) {
    StringRef glob = request.glob;
    auto matching = llvm::make_filter_range(parameters, [&](const Parameter &parameter) {
      return matchesGlob(glob, parameter.path);
    });
    if (!matching.empty()) {
      ArrayRef<StructureRequest> earlier = requests.take_front(number);
      if (llvm::all_of(matching, [&](const Parameter &parameter) {
            return llvm::any_of(earlier, [&](const StructureRequest &other) {
              return matchesGlob(other.glob, parameter.path);
            });
          }))
        emitWarning(loc) << "`" << glob << "` decides nothing: earlier globs match all "
                         << "parameters that it matches";
      continue;
    }
    InFlightDiagnostic error = emitError(loc)
                               << "`" << request.glob << "` matches no parameter; ";
    if (parameters.empty())
      return error << "there is none";
    error << "there are ";
    llvm::interleaveComma(parameters, error,
                          [&](const Parameter &parameter) { error << parameter.path; });
    return error;
  }
  return success();
}

/// The inputs of a parameter that is summed over all that is not stacked. A dimension of
/// size 1 is summed and kept alike, so what is written as a product with a vector may be
/// one with a matrix of a single column: such dimensions are outputs, all but the first
/// where there are no others.
static SmallVector<int64_t> leaveOutputs(ArrayRef<int64_t> in, ArrayRef<int64_t> stack,
                                         ArrayRef<int64_t> shape) {
  SmallVector<int64_t> wide(in);
  if (in.size() + stack.size() < shape.size())
    return wide;
  llvm::erase_if(wide, [&](int64_t dim) { return shape[dim] == 1; });
  if (wide.empty() && !in.empty())
    wide.push_back(in.front());
  return wide;
}

/// The view that the model's first use asks for; what the text names of it stays.
StructureInterface decideView(StructureInterface structure, Value parameter) {
  SmallVector<int64_t> in(structure.getIn()), stack(structure.getStack());
  auto isNamed = [](ArrayRef<int64_t> named, ArrayRef<int64_t> dims) {
    return llvm::any_of(dims, [&](int64_t d) { return llvm::is_contained(named, d); });
  };
  if (auto first = findFirstContraction(parameter)) {
    if (stack.empty() && !isNamed(in, first->stack))
      stack = first->stack;
    if (in.empty() && !isNamed(stack, first->dims))
      in = leaveOutputs(first->dims, stack,
                        cast<RankedTensorType>(parameter.getType()).getShape());
  }
  return withView(structure, in, stack);
}

/// What a message shows: what was written, if all that was added to it is the view.
StructureInterface getShown(StructureInterface structure, StructureInterface written) {
  bool hasSameView =
      structure == withView(written, structure.getIn(), structure.getStack());
  return hasSameView ? written : structure;
}

LogicalResult checkFits(const Parameter &parameter, StructureInterface structure,
                        StructureInterface shown) {
  auto error = [&] { return emitError(parameter.getLoc()) << parameter.path << ": "; };
  auto type = dyn_cast<RankedTensorType>(parameter.getValue().getType());
  if (!type)
    return error() << shown << " needs a tensor, found "
                   << parameter.getValue().getType();
  if (!isStructuredElement(type.getElementType()))
    return verifyStructure(shown, type.getShape(), type.getElementType(), error);
  auto view = getMatrixView(structure, getPlainType(type), error);
  if (failed(view))
    return failure();
  auto storage = shown.getStorage(view->matrix, error);
  if (failed(storage))
    return failure();
  func::FuncOp func = parameter.func;
  if (!func.getBody().hasOneBlock())
    return error() << shown << " needs a function of one block";
  // What trains nothing needs no update, and so no gradient and no optimizer.
  if (llvm::none_of(*storage,
                    [](const StorageTensor &part) { return part.isTrainable(); }))
    return success();
  auto reason = [](Attribute attr, StringRef before) {
    auto text = dyn_cast<StringAttr>(attr);
    return text ? (before + text.getValue()).str() : "";
  };
  if (Attribute attr = func.getArgAttr(parameter.argument, boundary::noGradient)) {
    std::string why = reason(attr, ": ");
    return error() << shown << " was asked for, but no gradient is known to reach "
                   << "this parameter's update" << why
                   << (StringRef(why).contains(';') ? ", or leave it dense"
                                                    : "; leave it dense");
  }
  Attribute attr = func.getArgAttr(parameter.argument, boundary::notElementwise);
  if (attr && structure.getKind() == StructureKind::Factors)
    return error() << shown << " was asked for, but the optimizer is not elementwise "
                   << "in this parameter's gradient" << reason(attr, ", ")
                   << "; choose a pattern structure or dense";
  return success();
}

/// Gives the argument and its new value the encoding; the body stays on plain types.
LogicalResult setEncoding(const Parameter &parameter, StructureInterface structure) {
  func::FuncOp func = parameter.func;
  auto carried = getCarriedValue(func, parameter.argument);
  if (failed(carried))
    return failure();
  BlockArgument argument = parameter.getValue();
  auto plain = getPlainType(cast<RankedTensorType>(argument.getType()));
  auto encoded =
      RankedTensorType::get(plain.getShape(), plain.getElementType(), structure);
  func.removeArgAttr(parameter.argument, boundary::structure);
  if (argument.getType() != encoded) {
    argument.setType(encoded);
    OpBuilder builder = OpBuilder::atBlockBegin(&func.front());
    auto dense = tensor::CastOp::create(builder, argument.getLoc(), plain, argument);
    argument.replaceAllUsesExcept(dense, dense);
  }
  if (carried->result) {
    Operation *terminator = func.front().getTerminator();
    Value updated = terminator->getOperand(*carried->result);
    if (updated.getType() != encoded) {
      OpBuilder builder(terminator);
      terminator->setOperand(
          *carried->result,
          tensor::CastOp::create(builder, updated.getLoc(), encoded, updated));
    }
  }
  func.setFunctionType(
      FunctionType::get(func.getContext(), func.front().getArgumentTypes(),
                        func.front().getTerminator()->getOperandTypes()));
  return success();
}

/// Lets structures that are one choice for several parameters of a function be that.
LogicalResult coupleAll(MutableArrayRef<CoupledParameter> parameters) {
  while (!parameters.empty()) {
    Block *body = parameters.front().value.getOwner();
    auto own = parameters.take_while([&](const CoupledParameter &parameter) {
      return parameter.value.getOwner() == body;
    });
    llvm::DenseSet<TypeID> kinds;
    for (const CoupledParameter &parameter : own)
      if (StructureInterface structure = parameter.getStructure();
          structure && kinds.insert(structure.getTypeID()).second &&
          failed(structure.couple(own)))
        return failure();
    parameters = parameters.drop_front(own.size());
  }
  return success();
}

struct ApplyStructurePass
    : mlir::sparsam::impl::ApplyStructurePassBase<ApplyStructurePass> {
  using ApplyStructurePassBase::ApplyStructurePassBase;

  void runOnOperation() override {
    Location loc = getOperation().getLoc();
    auto requests = parseStructureRequests(structures, loc);
    if (failed(requests))
      return signalPassFailure();
    SmallVector<Parameter> parameters = getParameters(getOperation());
    if (failed(checkGlobs(*requests, parameters, loc)))
      return signalPassFailure();
    bool failedAny = false;
    SmallVector<StructureInterface> allWritten;
    SmallVector<CoupledParameter> wanted;
    for (const Parameter &parameter : parameters) {
      auto written = getWritten(parameter, *requests);
      failedAny |= failed(written);
      allWritten.push_back(failed(written) ? StructureInterface() : *written);
      wanted.push_back(
          {parameter.path, parameter.getValue(), decide(parameter, allWritten.back())});
    }
    if (failedAny || failed(coupleAll(wanted)))
      return signalPassFailure();
    for (auto [parameter, written, asked] :
         llvm::zip_equal(parameters, allWritten, wanted))
      failedAny |= failed(apply(parameter, *requests, written, asked.getStructure()));
    if (failedAny)
      signalPassFailure();
  }

private:
  /// What is written, in the view that it has; null for nothing.
  StructureInterface decide(const Parameter &parameter, StructureInterface written) {
    Type type = parameter.getValue().getType();
    if (!written || getStructure(type) || !isa<RankedTensorType>(type))
      return written;
    return decideView(written, parameter.getValue());
  }

  LogicalResult apply(const Parameter &parameter, ArrayRef<StructureRequest> requests,
                      StructureInterface written, StructureInterface structure) {
    if (!structure) {
      ++numDense;
      reportDense(parameter, requests);
      return success();
    }
    StructureInterface shown = written ? getShown(structure, written) : structure;
    if (failed(checkFits(parameter, structure, shown)))
      return failure();
    ++numStructured;
    return setEncoding(parameter, structure);
  }

  /// What the type says or what is asked for; null for dense.
  FailureOr<StructureInterface> getWritten(const Parameter &parameter,
                                           ArrayRef<StructureRequest> requests) {
    if (StructureInterface structure = getStructure(parameter.getValue().getType()))
      return structure;
    func::FuncOp func = parameter.func;
    if (Attribute attr = func.getArgAttr(parameter.argument, boundary::structure)) {
      if (auto structure = dyn_cast<StructureInterface>(attr))
        return structure;
      return emitError(parameter.getLoc())
             << parameter.path << ": " << boundary::structure << " is " << attr
             << ", expected a structure";
    }
    for (const StructureRequest &request : requests) {
      if (matchesGlob(request.glob, parameter.path))
        return request.structure;
    }
    return StructureInterface();
  }

  static void reportDense(const Parameter &parameter,
                          ArrayRef<StructureRequest> requests) {
    InFlightDiagnostic remark = emitRemark(parameter.getLoc())
                                << parameter.path << " stays dense: ";
    for (const StructureRequest &request : requests)
      if (matchesGlob(request.glob, parameter.path)) {
        remark << "`" << request.glob << "` asks for dense";
        return;
      }
    remark << "no structure was asked for";
  }
};

} // namespace
