#ifndef SPARSAM_PIPELINES_PIPELINES_H
#define SPARSAM_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

#include <string>

namespace mlir {
class OpPassManager;
namespace sparsam {

/// What computes structured products on the CPU.
enum class CPUProducts {
  /// The kernels of their structures.
  Kernels,
  /// Upstream sparsification, where the structure has a form in sparse_tensor.
  SparseTensor,
};

struct ToCPUPipelineOptions : PassPipelineOptions<ToCPUPipelineOptions> {
  Option<int64_t> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("bits of a vector register in sparse kernels; 0 for the CPU's"),
      llvm::cl::init(0)};
  Option<std::string> cpu{
      *this, "cpu",
      llvm::cl::desc(
          "the CPU that the module is for, as clang's -mcpu takes it, or host; by "
          "default the one that its `sparsam.cpu` names, or this machine's")};
  Option<std::string> tiles{
      *this, "tiles",
      llvm::cl::desc("a file of measured tile sizes of sparse kernels; none by default")};
  Option<int64_t> threads{
      *this, "threads",
      llvm::cl::desc("how many threads the tile sizes were measured with; 0 for one a "
                     "core"),
      llvm::cl::init(0)};
  Option<bool> fuseEpilogues{
      *this, "fuse-epilogues",
      llvm::cl::desc("let sparse kernels do the element-wise work behind their product"),
      llvm::cl::init(true)};
  Option<CPUProducts> products{
      *this, "products", llvm::cl::desc("what computes structured products"),
      llvm::cl::init(CPUProducts::Kernels),
      llvm::cl::values(
          clEnumValN(CPUProducts::Kernels, "kernels", "the kernels of each structure"),
          clEnumValN(CPUProducts::SparseTensor, "sparse-tensor",
                     "upstream sparsification, serial, where the structure has a form in "
                     "sparse_tensor; kernels elsewhere, with a remark"))};
};

struct CPUPipelineOptions : ToCPUPipelineOptions {
  Option<std::string> structures{
      *this, "structures",
      llvm::cl::desc("`glob=structure` pairs separated by `;`; the first match wins")};
};

/// A step on tensors, after propagate, to memrefs, loops and calls of the runtime.
void buildToCPUPipeline(OpPassManager &passes, const ToCPUPipelineOptions &options);

/// An imported training step to the output of `buildToCPUPipeline`.
void buildCPUPipeline(OpPassManager &passes, const CPUPipelineOptions &options);

/// The output of `buildToCPUPipeline` to the LLVM dialect.
void buildLowerToLLVMPipeline(OpPassManager &passes);

/// `sparsam-fusion-pipeline`, the part of sparsam-to-cpu that works on tensors: folds
/// reshapes and transposes into products, fuses the work around these, and gives every
/// result the buffer it will be in. Bufferization must follow without CSE in between.
void buildFusionPipeline(OpPassManager &pm);

/// Registers the named pipelines, for sparsam-opt and for pipeline text.
void registerPipelines();

} // namespace sparsam
} // namespace mlir

#endif // SPARSAM_PIPELINES_PIPELINES_H
