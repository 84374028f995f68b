#include "StructuredFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

static StringRef getText(func::FuncOp func, unsigned argument, StringRef attribute) {
  auto text = func.getArgAttrOfType<StringAttr>(argument, attribute);
  return text ? text.getValue() : StringRef();
}

std::string sparsam::getParameterName(func::FuncOp func, unsigned argument) {
  for (StringRef attribute : {boundary::param, boundary::name})
    if (StringRef text = getText(func, argument, attribute); !text.empty())
      return text.str();
  return "arg" + std::to_string(argument);
}

FailureOr<CarriedValue> sparsam::getCarriedValue(func::FuncOp func, unsigned argument) {
  Attribute attr = func.getArgAttr(argument, boundary::updates);
  if (!attr)
    return CarriedValue{argument, std::nullopt};
  Location loc = func.getArgument(argument).getLoc();
  auto number = dyn_cast<IntegerAttr>(attr);
  if (!number || number.getInt() < 0 || number.getInt() >= func.getNumResults())
    return emitError(loc) << getParameterName(func, argument) << ": " << boundary::updates
                          << " is " << attr << ", expected the number of one of "
                          << func.getNumResults() << " results";
  auto result = static_cast<unsigned>(number.getInt());
  auto plain = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor ? getPlainType(tensor) : type;
  };
  Type from = func.getArgumentTypes()[argument], to = func.getResultTypes()[result];
  if (plain(from) != plain(to))
    return emitError(loc) << getParameterName(func, argument) << " of " << from
                          << " is updated by result " << result << " of " << to;
  return CarriedValue{argument, result};
}

/// Adds the parameter that argument `number` is.
static LogicalResult addParameter(StructuredFunction &function, unsigned number) {
  func::FuncOp func = function.func;
  BlockArgument argument = func.getArgument(number);
  StructureInterface structure = getStructure(argument.getType());
  auto carried = getCarriedValue(func, number);
  if (failed(carried))
    return failure();
  std::string path = getParameterName(func, number);
  auto type = getPlainType(cast<RankedTensorType>(argument.getType()));
  auto storage = getParameterStorage(
      structure, type, [&] { return emitError(argument.getLoc()) << path << ": "; });
  if (failed(storage))
    return failure();
  for (const StructuredParameter &other : function.parameters)
    if (other.path == path)
      return emitError(argument.getLoc())
             << "two structured parameters are both named " << path;
  function.parameters.push_back(
      {*carried, path, structure, type, *storage, {}, {}, argument.getLoc()});
  return success();
}

static LogicalResult addStates(StructuredFunction &function) {
  func::FuncOp func = function.func;
  for (unsigned number = 0; number < func.getNumArguments(); ++number) {
    StringRef path = getText(func, number, boundary::stateOf);
    auto *parameter =
        llvm::find_if(function.parameters, [&](const StructuredParameter &candidate) {
          return candidate.path == path;
        });
    if (path.empty() || parameter == function.parameters.end())
      continue;
    auto carried = getCarriedValue(func, number);
    if (failed(carried))
      return failure();
    auto type = dyn_cast<RankedTensorType>(func.getArgumentTypes()[number]);
    if (!type || type.getShape() != parameter->type.getShape())
      return emitError(func.getArgument(number).getLoc())
             << getParameterName(func, number) << " is state of " << path << " of "
             << parameter->type << ", expected a tensor of that shape, found "
             << func.getArgumentTypes()[number];
    parameter->states.push_back(*carried);
  }
  return success();
}

static LogicalResult addGradients(StructuredFunction &function) {
  WalkResult walk = function.func.walk([&](GradientOp gradient) -> WalkResult {
    for (StructuredParameter &parameter : function.parameters) {
      if (parameter.path != gradient.getParam())
        continue;
      if (parameter.gradient)
        return gradient.emitOpError()
               << "is the second gradient of " << parameter.path << " in this function";
      if (getPlainType(cast<RankedTensorType>(gradient.getType())) != parameter.type)
        return gradient.emitOpError()
               << "of " << parameter.path << ": expected " << parameter.type << ", found "
               << gradient.getType();
      parameter.gradient = gradient;
    }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// Every structured result has to be the new value of a structured argument.
static LogicalResult checkResults(const StructuredFunction &function) {
  func::FuncOp func = function.func;
  for (unsigned number = 0; number < func.getNumResults(); ++number) {
    StructureInterface structure = getStructure(func.getResultTypes()[number]);
    if (!structure)
      continue;
    auto isUpdated = [&](const StructuredParameter &parameter) {
      return parameter.value.result == number && parameter.structure == structure;
    };
    if (llvm::none_of(function.parameters, isUpdated))
      return func.emitError() << "result " << number << " is encoded as " << structure
                              << " but is the new value of no argument so encoded; "
                              << "expected " << boundary::updates << " = " << number
                              << " on one";
  }
  return success();
}

/// A callee would need the same expansion.
static LogicalResult checkCalls(func::FuncOp func) {
  auto isStructured = [](Type type) { return static_cast<bool>(getStructure(type)); };
  WalkResult walk = func.walk([&](CallOpInterface call) -> WalkResult {
    if (llvm::any_of(call->getOperandTypes(), isStructured) ||
        llvm::any_of(call->getResultTypes(), isStructured))
      return call->emitOpError("passes a structured tensor; inline the function first");
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

FailureOr<StructuredFunction> sparsam::getStructuredFunction(func::FuncOp func) {
  StructuredFunction function{func, {}};
  for (unsigned number = 0; number < func.getNumArguments(); ++number)
    if (getStructure(func.getArgumentTypes()[number]) &&
        failed(addParameter(function, number)))
      return failure();
  if (failed(checkResults(function)))
    return failure();
  if (function.parameters.empty())
    return function;
  if (!func.getBody().hasOneBlock())
    return func.emitError("expected a function of one block since it has structured "
                          "arguments");
  if (failed(checkCalls(func)) || failed(addStates(function)) ||
      failed(addGradients(function)))
    return failure();
  return function;
}

void sparsam::dropEncodings(func::FuncOp func) {
  auto plain = [](Value value) {
    if (getStructure(value.getType()))
      value.setType(getPlainType(cast<RankedTensorType>(value.getType())));
  };
  auto isStructured = [](Type type) { return static_cast<bool>(getStructure(type)); };
  func.walk([&](Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
          dense && isStructured(dense.getType()))
        constant.setValueAttr(
            dense.reshape(getPlainType(cast<RankedTensorType>(dense.getType()))));
    llvm::for_each(op->getResults(), plain);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (op != func)
          llvm::for_each(block.getArguments(), plain);
  });
  func.walk([](tensor::CastOp cast) {
    if (cast.getSource().getType() == cast.getType()) {
      cast.replaceAllUsesWith(cast.getSource());
      cast.erase();
    }
  });
}

FailureOr<SmallVector<StructuredFunction>>
sparsam::getStructuredFunctions(ModuleOp module) {
  SmallVector<StructuredFunction> functions;
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isExternal())
      continue;
    auto function = getStructuredFunction(func);
    if (failed(function))
      return failure();
    if (!function->parameters.empty())
      functions.push_back(std::move(*function));
  }
  return functions;
}
