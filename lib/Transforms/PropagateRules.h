// The parts of sparsam-propagate, one rule a file.
#ifndef SPARSAM_LIB_TRANSFORMS_PROPAGATERULES_H
#define SPARSAM_LIB_TRANSFORMS_PROPAGATERULES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "sparsam/Analysis/Product.h"
#include "sparsam/IR/SparsamOps.h"

namespace mlir::sparsam {

/// Rule 4: contract(X, densify) = SpMM.
void populateSpmmPatterns(RewritePatternSet &patterns);

/// Rule 5: restrict(contract(A, B)) = SDDMM.
void populateSddmmPatterns(RewritePatternSet &patterns);

/// Rule 9: what is stored as a slice of coupled groups is never made dense. Emits a
/// remark where something in the function couples a group. Returns how many groups are
/// sliced.
unsigned sliceGroups(func::FuncOp function);

/// Rules 4, 5 and 7 for convolutions: those with structured filters, and those that make
/// the gradients of these, become products of windows. Returns how many.
int64_t unfoldConvolutions(func::FuncOp function);

/// Products in bf16 and the like that rules 4 and 5 could have become ones in f32.
void populateWidenPatterns(RewritePatternSet &patterns);

/// The same for factor structures. What is rounded on the way between them and a product
/// is not: the parameter and its gradient, which are rounded, do not exist.
void widenFactorProducts(func::FuncOp function,
                         function_ref<bool(Operation *)> isDefinition);

/// Chains of transposes and reshapes become the shortest chain.
void populateViewPatterns(RewritePatternSet &patterns);

/// Rules 7 and 8 for factor structures: contractions with densify of factors, and einsums
/// on what contractions make, are merged and re-associated, and distributed over sums.
/// Returns how many chains were made. Where a parameter is needed as a dense tensor this
/// emits an error, but not in companion functions.
FailureOr<int64_t> reassociateFactors(func::FuncOp function);

/// Rule 10 for factor structures: slices of layers of what is made from a definition, an
/// einsum of a storage, are made from slices of the storage. Adds to `definitions` where
/// one of them is sliced.
void sliceDefinitions(func::FuncOp function, DenseSet<Operation *> &definitions,
                      function_ref<bool(Operation *)> isDefinition);

/// Rule 10, residuals: what loops stack of parameters again, by work on entries that is
/// the same for each layer, is made without the loops.
void hoistStackedLayers(func::FuncOp function);

/// Rows gathered from what is made from definitions are made from rows of the factors.
void gatherFactors(func::FuncOp function, function_ref<bool(Operation *)> isDefinition);

/// The table that `value` has rows of; null where it has none.
Value getGatheredTable(Value value);

/// Rule 10 for factor structures: einsums of what loops carry move into the loops.
void moveEinsumsIntoLoops(func::FuncOp function);

/// The value that `value` is a view or layers of.
Value getStorageRoot(Value value);

/// A remark for each densify and restrict that is left. Returns how many there are.
int64_t reportLeftovers(func::FuncOp function);

/// The path of the parameter whose storage these are, quoted, or a plain word.
std::string describeParameter(func::FuncOp function, ValueRange storage);

/// True for functions that convert between parameters and storage.
bool isCompanion(func::FuncOp function);

/// Why a contraction with a densified pattern is no spmm; empty where it is one.
std::string explainNoSpmm(Operation *contraction, DensifyOp densify);

/// Why a restricted value is no sddmm.
std::string explainNoSddmm(RestrictOp restrict);

/// Replaces `op`, a contraction that starts from `product.init`, by one that starts
/// from zero and an addition of the init after it.
LogicalResult splitInit(RewriterBase &rewriter, Operation *op);

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_TRANSFORMS_PROPAGATERULES_H
