// RUN: sparsam-opt %s --sparsam-approximate-math | FileCheck %s

// What no polynomial is for is left to libm: other widths, other functions, and sin and
// cos, whose polynomials lose the digits of large arguments.

// CHECK-LABEL: func.func @left(
// CHECK:         math.exp %{{.*}} : f64
// CHECK:         math.erf %{{.*}} : f80
// CHECK:         math.sin %{{.*}} : f32
// CHECK:         math.cos %{{.*}} : vector<4xf32>
// CHECK:         math.sqrt %{{.*}} : f32
// CHECK:         math.ipowi %{{.*}} : i32
// CHECK:         complex.exp %{{.*}} : complex<f32>
// CHECK-NEXT:    return
func.func @left(%a: f64, %b: f80, %c: f32, %v: vector<4xf32>, %i: i32, %z: complex<f32>)
    -> (f64, f80, f32, vector<4xf32>, f32, i32, complex<f32>) {
  %0 = math.exp %a : f64
  %1 = math.erf %b : f80
  %2 = math.sin %c : f32
  %3 = math.cos %v : vector<4xf32>
  %4 = math.sqrt %c : f32
  %5 = math.ipowi %i, %i : i32
  %6 = complex.exp %z : complex<f32>
  return %0, %1, %2, %3, %4, %5, %6 : f64, f80, f32, vector<4xf32>, f32, i32, complex<f32>
}

// A tensor is not loaded yet; its elements get their polynomial when they are.

// CHECK-LABEL: func.func @tensors(
// CHECK-NEXT:    math.exp %{{.*}} : tensor<4xf32>
// CHECK-NEXT:    math.tanh %{{.*}} : tensor<?xf32>
// CHECK-NEXT:    math.erf %{{.*}} : tensor<*xf32>
// CHECK-NEXT:    return
func.func @tensors(%a: tensor<4xf32>, %b: tensor<?xf32>, %c: tensor<*xf32>)
    -> (tensor<4xf32>, tensor<?xf32>, tensor<*xf32>) {
  %0 = math.exp %a : tensor<4xf32>
  %1 = math.tanh %b : tensor<?xf32>
  %2 = math.erf %c : tensor<*xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<?xf32>, tensor<*xf32>
}

// Vectors of any shape are taken, inside of any region and behind any branch.

// CHECK-LABEL: func.func @vectors(
// CHECK-NOT:     math.tanh
// CHECK-NOT:     math.exp
// CHECK:         ^bb1:
// CHECK-NOT:     math.erf
// CHECK:         return
func.func @vectors(%a: vector<2x3xf32>, %b: vector<f32>, %p: i1) -> (vector<2x3xf32>, f32, vector<f32>) {
  %one = arith.constant 1.0 : f32
  %0 = math.tanh %a : vector<2x3xf32>
  %1 = scf.if %p -> f32 {
    %2 = math.exp %one : f32
    scf.yield %2 : f32
  } else {
    scf.yield %one : f32
  }
  cf.br ^next
^next:
  %3 = math.erf %b : vector<f32>
  return %0, %1, %3 : vector<2x3xf32>, f32, vector<f32>
}

// CHECK-LABEL: func.func private @declared(
func.func private @declared(f32) -> f32
