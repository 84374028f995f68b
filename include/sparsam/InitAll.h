#ifndef SPARSAM_INITALL_H
#define SPARSAM_INITALL_H

namespace mlir {
class DialectRegistry;
namespace sparsam {

/// The dialect, the structures of this tree and what targets attach to them.
void registerAll(DialectRegistry &registry);

/// The passes and pipelines of this tree, for textual pipelines. Any number of times.
void registerAllPasses();

} // namespace sparsam
} // namespace mlir

#endif // SPARSAM_INITALL_H
