#include "TensorSets.h"
#include "ScalarWork.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

std::string sparsam::getFactorName(StringRef path, unsigned number) {
  return (path + " factor " + Twine(number)).str();
}

TensorNames sparsam::getTensorNames(const StructuredFunction &function,
                                    ArrayRef<ExpandedArgument> arguments) {
  func::FuncOp func = function.func;
  TensorNames names;
  for (auto [number, expanded] : llvm::enumerate(arguments)) {
    auto path = func.getArgAttrOfType<StringAttr>(number, boundary::param);
    if (!path)
      path = func.getArgAttrOfType<StringAttr>(number, boundary::stateOf);
    auto type = dyn_cast<RankedTensorType>(expanded.argument.getType());
    bool isTensor =
        type && isa<FloatType>(type.getElementType()) && !isOneElement(expanded.argument);
    if (!path && !(isTensor && func.getArgAttr(number, boundary::updates)))
      continue;
    std::string name = path ? path.getValue().str() : getParameterName(func, number);
    names[expanded.argument] = name;
    auto *parameter =
        llvm::find_if(function.parameters,
                      [&](const StructuredParameter &p) { return p.path == name; });
    bool isPattern = parameter != function.parameters.end() && parameter->isPattern();
    unsigned factor = 0;
    for (auto [part, value] : llvm::enumerate(expanded.parts)) {
      if (isPattern)
        names[value] = name;
      // State has a tensor for each that is trained, the parameter all.
      else if (expanded.parts.size() != parameter->storage.size() ||
               parameter->storage[part].isTrainable())
        names[value] = getFactorName(name, factor++);
    }
  }
  return names;
}

TensorSets::TensorSets(StructuredFunction &function, const TensorNames &names,
                       StringRef path, Value dense)
    : names(names), path(path) {
  numbers[path] = 0;
  for (auto &entry : names)
    numbers.try_emplace(entry.second, numbers.size());
  function.func.walk([&](GradientOp gradient) {
    numbers.try_emplace(gradient.getParam(), numbers.size());
  });
  for (Operation &op : function.getBody()) {
    llvm::SmallBitVector set(numbers.size());
    if (auto gradient = dyn_cast<GradientOp>(op))
      set.set(numbers.lookup(gradient.getParam()));
    else if (&op == dense.getDefiningOp())
      set.set(numbers.lookup(path));
    else
      forEachUsedValue(&op, [&](Value used) { set |= get(used); });
    sets[&op] = std::move(set);
  }
}

llvm::SmallBitVector TensorSets::get(Value value) const {
  llvm::SmallBitVector set(numbers.size());
  if (Operation *op = value.getDefiningOp()) {
    auto found = sets.find(op);
    return found == sets.end() ? set : found->second;
  }
  auto name = names.find(value);
  if (name != names.end())
    set.set(numbers.lookup(name->second));
  return set;
}

TensorSets::Kind TensorSets::getKind(Value value) const {
  llvm::SmallBitVector set = get(value);
  if (set.none())
    return Neutral;
  return set.test(numbers.lookup(path)) ? OfParameter : OfOthers;
}

bool TensorSets::areDisjoint(Value a, Value b) const {
  llvm::SmallBitVector common = get(a);
  return !common.anyCommon(get(b));
}
