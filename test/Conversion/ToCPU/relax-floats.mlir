// RUN: sparsam-opt %s --sparsam-relax-floats | FileCheck %s

// CHECK-LABEL: func.func @relaxed(
// CHECK:         arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,nsz,arcp,contract,afn> : f32
// CHECK:         math.exp %{{.*}} fastmath<reassoc,nnan,nsz,arcp,contract,afn> : f32
// CHECK:         arith.addi %{{[^ ]*}}, %{{[^ ]*}} : i32
func.func @relaxed(%x: f32, %i: i32) -> (f32, i32) {
  %0 = arith.addf %x, %x : f32
  %1 = math.exp %0 fastmath<nnan> : f32
  %2 = arith.addi %i, %i : i32
  return %1, %2 : f32, i32
}
