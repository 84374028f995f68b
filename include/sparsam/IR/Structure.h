// Structures: how one parameter of a training step is represented.
#ifndef SPARSAM_IR_STRUCTURE_H
#define SPARSAM_IR_STRUCTURE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace mlir::sparsam {

enum class StructureKind {
  /// Some entries are stored, the rest are zero.
  Pattern,
  /// An einsum of smaller tensors.
  Factors,
};

/// One plain tensor of a storage.
struct StorageTensor {
  /// Stable and lower case: "values", "indices", "u". Users meet it in
  /// `step.storage` and in checkpoints.
  std::string name;
  RankedTensorType type;
  /// True for what the optimizer updates and keeps state for; false for what
  /// says where the entries are.
  bool trainable;
};

/// W = einsum(factors): one term a factor, in letters. The letters of `in`,
/// flattened in order, are the matrix's rows and those of `out` its columns.
struct FactorEinsum {
  SmallVector<std::string> factors;
  std::string in;
  std::string out;
};

struct StructureCost {
  /// Trainable entries that are stored.
  int64_t entries;
  /// Of the whole storage.
  int64_t bytes;
  /// Multiplications and additions of one row of x * W; backward-input and
  /// backward-weight cost as much each.
  int64_t flopsPerRow;
};

/// `[0, 1]` inside a structure's text.
FailureOr<SmallVector<int64_t>> parseView(AsmParser &parser);
void printView(AsmPrinter &printer, ArrayRef<int64_t> in);

} // namespace mlir::sparsam

#include "sparsam/IR/StructureInterface.h.inc"

namespace mlir::sparsam {

/// How a parameter's dimensions map to the rows and columns of its matrix.
struct MatrixView {
  /// The parameter's dimensions that are inputs and outputs, in flattening order.
  SmallVector<int64_t> in, out;
  RankedTensorType matrix;

  /// True where the matrix is the parameter, or a reshape of it.
  bool isReshape() const;
};

/// The matrix view of a parameter of `type` under `structure`; the view's
/// dimensions must exist, not repeat, and leave an output.
FailureOr<MatrixView> getMatrixView(StructureInterface structure, RankedTensorType type,
                                    function_ref<InFlightDiagnostic()> emitError);

/// The storage of a parameter of `type` (its encoding is ignored).
FailureOr<SmallVector<StorageTensor>>
getParameterStorage(StructureInterface structure, RankedTensorType type,
                    function_ref<InFlightDiagnostic()> emitError);

/// Whether index tensors from outside (one a tensor of the storage that is not
/// trainable, in its order) are a pattern of a parameter of `type`.
LogicalResult verifyPattern(StructureInterface structure, RankedTensorType type,
                            ArrayRef<ArrayRef<int64_t>> pattern,
                            function_ref<InFlightDiagnostic()> emitError);

/// What `verifyEncoding` of a structure checks: that a parameter of this shape
/// has a view and a storage.
LogicalResult verifyStructure(StructureInterface structure, ArrayRef<int64_t> shape,
                              Type elementType,
                              function_ref<InFlightDiagnostic()> emitError);

/// The structure that encodes `type`, or null.
StructureInterface getStructure(Type type);

/// `type` without its encoding.
RankedTensorType getPlainType(RankedTensorType type);

/// The structure that `text`, the text inside `#sparsam.`, describes; emits an
/// error at `loc` where it does not parse.
FailureOr<StructureInterface> parseStructure(StringRef text, Location loc);

/// `verifyPattern` for a parameter of `shape` whose structure is known as text; emits an
/// error at `loc`.
LogicalResult verifyPattern(StringRef structure, ArrayRef<int64_t> shape,
                            ArrayRef<ArrayRef<int64_t>> pattern, Location loc);

} // namespace mlir::sparsam

#endif // SPARSAM_IR_STRUCTURE_H
