#ifndef SPARSAM_CONVERSION_TOSPARSETENSOR_SPARSETENSORINTERFACE
#define SPARSAM_CONVERSION_TOSPARSETENSOR_SPARSETENSORINTERFACE

include "mlir/IR/OpBase.td"

def Sparsam_SparseTensorInterface : AttrInterface<"SparseTensorInterface"> {
  let cppNamespace = "::mlir::sparsam";
  let description = [{
    How a structure's storage is a tensor of the upstream dialect sparse_tensor. A
    structure's room attaches it as an external model; a structure without it, or one
    that says why it has no such form, keeps its own kernels.
  }];
  let methods = [
    InterfaceMethod<[{
        The sparse tensor that a K x N matrix is stored as: its values in their order are
        those of the storage. Emits the reason with `refuse` where there is none.
      }],
      "::llvm::FailureOr<::mlir::sparsam::SparseForm>", "getSparseForm",
      (ins "::mlir::RankedTensorType":$matrix,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$refuse)>,
    InterfaceMethod<[{
        Builds, on tensors of one dimension, the positions and coordinates of the levels
        of `getSparseForm`, in the order in which sparse_tensor.assemble takes them.
      }],
      "::llvm::SmallVector<::mlir::Value>", "buildLevels",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::RankedTensorType":$matrix, "::mlir::ValueRange":$pattern)>,
  ];
}

#endif // SPARSAM_CONVERSION_TOSPARSETENSOR_SPARSETENSORINTERFACE
