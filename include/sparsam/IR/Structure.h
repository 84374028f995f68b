// Structures: how one parameter of a training step is represented.
#ifndef SPARSAM_IR_STRUCTURE_H
#define SPARSAM_IR_STRUCTURE_H

#include "sparsam/Bundle/IndexRule.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace mlir::sparsam {

enum class StructureKind {
  /// Some entries are stored, the rest are zero.
  Pattern,
  /// A sum of einsums of smaller tensors.
  Factors,
};

/// What a tensor of a storage is to the step.
enum class StorageRole {
  /// The optimizer updates it and keeps state for it.
  Trainable,
  /// Read only: no gradient, no state, no update.
  Frozen,
  /// Says where the entries of a pattern are.
  Index,
};

/// One plain tensor of a storage.
struct StorageTensor {
  /// Stable and lower case: "values", "indices", "u". Users meet it in
  /// `step.storage` and in checkpoints.
  std::string name;
  RankedTensorType type;
  StorageRole role;

  bool isTrainable() const { return role == StorageRole::Trainable; }
  bool isIndex() const { return role == StorageRole::Index; }
};

class StructureInterface;

/// Whether the index tensors of a pattern, of one matrix, are as the rules say; an error
/// where there is not a rule for each.
LogicalResult verifyByRules(Attribute structure, ArrayRef<IndexRule> rules,
                            ArrayRef<ArrayRef<int64_t>> pattern,
                            function_ref<InFlightDiagnostic()> emitError);

/// One factor of an einsum.
struct Factor {
  /// Of its tensor in the storage, or the prefix of its pattern's tensors there, as in
  /// "u.values"; an empty one is no prefix.
  std::string name;
  /// One a dimension.
  std::string letters;
  /// Of the dense factor.
  RankedTensorType type;
  /// A pattern structure in the default view that a matrix factor is stored in; null
  /// where it is stored as it is.
  Attribute pattern = {};
  bool isFrozen = false;
  /// Stored for what the model reads, but no factor of the product.
  bool isAside = false;

  StructureInterface getPattern() const;
};

/// scale * einsum(factors). The letters of `in`, flattened in order, are the matrix's
/// rows and those of `out` its columns.
struct FactorTerm {
  SmallVector<Factor> factors;
  std::string in, out;
  double scale = 1;
};

struct StructureCost {
  /// Trainable entries that are stored.
  int64_t entries;
  /// Of the whole storage.
  int64_t bytes;
  /// Multiplications and additions of one row of x * W; backward-input costs as much.
  int64_t flopsPerRow;
  /// Of one row of backward-weight: less where tensors are frozen, more where the
  /// gradient is that of entries which are not read.
  int64_t gradientFlopsPerRow = flopsPerRow;
};

/// A run of outer x size x inner entries of a dimension, from `offset` on.
struct AxisSegment {
  int64_t offset, outer, size, inner;

  int64_t getLength() const { return outer * size * inner; }
};

/// What several parameters have in common, of which `keep` entries are stored: hidden
/// neurons, heads, channels. Where the parameter has them, in its matrix's rows and
/// columns, they are `size` of the segments.
struct SlicedAxis {
  StringAttr group;
  int64_t keep;
  SmallVector<AxisSegment> rows, columns;

  int64_t getSize() const { return (rows.empty() ? columns : rows).front().size; }
};

/// A parameter of a function, with the structure that is asked for it; null for none.
struct CoupledParameter {
  std::string path;
  BlockArgument value;
  Attribute structure;

  StructureInterface getStructure() const;
};

/// A structure inside another one's text, with or without `#sparsam.`.
FailureOr<StructureInterface> parseInnerStructure(AsmParser &parser);

/// Whether a structure inside another one, its parameter `name`, is a pattern structure
/// in the default view and no choice for several parameters.
LogicalResult verifyInnerPattern(StructureInterface structure, StringRef name,
                                 function_ref<InFlightDiagnostic()> emitError);

/// `32` or `0.5` inside a structure's text, as a double.
FailureOr<std::optional<APFloat>> parseNumber(AsmParser &parser);
void printNumber(AsmPrinter &printer, const APFloat &number);

/// `[0, 1]` inside a structure's text.
FailureOr<SmallVector<int64_t>> parseView(AsmParser &parser);
void printView(AsmPrinter &printer, ArrayRef<int64_t> dims);

/// What the storage of the factors costs, at `flops` FLOPs a row of a product; by default
/// each trained entry takes part in one multiplication.
FailureOr<StructureCost> getCostOfTerms(ArrayRef<FactorTerm> terms,
                                        std::optional<int64_t> flops = std::nullopt);

/// The storage of the factors of a structure's terms, in their order.
FailureOr<SmallVector<StorageTensor>>
getStorageOfTerms(StructureInterface structure, RankedTensorType matrix,
                  function_ref<InFlightDiagnostic()> emitError);

} // namespace mlir::sparsam

#include "sparsam/IR/StructureInterface.h.inc"

namespace mlir::sparsam {

/// The storage of one factor.
FailureOr<SmallVector<StorageTensor>>
getFactorStorage(const Factor &factor, function_ref<InFlightDiagnostic()> emitError);

/// How a parameter's dimensions map to the rows and columns of its matrices.
struct MatrixView {
  /// The parameter's dimensions that are inputs, outputs and those of stacked layers,
  /// in flattening order.
  SmallVector<int64_t> in, out, stack;
  /// Of each layer.
  RankedTensorType matrix;

  /// The parameter's dimensions in the order stack, in, out.
  SmallVector<int64_t> getOrder() const;
  /// True where the matrices are the parameter, or a reshape of it.
  bool isReshape() const { return llvm::is_sorted(getOrder()); }
};

/// The inputs of a view that names none: the first dimension that is not stacked, or none
/// where there is no other that could be an output. Then K is 1.
SmallVector<int64_t> getDefaultInputs(ArrayRef<int64_t> stack, int64_t rank);

/// The matrix view of a parameter of `type` under `structure`; the view's
/// dimensions must exist, not repeat, and leave an output.
FailureOr<MatrixView> getMatrixView(StructureInterface structure, RankedTensorType type,
                                    function_ref<InFlightDiagnostic()> emitError);

/// The storage of a parameter of `type` (its encoding is ignored): each tensor of the
/// structure's storage with the stacked dimensions in front.
FailureOr<SmallVector<StorageTensor>>
getParameterStorage(StructureInterface structure, RankedTensorType type,
                    function_ref<InFlightDiagnostic()> emitError);

/// What a parameter of `type` costs: entries and bytes of all layers, FLOPs of one row of
/// one layer. Fails with an error where the structure does not fit or does not know.
FailureOr<StructureCost> getParameterCost(StructureInterface structure,
                                          RankedTensorType type,
                                          function_ref<InFlightDiagnostic()> emitError);

/// Whether index tensors from outside (one a tensor of the storage that is an index, in
/// its order) are a pattern of a parameter of `type`.
LogicalResult verifyPattern(StructureInterface structure, RankedTensorType type,
                            ArrayRef<ArrayRef<int64_t>> pattern,
                            function_ref<InFlightDiagnostic()> emitError);

/// The rules of the index tensors of a parameter of `type`, in the order of its storage.
/// None where the structure cannot say what they hold; fails with an error where it does
/// not fit.
FailureOr<SmallVector<IndexRule>>
getIndexRules(StructureInterface structure, RankedTensorType type,
              function_ref<InFlightDiagnostic()> emitError);

/// Whether a structure's elements may be of this type: bf16, f16, f32 or f64. What is
/// narrower than f32 is stored as it is and computed with in f32.
bool isStructuredElement(Type type);

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
