// RUN: sparsam-opt %s --sparsam-relax-floats | FileCheck %s

// What is computed for each element keeps its order.
// CHECK-LABEL: func.func @relaxed(
// CHECK:         arith.addf %{{.*}}, %{{.*}} fastmath<nsz,contract> : f32
// CHECK:         math.exp %{{.*}} fastmath<nnan,nsz,contract> : f32
// CHECK:         arith.addi %{{[^ ]*}}, %{{[^ ]*}} : i32
func.func @relaxed(%x: f32, %i: i32) -> (f32, i32) {
  %0 = arith.addf %x, %x : f32
  %1 = math.exp %0 fastmath<nnan> : f32
  %2 = arith.addi %i, %i : i32
  return %1, %2 : f32, i32
}

// Of a reduction, what is done to the accumulator, to the end.
// CHECK-LABEL: func.func @reduced(
// CHECK:         arith.subf %{{.*}}, %{{.*}} fastmath<nsz,contract> : f32
// CHECK:         arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,nsz,contract> : f32
// CHECK:         arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,nsz,contract> : f32
// CHECK:         vector.reduction <add>, %{{.*}} fastmath<reassoc,nsz,contract>
func.func @reduced(%x: memref<8xf32>, %y: memref<8xf32>, %sum: memref<f32>, %v: vector<8xf32>) -> f32 {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%x, %y : memref<8xf32>, memref<8xf32>) outs(%sum : memref<f32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.subf %a, %b : f32
    %1 = arith.addf %s, %0 : f32
    %2 = arith.addf %b, %1 : f32
    linalg.yield %2 : f32
  }
  %0 = vector.reduction <add>, %v : vector<8xf32> into f32
  return %0 : f32
}

// A loop without a reduction has no accumulator.
// CHECK-LABEL: func.func @updated(
// CHECK:         arith.addf %{{.*}}, %{{.*}} fastmath<nsz,contract> : f32
func.func @updated(%x: memref<8xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}
