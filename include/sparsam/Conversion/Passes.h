#ifndef SPARSAM_CONVERSION_PASSES_H
#define SPARSAM_CONVERSION_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparsam {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "sparsam/Conversion/Passes.h.inc"

} // namespace mlir::sparsam

#endif // SPARSAM_CONVERSION_PASSES_H
