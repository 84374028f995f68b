#ifndef SPARSAM_PIPELINES_PIPELINES_H
#define SPARSAM_PIPELINES_PIPELINES_H

namespace mlir::sparsam {

/// Registers the named pipelines, for sparsam-opt and for pipeline text.
void registerPipelines();

} // namespace mlir::sparsam

#endif // SPARSAM_PIPELINES_PIPELINES_H
