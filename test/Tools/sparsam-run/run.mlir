// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/arrays.py make %t/args.npz
// RUN: sparsam-run %s --args %t/args.npz --steps 3 --results %t/out.npz | FileCheck %s
// RUN: %python %S/Inputs/arrays.py check %t/args.npz %t/out.npz 3

// The results are arguments again, and compressed files are read as well.
// RUN: %python %S/Inputs/arrays.py merge %t/args.npz %t/out.npz %t/next.npz
// RUN: sparsam-run %s --args %t/next.npz --results %t/out.npz --threads 1 --progress
// RUN: %python %S/Inputs/arrays.py check %t/args.npz %t/out.npz 4
// RUN: sparsam-run %s --function step --describe | FileCheck %s --check-prefix=DESCRIBE

// CHECK: loss = 14
// CHECK: 3 steps, ms a step: first {{[0-9.]+}}, then min {{[0-9.]+}}, median {{[0-9.]+}}, max {{[0-9.]+$}}
// CHECK: compiled in

// One or two steps have no median.
// RUN: sparsam-run %s --args %t/args.npz --steps 1 | FileCheck %s --check-prefix=ONE
// ONE: 1 step, ms a step: first {{[0-9.]+$}}
// RUN: sparsam-run %s --args %t/args.npz --steps 2 | FileCheck %s --check-prefix=TWO
// TWO: 2 steps, ms a step: first {{[0-9.]+}}, second {{[0-9.]+$}}

// DESCRIBE:      input   arg0  float32 (4,)
// DESCRIBE-NEXT: updated 0/w/values  float32 (4,)
// DESCRIBE-NEXT: input   count  int32 ()
// DESCRIBE-NEXT: result  loss  float32 ()
// DESCRIBE-NEXT: result  result2  int32 (4,)
// DESCRIBE-NEXT: workspace: 64 bytes

// w += x; loss = sum(w), of before; result2 = count everywhere.
func.func @step(
    %x: memref<4xf32>,
    %w: memref<4xf32> {sparsam.name = "0/w", sparsam.part = "values",
                       sparsam.updates = 0 : i64},
    %count: memref<i32> {sparsam.name = "count"},
    %loss: memref<f32> {sparsam.name = "loss", sparsam.result = 1 : i64},
    %counts: memref<4xi32> {sparsam.result = 2 : i64},
    %workspace: memref<64xi8> {sparsam.workspace}) attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %loss[] : memref<f32>
  %n = memref.load %count[] : memref<i32>
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.load %x[%i] : memref<4xf32>
    %b = memref.load %w[%i] : memref<4xf32>
    %l = memref.load %loss[] : memref<f32>
    %next = arith.addf %l, %b : f32
    memref.store %next, %loss[] : memref<f32>
    %sum = arith.addf %a, %b : f32
    memref.store %sum, %w[%i] : memref<4xf32>
    memref.store %n, %counts[%i] : memref<4xi32>
  }
  return
}

func.func @other(%x: memref<f32>) attributes {llvm.emit_c_interface} {
  return
}
