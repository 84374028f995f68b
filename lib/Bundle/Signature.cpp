#include "sparsam/Bundle/Signature.h"

#include <algorithm>

using namespace mlir::sparsam;

namespace {

template <typename T> const T *find(const AttributeTable &table, std::string_view name) {
  for (const auto &[key, value] : table)
    if (key == name)
      return std::get_if<T>(&value);
  return nullptr;
}

} // namespace

const std::vector<ElementType> &mlir::sparsam::knownElementTypes() {
  static const std::vector<ElementType> types = {
      {"f32", "float32", "float", 'f', 4},    {"f64", "float64", "double", 'f', 8},
      {"f16", "float16", "uint16_t", 'f', 2}, {"bf16", "bfloat16", "uint16_t", 'V', 2},
      {"i1", "bool", "uint8_t", 'b', 1},      {"i8", "int8", "int8_t", 'i', 1},
      {"i16", "int16", "int16_t", 'i', 2},    {"i32", "int32", "int32_t", 'i', 4},
      {"i64", "int64", "int64_t", 'i', 8},    {"index", "int64", "int64_t", 'i', 8},
      {"si8", "int8", "int8_t", 'i', 1},      {"si16", "int16", "int16_t", 'i', 2},
      {"si32", "int32", "int32_t", 'i', 4},   {"si64", "int64", "int64_t", 'i', 8},
      {"ui8", "uint8", "uint8_t", 'u', 1},    {"ui16", "uint16", "uint16_t", 'u', 2},
      {"ui32", "uint32", "uint32_t", 'u', 4}, {"ui64", "uint64", "uint64_t", 'u', 8},
  };
  return types;
}

const ElementType *mlir::sparsam::findElementType(std::string_view mlir) {
  for (const ElementType &type : knownElementTypes())
    if (type.mlir == mlir)
      return &type;
  return nullptr;
}

const std::string *ValueSignature::text(std::string_view name) const {
  return find<std::string>(attributes, name);
}

const int64_t *ValueSignature::integer(std::string_view name) const {
  return find<int64_t>(attributes, name);
}

bool ValueSignature::has(std::string_view name) const {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const auto &entry) { return entry.first == name; });
}

std::string mlir::sparsam::argumentLabel(const ValueSignature &value, size_t index) {
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

std::string mlir::sparsam::shapeText(const std::vector<int64_t> &shape) {
  std::string text = "(";
  for (int64_t extent : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + (shape.size() == 1 ? ",)" : ")");
}

bool ValueSignature::isUnsigned() const {
  const ElementType *type = findElementType(elementType);
  return type && type->isSignless() && text("sparsam.part");
}

std::string mlir::sparsam::elementText(const ValueSignature &value) {
  const ElementType *type = findElementType(value.elementType);
  if (!type)
    return value.elementType;
  return (value.isUnsigned() ? "u" : "") + std::string(type->numpy);
}

std::string mlir::sparsam::arrayText(const ValueSignature &value) {
  return elementText(value) + " of shape " + shapeText(value.shape);
}

bool ProgramArgument::isIndex() const {
  // What a pattern stores besides is values, which are floats.
  return isUnsigned() && text("sparsam.param");
}

std::string_view mlir::sparsam::roleName(ProgramArgument::Role role) {
  switch (role) {
  case ProgramArgument::Role::Input:
    return "input";
  case ProgramArgument::Role::Updated:
    return "updated";
  case ProgramArgument::Role::Result:
    return "result";
  case ProgramArgument::Role::Workspace:
    return "workspace";
  }
  return "";
}

size_t ProgramFunction::callerArguments() const {
  return std::count_if(arguments.begin(), arguments.end(),
                       [](const ProgramArgument &any) { return !any.isWorkspace(); });
}

std::string mlir::sparsam::functionNames(const std::vector<ProgramFunction> &functions) {
  std::string text;
  for (const ProgramFunction &function : functions)
    text += (text.empty() ? "'" : ", '") + function.name + "'";
  return text;
}
