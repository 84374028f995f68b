// What a caller of a function sees of it: no LLVM in here.
#ifndef SPARSAM_BUNDLE_SIGNATURE_H
#define SPARSAM_BUNDLE_SIGNATURE_H

#include "sparsam/Bundle/IndexRule.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#define SPARSAM_BUNDLE_API __attribute__((visibility("default")))

namespace mlir::sparsam {

/// An attribute's value, owned, so that it outlives the context: true for a unit
/// attribute, text for a string, and the printed form of anything else.
using AttributeValue = std::variant<bool, int64_t, double, std::string>;
using AttributeTable = std::vector<std::pair<std::string, AttributeValue>>;

/// A type of elements that arrays outside of MLIR have too.
struct ElementType {
  std::string_view mlir;  ///< "f32"
  std::string_view numpy; ///< "float32"; bfloat16 is of ml_dtypes
  std::string_view c;     ///< "float"; halves by their bits, as C has none
  char kind;              ///< NumPy's: f, i, u, b, and V for bfloat16
  unsigned bytes;

  /// Whether MLIR's type says nothing about the sign, so that either will do.
  bool isSignless() const { return kind == 'i' && mlir.front() != 's'; }
};

/// Null if no array outside has such elements. Signless integers count as signed.
SPARSAM_BUNDLE_API const ElementType *findElementType(std::string_view mlir);
SPARSAM_BUNDLE_API const std::vector<ElementType> &knownElementTypes();

/// An argument or a result of a function as a caller sees it.
struct SPARSAM_BUNDLE_API ValueSignature {
  std::string type;           ///< as printed, "tensor<4x8xf32>"
  std::string elementType;    ///< "f32"; the type itself for a plain scalar
  std::vector<int64_t> shape; ///< a dynamic extent is MLIR's ShapedType::kDynamic
  AttributeTable attributes;

  /// The value of a text or an integer attribute, or null.
  const std::string *text(std::string_view name) const;
  const int64_t *integer(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Whether it is of storage with integers, which are read unsigned: MLIR's have no
  /// sign.
  bool isUnsigned() const;
};

/// How to speak of argument `index` in a message: its path if it has one.
SPARSAM_BUNDLE_API std::string argumentLabel(const ValueSignature &value, size_t index);

/// "(4, 8)"
SPARSAM_BUNDLE_API std::string shapeText(const std::vector<int64_t> &shape);

/// What NumPy calls its elements, "float32", and "uint16" for indices of storage; MLIR's
/// name if no array outside has such elements.
SPARSAM_BUNDLE_API std::string elementText(const ValueSignature &value);

/// "float32 of shape (4, 8)"
SPARSAM_BUNDLE_API std::string arrayText(const ValueSignature &value);

/// An argument of a compiled function: a static, dense, row-major array.
struct ProgramArgument : ValueSignature {
  enum class Role {
    Input,     ///< read only
    Updated,   ///< read, and overwritten with result `result`
    Result,    ///< overwritten with result `result`; contents on entry do not matter
    Workspace, ///< scratch memory that callers do not pass
  };
  Role role = Role::Input;
  int64_t result = -1;
  size_t bytes = 0;
  /// Of an index tensor of a pattern, where it is known.
  std::optional<IndexRule> index;

  /// Whether it says where the entries of a pattern are.
  SPARSAM_BUNDLE_API bool isIndex() const;
  bool isWorkspace() const { return role == Role::Workspace; }
  bool isWritten() const { return role != Role::Input; }
};

/// "input", "updated", "result", "workspace"
SPARSAM_BUNDLE_API std::string_view roleName(ProgramArgument::Role role);

struct SPARSAM_BUNDLE_API ProgramFunction {
  std::string name;
  /// In the order in which the compiled function takes them.
  std::vector<ProgramArgument> arguments;
  size_t workspaceBytes = 0;
  /// Arguments that a caller passes: all but the workspace.
  size_t callerArguments() const;
};

/// What the names of functions that are called from outside begin with.
inline constexpr std::string_view entryPrefix = "sparsam_entry_";

/// "'a', 'b'"
SPARSAM_BUNDLE_API std::string
functionNames(const std::vector<ProgramFunction> &functions);

} // namespace mlir::sparsam

#endif // SPARSAM_BUNDLE_SIGNATURE_H
