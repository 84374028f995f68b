// What a bundle says of itself.
// REQUIRES: x86
// RUN: rm -rf %t && mkdir %t
// RUN: sparsam-compile %s -o %t/step.sparsam --cpu=x86-64-v4,x86-64-v3,x86-64-v4
// RUN: FileCheck %s < %t/step.sparsam/manifest.json
// RUN: sparsam-compile %s -o %t/step.sparsam --cpu=x86-64-v2
// RUN: FileCheck %s --check-prefix=AGAIN < %t/step.sparsam/manifest.json
// RUN: ls %t | FileCheck %s --check-prefix=FILES
// RUN: sparsam-run %t/step.sparsam --describe | FileCheck %s --check-prefix=DESCRIBE

// CHECK:      "format": 1,
// CHECK-NEXT: "sparsam": "{{[0-9.]+}}",
// CHECK-NEXT: "llvm": "22.
// CHECK-NEXT: "architecture": "x86_64",
// CHECK:      "cpu": "x86-64-v4",
// CHECK-NEXT: "vector_bits": 512,
// CHECK:      "avx512f"
// CHECK:      "file": "x86-64-v4-[[SUM:[0-9a-f]+]].so",
// CHECK-NEXT: "bytes": {{[1-9]}}
// CHECK-NEXT: "crc32": "{{0*}}[[SUM]]",
// CHECK-NEXT: "workspaces": {
// CHECK-NEXT:   "step": {
// CHECK-NEXT:    "argument": 2,
// CHECK-NEXT:    "workspace_bytes": 128
// CHECK:      "cpu": "x86-64-v3",
// CHECK-NEXT: "vector_bits": 256,
// CHECK-NOT:  "cpu"
// CHECK:      "name": "step",
// CHECK:      "role": "input",
// CHECK-NEXT: "type": "memref<4x2xf32>",
// CHECK-NEXT: "element_type": "f32",
// CHECK:      "bytes": 32,
// CHECK:      "sparsam.name": "x"
// CHECK:      "role": "updated",
// CHECK-NEXT: "result": 0,
// CHECK:      "sparsam.param": "w",
// CHECK-NEXT: "sparsam.part": "values",

// AGAIN: "cpu": "x86-64-v2",
// AGAIN-NEXT: "vector_bits": 128,
// FILES: step.sparsam
// FILES-NOT: {{.}}

// DESCRIBE:      input   x  float32 (4, 2)
// DESCRIBE-NEXT: updated argument/values  float32 (4,)
// DESCRIBE-NEXT: workspace: 128 bytes
func.func @step(%x: memref<4x2xf32> {sparsam.name = "x"},
    %w: memref<4xf32> {sparsam.name = "argument", sparsam.param = "w", sparsam.part = "values",
                       sparsam.updates = 0 : i64},
    %workspace: memref<128xi8> {sparsam.workspace}) attributes {llvm.emit_c_interface} {
  return
}
