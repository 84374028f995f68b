// Programs that were compiled ahead of time, and running them without LLVM.
#ifndef SPARSAM_BUNDLE_BUNDLE_H
#define SPARSAM_BUNDLE_BUNDLE_H

#include "sparsam/Bundle/FunctionTable.h"
#include "sparsam/Bundle/Manifest.h"

namespace mlir::sparsam {

/// A bundle, checked and loaded: the variant with the widest vectors that this machine
/// runs. Its code is part of the process: only bundles that are trusted are to be opened.
class SPARSAM_BUNDLE_API Bundle {
public:
  static Result<std::unique_ptr<Bundle>> open(const std::string &path);
  ~Bundle();

  const Manifest &manifest() const;
  const BundleVariant &variant() const;
  const FunctionTable &table() const;

  /// What is in one of the files that are no code.
  Result<std::string> read(const std::string &name) const;

private:
  Bundle();
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

/// "x86_64"
SPARSAM_BUNDLE_API const char *thisArchitecture();

/// Whether there is a bundle, whole or not, at a path.
SPARSAM_BUNDLE_API bool isBundle(const std::string &path);

/// Makes a bundle of the contents of files, by name; the manifest is one of them.
/// Replaces a bundle as a whole or not at all, and nothing that is no bundle.
SPARSAM_BUNDLE_API Outcome replaceBundle(const std::string &path,
                                         const std::map<std::string, std::string> &files);

/// Whether `replaceBundle`, or `replaceFile`, can write there; leaves no trace.
SPARSAM_BUNDLE_API Outcome checkBundlePath(const std::string &path);
SPARSAM_BUNDLE_API Outcome checkFilePath(const std::string &path);

/// What is in a file.
SPARSAM_BUNDLE_API Result<std::string> readFile(const std::string &path);

/// Replaces a file as a whole or not at all.
SPARSAM_BUNDLE_API Outcome replaceFile(const std::string &path,
                                       const std::string &contents);

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_BUNDLE_H
