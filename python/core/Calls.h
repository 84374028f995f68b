// Compiled functions as Python sees them, wherever they came from: no LLVM in here.
#ifndef SPARSAM_PYTHON_CORE_CALLS_H
#define SPARSAM_PYTHON_CORE_CALLS_H

#include "sparsam/Bundle/FunctionTable.h"

#include <nanobind/nanobind.h>

namespace sparsam_python {

/// Type, dtype, shape and attributes; see _core.pyi.
nanobind::dict describeValue(const mlir::sparsam::ValueSignature &value);
nanobind::dict describeAttributes(const mlir::sparsam::AttributeTable &table);

nanobind::list describeFunctions(const mlir::sparsam::FunctionTable &program);

/// Calls a function on arrays, without the GIL.
void call(const mlir::sparsam::FunctionTable &program, const std::string &name,
          nanobind::sequence arrays);

/// `num_threads` and `set_num_threads`.
void bindThreads(nanobind::module_ &m);

} // namespace sparsam_python

#endif // SPARSAM_PYTHON_CORE_CALLS_H
