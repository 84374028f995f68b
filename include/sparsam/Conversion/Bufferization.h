#ifndef SPARSAM_CONVERSION_BUFFERIZATION_H
#define SPARSAM_CONVERSION_BUFFERIZATION_H

namespace mlir {
class DialectRegistry;
namespace sparsam {

/// Attaches to the products what one-shot bufferization asks of an operation.
void registerBufferization(DialectRegistry &registry);

} // namespace sparsam
} // namespace mlir

#endif // SPARSAM_CONVERSION_BUFFERIZATION_H
