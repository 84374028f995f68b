// RUN: sparsam-opt %s --sparsam-strip-annotations | FileCheck %s

// CHECK: func.func @f(%{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32> {llvm.noalias})
func.func @f(%w: memref<4xf32> {sparsam.updates = 0 : i64, sparsam.name = "w"},
             %x: memref<4xf32> {llvm.noalias, sparsam.workspace}) {
  return
}
