#include "sparsam/Runtime/Signature.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr ElementType elementTypes[] = {
    {"f32", "float32", 'f', 4},   {"f64", "float64", 'f', 8}, {"f16", "float16", 'f', 2},
    {"bf16", "bfloat16", 'V', 2}, {"i1", "bool", 'b', 1},     {"i8", "int8", 'i', 1},
    {"i16", "int16", 'i', 2},     {"i32", "int32", 'i', 4},   {"i64", "int64", 'i', 8},
    {"index", "int64", 'i', 8},   {"si8", "int8", 'i', 1},    {"si16", "int16", 'i', 2},
    {"si32", "int32", 'i', 4},    {"si64", "int64", 'i', 8},  {"ui8", "uint8", 'u', 1},
    {"ui16", "uint16", 'u', 2},   {"ui32", "uint32", 'u', 4}, {"ui64", "uint64", 'u', 8},
};

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

template <typename T> const T *find(const AttributeTable &table, StringRef name) {
  for (const auto &[key, value] : table)
    if (key == name)
      return std::get_if<T>(&value);
  return nullptr;
}

} // namespace

const std::string *ValueSignature::text(StringRef name) const {
  return find<std::string>(attributes, name);
}

const int64_t *ValueSignature::integer(StringRef name) const {
  return find<int64_t>(attributes, name);
}

bool ValueSignature::has(StringRef name) const {
  return llvm::any_of(attributes, [&](const auto &entry) { return entry.first == name; });
}

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

llvm::ArrayRef<ElementType> sparsam::knownElementTypes() { return elementTypes; }

const ElementType *sparsam::findElementType(StringRef mlir) {
  const auto *found = llvm::find_if(
      elementTypes, [&](const ElementType &type) { return type.mlir == mlir; });
  return found == std::end(elementTypes) ? nullptr : found;
}

std::string sparsam::shapeText(ArrayRef<int64_t> shape) {
  std::string text = "(";
  for (int64_t extent : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::string sparsam::argumentLabel(const ValueSignature &value, size_t index) {
  std::string label = "argument " + std::to_string(index);
  const std::string *name = value.text("sparsam.name");
  if (!name)
    name = value.text("sparsam.param");
  if (!name)
    name = value.text("sparsam.state_of");
  if (!name)
    return label;
  label += " '" + *name;
  if (const std::string *part = value.text("sparsam.part"))
    label += "/" + *part;
  return label + "'";
}
