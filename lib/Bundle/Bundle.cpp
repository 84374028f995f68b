#include "sparsam/Bundle/Bundle.h"
#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <filesystem>

#include <dlfcn.h>

using namespace mlir::sparsam;
namespace fs = std::filesystem;

namespace {

struct Close {
  void operator()(void *library) const { dlclose(library); }
};

std::string missingFeatures(const BundleVariant &variant) {
  std::string missing;
  for (const std::string &feature : variant.features)
    if (!sparsam_cpu_has(feature.c_str()))
      missing += (missing.empty() ? "" : ", ") + feature;
  return missing;
}

/// The variant with the widest vectors that runs here, the first of several.
Result<const BundleVariant *> choose(const Manifest &manifest) {
  if (manifest.architecture != thisArchitecture())
    return Failure{"it is for machines of architecture " + manifest.architecture +
                   ", and this one is " + thisArchitecture()};
  const BundleVariant *best = nullptr;
  std::string reasons;
  for (const BundleVariant &variant : manifest.variants) {
    std::string missing = missingFeatures(variant);
    if (missing.empty() && (!best || variant.vectorBits > best->vectorBits))
      best = &variant;
    if (!missing.empty())
      reasons += (reasons.empty() ? "that for " : "; that for ") + variant.cpu +
                 " needs " + missing;
  }
  if (best)
    return best;
  return Failure{"none of its code runs on this machine: " +
                 (reasons.empty() ? "it has none" : reasons)};
}

} // namespace

struct Bundle::Implementation {
  fs::path folder;
  Manifest manifest;
  const BundleVariant *variant = nullptr;
  std::unique_ptr<void, Close> library;
  std::unique_ptr<FunctionTable> table;

  Outcome open();
  Outcome load();
  Result<std::string> readChecked(const BundleFile &file) const;
};

Result<std::string> Bundle::Implementation::readChecked(const BundleFile &file) const {
  Result<std::string> contents = readFile(folder / file.name);
  if (contents.failed())
    return contents;
  BundleFile found = BundleFile::describe(file.name, *contents);
  if (found.bytes != file.bytes)
    return Failure{"'" + file.name + "' has " + std::to_string(found.bytes) +
                   " bytes, and its manifest says " + std::to_string(file.bytes)};
  if (found.checksum != file.checksum)
    return Failure{"'" + file.name +
                   "' is damaged: its checksum is not that of its "
                   "manifest"};
  return contents;
}

Outcome Bundle::Implementation::open() {
  Result<std::string> text = readFile(folder / Manifest::fileName);
  if (text.failed())
    return text.failure();
  Result<Manifest> parsed = Manifest::parse(*text);
  if (parsed.failed())
    return Failure{std::string(Manifest::fileName) + ": " + parsed.reason()};
  manifest = std::move(*parsed);
  Result<const BundleVariant *> chosen = choose(manifest);
  if (chosen.failed())
    return chosen.failure();
  variant = *chosen;
  return load();
}

Outcome Bundle::Implementation::load() {
  Result<std::string> contents = readChecked(variant->code);
  if (contents.failed())
    return contents.failure();
  auto functions = addWorkspaces(manifest.functions, *variant);
  if (functions.failed())
    return functions.failure();
  // With a slash, so that it is not looked for elsewhere. The name is another for other
  // contents: the dynamic linker takes a name that it knows for what it has loaded.
  std::error_code code;
  fs::path file = fs::absolute(folder / variant->code.name, code);
  library.reset(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library)
    return Failure{dlerror()};
  auto lookup = [&](const std::string &name) -> Result<FunctionTable::Entry> {
    if (void *found = dlsym(library.get(), name.c_str()))
      return reinterpret_cast<FunctionTable::Entry>(found);
    return Failure{"'" + variant->code.name + "' has no " + name};
  };
  auto made = FunctionTable::create(std::move(*functions), lookup);
  if (made.failed())
    return made.failure();
  table = std::move(*made);
  return {};
}

Bundle::Bundle() : implementation(std::make_unique<Implementation>()) {}
Bundle::~Bundle() = default;

Result<std::unique_ptr<Bundle>> Bundle::open(const std::string &path) {
  std::unique_ptr<Bundle> bundle(new Bundle);
  bundle->implementation->folder = path;
  if (!isBundle(path))
    return Failure{"'" + path + "' is no bundle: " +
                   (fs::exists(path)
                        ? std::string("there is no ") + Manifest::fileName + " in it"
                        : "there is nothing of that name")};
  Outcome opened = bundle->implementation->open();
  if (opened.failed())
    return Failure{"bundle '" + path + "': " + opened.reason()};
  return bundle;
}

const Manifest &Bundle::manifest() const { return implementation->manifest; }
const BundleVariant &Bundle::variant() const { return *implementation->variant; }
const FunctionTable &Bundle::table() const { return *implementation->table; }

Result<std::string> Bundle::read(const std::string &name) const {
  const std::vector<BundleFile> &files = implementation->manifest.files;
  auto found = std::find_if(files.begin(), files.end(),
                            [&](const BundleFile &file) { return file.name == name; });
  std::string where = "bundle '" + implementation->folder.string() + "': ";
  if (found == files.end())
    return Failure{where + "there is no '" + name + "' in it"};
  Result<std::string> contents = implementation->readChecked(*found);
  return contents.failed() ? Failure{where + contents.reason()} : contents;
}

const char *mlir::sparsam::thisArchitecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#endif
}

bool mlir::sparsam::isBundle(const std::string &path) {
  std::error_code code;
  return fs::exists(fs::path(path) / Manifest::fileName, code);
}
