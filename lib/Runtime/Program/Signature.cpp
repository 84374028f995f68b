#include "sparsam/Runtime/Signature.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

template <typename T> std::string printed(T value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

AttributeValue convert(Attribute attribute) {
  return llvm::TypeSwitch<Attribute, AttributeValue>(attribute)
      .Case<UnitAttr>([](auto) { return true; })
      .Case<BoolAttr>([](BoolAttr a) { return a.getValue(); })
      .Case<IntegerAttr>([](IntegerAttr a) -> AttributeValue {
        if (a.getValue().getSignificantBits() <= 64)
          return a.getValue().getSExtValue();
        return printed(Attribute(a));
      })
      .Case<FloatAttr>([](FloatAttr a) { return a.getValueAsDouble(); })
      .Case<StringAttr>([](StringAttr a) { return a.getValue().str(); })
      .Default([](Attribute a) { return printed(a); });
}

ValueSignature describe(Type type, DictionaryAttr attributes) {
  ValueSignature value;
  value.type = printed(type);
  if (auto shaped = dyn_cast<ShapedType>(type)) {
    value.elementType = printed(shaped.getElementType());
    if (shaped.hasRank())
      value.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
  } else {
    value.elementType = value.type;
  }
  value.attributes = sparsam::describe(attributes);
  return value;
}

} // namespace

AttributeTable sparsam::describe(DictionaryAttr attributes) {
  AttributeTable table;
  if (attributes)
    for (NamedAttribute attribute : attributes)
      table.emplace_back(attribute.getName().str(), convert(attribute.getValue()));
  return table;
}

FunctionSignature sparsam::describe(FunctionOpInterface function) {
  FunctionSignature signature;
  signature.name = function.getName().str();
  signature.isPublic = function.isPublic();
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    signature.arguments.push_back(::describe(type, function.getArgAttrDict(i)));
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    signature.results.push_back(::describe(type, function.getResultAttrDict(i)));
  return signature;
}

std::vector<FunctionSignature> sparsam::describeFunctions(ModuleOp module) {
  std::vector<FunctionSignature> functions;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (!function.isExternal())
      functions.push_back(describe(function));
  return functions;
}
