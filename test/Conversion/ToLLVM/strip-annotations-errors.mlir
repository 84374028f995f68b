// RUN: sparsam-opt %s --sparsam-strip-annotations | FileCheck %s

// Other dialects' attributes stay, and names that only look alike.

// CHECK:       func.func @f(
// CHECK-SAME:    %{{[^:]*}}: tensor<4xf32> {bufferization.writable = true, llvm.noalias, sparsamlike.a},
// CHECK-SAME:    %{{[^:]*}}: complex<f32>, %{{[^:]*}}: index)
func.func @f(%a: tensor<4xf32> {bufferization.writable = true, llvm.noalias, sparsam.param = "a", sparsamlike.a},
             %c: complex<f32> {sparsam.name = 7}, %i: index {sparsam.anything}) {
  cf.br ^next
^next:
  return
}

// A declaration has arguments too; what a function says of itself is not theirs.

// CHECK:       func.func private @declared(memref<4xf32>, f32) attributes {sparsam.companion}
func.func private @declared(memref<4xf32> {sparsam.result = 0 : i64}, f32) attributes {sparsam.companion}

// CHECK:       func.func private @none()
func.func private @none()

// CHECK:       llvm.func @foreign(!llvm.ptr {sparsam.name = "p"})
llvm.func @foreign(!llvm.ptr {sparsam.name = "p"})
