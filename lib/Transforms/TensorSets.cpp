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
    : body(&function.getBody()), names(names), path(path), dense(dense.getDefiningOp()) {}

void TensorSets::add(Set &set, StringRef name) const {
  unsigned number = numbers.try_emplace(name, numbers.size()).first->second;
  if (set.size() <= number)
    set.resize(number + 1);
  set.set(number);
}

TensorSets::Set TensorSets::get(Value value) const {
  if (Operation *op = value.getDefiningOp())
    return op->getBlock() == body ? get(op) : Set();
  Set set;
  if (auto name = names.find(value); name != names.end())
    add(set, name->second);
  return set;
}

/// Of the operands first, without recursion: the model may be deep.
const TensorSets::Set &TensorSets::get(Operation *root) const {
  SmallVector<Operation *> pending{root};
  while (!pending.empty()) {
    Operation *op = pending.back();
    auto gradient = dyn_cast<GradientOp>(op);
    bool isLeaf = gradient || op == dense;
    size_t size = pending.size();
    if (!isLeaf && !sets.contains(op))
      forEachUsedValue(op, [&](Value used) {
        Operation *defining = used.getDefiningOp();
        if (defining && defining->getBlock() == body && !sets.contains(defining))
          pending.push_back(defining);
      });
    if (pending.size() > size)
      continue;
    pending.pop_back();
    if (sets.contains(op))
      continue;
    Set set;
    if (isLeaf)
      add(set, gradient ? gradient.getParam() : path);
    else
      forEachUsedValue(op, [&](Value used) { set |= get(used); });
    sets[op] = std::move(set);
  }
  return sets.find(root)->second;
}

TensorSets::Kind TensorSets::getKind(Value value) const {
  Set set = get(value), own;
  if (set.none())
    return Neutral;
  add(own, path);
  return own.anyCommon(set) ? OfParameter : OfOthers;
}

bool TensorSets::areDisjoint(Value a, Value b) const {
  Set common = get(a);
  return !common.anyCommon(get(b));
}
