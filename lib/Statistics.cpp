// LLVM as it is packaged has no statistics: a pass's are empty there, and so its
// constructor sets nothing. Here, where assertions are on, they count, and would start
// from whatever the memory held. This constructor sets them, for this library alone.

#include "mlir/Pass/Pass.h"

#if LLVM_ENABLE_STATS
__attribute__((visibility("hidden")))
mlir::Pass::Statistic::Statistic(Pass *owner, const char *name, const char *description)
    : llvm::Statistic{/*DebugType=*/"", name, description} {
  owner->statistics.push_back(this);
}
#endif
