// Gaussian numbers that a structure starts from.
#include "Descriptors.h"
#include "sparsam/Runtime/Runtime.h"

#include <cmath>
#include <cstdint>
#include <cstring>

using sparsam::Matrix;

namespace {

/// SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators,
/// 2014): the same numbers on every machine.
class Generator {
public:
  explicit Generator(uint64_t seed) : state(seed) {}

  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  void mix(uint64_t value) {
    state ^= value;
    state = next();
  }
  /// In (0, 1].
  double uniform() { return static_cast<double>((next() >> 11) + 1) * 0x1p-53; }
  /// Box and Muller, 1958.
  double gaussian() {
    double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * M_PI * uniform());
  }

private:
  uint64_t state;
};

/// Independent numbers of variance 1 / rows of u. They follow from the seed and from w,
/// so that parameters differ and repeated runs do not.
template <typename T> void fill(const Matrix<T> &w, const Matrix<T> &u, int64_t seed) {
  Generator generator(static_cast<uint64_t>(seed));
  for (int64_t row = 0; row < w.sizes[0]; ++row)
    for (int64_t column = 0; column < w.sizes[1]; ++column) {
      double entry = w.at(row, column);
      uint64_t bits;
      std::memcpy(&bits, &entry, sizeof(bits));
      generator.mix(bits);
    }
  double deviation = 1 / std::sqrt(static_cast<double>(u.sizes[0]));
  for (int64_t row = 0; row < u.sizes[0]; ++row)
    for (int64_t column = 0; column < u.sizes[1]; ++column)
      u.at(row, column) = static_cast<T>(deviation * generator.gaussian());
}

} // namespace

extern "C" {

SPARSAM_RUNTIME_API void
_mlir_ciface_sparsam_gaussian_f32(Matrix<float> *w, Matrix<float> *u, int64_t seed) {
  fill(*w, *u, seed);
}

SPARSAM_RUNTIME_API void
_mlir_ciface_sparsam_gaussian_f64(Matrix<double> *w, Matrix<double> *u, int64_t seed) {
  fill(*w, *u, seed);
}
}
