// Loops become OpenMP, booleans bytes, functions polynomials, and a kernel's buffers stay
// distinct; the stock translation takes the result.
// RUN: sparsam-opt %s --sparsam-lower-to-llvm | FileCheck %s
// RUN: sparsam-opt %s --sparsam-lower-to-llvm | mlir-translate --mlir-to-llvmir -o /dev/null

// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64,
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64)
// CHECK:         omp.parallel
// CHECK:           omp.wsloop
// CHECK-NOT:       alloca_scope
// CHECK:           llvm.intr.fma
// CHECK:           llvm.store %{{.*}} {alignment = 1 : i64} : i8, !llvm.ptr
// CHECK-LABEL: llvm.func @step(
// CHECK-NOT:     sparsam.
// CHECK:         llvm.call @kernel(
// CHECK-LABEL: llvm.func @_mlir_ciface_step(
// CHECK-NOT:   unrealized_conversion_cast
func.func private @kernel(%x: memref<64xf32> {llvm.noalias}, %y: memref<64xi1> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%c64) step (%c1) {
    %0 = memref.load %x[%i] : memref<64xf32>
    %1 = math.exp %0 : f32
    %2 = arith.cmpf ogt, %1, %one : f32
    memref.store %2, %y[%i] : memref<64xi1>
  }
  return
}
func.func @step(%x: memref<64xf32> {sparsam.param = "x"}, %y: memref<64xi1> {sparsam.result = 0 : i64},
                %workspace: memref<0xi8> {sparsam.workspace}) attributes {llvm.emit_c_interface} {
  call @kernel(%x, %y) : (memref<64xf32>, memref<64xi1>) -> ()
  return
}
