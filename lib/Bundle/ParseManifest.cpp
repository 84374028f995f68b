#include "sparsam/Bundle/Manifest.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace mlir::sparsam;
using Json = nlohmann::json;

namespace {

/// What is wrong with a manifest that is JSON.
struct Invalid : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A number that counts things in memory. JSON's may be negative, or no integers.
size_t readSize(const Json &json) {
  if (!json.is_number_unsigned() ||
      json.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()))
    throw Invalid("expected a size, found " + json.dump());
  return json.get<uint64_t>();
}

BundleFile readFile(const Json &json) {
  BundleFile file;
  file.name = json.at("file").get<std::string>();
  // Beside the manifest, and nowhere else.
  if (file.name.empty() || file.name.front() == '.' ||
      file.name.find('/') != std::string::npos)
    throw Invalid("'" + file.name + "' is no name of a file in a bundle");
  file.bytes = readSize(json.at("bytes"));
  auto text = json.at("crc32").get<std::string>();
  size_t used = 0;
  unsigned long sum = text.size() == 8 ? std::stoul(text, &used, 16) : 0;
  if (used != text.size())
    throw Invalid("'" + text + "' is no checksum");
  file.checksum = static_cast<uint32_t>(sum);
  return file;
}

ProgramArgument::Role readRole(const std::string &text) {
  using Role = ProgramArgument::Role;
  for (Role role : {Role::Input, Role::Updated, Role::Result})
    if (text == roleName(role))
      return role;
  throw Invalid("there is no role '" + text + "' of an argument");
}

AttributeTable readAttributes(const Json &json) {
  AttributeTable table;
  for (const auto &[name, value] : json.items()) {
    if (value.is_boolean())
      table.emplace_back(name, value.get<bool>());
    else if (value.is_number_integer())
      table.emplace_back(name, value.get<int64_t>());
    else if (value.is_number())
      table.emplace_back(name, value.get<double>());
    else
      table.emplace_back(name, value.get<std::string>());
  }
  return table;
}

IndexRule::Kind readKind(const std::string &name) {
  using Kind = IndexRule::Kind;
  for (Kind kind : {Kind::Runs, Kind::Offsets, Kind::Rows})
    if (name == kindName(kind))
      return kind;
  throw Invalid("there is no rule '" + name + "' of indices");
}

IndexRule readIndexRule(const Json &json, size_t size) {
  IndexRule rule;
  rule.kind = readKind(json.at("kind").get<std::string>());
  rule.place = json.at("place").get<std::string>();
  rule.what = json.at("what").get<std::string>();
  auto number = [&](const char *key, int64_t least) {
    auto value = static_cast<int64_t>(readSize(json.at(key)));
    // What counts values and entries is multiplied.
    if (value < least || value > int64_t(1) << 31)
      throw Invalid(std::string("'") + key + "' of a rule cannot be " +
                    json.at(key).dump());
    return value;
  };
  rule.columns = number("columns", 0);
  rule.run = number("run", 1);
  rule.period = number("period", 1);
  rule.step = number("step", 0);
  rule.range = number("range", 0);
  rule.square = number("square", 0);
  rule.times = number("times", 0);
  rule.entries = number("entries", 0);
  if (rule.entries ? size % rule.entries != 0 : size != 0)
    throw Invalid("a rule is for " + json.at("entries").dump() + " of " +
                  std::to_string(size) + " indices");
  if (rule.square && !rule.columns)
    throw Invalid("a rule has squares of no columns");
  return rule;
}

ProgramArgument readArgument(const Json &json) {
  ProgramArgument argument;
  argument.role = readRole(json.at("role").get<std::string>());
  if (argument.isWritten())
    argument.result = static_cast<int64_t>(readSize(json.at("result")));
  argument.type = json.at("type").get<std::string>();
  argument.elementType = json.at("element_type").get<std::string>();
  const ElementType *type = findElementType(argument.elementType);
  if (!type)
    throw Invalid("there is no element type '" + argument.elementType + "'");
  size_t bytes = type->bytes;
  for (const Json &extent : json.at("shape")) {
    size_t size = readSize(extent);
    if (size && bytes > size_t(std::numeric_limits<int64_t>::max()) / size)
      throw Invalid("an array of shape " + json.at("shape").dump() + " is too large");
    bytes *= size;
    argument.shape.push_back(static_cast<int64_t>(size));
  }
  argument.bytes = readSize(json.at("bytes"));
  if (argument.bytes != bytes)
    throw Invalid("an array of " + arrayText(argument) + " is said to have " +
                  std::to_string(argument.bytes) + " bytes");
  argument.attributes = readAttributes(json.at("attributes"));
  if (json.contains("index"))
    argument.index = readIndexRule(json.at("index"), bytes / type->bytes);
  return argument;
}

ProgramFunction readFunction(const Json &json) {
  ProgramFunction function;
  function.name = json.at("name").get<std::string>();
  for (const Json &argument : json.at("arguments"))
    function.arguments.push_back(readArgument(argument));
  return function;
}

BundleVariant readVariant(const Json &json) {
  BundleVariant variant;
  variant.cpu = json.at("cpu").get<std::string>();
  variant.vectorBits = static_cast<int64_t>(readSize(json.at("vector_bits")));
  variant.features = json.at("features").get<std::vector<std::string>>();
  variant.code = readFile(json);
  for (const auto &[name, workspace] : json.at("workspaces").items())
    variant.workspaces[name] = {readSize(workspace.at("argument")),
                                readSize(workspace.at("workspace_bytes"))};
  return variant;
}

Manifest readManifest(const Json &json) {
  Manifest manifest;
  manifest.sparsam = json.at("sparsam").get<std::string>();
  size_t version = readSize(json.at("format"));
  if (version > size_t(Manifest::format))
    throw Invalid("it is of format " + std::to_string(version) + ", made by Sparsam " +
                  manifest.sparsam + ", and this Sparsam reads format " +
                  std::to_string(Manifest::format) + "; compile it again");
  manifest.llvm = json.at("llvm").get<std::string>();
  manifest.architecture = json.at("architecture").get<std::string>();
  for (const Json &function : json.at("functions"))
    manifest.functions.push_back(readFunction(function));
  for (const Json &variant : json.at("variants"))
    manifest.variants.push_back(readVariant(variant));
  for (const Json &file : json.at("files"))
    manifest.files.push_back(readFile(file));
  return manifest;
}

} // namespace

Result<Manifest> Manifest::parse(const std::string &text) {
  try {
    return readManifest(Json::parse(text));
  } catch (const Json::parse_error &error) {
    return Failure{"it is not whole: " + std::string(error.what())};
  } catch (const Invalid &error) {
    return Failure{error.what()};
  } catch (const std::exception &error) {
    return Failure{"it is damaged: " + std::string(error.what())};
  }
}
