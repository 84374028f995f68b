#include "FindParameters.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

std::string StepBoundary::describe(const Parameter &parameter) const {
  return ("argument " + Twine(parameter.argument) + " ('" + parameter.path + "')").str();
}

std::string mlir::sparsam::getArgumentName(func::FuncOp function, unsigned argument) {
  if (auto name = function.getArgAttrOfType<StringAttr>(argument, boundary::name))
    return name.getValue().str();
  return ("arg" + Twine(argument)).str();
}

namespace {

RankedTensorType withoutEncoding(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

/// The result that an argument says is its new value.
FailureOr<std::optional<unsigned>>
readUpdates(func::FuncOp function, unsigned i,
            llvm::DenseMap<unsigned, unsigned> &updated) {
  Attribute attr = function.getArgAttr(i, boundary::updates);
  if (!attr)
    return std::optional<unsigned>();
  auto error = [&] { return function.emitError("argument ") << i << ": "; };
  auto number = dyn_cast<IntegerAttr>(attr);
  if (!number)
    return error() << "expected an integer as " << boundary::updates << ", found "
                   << attr;
  int64_t result = number.getValue().getSExtValue();
  if (result < 0 || result >= int64_t(function.getNumResults()))
    return error() << boundary::updates << " = " << result << ", but the function has "
                   << function.getNumResults() << " results";
  auto [other, inserted] = updated.try_emplace(result, i);
  if (!inserted)
    return error() << "result " << result << " is the new value of argument "
                   << other->second << " already";
  Type argument = function.getArgumentTypes()[i],
       type = function.getResultTypes()[result];
  auto tensor = dyn_cast<RankedTensorType>(argument);
  auto newTensor = dyn_cast<RankedTensorType>(type);
  if (argument != type &&
      !(tensor && newTensor && withoutEncoding(tensor) == withoutEncoding(newTensor)))
    return error() << "result " << result << " is its new value, but has the type "
                   << type << ", not " << argument;
  return std::optional<unsigned>(result);
}

} // namespace

FailureOr<StepBoundary> StepBoundary::read(func::FuncOp function) {
  StepBoundary step;
  step.function = function;
  step.terminator = cast<func::ReturnOp>(function.front().getTerminator());
  llvm::DenseMap<unsigned, unsigned> updated;
  llvm::StringMap<unsigned> paths;
  for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i) {
    auto result = readUpdates(function, i, updated);
    if (failed(result))
      return failure();
    Attribute param = function.getArgAttr(i, boundary::param);
    if (!param) {
      if (*result)
        step.carried.emplace_back(i, **result);
      continue;
    }
    auto path = dyn_cast<StringAttr>(param);
    if (!path || path.empty())
      return function.emitError("argument ")
             << i << ": expected a path as " << boundary::param << ", found " << param;
    auto [other, inserted] = paths.try_emplace(path, i);
    if (!inserted)
      return function.emitError("arguments ")
             << other->second << " and " << i << " are both the parameter " << path;
    auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[i]);
    if (!type || !type.hasStaticShape() || !isa<FloatType>(type.getElementType()))
      return function.emitError("argument ")
             << i << " is the parameter " << path
             << "; expected a floating-point tensor of static shape, found "
             << function.getArgumentTypes()[i];
    step.parameters.push_back({i, path.getValue(), *result, withoutEncoding(type)});
  }
  return step;
}

FailureOr<llvm::StringMap<Value>>
mlir::sparsam::takeMarkedGradients(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError("expected a function of one block, found ")
           << function.getBody().getBlocks().size();
  auto terminator = dyn_cast<func::ReturnOp>(function.front().getTerminator());
  if (!terminator)
    return function.emitError("expected a function that ends with func.return, found '")
           << function.front().getTerminator()->getName() << "'";
  llvm::StringMap<Value> marked;
  llvm::BitVector erase(function.getNumResults());
  SmallVector<unsigned> renumbered(function.getNumResults());
  for (unsigned i = 0, kept = 0, e = function.getNumResults(); i != e; ++i) {
    renumbered[i] = kept;
    Attribute attr = function.getResultAttr(i, boundary::gradientOf);
    if (!attr) {
      ++kept;
      continue;
    }
    auto path = dyn_cast<StringAttr>(attr);
    if (!path || path.empty())
      return function.emitError("result ") << i << ": expected a path as "
                                           << boundary::gradientOf << ", found " << attr;
    if (!marked.try_emplace(path, terminator.getOperand(i)).second)
      return function.emitError("the gradient of ") << path << " is marked twice";
    erase.set(i);
  }
  if (erase.none())
    return marked;
  for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i) {
    auto number = function.getArgAttrOfType<IntegerAttr>(i, boundary::updates);
    if (!number || number.getValue().uge(renumbered.size()))
      continue;
    unsigned result = number.getInt();
    if (erase.test(result))
      return function.emitError("argument ")
             << i << ": its new value, result " << result << ", marks a gradient";
    function.setArgAttr(i, boundary::updates,
                        IntegerAttr::get(number.getType(), renumbered[result]));
  }
  terminator->eraseOperands(erase);
  if (failed(function.eraseResults(erase)))
    return failure();
  return marked;
}
