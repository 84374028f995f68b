// The transposable N:M pattern of largest magnitude: in each M x M block of inputs and
// outputs, every input and every output keeps N entries (Hubara et al., 2021). That is an
// assignment problem, solved exactly here by successive shortest paths.
#include "Descriptors.h"
#include "sparsam/Runtime/Runtime.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using sparsam::Matrix;

namespace {

/// One block: entries as edges from inputs to outputs, of which each node takes N.
class Assignment {
public:
  explicit Assignment(int64_t m)
      : m(m), weights(m * m), kept(m * m), inputs(m), outputs(m), gains(2 * m),
        parents(2 * m) {}

  /// Magnitudes as integers, which add up without rounding: a path then never goes round.
  /// An infinite one outweighs all finite ones that a path may take in exchange.
  template <typename T>
  void load(const Matrix<T> &scores, int64_t firstInput, int64_t firstOutput) {
    constexpr double unit = static_cast<double>(int64_t(1) << 40);
    auto magnitude = [&](int64_t i, int64_t o) {
      return static_cast<double>(std::abs(scores.at(firstInput + i, firstOutput + o)));
    };
    double largest = 0;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t o = 0; o < m; ++o)
        if (std::isfinite(magnitude(i, o)))
          largest = std::max(largest, magnitude(i, o));
    for (int64_t i = 0; i < m; ++i)
      for (int64_t o = 0; o < m; ++o) {
        double size = magnitude(i, o), share = 0;
        if (std::isinf(size))
          share = 2 * static_cast<double>(m);
        else if (largest != 0 && !std::isnan(size))
          share = size / largest;
        weights[i * m + o] = std::llround(share * unit);
      }
  }

  void solve(int64_t n) {
    std::fill(kept.begin(), kept.end(), false);
    std::fill(inputs.begin(), inputs.end(), n);
    std::fill(outputs.begin(), outputs.end(), n);
    for (int64_t entry = 0; entry < n * m; ++entry)
      augment();
  }

  bool isKept(int64_t input, int64_t output) const { return kept[input * m + output]; }

private:
  static constexpr int64_t unreached = std::numeric_limits<int64_t>::min();

  bool relax(int64_t from, int64_t to, int64_t gain) {
    if (gains[from] == unreached || gains[from] + gain <= gains[to])
      return false;
    gains[to] = gains[from] + gain;
    parents[to] = from;
    return true;
  }

  /// Keeps one more entry, by the path of largest gain that takes some and returns
  /// others.
  void augment() {
    for (int64_t i = 0; i < m; ++i) {
      gains[i] = inputs[i] ? 0 : unreached;
      gains[m + i] = unreached;
      parents[i] = -1;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (int64_t i = 0; i < m; ++i)
        for (int64_t o = 0; o < m; ++o)
          changed |= kept[i * m + o] ? relax(m + o, i, -weights[i * m + o])
                                     : relax(i, m + o, weights[i * m + o]);
    }
    int64_t node = -1;
    for (int64_t o = 0; o < m; ++o)
      if (outputs[o] && gains[m + o] != unreached &&
          (node < 0 || gains[m + o] > gains[node]))
        node = m + o;
    --outputs[node - m];
    while (parents[node] >= 0) {
      int64_t from = parents[node];
      int64_t input = std::min(from, node), output = std::max(from, node) - m;
      kept[input * m + output] = from < m;
      node = from;
    }
    --inputs[node];
  }

  int64_t m;
  std::vector<int64_t> weights;
  std::vector<char> kept;
  /// Entries that each node can still take.
  std::vector<int64_t> inputs, outputs;
  /// Of the best path to each node, inputs first.
  std::vector<int64_t> gains, parents;
};

template <typename T>
void select(const Matrix<T> &scores, const Matrix<int32_t> &indices, int64_t n,
            int64_t m) {
  int64_t groups = scores.sizes[0] / m, blocks = scores.sizes[1] / m;
#pragma omp parallel
  {
    Assignment assignment(m);
#pragma omp for
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t group = 0; group < groups; ++group) {
        assignment.load(scores, group * m, block * m);
        assignment.solve(n);
        for (int64_t output = 0; output < m; ++output) {
          int64_t place = group * n;
          for (int64_t input = 0; input < m; ++input)
            if (assignment.isKept(input, output))
              indices.at(block * m + output, place++) =
                  static_cast<int32_t>(group * m + input);
        }
      }
  }
}

} // namespace

extern "C" {

SPARSAM_RUNTIME_API void _mlir_ciface_sparsam_transposable_f32(Matrix<float> *scores,
                                                               Matrix<int32_t> *indices,
                                                               int64_t n, int64_t m) {
  select(*scores, *indices, n, m);
}

SPARSAM_RUNTIME_API void _mlir_ciface_sparsam_transposable_f64(Matrix<double> *scores,
                                                               Matrix<int32_t> *indices,
                                                               int64_t n, int64_t m) {
  select(*scores, *indices, n, m);
}
}
