#ifndef SPARSAM_PYTHON_CORE_ARRAYS_H
#define SPARSAM_PYTHON_CORE_ARRAYS_H

#include "sparsam/Bundle/Signature.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace sparsam_python {

/// An array of the caller's for as long as a function runs on its memory.
class HeldArray {
public:
  HeldArray() = default;
  HeldArray(const HeldArray &) = delete;
  HeldArray &operator=(const HeldArray &) = delete;
  ~HeldArray();

  /// The memory of `array`, checked to be what `argument` needs, without a copy. Throws a
  /// Python TypeError or ValueError that names the argument.
  void *hold(nanobind::handle array, const mlir::sparsam::ProgramArgument &argument,
             size_t index);

private:
  bool holdBuffer(nanobind::handle array, const mlir::sparsam::ProgramArgument &argument);

  Py_buffer buffer{};
  nanobind::ndarray<nanobind::ro> owner;
};

} // namespace sparsam_python

#endif // SPARSAM_PYTHON_CORE_ARRAYS_H
