// The file of tile sizes, which several processes may read and add to.
#include "sparsam/Conversion/ToCPU/TileCache.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace llvm;

namespace {

Error cannotWrite(StringRef path, std::error_code code) {
  return createStringError("'" + path + "': cannot write it: " + code.message());
}

Error replaceFile(StringRef path, StringRef contents) {
  // Beside it: a rename does not go from one file system to another.
  Expected<sys::fs::TempFile> file =
      sys::fs::TempFile::create(path + ".new-%%%%%%%%", 0666);
  if (!file)
    return cannotWrite(path, errorToErrorCode(file.takeError()));
  raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
  stream << contents;
  stream.flush();
  if (std::error_code code = stream.error()) {
    stream.clear_error();
    consumeError(file->discard());
    return cannotWrite(path, code);
  }
  if (Error error = file->keep(path)) {
    consumeError(file->discard());
    return cannotWrite(path, errorToErrorCode(std::move(error)));
  }
  return Error::success();
}

} // namespace

Expected<TileCache> TileCache::read(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return createStringError("'" + path +
                             "': cannot read it: " + file.getError().message());
  return parse((*file)->getBuffer(), path);
}

Error TileCache::update(StringRef path, const TileCache &more) {
  if (StringRef folder = sys::path::parent_path(path); !folder.empty())
    if (std::error_code code = sys::fs::create_directories(folder))
      return cannotWrite(path, code);
  // A file of its own: the one that is replaced may be another when the lock is granted.
  std::error_code code;
  raw_fd_ostream file((path + ".lock").str(), code, sys::fs::CD_OpenAlways,
                      sys::fs::FA_Write, sys::fs::OF_None);
  if (code)
    return cannotWrite(path, code);
  Expected<sys::fs::FileLocker> lock = file.lock();
  if (!lock)
    return cannotWrite(path, errorToErrorCode(lock.takeError()));

  TileCache all;
  if (sys::fs::exists(path)) {
    Expected<TileCache> known = read(path);
    if (!known)
      return known.takeError();
    all = std::move(*known);
  }
  for (const auto &[key, entry] : more.entries)
    all.add(key, entry);
  return replaceFile(path, all.print());
}
