// Compiled functions in memory, wherever they came from, and calling them.
#ifndef SPARSAM_BUNDLE_FUNCTIONTABLE_H
#define SPARSAM_BUNDLE_FUNCTIONTABLE_H

#include "sparsam/Bundle/Result.h"
#include "sparsam/Bundle/Signature.h"

#include <functional>
#include <memory>

namespace mlir::sparsam {

/// Functions with the scratch memory that they share.
class SPARSAM_BUNDLE_API FunctionTable {
public:
  using Entry = void (*)(void **descriptors);
  /// The code of a function by its name, such as `sparsam_entry_step`.
  using Lookup = std::function<Result<Entry>(const std::string &)>;

  static Result<std::unique_ptr<FunctionTable>>
  create(std::vector<ProgramFunction> functions, const Lookup &lookup);
  ~FunctionTable();

  const std::vector<ProgramFunction> &functions() const;
  /// Null if there is no such function.
  const ProgramFunction *find(std::string_view name) const;

  /// Calls a function of this table on one pointer per argument, the workspace left
  /// out. Written arrays must not overlap any other array; that is checked. Safe from
  /// several threads; calls in a process run one after the other.
  Outcome call(const ProgramFunction &function, void *const *arrays, size_t count) const;

private:
  FunctionTable();
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_FUNCTIONTABLE_H
