#ifndef SPARSAM_IR_STRUCTUREINTERFACE
#define SPARSAM_IR_STRUCTUREINTERFACE

include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"

def Sparsam_StructureInterface
    : AttrInterface<"StructureInterface", [VerifiableTensorEncoding]> {
  let cppNamespace = "::mlir::sparsam";
  let description = [{
    How one parameter is represented. A structure acts on the *matrix view* of its
    parameter: the dimensions listed in `in`, flattened in that order, are the K
    inputs, and the remaining dimensions, in their own order, are the N outputs of
    y = x * W. The dimensions in `stack` are those of stacked layers, each a matrix of
    its own with its own pattern or factors. All methods but the view's take or return
    one K x N matrix.

    A default that cannot answer returns failure with a reason; nothing asserts.
  }];
  let methods = [
    InterfaceMethod<"Whether storage is entries on a pattern or the factors of einsums.",
      "::mlir::sparsam::StructureKind", "getKind">,
    InterfaceMethod<[{
        The parameter's dimensions that are inputs, in order; empty for the default
        view, which is `[0]`.
      }],
      "::llvm::ArrayRef<int64_t>", "getIn">,
    InterfaceMethod<[{
        The parameter's dimensions of stacked layers, in order; empty where it is one
        matrix.
      }],
      "::llvm::ArrayRef<int64_t>", "getStack", (ins), "",
      [{ return ::llvm::ArrayRef<int64_t>(); }]>,
    InterfaceMethod<"The same structure with another view (empty for the default).",
      "::mlir::sparsam::StructureInterface", "withView",
      (ins "::llvm::ArrayRef<int64_t>":$in, "::llvm::ArrayRef<int64_t>":$stack)>,
    InterfaceMethod<[{
        The plain tensors that a K x N matrix is stored as, in the order in which
        every op takes them. Emits an error where the structure does not fit. By
        default that of the terms.
      }],
      "::llvm::FailureOr<::llvm::SmallVector<::mlir::sparsam::StorageTensor>>",
      "getStorage",
      (ins "::mlir::RankedTensorType":$matrix,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError),
      "", [{
        return ::mlir::sparsam::getStorageOfTerms($_attr, matrix, emitError);
      }]>,
    InterfaceMethod<[{
        Factors: the terms whose sum the K x N matrix is. Each factor is in one term.
        Emits an error where the structure does not fit.
      }],
      "::llvm::FailureOr<::llvm::SmallVector<::mlir::sparsam::FactorTerm>>", "getTerms",
      (ins "::mlir::RankedTensorType":$matrix,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError),
      "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Stored entries and FLOPs of one row (token) of the products with the matrix.
      }],
      "::llvm::FailureOr<::mlir::sparsam::StructureCost>", "getCost",
      (ins "::mlir::RankedTensorType":$matrix), "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Patterns: builds IR on tensors that chooses the pattern of a K x N matrix of
        scores, larger ones kept; returns the pattern's index tensors.
      }],
      "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>", "buildSelect",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$scores), "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Patterns: inputs and outputs of the blocks of the K x N matrix that are kept or
        dropped as a whole. Of a block the score is the sum of those of its entries.
      }],
      "::std::pair<int64_t, int64_t>", "getUnit", (ins), "",
      [{ return ::std::pair<int64_t, int64_t>(1, 1); }]>,
    InterfaceMethod<[{
        Patterns that may store any share of the entries: the same structure at another
        density, from 0 to 1. A ranking over several parameters gives each its density.
      }],
      "::llvm::FailureOr<::mlir::sparsam::StructureInterface>", "withDensity",
      (ins "double":$density), "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Patterns: builds IR on tensors that makes the dense K x N matrix of a storage.
      }],
      "::llvm::FailureOr<::mlir::Value>", "buildDensify",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$storage, "::mlir::RankedTensorType":$matrix),
      "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Patterns: builds IR on tensors that reads the entries of a dense K x N matrix
        on a pattern; returns the values tensor.
      }],
      "::llvm::FailureOr<::mlir::Value>", "buildRestrict",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$matrix, "::mlir::ValueRange":$pattern),
      "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Patterns: what the index tensors of a K x N matrix hold, one rule for each, in the
        order of the storage. Bundles carry the rules, so that indices are checked where
        the structure is not known. None where rules cannot say it.
      }],
      "::llvm::SmallVector<::mlir::sparsam::IndexRule>", "getIndexRules",
      (ins "::mlir::RankedTensorType":$matrix), "",
      [{ return ::llvm::SmallVector<::mlir::sparsam::IndexRule>(); }]>,
    InterfaceMethod<[{
        Patterns: whether index tensors that `buildSelect` did not make, such as those of
        a checkpoint, are a pattern of a K x N matrix. They have the shapes of the storage
        and come as 64-bit integers, row-major. Emits an error that says where they are
        none; kernels rely on it. By default the rules decide.
      }],
      "::llvm::LogicalResult", "verifyPattern",
      (ins "::mlir::RankedTensorType":$matrix,
           "::llvm::ArrayRef<::llvm::ArrayRef<int64_t>>":$pattern,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError),
      "", [{
        return ::mlir::sparsam::verifyByRules($_attr, $_attr.getIndexRules(matrix), pattern,
                                              emitError);
      }]>,
    InterfaceMethod<[{
        Factors: builds what the model reads in the place of `sum`, which is the sum of
        the terms with the stacked dimensions in front, and of which the dense `factors`
        are. By default that is the sum itself.
      }],
      "::llvm::FailureOr<::mlir::Value>", "buildRead",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$sum, "::mlir::ValueRange":$factors),
      "", [{ return sum; }]>,
    InterfaceMethod<[{
        Factors: builds the gradient of the sum from that of what the model reads, both
        with the stacked dimensions in front. By default they are the same.
      }],
      "::llvm::FailureOr<::mlir::Value>", "buildGradient",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$gradient, "::mlir::ValueRange":$factors),
      "", [{ return gradient; }]>,
    InterfaceMethod<[{
        Patterns: builds, for each stored value of the pattern that `buildSelect` chooses
        from `scores`, the share 1 - t / s of its score s that is above the largest score
        t that it displaced: 1 where it displaced none, 0 where both are 0. The result has
        the shape of the values.
      }],
      "::llvm::FailureOr<::mlir::Value>", "buildShrinkage",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$scores, "::mlir::ValueRange":$pattern),
      "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Patterns that are choices of rows and columns: the axes of which they keep some
        entries, one for each index tensor of the storage, in its order. The storage is
        then a smaller dense matrix, and the kept entries of an axis are the same in all
        parameters that name its group. None by default.
      }],
      "::llvm::SmallVector<::mlir::sparsam::SlicedAxis>", "getSlicedAxes", (ins), "",
      [{ return ::llvm::SmallVector<::mlir::sparsam::SlicedAxis>(); }]>,
    InterfaceMethod<[{
        Structures that are one choice for several parameters of a function: completes
        the requests among `parameters`, which are all of that function, and extends them
        over what they are coupled with. Emits errors and remarks. Called once a function,
        on any of the structures of a kind.
      }],
      "::llvm::LogicalResult", "couple",
      (ins "::llvm::MutableArrayRef<::mlir::sparsam::CoupledParameter>":$parameters), "",
      [{ return ::mlir::success(); }]>,
    InterfaceMethod<[{
        Structures with axes: builds IR on tensors that chooses the kept entries of axis
        `group` from the K x N matrices of all parameters that have it, under `structures`;
        returns the index tensor. Stacked dimensions, if there are any, are not there.
      }],
      "::llvm::FailureOr<::mlir::Value>", "buildCoupledSelect",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$matrices,
           "::llvm::ArrayRef<::mlir::Attribute>":$structures,
           "::mlir::StringAttr":$group), "", [{ return ::mlir::failure(); }]>,
    InterfaceMethod<[{
        Factors: builds IR on tensors that finds the factors of a dense K x N matrix,
        in the order of the terms. Each is dense: what its pattern leaves out, or what
        keeps it frozen, is not this method's to mind.
      }],
      "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>", "buildFactorize",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$matrix), "", [{ return ::mlir::failure(); }]>,
  ];
}

#endif // SPARSAM_IR_STRUCTUREINTERFACE
