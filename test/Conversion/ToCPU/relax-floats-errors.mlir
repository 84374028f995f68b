// RUN: sparsam-opt %s --sparsam-relax-floats | FileCheck %s

// NaN and infinities keep their meaning: what tests for them and what masks with them
// gets no leave to assume that there are none.

// CHECK-NOT: nnan
// CHECK-NOT: ninf
// CHECK-NOT: fastmath<fast>
// CHECK-LABEL: func.func @nan(
// CHECK:         arith.cmpf uno, %{{.*}} fastmath<nsz,contract>
// CHECK:         arith.maximumf %{{.*}} fastmath<nsz,contract>
func.func @nan(%x: f32, %y: f32) -> (i1, f32) {
  %0 = arith.cmpf uno, %x, %x : f32
  %1 = arith.maximumf %x, %y : f32
  return %0, %1 : i1, f32
}

// Rounding to a narrow type and back is what the program asks for; two casts that may be
// contracted fold to nothing.

// CHECK-LABEL: func.func @rounded(
// CHECK:         arith.truncf %{{[^ ]*}} : f32 to bf16
// CHECK:         arith.extf %{{[^ ]*}} : bf16 to f32
func.func @rounded(%x: f32) -> f32 {
  %0 = arith.truncf %x : f32 to bf16
  %1 = arith.extf %0 : bf16 to f32
  return %1 : f32
}

// Integers, indices and what only moves floats have no flags; complex numbers, vectors
// and tensors have.

// CHECK-LABEL: func.func @types(
// CHECK:         arith.muli %{{[^ ]*}}, %{{[^ ]*}} : i32
// CHECK:         arith.addi %{{[^ ]*}}, %{{[^ ]*}} : index
// CHECK:         arith.select %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} : f32
// CHECK:         arith.sitofp %{{[^ ]*}} : i32 to f32
// CHECK:         complex.mul %{{[^ ]*}}, %{{[^ ]*}} fastmath<nsz,contract> : complex<f32>
// CHECK:         arith.addf %{{[^ ]*}}, %{{[^ ]*}} fastmath<nsz,contract> : vector<4xf16>
// CHECK:         vector.reduction <add>, %{{[^ ]*}} fastmath<reassoc,nsz,contract> : vector<4xf16> into f16
// CHECK:         math.tanh %{{[^ ]*}} fastmath<nsz,contract> : tensor<?xf64>
func.func @types(%i: i32, %n: index, %b: i1, %x: f32, %c: complex<f32>, %v: vector<4xf16>,
                 %t: tensor<?xf64>) {
  %0 = arith.muli %i, %i : i32
  %1 = arith.addi %n, %n : index
  %2 = arith.select %b, %x, %x : f32
  %3 = arith.sitofp %i : i32 to f32
  %4 = complex.mul %c, %c : complex<f32>
  %5 = arith.addf %v, %v : vector<4xf16>
  %6 = vector.reduction <add>, %5 : vector<4xf16> into f16
  %7 = math.tanh %t : tensor<?xf64>
  return
}

// LLVM's own operations are behind this pass.

// CHECK-LABEL: llvm.func @foreign(
// CHECK:         llvm.fadd %{{[^ ]*}}, %{{[^ ]*}} : f32
llvm.func @foreign(%x: f32) -> f32 {
  %0 = llvm.fadd %x, %x : f32
  llvm.return %0 : f32
}
