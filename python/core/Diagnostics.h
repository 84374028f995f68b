#ifndef SPARSAM_PYTHON_CORE_DIAGNOSTICS_H
#define SPARSAM_PYTHON_CORE_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"

#include <string>
#include <vector>

namespace sparsam_python {

struct Message {
  std::string severity; ///< "error", "warning" or "remark"
  std::string location; ///< "file:line:column", a name, or empty
  std::string text;     ///< with its notes, one a line

  /// The text after its location, where it does not name that itself.
  std::string located() const;
};

/// Collects what a context emits for as long as this lives.
class DiagnosticCollector {
public:
  DiagnosticCollector(mlir::MLIRContext *context, std::vector<Message> &messages);

  /// The errors so far, each with its location, one a line.
  std::string errors() const;

private:
  std::vector<Message> &messages;
  size_t first;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace sparsam_python

#endif // SPARSAM_PYTHON_CORE_DIAGNOSTICS_H
