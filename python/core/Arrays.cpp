#include "Arrays.h"

#include <nanobind/stl/string.h>
#include <optional>
#include <string_view>

namespace nb = nanobind;
using namespace mlir::sparsam;
using namespace sparsam_python;

namespace {

using Array = nb::ndarray<nb::ro>;
using DType = nb::dlpack::dtype;
using Code = nb::dlpack::dtype_code;

Code code(const ElementType &type) {
  switch (type.kind) {
  case 'f':
    return Code::Float;
  case 'i':
    return Code::Int;
  case 'u':
    return Code::UInt;
  case 'b':
    return Code::Bool;
  default:
    return Code::Bfloat;
  }
}

bool isExactly(DType found, const ElementType &type) {
  return found.lanes == 1 && found.bits == 8 * type.bytes &&
         found.code == static_cast<uint8_t>(code(type));
}

std::string dtypeText(DType found) {
  for (const ElementType &known : knownElementTypes())
    if (isExactly(found, known))
      return std::string(known.numpy);
  return "an element type of " + std::to_string(found.bits) + " bits";
}

bool dtypeMatches(DType found, const ElementType &wanted) {
  if (isExactly(found, wanted))
    return true;
  // A signless integer stands for either sign, and NumPy has no bfloat16 of its
  // own that could be handed over, so that its bits are.
  return found.lanes == 1 && found.bits == 8 * wanted.bytes &&
         found.code == static_cast<uint8_t>(Code::UInt) &&
         (wanted.isSignless() || wanted.mlir == "bf16");
}

/// The type of an item of the buffer protocol, which has the letters of Python's struct
/// module; none for what no argument has.
std::optional<DType> itemType(const Py_buffer &buffer) {
  constexpr std::pair<std::string_view, Code> letters[] = {{"efd", Code::Float},
                                                           {"?", Code::Bool},
                                                           {"bhilq", Code::Int},
                                                           {"BHILQ", Code::UInt}};
  std::string_view format = buffer.format;
  if (format.size() == 1)
    for (auto [known, code] : letters)
      if (known.find(format) != known.npos)
        return DType{static_cast<uint8_t>(code),
                     static_cast<uint8_t>(8 * buffer.itemsize), 1};
  return std::nullopt;
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
  std::string_view name = nb::cast<const char *>(module);
  std::string_view package = name.substr(0, name.find('.'));
  return package == "jax" || package == "jaxlib";
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

HeldArray::~HeldArray() {
  if (buffer.obj)
    PyBuffer_Release(&buffer);
}

/// Holds what has the buffer protocol and fits, in a third of the time that DLPack takes.
/// What does not fit is left to find out why.
bool HeldArray::holdBuffer(nb::handle array, const ProgramArgument &argument) {
  const ElementType *type = findElementType(argument.elementType);
  int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT;
  if (argument.isWritten())
    flags |= PyBUF_WRITABLE;
  if (!type || PyObject_GetBuffer(array.ptr(), &buffer, flags)) {
    PyErr_Clear();
    return false;
  }
  std::optional<DType> found = itemType(buffer);
  bool fits = found && dtypeMatches(*found, *type) &&
              std::equal(buffer.shape, buffer.shape + buffer.ndim, argument.shape.begin(),
                         argument.shape.end());
  if (!fits)
    PyBuffer_Release(&buffer);
  return fits;
}

void *HeldArray::hold(nb::handle array, const ProgramArgument &argument, size_t index) {
  if (holdBuffer(array, argument))
    return buffer.buf;
  std::string label = argumentLabel(argument, index);
  bool written = argument.isWritten();
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
    typeError(label + " must be of dtype " + elementText(argument) +
              ", and is of dtype " + dtypeText(owner.dtype()));
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
