// Files that appear whole or not at all.

#include "sparsam/Bundle/Bundle.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir::sparsam;
namespace fs = std::filesystem;

namespace {

Failure cannotWrite(const fs::path &path, const std::string &why) {
  return Failure{"'" + path.string() + "': cannot write it: " + why};
}

Outcome writeFile(const fs::path &path, const std::string &contents) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  stream.close();
  if (!stream)
    return cannotWrite(path, std::strerror(errno));
  return {};
}

/// A new folder beside `path`, which is gone with this, or what it was exchanged for is.
class Beside {
public:
  explicit Beside(const fs::path &path) : path(path) {
    static std::atomic<unsigned> count{0};
    do {
      made = path.string() + ".new" + std::to_string(getpid()) + "-" +
             std::to_string(count++);
      error = mkdir(made.c_str(), 0777) ? errno : 0;
    } while (error == EEXIST);
  }
  ~Beside() {
    if (!error)
      fs::remove_all(made, code);
  }
  Beside(const Beside &) = delete;
  Beside &operator=(const Beside &) = delete;

  Outcome check() const {
    return error ? cannotWrite(path, std::strerror(error)) : Outcome();
  }
  const fs::path &get() const { return made; }

  /// Puts the folder where it belongs, and what is there in its place.
  Outcome install() {
    if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0)
      return {};
    // There is nothing yet, or the file system cannot exchange.
    fs::path old = made.string() + "-old";
    if (fs::exists(path, code))
      fs::rename(path, old, code);
    fs::rename(made, path, code);
    if (code) {
      Outcome outcome = cannotWrite(path, code.message());
      fs::rename(old, path, code);
      return outcome;
    }
    fs::remove_all(old, code);
    return {};
  }

private:
  fs::path path, made;
  int error;
  std::error_code code;
};

fs::path withoutSlash(const std::string &path) {
  fs::path clean(path);
  return clean.has_filename() ? clean : clean.parent_path();
}

} // namespace

Result<std::string> mlir::sparsam::readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  std::string contents(std::istreambuf_iterator<char>(stream), {});
  if (!stream)
    return Failure{"cannot read '" + path + "': " + std::strerror(errno)};
  return contents;
}

Outcome mlir::sparsam::checkBundlePath(const std::string &where) {
  fs::path path = withoutSlash(where);
  std::error_code code;
  if (fs::exists(path, code) && !isBundle(path))
    return cannotWrite(path, "something that is no bundle is there");
  return Beside(path).check();
}

Outcome mlir::sparsam::replaceBundle(const std::string &where,
                                     const std::map<std::string, std::string> &files) {
  if (Outcome writable = checkBundlePath(where); writable.failed())
    return writable;
  Beside folder(withoutSlash(where));
  if (Outcome made = folder.check(); made.failed())
    return made;
  for (const auto &[name, contents] : files)
    if (Outcome written = writeFile(folder.get() / name, contents); written.failed())
      return written;
  return folder.install();
}

Outcome mlir::sparsam::checkFilePath(const std::string &path) {
  std::error_code code;
  if (fs::is_directory(path, code))
    return cannotWrite(path, "it is a folder");
  return Beside(path).check();
}

Outcome mlir::sparsam::replaceFile(const std::string &path, const std::string &contents) {
  if (Outcome writable = checkFilePath(path); writable.failed())
    return writable;
  std::error_code code;
  Beside folder(path);
  if (Outcome made = folder.check(); made.failed())
    return made;
  fs::path made = folder.get() / "file";
  if (Outcome written = writeFile(made, contents); written.failed())
    return written;
  fs::rename(made, path, code);
  if (code)
    return cannotWrite(path, code.message());
  return {};
}
