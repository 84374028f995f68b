// NumPy's archive of arrays: a zip file of .npy files.

#include "Npz.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

#include <zip.h>

using namespace sparsam_run;

namespace {

llvm::Error failure(const std::string &path, const llvm::Twine &reason) {
  return llvm::createStringError("'" + path + "': " + reason);
}

llvm::Expected<std::string> readMember(zip_t *archive, zip_uint64_t index) {
  zip_stat_t status;
  if (zip_stat_index(archive, index, 0, &status))
    return llvm::createStringError(zip_strerror(archive));
  zip_file_t *file = zip_fopen_index(archive, index, 0);
  if (!file)
    return llvm::createStringError(zip_strerror(archive));
  llvm::scope_exit close([&] { zip_fclose(file); });
  // The size that a damaged archive states may be any: memory grows with what is read.
  // The checksum is compared where the end is read.
  constexpr size_t chunk = 16 << 20;
  std::string contents;
  for (size_t done = 0;;) {
    contents.resize(done + chunk);
    zip_int64_t count = zip_fread(file, contents.data() + done, chunk);
    if (count < 0)
      return llvm::createStringError(zip_file_strerror(file));
    done += count;
    if (count == 0) {
      contents.resize(done);
      break;
    }
  }
  if (contents.size() != status.size)
    return llvm::createStringError("it has %zu bytes, not the %zu that are stated",
                                   contents.size(), static_cast<size_t>(status.size));
  return contents;
}

std::string openError(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

} // namespace

llvm::Expected<Arrays> sparsam_run::readNpz(const std::string &path) {
  int code = 0;
  zip_t *archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (!archive)
    return failure(path, "cannot read it as an .npz file: " + openError(code) +
                             (code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS
                                  ? " (is the file truncated?)"
                                  : ""));
  llvm::scope_exit close([&] { zip_discard(archive); });
  Arrays arrays;
  for (zip_int64_t i = 0, count = zip_get_num_entries(archive, 0); i < count; ++i) {
    llvm::StringRef name = zip_get_name(archive, i, 0);
    if (!name.consume_back(".npy"))
      return failure(path, "'" + name + "' in it is not an array");
    llvm::Expected<std::string> contents = readMember(archive, i);
    if (!contents)
      return failure(path, "array '" + name + "' cannot be read: " +
                               llvm::toString(contents.takeError()));
    llvm::Expected<Array> array = parseNpy(*contents, name);
    if (!array)
      return failure(path, llvm::toString(array.takeError()));
    if (!arrays.emplace(name.str(), std::move(*array)).second)
      return failure(path, "array '" + name + "' is in it twice");
  }
  return arrays;
}

llvm::Error sparsam_run::checkWritable(const std::string &path) {
  namespace fs = llvm::sys::fs;
  if (fs::is_directory(path))
    return failure(path, "cannot write it: it is a folder");
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (folder.empty())
    folder = ".";
  if (!fs::is_directory(folder))
    return failure(path, "cannot write it: there is no folder '" + folder + "'");
  if (std::error_code code = fs::access(folder, fs::AccessMode::Write))
    return failure(path, "cannot write it: " + code.message());
  return llvm::Error::success();
}

llvm::Error sparsam_run::writeNpz(const std::string &path,
                                  const std::map<std::string, const Array *> &arrays) {
  int code = 0;
  // libzip writes a temporary file beside it and renames that on closing.
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (!archive)
    return failure(path, "cannot write it: " + openError(code));
  llvm::scope_exit discard([&] { zip_discard(archive); });
  std::vector<std::string> members; // until the archive is closed
  members.reserve(arrays.size());
  for (const auto &[name, array] : arrays) {
    members.push_back(npyHeader(*array) + std::string(array->data(), array->bytes()));
    const std::string &member = members.back();
    zip_source_t *source = zip_source_buffer(archive, member.data(), member.size(), 0);
    zip_int64_t index =
        source ? zip_file_add(archive, (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8)
               : -1;
    if (index < 0) {
      zip_source_free(source);
      return failure(path, "cannot write '" + name + "': " + zip_strerror(archive));
    }
    zip_set_file_compression(archive, index, ZIP_CM_STORE, 0);
  }
  // libzip's temporary file would stay: the first interrupt waits for the end.
  llvm::sys::SetInterruptFunction([] {});
  llvm::scope_exit restore([] { llvm::sys::SetInterruptFunction(nullptr); });
  if (zip_close(archive))
    return failure(path, llvm::Twine("cannot write it: ") + zip_strerror(archive));
  discard.release();
  return llvm::Error::success();
}
