// Dense products: OpenMP splits them, each thread calls a serial BLAS.
//
// Compiled code passes a matrix as the three words of a memref of rank 0: what was
// allocated (unused here), the aligned pointer, and an offset in elements.

#include "Blas.h"

#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <climits>
#include <tuple>

#include <omp.h>

using sparsam::Blas;

namespace {

template <typename Element> struct Matrix {
  Element *data;
  int64_t leading;
  bool transposed;

  /// The part that starts at `row` and `column` of the matrix itself, not transposed.
  Element *at(int64_t row, int64_t column) const {
    return transposed ? data + column * leading + row : data + row * leading + column;
  }
};

void callBlas(CBLAS_TRANSPOSE transA, CBLAS_TRANSPOSE transB, int64_t m, int64_t n,
              int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb,
              float beta, float *c, int64_t ldc) {
  if (const Blas *blas = sparsam::loadBlas())
    blas->sgemm(CblasRowMajor, transA, transB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void callBlas(CBLAS_TRANSPOSE transA, CBLAS_TRANSPOSE transB, int64_t m, int64_t n,
              int64_t k, const double *a, int64_t lda, const double *b, int64_t ldb,
              double beta, double *c, int64_t ldc) {
  if (const Blas *blas = sparsam::loadBlas())
    blas->dgemm(CblasRowMajor, transA, transB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

/// Multiplications below which starting the other threads costs more than it saves.
constexpr int64_t workWorthThreads = 65536;
/// Multiplications below which BLAS's own start costs more than the product.
constexpr int64_t workWorthBlas = 512;

template <typename Element>
void product(const Matrix<Element> &a, const Matrix<Element> &b, Element *c, int64_t ldc,
             int64_t m, int64_t n, int64_t k, bool accumulate) {
  if (m <= 0 || n <= 0)
    return;
  if (m * n * k <= workWorthBlas) {
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        Element sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += *a.at(i, l) * *b.at(l, j);
        Element &result = c[i * ldc + j];
        result = accumulate ? result + sum : sum;
      }
    return;
  }
  callBlas(a.transposed ? CblasTrans : CblasNoTrans,
           b.transposed ? CblasTrans : CblasNoTrans, m, n, k, a.data, a.leading, b.data,
           b.leading, accumulate ? 1 : 0, c, ldc);
}

/// A grid of threads over C: `rows` times `columns` parts.
struct Grid {
  int64_t rows, columns;
};

/// The split whose parts read the least: a part of r rows and s columns packs r rows
/// of A and s columns of B.
Grid chooseGrid(int64_t m, int64_t n, int64_t threads, int64_t granule) {
  Grid best{1, 1};
  double bestCost = 0;
  for (int64_t rows = 1; rows <= threads; ++rows) {
    if (threads % rows)
      continue;
    int64_t columns = threads / rows;
    double rowsEach = std::max<double>(double(m) / rows, granule);
    double columnsEach = std::max<double>(double(n) / columns, granule);
    // The time of the product itself, where a part is too thin to be split further,
    // counts before the reading.
    double cost = rowsEach * columnsEach * 1e6 + rowsEach + columnsEach;
    if (rows == 1 || cost < bestCost) {
      best = {rows, columns};
      bestCost = cost;
    }
  }
  return best;
}

/// Part `index` of `count` of [0, size), in multiples of `granule`.
void getPart(int64_t size, int64_t count, int64_t index, int64_t granule, int64_t &begin,
             int64_t &end) {
  int64_t granules = (size + granule - 1) / granule;
  begin = std::min(size, granules * index / count * granule);
  end = std::min(size, granules * (index + 1) / count * granule);
}

template <typename Element>
void parallelProduct(Matrix<Element> a, Matrix<Element> b, Element *c, int64_t ldc,
                     int64_t m, int64_t n, int64_t k, bool accumulate) {
  int64_t threads = omp_get_max_threads();
  if (threads == 1 || m * n * k < workWorthThreads)
    return product(a, b, c, ldc, m, n, k, accumulate);
  constexpr int64_t granule = 16;
  Grid grid = chooseGrid(m, n, threads, granule);
#pragma omp parallel for schedule(static)
  for (int64_t part = 0; part < grid.rows * grid.columns; ++part) {
    int64_t rowBegin, rowEnd, columnBegin, columnEnd;
    getPart(m, grid.rows, part / grid.columns, granule, rowBegin, rowEnd);
    getPart(n, grid.columns, part % grid.columns, granule, columnBegin, columnEnd);
    Matrix<Element> rows = a, columns = b;
    rows.data = a.at(rowBegin, 0);
    columns.data = b.at(0, columnBegin);
    product(rows, columns, c + rowBegin * ldc + columnBegin, ldc, rowEnd - rowBegin,
            columnEnd - columnBegin, k, accumulate);
  }
}

template <typename Element>
void batchedProduct(Matrix<Element> a, Matrix<Element> b, Element *c, int64_t ldc,
                    int64_t m, int64_t n, int64_t k, int64_t batch0, int64_t batch1,
                    const int64_t (&strides)[6], bool accumulate) {
  int64_t batch = batch0 * batch1;
  int64_t largest = std::max({m, n, k, a.leading, b.leading, ldc});
  if (largest > INT_MAX)
    return sparsam_runtime_error(
        "a dense product has a dimension beyond BLAS's integers");
  auto entry = [&](int64_t index) {
    int64_t i = index / batch1, j = index % batch1;
    Matrix<Element> left = a, right = b;
    left.data += i * strides[0] + j * strides[1];
    right.data += i * strides[2] + j * strides[3];
    return std::make_tuple(left, right, c + i * strides[4] + j * strides[5]);
  };
  bool shareEntries = batch >= omp_get_max_threads();
  if (batch > 1 && shareEntries && batch * m * n * k >= workWorthThreads) {
#pragma omp parallel for schedule(static)
    for (int64_t index = 0; index < batch; ++index) {
      auto [left, right, result] = entry(index);
      product(left, right, result, ldc, m, n, k, accumulate);
    }
    return;
  }
  for (int64_t index = 0; index < batch; ++index) {
    auto [left, right, result] = entry(index);
    parallelProduct(left, right, result, ldc, m, n, k, accumulate);
  }
}

} // namespace

// ELEMENT is a type, which takes no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define SPARSAM_DEFINE_GEMM(NAME, ELEMENT)                                               \
  void NAME(ELEMENT *, ELEMENT *a, int64_t offsetA, ELEMENT *, ELEMENT *b,               \
            int64_t offsetB, ELEMENT *, ELEMENT *c, int64_t offsetC, int64_t m,          \
            int64_t n, int64_t k, int64_t lda, int64_t ldb, int64_t ldc, int64_t transA, \
            int64_t transB, int64_t batch0, int64_t batch1, int64_t strideA0,            \
            int64_t strideA1, int64_t strideB0, int64_t strideB1, int64_t strideC0,      \
            int64_t strideC1, int64_t accumulate) {                                      \
    batchedProduct<ELEMENT>(                                                             \
        {a + offsetA, lda, transA != 0}, {b + offsetB, ldb, transB != 0}, c + offsetC,   \
        ldc, m, n, k, batch0, batch1,                                                    \
        {strideA0, strideA1, strideB0, strideB1, strideC0, strideC1}, accumulate != 0);  \
  }
// NOLINTEND(bugprone-macro-parentheses)

SPARSAM_DEFINE_GEMM(sparsam_gemm_f32, float)
SPARSAM_DEFINE_GEMM(sparsam_gemm_f64, double)
