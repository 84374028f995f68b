#ifndef SPARSAM_LIB_RUNTIME_PARTITION_H
#define SPARSAM_LIB_RUNTIME_PARTITION_H

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace mlir::sparsam {

/// A module that is cut into parts of about equal work, which threads with a context
/// of their own can read and compile side by side.
class Partition {
public:
  /// Gives names and linkage across files to what the parts share, so `module` must
  /// not be compiled as a whole afterwards.
  Partition(llvm::Module &module, unsigned parts);

  /// Fewer than asked for where there is too little work.
  unsigned size() const { return functions.size(); }

  /// Safe on several threads with different contexts.
  llvm::Expected<std::unique_ptr<llvm::Module>> read(unsigned part,
                                                     llvm::LLVMContext &context) const;

private:
  std::string bitcode;
  /// The functions that each part defines.
  std::vector<std::vector<std::string>> functions;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_RUNTIME_PARTITION_H
