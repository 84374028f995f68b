#ifndef SPARSAM_RUNTIME_SIGNATURE_H
#define SPARSAM_RUNTIME_SIGNATURE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mlir::sparsam {

/// An attribute's value, owned, so that it outlives the context: true for a unit
/// attribute, text for a string, and the printed form of anything else.
using AttributeValue = std::variant<bool, int64_t, double, std::string>;
using AttributeTable = std::vector<std::pair<std::string, AttributeValue>>;

/// A type of elements that arrays outside of MLIR have too.
struct ElementType {
  llvm::StringLiteral mlir;  ///< "f32"
  llvm::StringLiteral numpy; ///< "float32"; bfloat16 is of ml_dtypes
  char kind;                 ///< NumPy's: f, i, u, b, and V for bfloat16
  unsigned bytes;
};

/// Null if no array outside has such elements. Signless integers count as signed.
const ElementType *findElementType(llvm::StringRef mlir);
llvm::ArrayRef<ElementType> knownElementTypes();

/// An argument or a result of a function as a caller sees it.
struct ValueSignature {
  std::string type;           ///< as printed, "tensor<4x8xf32>"
  std::string elementType;    ///< "f32"; the type itself for a plain scalar
  std::vector<int64_t> shape; ///< a dynamic extent is ShapedType::kDynamic
  AttributeTable attributes;

  /// The value of a text or an integer attribute, or null.
  const std::string *text(llvm::StringRef name) const;
  const int64_t *integer(llvm::StringRef name) const;
  bool has(llvm::StringRef name) const;
};

struct FunctionSignature {
  std::string name;
  bool isPublic;
  std::vector<ValueSignature> arguments;
  std::vector<ValueSignature> results;
};

AttributeTable describe(DictionaryAttr attributes);
FunctionSignature describe(FunctionOpInterface function);

/// The defined functions of a module, in order, private ones included.
std::vector<FunctionSignature> describeFunctions(ModuleOp module);

/// How to speak of argument `index` in a message: its path if it has one.
std::string argumentLabel(const ValueSignature &value, size_t index);

/// "(4, 8)"
std::string shapeText(llvm::ArrayRef<int64_t> shape);

} // namespace mlir::sparsam

#endif // SPARSAM_RUNTIME_SIGNATURE_H
