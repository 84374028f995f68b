/* What compiled code passes to the functions that it calls by their C interface. */
#ifndef SPARSAM_LIB_RUNTIME_DESCRIPTORS_H
#define SPARSAM_LIB_RUNTIME_DESCRIPTORS_H

#include <cstdint>

namespace sparsam {

/// MLIR's descriptor of a memref of rank 2.
template <typename T> struct Matrix {
  T *allocated;
  T *data;
  int64_t offset, sizes[2], strides[2];

  T &at(int64_t row, int64_t column) const {
    return data[offset + row * strides[0] + column * strides[1]];
  }
};

/// The same of rank 3, as matrices one after the other.
template <typename T> struct Batch {
  T *allocated;
  T *data;
  int64_t offset, sizes[3], strides[3];

  Matrix<T> operator[](int64_t number) const {
    return {allocated,
            data,
            offset + number * strides[0],
            {sizes[1], sizes[2]},
            {strides[1], strides[2]}};
  }
};

} // namespace sparsam

#endif // SPARSAM_LIB_RUNTIME_DESCRIPTORS_H
