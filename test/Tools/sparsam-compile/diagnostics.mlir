// A message names the place; the operation as text, which for a step is pages, is not
// printed with it, unless sparsam-opt is asked.
// RUN: not sparsam-compile %s -o %t.sparsam 2>&1 | FileCheck %s --implicit-check-not="see current operation"
// RUN: not sparsam-run %s 2>&1 | FileCheck %s --implicit-check-not="see current operation"
// RUN: not sparsam-opt %s --sparsam-cpu-pipeline 2>&1 | FileCheck %s --implicit-check-not="see current operation"
// RUN: not sparsam-opt %s --sparsam-cpu-pipeline --mlir-print-op-on-diagnostic 2>&1 | FileCheck %s --check-prefix=ASKED
// RUN: not sparsam-opt %s --sparsam-cpu-pipeline --mlir-print-op-on-diagnostic=false 2>&1 \
// RUN:   | FileCheck %s --implicit-check-not="see current operation"

// CHECK: error: no argument is known to be a parameter
// ASKED: note: see current operation:
func.func @step(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
