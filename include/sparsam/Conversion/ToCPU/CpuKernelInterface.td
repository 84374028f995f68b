#ifndef SPARSAM_CONVERSION_TOCPU_CPUKERNELINTERFACE
#define SPARSAM_CONVERSION_TOCPU_CPUKERNELINTERFACE

include "mlir/IR/OpBase.td"

def Sparsam_CpuKernelInterface : AttrInterface<"CpuKernelInterface"> {
  let cppNamespace = "::mlir::sparsam";
  let description = [{
    What a structure computes its products with on the CPU. A structure's room
    attaches it as an external model; a structure without it has no products of its
    own there.

    The lowerings see an op on memrefs of identity layout and build, at the
    rewriter's insertion point, what takes its place: buffers for the operands'
    panels, and calls of functions of the library. They leave the op alone. They emit
    an error where they fail. The sizes that `sparsam.tiles` gives are theirs to heed
    where the structure has a tile space.
  }];
  let methods = [
    InterfaceMethod<"y = x * W, or y = x * W^T where the op is transposed.",
      "::llvm::LogicalResult", "lowerSpmm",
      (ins "::mlir::RewriterBase &":$rewriter, "::mlir::sparsam::SpmmOp":$op,
           "::mlir::sparsam::KernelLibrary &":$library)>,
    InterfaceMethod<"The entries of x^T * dy on the pattern.",
      "::llvm::LogicalResult", "lowerSddmm",
      (ins "::mlir::RewriterBase &":$rewriter, "::mlir::sparsam::SddmmOp":$op,
           "::mlir::sparsam::KernelLibrary &":$library)>,
    InterfaceMethod<"What the kernel of `product`, an spmm or sddmm on tensors or memrefs, "
                    "can be cut into, and is where `given` are its tile sizes. Failure, "
                    "without an error, where there is no choice.",
      "::llvm::FailureOr<::mlir::sparsam::TileSpace>", "getTileSpace",
      (ins "::mlir::Operation *":$product, "const ::mlir::sparsam::CpuTarget &":$target,
           "const ::mlir::sparsam::KernelTiles &":$given),
      /*methodBody=*/"", /*defaultImplementation=*/"return failure();">,
  ];
}

#endif // SPARSAM_CONVERSION_TOCPU_CPUKERNELINTERFACE
