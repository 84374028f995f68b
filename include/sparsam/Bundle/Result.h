// How code that knows no LLVM says what failed.
#ifndef SPARSAM_BUNDLE_RESULT_H
#define SPARSAM_BUNDLE_RESULT_H

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mlir::sparsam {

/// Why something failed.
struct Failure {
  std::string reason;
};

/// Nothing, or why something failed.
class [[nodiscard]] Outcome {
public:
  Outcome() = default;
  Outcome(Failure failure) : failure(std::move(failure)) {}

  bool failed() const { return failure.has_value(); }
  const std::string &reason() const { return failure->reason; }

private:
  std::optional<Failure> failure;
};

/// A value, or why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::move(value)) {}
  Result(Failure failure) : state(std::move(failure)) {}

  bool failed() const { return std::holds_alternative<Failure>(state); }
  // Which one it is has been asked before: not for `std::get`, which throws.
  const std::string &reason() const { return std::get_if<Failure>(&state)->reason; }
  Failure failure() const { return *std::get_if<Failure>(&state); }
  T &operator*() { return *std::get_if<T>(&state); }
  T *operator->() { return std::get_if<T>(&state); }

private:
  std::variant<T, Failure> state;
};

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_RESULT_H
