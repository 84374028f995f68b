#ifndef SPARSAM_PIPELINES_PIPELINES_H
#define SPARSAM_PIPELINES_PIPELINES_H

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::sparsam {

/// `sparsam-fusion-pipeline`, the part of sparsam-to-cpu that works on tensors: folds
/// reshapes and transposes into products, fuses the work around these, and gives every
/// result the buffer it will be in. Bufferization must follow without CSE in between.
void buildFusionPipeline(OpPassManager &pm);

/// Registers the named pipelines, for sparsam-opt and for pipeline text.
void registerPipelines();

} // namespace mlir::sparsam

#endif // SPARSAM_PIPELINES_PIPELINES_H
