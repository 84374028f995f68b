#include "Placeholders.h"

#include <algorithm>
#include <cstring>
#include <random>

using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

constexpr const char *selector = "compress";

/// From 0 to 1, the same on every machine.
float uniform(std::mt19937 &generator) { return float(generator() >> 8) * 0x1p-24F; }

uint16_t bfloat16Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits >> 16;
}

/// Truncated; what would be subnormal is zero.
uint16_t float16Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  constexpr int32_t bias = (127 - 15) << 10;
  int32_t magnitude = int32_t((bits & 0x7fffffff) >> 13) - bias;
  return (bits >> 16 & 0x8000) | (magnitude < 1 << 10 ? 0 : magnitude);
}

template <typename T, typename Convert>
void fill(Array &array, std::mt19937 &generator, float least, float most,
          Convert convert) {
  T *data = reinterpret_cast<T *>(array.data());
  for (size_t i = 0; i < array.bytes() / sizeof(T); ++i)
    data[i] = convert(least + uniform(generator) * (most - least));
}

void fillRandom(Array &array, std::mt19937 &generator, float least, float most) {
  auto plain = [](float value) { return value; };
  if (array.kind == 'V')
    fill<uint16_t>(array, generator, least, most, bfloat16Bits);
  else if (array.itemBytes == 2)
    fill<uint16_t>(array, generator, least, most, float16Bits);
  else if (array.itemBytes == 4)
    fill<float>(array, generator, least, most, plain);
  else
    fill<double>(array, generator, least, most, plain);
}

Result<Array> makePlaceholder(const NamedArgument &named, std::mt19937 &generator) {
  const ProgramArgument &argument = *named.argument;
  const ElementType *type = findElementType(argument.elementType);
  if (!type)
    return Failure{"argument '" + named.name + "' has element type " +
                   argument.elementType + ", which no array has"};
  Array array(type->kind, type->bytes, argument.shape);
  if (!array.data())
    return Failure{"an argument of " + std::to_string(argument.bytes) +
                   " bytes does not fit into memory"};
  std::fill_n(array.data(), array.bytes(), 0);
  bool isFloat = type->kind == 'f' || type->kind == 'V';
  if (isFloat && argument.text("sparsam.param"))
    fillRandom(array, generator, -0.1F, 0.1F);
  else if (isFloat && !argument.text("sparsam.state_of"))
    fillRandom(array, generator, 0, 1);
  return array;
}

/// The storage of random parameters.
Result<Arrays> selectPatterns(const FunctionTable &program,
                              const ProgramFunction &function, const std::string &index) {
  const ProgramFunction *compress = program.find(selector);
  if (!compress || compress == &function)
    return Failure{"no --args file with array '" + index +
                   "': a pattern cannot be made up where no function '" + selector +
                   "' selects it"};
  Result<Arrays> dense = makePlaceholders(program, *compress);
  if (dense.failed())
    return dense.failure();
  Result<Bindings> bindings =
      Bindings::create(program, *compress, std::move(*dense), /*path=*/"");
  if (bindings.failed())
    return bindings.failure();
  Result<std::vector<double>> ran =
      runSteps(program, *compress, *bindings, /*steps=*/1, /*progress=*/false);
  if (ran.failed())
    return ran.failure();
  return bindings->takeResults();
}

} // namespace

Result<Arrays> sparsam_run::makePlaceholders(const FunctionTable &program,
                                             const ProgramFunction &function) {
  std::vector<NamedArgument> arguments = namedArguments(function);
  Arrays arrays;
  auto index =
      std::find_if(arguments.begin(), arguments.end(), [](const NamedArgument &any) {
        return any.isRead() && any.argument->isIndex();
      });
  if (index != arguments.end()) {
    Result<Arrays> storage = selectPatterns(program, function, index->name);
    if (storage.failed())
      return storage;
    arrays = std::move(*storage);
  }
  // The same in each run.
  // NOLINTNEXTLINE(bugprone-random-generator-seed)
  std::mt19937 generator;
  for (const NamedArgument &argument : arguments) {
    if (!argument.isRead() || arrays.count(argument.name))
      continue;
    Result<Array> array = makePlaceholder(argument, generator);
    if (array.failed())
      return array.failure();
    arrays.emplace(argument.name, std::move(*array));
  }
  return arrays;
}
