#ifndef SPARSAM_STRUCTURE_LORA_LORA_H
#define SPARSAM_STRUCTURE_LORA_LORA_H

#include "sparsam/IR/SparsamDialect.h"

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/LoRA/LoRA.h.inc"

namespace mlir::sparsam {
void registerLoRA(DialectRegistry &registry);
} // namespace mlir::sparsam

#endif // SPARSAM_STRUCTURE_LORA_LORA_H
