// Selection by magnitude where a row is long: the largest entries of each row.
#include "Descriptors.h"
#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using sparsam::Matrix;

namespace {

/// The columns of the largest entries of each row, as many as `chosen` has, ascending.
/// Ties go to the lower column, and what is not a number comes last.
template <typename T>
void findLargest(const Matrix<T> &scores, const Matrix<int64_t> &chosen) {
  int64_t columns = scores.sizes[1], count = chosen.sizes[1];
#pragma omp parallel for
  for (int64_t row = 0; row < scores.sizes[0]; ++row) {
    std::vector<int64_t> order(columns);
    std::iota(order.begin(), order.end(), 0);
    auto comesFirst = [&](int64_t a, int64_t b) {
      T left = scores.at(row, a), right = scores.at(row, b);
      bool hasLeft = !std::isnan(left), hasRight = !std::isnan(right);
      if (hasLeft != hasRight)
        return hasLeft;
      return (hasLeft && left != right) ? left > right : a < b;
    };
    if (count < columns)
      std::nth_element(order.begin(), order.begin() + count, order.end(), comesFirst);
    std::sort(order.begin(), order.begin() + count);
    for (int64_t place = 0; place < count; ++place)
      chosen.at(row, place) = order[place];
  }
}

} // namespace

extern "C" {

SPARSAM_RUNTIME_API void _mlir_ciface_sparsam_largest_f32(Matrix<float> *scores,
                                                          Matrix<int64_t> *chosen) {
  findLargest(*scores, *chosen);
}

SPARSAM_RUNTIME_API void _mlir_ciface_sparsam_largest_f64(Matrix<double> *scores,
                                                          Matrix<int64_t> *chosen) {
  findLargest(*scores, *chosen);
}
}
