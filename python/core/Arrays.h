#ifndef SPARSAM_PYTHON_CORE_ARRAYS_H
#define SPARSAM_PYTHON_CORE_ARRAYS_H

#include "sparsam/Bundle/Signature.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace sparsam_python {

/// The memory of `array`, checked to be what `argument` needs, without a copy.
/// `owner` keeps it alive. Throws a Python TypeError or ValueError that names the
/// argument.
void *arrayData(nanobind::handle array, const mlir::sparsam::ProgramArgument &argument,
                size_t index, nanobind::ndarray<nanobind::ro> &owner);

} // namespace sparsam_python

#endif // SPARSAM_PYTHON_CORE_ARRAYS_H
