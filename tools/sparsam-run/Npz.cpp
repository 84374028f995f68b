// NumPy's archive of arrays: a zip file of .npy files.

#include "Npz.h"

#include <csignal>
#include <filesystem>

#include <unistd.h>
#include <zip.h>

using namespace sparsam_run;
namespace fs = std::filesystem;

namespace {

Failure failure(const std::string &path, const std::string &reason) {
  return Failure{"'" + path + "': " + reason};
}

struct CloseFile {
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};
struct Discard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

/// While this lives, an interrupt waits for its end.
class Uninterrupted {
public:
  Uninterrupted() {
    interrupted = 0;
    struct sigaction wait = {};
    wait.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &wait, &before);
  }
  ~Uninterrupted() {
    sigaction(SIGINT, &before, nullptr);
    if (interrupted)
      (void)std::raise(SIGINT);
  }
  Uninterrupted(const Uninterrupted &) = delete;
  Uninterrupted &operator=(const Uninterrupted &) = delete;

private:
  static volatile std::sig_atomic_t interrupted;
  struct sigaction before;
};
volatile std::sig_atomic_t Uninterrupted::interrupted;

Result<std::string> readMember(zip_t *archive, zip_uint64_t index) {
  zip_stat_t status;
  if (zip_stat_index(archive, index, 0, &status))
    return Failure{zip_strerror(archive)};
  std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive, index, 0));
  if (!file)
    return Failure{zip_strerror(archive)};
  // The size that a damaged archive states may be any: memory grows with what is read.
  // The checksum is compared where the end is read.
  constexpr size_t chunk = 16 << 20;
  std::string contents;
  for (size_t done = 0;;) {
    contents.resize(done + chunk);
    zip_int64_t count = zip_fread(file.get(), contents.data() + done, chunk);
    if (count < 0)
      return Failure{zip_file_strerror(file.get())};
    done += count;
    if (count == 0) {
      contents.resize(done);
      break;
    }
  }
  if (contents.size() != status.size)
    return Failure{"it has " + std::to_string(contents.size()) + " bytes, not the " +
                   std::to_string(status.size) + " that are stated"};
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

Result<Arrays> sparsam_run::readNpz(const std::string &path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive)
    return failure(path, "cannot read it as an .npz file: " + openError(code) +
                             (code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS
                                  ? " (is the file truncated?)"
                                  : ""));
  Arrays arrays;
  zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    constexpr std::string_view suffix = ".npy";
    std::string name = zip_get_name(archive.get(), i, 0);
    if (name.size() < suffix.size() ||
        name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
      return failure(path, "'" + name + "' in it is not an array");
    name.resize(name.size() - suffix.size());
    Result<std::string> contents = readMember(archive.get(), i);
    if (contents.failed())
      return failure(path, "array '" + name + "' cannot be read: " + contents.reason());
    Result<Array> array = parseNpy(*contents, name);
    if (array.failed())
      return failure(path, array.reason());
    if (!arrays.emplace(name, std::move(*array)).second)
      return failure(path, "array '" + name + "' is in it twice");
  }
  return arrays;
}

Outcome sparsam_run::checkWritable(const std::string &path) {
  std::error_code code;
  if (fs::is_directory(path, code))
    return failure(path, "cannot write it: it is a folder");
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty())
    folder = ".";
  if (!fs::is_directory(folder, code))
    return failure(path, "cannot write it: there is no folder '" + folder.string() + "'");
  if (access(folder.c_str(), W_OK))
    return failure(path, "cannot write it: " +
                             std::error_code(errno, std::generic_category()).message());
  return {};
}

Outcome sparsam_run::writeNpz(const std::string &path,
                              const std::map<std::string, const Array *> &arrays) {
  int code = 0;
  // libzip writes a temporary file beside it and renames that on closing.
  Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive)
    return failure(path, "cannot write it: " + openError(code));
  std::vector<std::string> members; // until the archive is closed
  members.reserve(arrays.size());
  for (const auto &[name, array] : arrays) {
    members.push_back(npyHeader(*array) + std::string(array->data(), array->bytes()));
    const std::string &member = members.back();
    zip_source_t *source =
        zip_source_buffer(archive.get(), member.data(), member.size(), 0);
    zip_int64_t index = source ? zip_file_add(archive.get(), (name + ".npy").c_str(),
                                              source, ZIP_FL_ENC_UTF_8)
                               : -1;
    if (index < 0) {
      zip_source_free(source);
      return failure(path, "cannot write '" + name + "': " + zip_strerror(archive.get()));
    }
    zip_set_file_compression(archive.get(), index, ZIP_CM_STORE, 0);
  }
  // libzip's temporary file would stay.
  Uninterrupted closing;
  if (zip_close(archive.get()))
    return failure(path, std::string("cannot write it: ") + zip_strerror(archive.get()));
  (void)archive.release();
  return {};
}
