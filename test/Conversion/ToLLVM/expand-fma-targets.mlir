// No CPU needs a function of the C library for a kernel's or a polynomial's multiply-adds,
// and those that can fuse them do.
// REQUIRES: x86
//
// RUN: sed s/NAME/x86-64/ %s | sparsam-opt --sparsam-lower-to-llvm 2> %t.remarks | mlir-translate --mlir-to-llvmir -o %t.ll
// RUN: FileCheck %s --check-prefix=IR < %t.ll
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=x86-64 -o - | FileCheck %s --check-prefix=OLD
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: sed s/NAME/x86-64-v3/ %s | sparsam-opt --sparsam-lower-to-llvm 2> %t.silent | mlir-translate --mlir-to-llvmir -o %t.ll
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 -o - | FileCheck %s --check-prefix=FUSED
// RUN: count 0 < %t.silent

// IR-NOT:     @llvm.fma.
// OLD-NOT:    {{(call|jmp).*fma}}
// REMARK:     [[#@LINE+6]]:8: remark: CPU 'x86-64' has no fused multiply-add
// REMARK-NOT: remark
// FUSED-COUNT-8: vfmadd
module attributes {sparsam.cpu = "NAME"} {
func.func @kernel(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>, %m: vector<2x4xf32>)
    -> (vector<8xf32>, vector<2x4xf32>) {
  %0 = vector.fma %a, %b, %c : vector<8xf32>
  %1 = vector.fma %m, %m, %m : vector<2x4xf32>
  return %0, %1 : vector<8xf32>, vector<2x4xf32>
}
func.func @polynomials(%x: vector<4xf32>, %y: f32) -> (vector<4xf32>, f32, f32) {
  %0 = math.exp %x : vector<4xf32>
  %1 = math.tanh %y : f32
  %2 = math.fma %y, %y, %1 : f32
  return %0, %1, %2 : vector<4xf32>, f32, f32
}
}
