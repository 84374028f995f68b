// The share of entries that a pattern structure stores.
#ifndef SPARSAM_STRUCTURE_DENSITY_H
#define SPARSAM_STRUCTURE_DENSITY_H

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/APFloat.h"

namespace mlir::sparsam {

/// `density = 0.25, in = [0], stack = [1]`, in any order, once each; the density has to
/// be there.
ParseResult parseDensityFields(AsmParser &parser, FailureOr<APFloat> &density,
                               SmallVector<int64_t> &in, SmallVector<int64_t> &stack);
/// The density as the shortest text that is parsed as the same number.
void printDensityFields(AsmPrinter &printer, const APFloat &density, ArrayRef<int64_t> in,
                        ArrayRef<int64_t> stack);

/// The error for a structure that ends before its density.
ParseResult emitNoDensity(AsmParser &parser);

/// From 0 to 1.
bool isDensity(double value);

LogicalResult verifyDensity(const APFloat &density,
                            function_ref<InFlightDiagnostic()> emitError);

/// density * total, rounded half up.
int64_t countAtDensity(const APFloat &density, int64_t total);

} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_DENSITY_H
