// RUN: sparsam-opt %s --sparsam-mark-writable | FileCheck %s

// What is no tensor, has no body or is no function of `func` takes no mark.

// CHECK-LABEL: func.func @others(
// CHECK-NOT:     bufferization.writable
// CHECK:         return
func.func @others(%m: memref<4xf32> {sparsam.updates = 0 : i64}, %s: f32, %c: complex<f32>,
                  %v: vector<4xf32>) {
  return
}

// CHECK:       func.func private @declared(tensor<4xf32> {sparsam.updates = 0 : i64}) -> tensor<4xf32>
func.func private @declared(tensor<4xf32> {sparsam.updates = 0 : i64}) -> tensor<4xf32>

// CHECK:       llvm.func @foreign(%{{[^:]*}}: !llvm.ptr)
llvm.func @foreign(%p: !llvm.ptr) {
  llvm.return
}

// Tensors of unknown rank and size do, over several blocks too, and a mark that is wrong
// is written over.

// CHECK-LABEL: func.func @unknown(
// CHECK-SAME:    tensor<*xf32> {bufferization.writable = false}
// CHECK-SAME:    tensor<?xf32> {bufferization.writable = true, sparsam.updates = 1 : i64}
// CHECK-SAME:    tensor<4xf32> {bufferization.writable = false}
func.func @unknown(%a: tensor<*xf32>, %b: tensor<?xf32> {sparsam.updates = 1 : i64},
                   %c: tensor<4xf32> {bufferization.writable = true})
    -> (tensor<*xf32>, tensor<?xf32>) {
  cf.br ^next
^next:
  return %a, %b : tensor<*xf32>, tensor<?xf32>
}

// Functions of a module inside of this one are that one's.

// CHECK:       module @inner
// CHECK-NEXT:    func.func @f(%{{[^:]*}}: tensor<4xf32>)
module @inner {
  func.func @f(%x: tensor<4xf32>) {
    return
  }
}
