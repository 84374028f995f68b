#include "Arrays.h"

#include "llvm/ADT/StringRef.h"

#include <nanobind/stl/string.h>

namespace nb = nanobind;
using mlir::sparsam::ProgramArgument;

namespace {

using Array = nb::ndarray<nb::ro>;
using DType = nb::dlpack::dtype;
using Code = nb::dlpack::dtype_code;

struct ElementType {
  llvm::StringLiteral mlir, numpy;
  Code code;
  uint8_t bits;
};

/// Signless integers are signed where a name has to be given.
constexpr ElementType elementTypes[] = {
    {"f32", "float32", Code::Float, 32}, {"f64", "float64", Code::Float, 64},
    {"f16", "float16", Code::Float, 16}, {"bf16", "bfloat16", Code::Bfloat, 16},
    {"i1", "bool", Code::Bool, 8},       {"i8", "int8", Code::Int, 8},
    {"i16", "int16", Code::Int, 16},     {"i32", "int32", Code::Int, 32},
    {"i64", "int64", Code::Int, 64},     {"index", "int64", Code::Int, 64},
    {"si8", "int8", Code::Int, 8},       {"si16", "int16", Code::Int, 16},
    {"si32", "int32", Code::Int, 32},    {"si64", "int64", Code::Int, 64},
    {"ui8", "uint8", Code::UInt, 8},     {"ui16", "uint16", Code::UInt, 16},
    {"ui32", "uint32", Code::UInt, 32},  {"ui64", "uint64", Code::UInt, 64},
};

const ElementType *findElementType(llvm::StringRef name) {
  const auto *found = llvm::find_if(
      elementTypes, [&](const ElementType &type) { return type.mlir == name; });
  return found == std::end(elementTypes) ? nullptr : found;
}

std::string dtypeText(DType type) {
  for (const ElementType &known : elementTypes)
    if (static_cast<uint8_t>(known.code) == type.code && known.bits == type.bits)
      return known.numpy.str();
  return "an element type of " + std::to_string(type.bits) + " bits";
}

bool dtypeMatches(DType found, const ElementType &wanted) {
  if (found.lanes != 1 || found.bits != wanted.bits)
    return false;
  if (found.code == static_cast<uint8_t>(wanted.code))
    return true;
  // A signless integer stands for either sign, and NumPy has no bfloat16 of its
  // own that could be handed over, so that its bits are.
  bool isUnsigned = found.code == static_cast<uint8_t>(Code::UInt);
  return isUnsigned && (wanted.mlir.starts_with("i") || wanted.mlir == "bf16") &&
         wanted.mlir != "i1";
}

template <typename Range> std::string shapeText(const Range &shape) {
  std::string text = "(";
  for (int64_t extent : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + (shape.size() == 1 ? ",)" : ")");
}

[[noreturn]] void typeError(const std::string &message) {
  throw nb::type_error(message.c_str());
}
[[noreturn]] void valueError(const std::string &message) {
  throw nb::value_error(message.c_str());
}

/// JAX's arrays are immutable and may be shared inside JAX, but DLPack says of them
/// that they may be written.
bool isImmutable(nb::handle array) {
  nb::object module = nb::getattr(array.type(), "__module__", nb::none());
  if (!nb::isinstance<nb::str>(module))
    return false;
  llvm::StringRef name = nb::cast<const char *>(module);
  return name == "jax" || name == "jaxlib" || name.starts_with("jax.") ||
         name.starts_with("jaxlib.");
}

bool isContiguous(const Array &array) {
  int64_t stride = 1;
  for (size_t i = array.ndim(); i-- > 0;) {
    if (array.shape(i) != 1 && array.stride(i) != stride)
      return array.size() == 0;
    stride *= array.shape(i);
  }
  return true;
}

} // namespace

std::string sparsam_python::dtypeName(const std::string &elementType) {
  const ElementType *type = findElementType(elementType);
  return type ? type->numpy.str() : "";
}

void *sparsam_python::arrayData(nb::handle array, const ProgramArgument &argument,
                                size_t index, Array &owner) {
  std::string label = argumentLabel(argument, index);
  bool written = argument.role != ProgramArgument::Role::Input;
  if (written && isImmutable(array))
    typeError(label + " is written to: pass a writable NumPy array, not a JAX array");
  nb::ndarray<> writable;
  if (written && nb::try_cast(array, writable, /*convert=*/false))
    owner = Array(writable);
  else if (!nb::try_cast(array, owner, /*convert=*/false))
    typeError(label + " must be an array (buffer protocol or DLPack), and is " +
              nb::cast<std::string>(nb::repr(array.type())));
  else if (written)
    valueError(label + " is written to, and the array is read-only");
  if (owner.device_type() != nb::device::cpu::value)
    valueError(label + " must be in the memory of the host");

  const ElementType *type = findElementType(argument.elementType);
  if (!type)
    typeError(label + " has element type " + argument.elementType +
              ", which no array from Python has");
  if (!dtypeMatches(owner.dtype(), *type))
    typeError(label + " must be of dtype " + type->numpy.str() + ", and is of dtype " +
              dtypeText(owner.dtype()));
  std::vector<int64_t> shape;
  for (size_t i = 0; i < owner.ndim(); ++i)
    shape.push_back(owner.shape(i));
  if (shape != argument.shape)
    valueError(label + " must be of shape " + shapeText(argument.shape) +
               ", and is of shape " + shapeText(shape));
  if (!isContiguous(owner))
    valueError(label +
               " must be contiguous (row-major); np.ascontiguousarray makes it so");
  return const_cast<void *>(owner.data());
}
