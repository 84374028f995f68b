// NumPy's format of one array (numpy.lib.format): a magic number, a version, the
// length of a header that is a Python dictionary, then the elements.

#include "Npz.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace sparsam_run;
using llvm::StringRef;

namespace {

constexpr llvm::StringLiteral magic("\x93NUMPY");
constexpr size_t alignment = 64;

llvm::Error malformed(StringRef name, const llvm::Twine &reason) {
  return llvm::createStringError("array '" + name + "' " + reason);
}

/// What follows `'key':` in the header, up to the end of the value. The header is
/// always written by numpy.lib.format, so that this needs no parser of Python.
StringRef headerValue(StringRef header, StringRef key) {
  size_t at = header.find(("'" + key + "':").str());
  if (at == StringRef::npos)
    return "";
  StringRef value = header.drop_front(at + key.size() + 3).ltrim();
  if (value.starts_with("("))
    return value.take_front(value.find(')') + 1);
  return value.take_until([](char c) { return c == ',' || c == '}'; }).trim();
}

llvm::Expected<std::vector<int64_t>> parseShape(StringRef text, StringRef name) {
  std::vector<int64_t> shape;
  if (!text.consume_front("(") || !text.consume_back(")"))
    return malformed(name, "has a header without a shape");
  llvm::SmallVector<StringRef> extents;
  text.split(extents, ',', -1, /*KeepEmpty=*/false);
  int64_t count = 1;
  for (StringRef part : extents) {
    int64_t extent;
    if (part.trim().empty())
      continue;
    if (part.trim().getAsInteger(10, extent) || extent < 0 ||
        llvm::MulOverflow(count, std::max<int64_t>(extent, 1), count))
      return malformed(name, "has a shape that cannot be read: (" + text + ")");
    shape.push_back(extent);
  }
  return shape;
}

} // namespace

Array::Array(char kind, unsigned itemBytes, std::vector<int64_t> shape)
    : kind(kind), itemBytes(itemBytes), shape(std::move(shape)) {
  size = itemBytes;
  for (int64_t extent : this->shape)
    size *= extent;
  memory.reset(static_cast<char *>(std::aligned_alloc(
      alignment, llvm::alignTo(std::max<size_t>(size, 1), alignment))));
  if (memory)
    std::memset(memory.get(), 0, size);
}

std::string Array::dtype() const {
  for (const auto &known : mlir::sparsam::knownElementTypes())
    if (known.kind == kind && known.bytes == itemBytes)
      return known.numpy.str();
  return std::string(1, kind) + std::to_string(itemBytes);
}

llvm::Expected<Array> sparsam_run::parseNpy(StringRef contents, StringRef name) {
  StringRef rest = contents;
  if (!rest.consume_front(magic) || rest.size() < 4)
    return malformed(name, "is not in NumPy's format");
  bool shortLength = rest[0] == 1;
  rest = rest.drop_front(2);
  size_t length = 0;
  if (shortLength)
    length = llvm::support::endian::read16le(rest.data());
  else if (rest.size() >= 4)
    length = llvm::support::endian::read32le(rest.data());
  rest = rest.drop_front(std::min<size_t>(shortLength ? 2 : 4, rest.size()));
  if (rest.size() < length)
    return malformed(name, "ends inside its header");
  StringRef header = rest.take_front(length);
  rest = rest.drop_front(length);

  StringRef type = headerValue(header, "descr").trim("'\"");
  if (type.starts_with(">"))
    return malformed(name, "is big-endian ('" + type +
                               "'); save a.astype(a.dtype.newbyteorder('<')) of it");
  // '|' is for types of one byte.
  unsigned itemBytes;
  if (type.size() < 3 || !StringRef("<|").contains(type[0]) ||
      !StringRef("fiubV").contains(type[1]) ||
      type.drop_front(2).getAsInteger(10, itemBytes) || itemBytes == 0 || itemBytes > 8)
    return malformed(name, "has an element type that is not supported: '" + type + "'");
  auto shape = parseShape(headerValue(header, "shape"), name);
  if (!shape)
    return shape.takeError();
  if (headerValue(header, "fortran_order") == "True" && shape->size() > 1)
    return malformed(name,
                     "is stored column by column; save numpy.ascontiguousarray of it");
  size_t expected = itemBytes;
  for (int64_t extent : *shape)
    expected *= extent;
  if (rest.size() != expected)
    return malformed(name, "has " + llvm::Twine(rest.size()) +
                               " bytes of elements where " + "its shape needs " +
                               llvm::Twine(expected));
  Array array(type[1], itemBytes, std::move(*shape));
  if (!array.data())
    return malformed(name, "does not fit into memory");
  std::memcpy(array.data(), rest.data(), rest.size());
  return array;
}

std::string sparsam_run::npyHeader(const Array &array) {
  std::string dictionary = "{'descr': '";
  dictionary += array.itemBytes == 1 || array.kind == 'V' ? '|' : '<';
  dictionary +=
      array.kind + std::to_string(array.itemBytes) +
      "', 'fortran_order': False, 'shape': " + mlir::sparsam::shapeText(array.shape) +
      ", }";
  // The elements are to begin at a multiple of 64.
  size_t prefix = magic.size() + 4;
  dictionary.append(llvm::alignTo(prefix + dictionary.size() + 1, alignment) - prefix -
                        dictionary.size() - 1,
                    ' ');
  dictionary += '\n';
  std::string header = magic.str();
  header += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
             static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}
