// Truncated singular value decompositions, which factor structures start from.
#include "Blas.h"
#include "Descriptors.h"
#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using sparsam::Batch;
using sparsam::Matrix;

namespace {

/// Where the singular values go.
enum class Split {
  /// u = A sqrt(S) and v = sqrt(S) B^T.
  Balanced,
  /// u = A, with orthonormal columns, and v = S B^T.
  Right,
};

int gesdd(int m, int n, float *a, float *s, float *u, float *vt, int rank, float *work,
          int lwork, int *iwork) {
  const sparsam::Blas *blas = sparsam::loadBlas();
  if (!blas)
    return -1;
  int info = 0;
  blas->sgesdd("S", &m, &n, a, &m, s, u, &m, vt, &rank, work, &lwork, iwork, &info);
  return info;
}

int gesdd(int m, int n, double *a, double *s, double *u, double *vt, int rank,
          double *work, int lwork, int *iwork) {
  const sparsam::Blas *blas = sparsam::loadBlas();
  if (!blas)
    return -1;
  int info = 0;
  blas->dgesdd("S", &m, &n, a, &m, s, u, &m, vt, &rank, work, &lwork, iwork, &info);
  return info;
}

void report(const std::string &problem) {
  sparsam_runtime_error(
      ("the singular value decomposition of a parameter " + problem).c_str());
}

/// w ~ u * v. The sign of each component is
/// the one that makes the entry of u of largest magnitude (the first of several)
/// positive, so that the factors do not depend on how LAPACK was built.
template <typename T>
void factorize(const Matrix<T> &w, const Matrix<T> &u, const Matrix<T> &v, Split split) {
  int64_t inputs = w.sizes[0], outputs = w.sizes[1], rank = u.sizes[1];
  // LAPACK is column-major: what it sees is w^T = B S A^T, outputs x inputs.
  std::vector<T> a(inputs * outputs);
  for (int64_t row = 0; row < inputs; ++row)
    for (int64_t column = 0; column < outputs; ++column) {
      T entry = w.at(row, column);
      if (!std::isfinite(entry))
        return report("needs finite entries, found " + std::to_string(entry) + " at [" +
                      std::to_string(row) + ", " + std::to_string(column) + "]");
      a[row * outputs + column] = entry;
    }
  int m = static_cast<int>(outputs), n = static_cast<int>(inputs), full = std::min(m, n);
  std::vector<T> s(full), left(int64_t(m) * full), right(int64_t(full) * n);
  std::vector<int> iwork(8 * int64_t(full));
  T wanted = 0;
  int info = gesdd(m, n, a.data(), s.data(), left.data(), right.data(), full, &wanted, -1,
                   iwork.data());
  if (!info) {
    // The size comes back rounded to T's precision.
    std::vector<T> work(static_cast<int64_t>(wanted * T(1.001)) + 64);
    info = gesdd(m, n, a.data(), s.data(), left.data(), right.data(), full, work.data(),
                 static_cast<int>(work.size()), iwork.data());
  }
  if (info)
    return report("did not converge (gesdd returned " + std::to_string(info) + " for a " +
                  std::to_string(inputs) + " x " + std::to_string(outputs) + " matrix)");
  // Components that the matrix does not have would be zero in both factors, and so would
  // their gradients be for ever. They start as LoRA's do: in one factor only, with the
  // size of the last that it has.
  T least = s[0] * std::numeric_limits<T>::epsilon() * static_cast<T>(std::max(m, n));
  int64_t present =
      std::count_if(s.begin(), s.end(), [&](T value) { return value > least; });
  for (int64_t component = 0; component < rank; ++component) {
    T largest = 0;
    for (int64_t row = 0; row < inputs; ++row) {
      T entry = right[row * full + component];
      if (std::abs(entry) > std::abs(largest))
        largest = entry;
    }
    T root = std::sqrt(s[component]);
    if (split == Split::Balanced && present > 0 && component >= present)
      root = std::sqrt(s[present - 1]);
    T ofU = std::copysign(split == Split::Balanced ? root : T(1), largest);
    T ofV = std::copysign(split == Split::Balanced ? root : s[component], largest);
    if (present > 0 && component >= present)
      ofV = 0;
    for (int64_t row = 0; row < inputs; ++row)
      u.at(row, component) = ofU * right[row * full + component];
    for (int64_t column = 0; column < outputs; ++column)
      v.at(component, column) = ofV * left[component * outputs + column];
  }
}

template <typename T>
void factorizeAll(const Batch<T> &w, const Batch<T> &u, const Batch<T> &v) {
  for (int64_t number = 0; number < w.sizes[0]; ++number)
    factorize(w[number], u[number], v[number], Split::Balanced);
}

} // namespace

extern "C" {

SPARSAM_RUNTIME_API void _mlir_ciface_sparsam_svd_f32(Matrix<float> *w, Matrix<float> *u,
                                                      Matrix<float> *v) {
  factorize(*w, *u, *v, Split::Balanced);
}

SPARSAM_RUNTIME_API void
_mlir_ciface_sparsam_svd_f64(Matrix<double> *w, Matrix<double> *u, Matrix<double> *v) {
  factorize(*w, *u, *v, Split::Balanced);
}

SPARSAM_RUNTIME_API void
_mlir_ciface_sparsam_svd_right_f32(Matrix<float> *w, Matrix<float> *u, Matrix<float> *v) {
  factorize(*w, *u, *v, Split::Right);
}

SPARSAM_RUNTIME_API void _mlir_ciface_sparsam_svd_right_f64(Matrix<double> *w,
                                                            Matrix<double> *u,
                                                            Matrix<double> *v) {
  factorize(*w, *u, *v, Split::Right);
}

SPARSAM_RUNTIME_API void
_mlir_ciface_sparsam_svd_batch_f32(Batch<float> *w, Batch<float> *u, Batch<float> *v) {
  factorizeAll(*w, *u, *v);
}

SPARSAM_RUNTIME_API void
_mlir_ciface_sparsam_svd_batch_f64(Batch<double> *w, Batch<double> *u, Batch<double> *v) {
  factorizeAll(*w, *u, *v);
}
}
