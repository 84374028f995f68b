#ifndef SPARSAM_IR_SPARSAMOPS_H
#define SPARSAM_IR_SPARSAMOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "sparsam/IR/SparsamDialect.h"

#define GET_OP_CLASSES
#include "sparsam/IR/SparsamOps.h.inc"

#endif // SPARSAM_IR_SPARSAMOPS_H
