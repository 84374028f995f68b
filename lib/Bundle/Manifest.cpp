#include "sparsam/Bundle/Manifest.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <zlib.h>

using namespace mlir::sparsam;
// In order, so that a manifest is written the same every time.
using Json = nlohmann::ordered_json;

namespace {

/// What is wrong with a manifest that is JSON.
struct Invalid : std::runtime_error {
  using std::runtime_error::runtime_error;
};

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::string hex(uint32_t number) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", number);
  return text;
}

Json toJson(const BundleFile &file) {
  return {{"file", file.name}, {"bytes", file.bytes}, {"crc32", hex(file.checksum)}};
}

Json toJson(const AttributeTable &table) {
  Json attributes = Json::object();
  for (const auto &[name, value] : table)
    std::visit([&, &name = name](const auto &held) { attributes[name] = held; }, value);
  return attributes;
}

constexpr std::pair<IndexRule::Kind, const char *> indexKinds[] = {
    {IndexRule::Kind::Runs, "runs"},
    {IndexRule::Kind::Offsets, "offsets"},
    {IndexRule::Kind::Rows, "rows"}};

Json toJson(const IndexRule &rule) {
  std::string kind;
  for (auto [known, name] : indexKinds)
    if (known == rule.kind)
      kind = name;
  return {{"kind", kind},           {"place", rule.place},
          {"what", rule.what},      {"columns", rule.columns},
          {"run", rule.run},        {"period", rule.period},
          {"step", rule.step},      {"range", rule.range},
          {"square", rule.square},  {"times", rule.times},
          {"entries", rule.entries}};
}

Json toJson(const ProgramArgument &argument) {
  Json json = {{"role", roleName(argument.role)}};
  if (argument.result >= 0)
    json["result"] = argument.result;
  json["type"] = argument.type;
  json["element_type"] = argument.elementType;
  json["shape"] = argument.shape;
  json["bytes"] = argument.bytes;
  json["attributes"] = toJson(argument.attributes);
  if (argument.index)
    json["index"] = toJson(*argument.index);
  return json;
}

Json toJson(const ProgramFunction &function) {
  Json arguments = Json::array();
  for (const ProgramArgument &argument : function.arguments)
    arguments.push_back(toJson(argument));
  return {{"name", function.name}, {"arguments", arguments}};
}

Json toJson(const BundleVariant &variant) {
  Json json = {{"cpu", variant.cpu},
               {"vector_bits", variant.vectorBits},
               {"features", variant.features}};
  json.update(toJson(variant.code));
  json["workspaces"] = Json::object();
  for (const auto &[name, workspace] : variant.workspaces)
    json["workspaces"][name] = {{"argument", workspace.position},
                                {"workspace_bytes", workspace.bytes}};
  return json;
}

template <typename T> Json toJson(const std::vector<T> &values) {
  Json json = Json::array();
  for (const T &value : values)
    json.push_back(toJson(value));
  return json;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

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

IndexRule readIndexRule(const Json &json, size_t size) {
  IndexRule rule;
  auto name = json.at("kind").get<std::string>();
  bool isKnown = false;
  for (auto [kind, known] : indexKinds)
    if (name == known) {
      rule.kind = kind;
      isKnown = true;
    }
  if (!isKnown)
    throw Invalid("there is no rule '" + name + "' of indices");
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

BundleFile BundleFile::describe(std::string name, const std::string &contents) {
  auto sum =
      crc32_z(0, reinterpret_cast<const Bytef *>(contents.data()), contents.size());
  return {std::move(name), contents.size(), static_cast<uint32_t>(sum)};
}

Result<std::string> Manifest::print() const {
  Json json = {{"format", format},
               {"sparsam", sparsam},
               {"llvm", llvm},
               {"architecture", architecture}};
  json["variants"] = toJson(variants);
  json["files"] = toJson(files);
  json["functions"] = toJson(functions);
  try {
    return json.dump(1) + "\n";
  } catch (const Json::exception &error) {
    return Failure{std::string("a name cannot be written: ") + error.what()};
  }
}

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

Result<std::vector<ProgramFunction>>
mlir::sparsam::addWorkspaces(std::vector<ProgramFunction> functions,
                             const BundleVariant &variant) {
  for (ProgramFunction &function : functions) {
    auto found = variant.workspaces.find(function.name);
    if (found == variant.workspaces.end())
      continue;
    const BundleWorkspace &workspace = found->second;
    if (workspace.position > function.arguments.size())
      return Failure{"the workspace of '" + function.name + "' has no place"};
    ProgramArgument argument;
    argument.elementType = "i8";
    argument.shape = {static_cast<int64_t>(workspace.bytes)};
    argument.role = ProgramArgument::Role::Workspace;
    argument.bytes = function.workspaceBytes = workspace.bytes;
    auto place = function.arguments.begin() + static_cast<ptrdiff_t>(workspace.position);
    function.arguments.insert(place, std::move(argument));
  }
  return functions;
}
