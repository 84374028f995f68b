// NumPy's format of one array (numpy.lib.format): a magic number, a version, the
// length of a header that is a Python dictionary, then the elements.

#include "Npz.h"

#include <algorithm>
#include <charconv>
#include <cstring>

using namespace sparsam_run;
using std::string_view;

namespace {

constexpr string_view magic("\x93NUMPY", 6);
constexpr size_t alignment = 64;

size_t aligned(size_t size) { return (size + alignment - 1) / alignment * alignment; }

Failure malformed(string_view name, const std::string &reason) {
  return Failure{"array '" + std::string(name) + "' " + reason};
}

string_view trimmed(string_view text, string_view characters = " \t\n") {
  size_t first = text.find_first_not_of(characters);
  if (first == string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

/// Whether all of the text is a number.
template <typename T> bool readNumber(string_view text, T &number) {
  auto [at, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && at == text.data() + text.size();
}

/// A little-endian number of `bytes` bytes.
size_t readLength(string_view text, size_t bytes) {
  size_t number = 0;
  for (size_t i = bytes; i-- > 0;)
    number = number << 8 | static_cast<unsigned char>(text[i]);
  return number;
}

/// What follows `'key':` in the header, up to the end of the value. The header is
/// always written by numpy.lib.format, so that this needs no parser of Python.
string_view headerValue(string_view header, string_view key) {
  size_t at = header.find("'" + std::string(key) + "':");
  if (at == string_view::npos)
    return {};
  string_view value = trimmed(header.substr(at + key.size() + 3));
  if (!value.empty() && value.front() == '(')
    return value.substr(0, value.find(')') + 1);
  return trimmed(value.substr(0, value.find_first_of(",}")));
}

/// The extents of "(4, 8)".
Result<std::vector<int64_t>> parseShape(string_view text, string_view name) {
  if (text.size() < 2 || text.front() != '(' || text.back() != ')')
    return malformed(name, "has a header without a shape");
  string_view rest = text.substr(1, text.size() - 2);
  std::vector<int64_t> shape;
  int64_t count = 1;
  while (!rest.empty()) {
    size_t comma = std::min(rest.find(','), rest.size());
    string_view part = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (part.empty())
      continue;
    int64_t extent;
    if (!readNumber(part, extent) || extent < 0 ||
        __builtin_mul_overflow(count, std::max<int64_t>(extent, 1), &count))
      return malformed(name, "has a shape that cannot be read: " + std::string(text));
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
  memory.reset(static_cast<char *>(
      std::aligned_alloc(alignment, aligned(std::max<size_t>(size, 1)))));
  if (memory)
    std::memset(memory.get(), 0, size);
}

std::string Array::dtype() const {
  for (const auto &known : mlir::sparsam::knownElementTypes())
    if (known.kind == kind && known.bytes == itemBytes)
      return std::string(known.numpy);
  return std::string(1, kind) + std::to_string(itemBytes);
}

Result<Array> sparsam_run::parseNpy(string_view contents, string_view name) {
  if (contents.substr(0, magic.size()) != magic || contents.size() < magic.size() + 4)
    return malformed(name, "is not in NumPy's format");
  string_view rest = contents.substr(magic.size());
  size_t width = rest[0] == 1 ? 2 : 4;
  rest.remove_prefix(2);
  size_t length = rest.size() < width ? 0 : readLength(rest, width);
  rest.remove_prefix(std::min(width, rest.size()));
  if (rest.size() < length)
    return malformed(name, "ends inside its header");
  string_view header = rest.substr(0, length);
  rest.remove_prefix(length);

  string_view type = trimmed(headerValue(header, "descr"), "'\"");
  if (!type.empty() && type.front() == '>')
    return malformed(name, "is big-endian ('" + std::string(type) +
                               "'); save a.astype(a.dtype.newbyteorder('<')) of it");
  // '|' is for types of one byte.
  unsigned itemBytes;
  if (type.size() < 3 || string_view("<|").find(type[0]) == string_view::npos ||
      string_view("fiubV").find(type[1]) == string_view::npos ||
      !readNumber(type.substr(2), itemBytes) || itemBytes == 0 || itemBytes > 8)
    return malformed(name, "has an element type that is not supported: '" +
                               std::string(type) + "'");
  auto shape = parseShape(headerValue(header, "shape"), name);
  if (shape.failed())
    return shape.failure();
  if (headerValue(header, "fortran_order") == "True" && shape->size() > 1)
    return malformed(name,
                     "is stored column by column; save numpy.ascontiguousarray of it");
  size_t expected = itemBytes;
  for (int64_t extent : *shape)
    expected *= extent;
  if (rest.size() != expected)
    return malformed(name, "has " + std::to_string(rest.size()) +
                               " bytes of elements where its shape needs " +
                               std::to_string(expected));
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
  size_t written = prefix + dictionary.size() + 1;
  dictionary.append(aligned(written) - written, ' ');
  dictionary += '\n';
  std::string header(magic);
  header += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
             static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}
