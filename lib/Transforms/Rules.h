// The parts of populateStorageElementwisePatterns.
#ifndef SPARSAM_LIB_TRANSFORMS_RULES_H
#define SPARSAM_LIB_TRANSFORMS_RULES_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::sparsam {

void populateRestrictUpPatterns(RewritePatternSet &patterns);
void populateDensifyDownPatterns(RewritePatternSet &patterns);
void populateReduceStoragePatterns(RewritePatternSet &patterns);
void populatePaddedLayerPatterns(RewritePatternSet &patterns);
void populateLayerPatterns(RewritePatternSet &patterns);
void populateLoopPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_RULES_H
