// The share of entries that a pattern structure stores.
#ifndef SPARSAM_STRUCTURE_DENSITY_H
#define SPARSAM_STRUCTURE_DENSITY_H

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/APFloat.h"

namespace mlir::sparsam {

/// A number with or without a fraction: `0.25`, `1`.
FailureOr<APFloat> parseDensity(AsmParser &parser);
/// The shortest text that is parsed as the same number.
void printDensity(AsmPrinter &printer, const APFloat &density);

/// From 0 to 1.
bool isDensity(double value);

LogicalResult verifyDensity(const APFloat &density,
                            function_ref<InFlightDiagnostic()> emitError);

/// density * total, rounded half up.
int64_t countAtDensity(const APFloat &density, int64_t total);

} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_DENSITY_H
