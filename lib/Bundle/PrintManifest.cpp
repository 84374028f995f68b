#include "sparsam/Bundle/Manifest.h"

#include <nlohmann/json.hpp>

using namespace mlir::sparsam;
// In order, so that a manifest is written the same every time.
using Json = nlohmann::ordered_json;

namespace {

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

Json toJson(const IndexRule &rule) {
  return {
      {"kind", kindName(rule.kind)}, {"place", rule.place},    {"what", rule.what},
      {"columns", rule.columns},     {"run", rule.run},        {"period", rule.period},
      {"step", rule.step},           {"range", rule.range},    {"square", rule.square},
      {"times", rule.times},         {"entries", rule.entries}};
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

} // namespace

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
