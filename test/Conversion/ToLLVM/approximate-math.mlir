// RUN: sparsam-opt %s --sparsam-approximate-math | FileCheck %s

// CHECK-LABEL: func.func @single(
// CHECK-NOT:     math.exp
// CHECK-NOT:     math.tanh
// CHECK:         math.fma
// CHECK:         return
func.func @single(%x: f32) -> (f32, f32) {
  %0 = math.exp %x : f32
  %1 = math.tanh %x : f32
  return %0, %1 : f32, f32
}

// CHECK-LABEL: func.func @double(
// CHECK:         math.exp %{{.*}} : f64
func.func @double(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}

// The logarithm of a subnormal number is that of one 2^24 times as large, less 24 log(2).
// CHECK-LABEL: func.func @logarithm(
// CHECK-SAME:    %[[X:.+]]: vector<8xf32>
// CHECK:         %[[SMALLEST:.+]] = arith.constant dense<1.17549435E-38> : vector<8xf32>
// CHECK:         %[[SMALL:.+]] = arith.cmpf olt, %[[X]], %[[SMALLEST]]
// CHECK:         %[[SCALE:.+]] = arith.constant dense<0x4B800000> : vector<8xf32>
// CHECK:         %[[SCALED:.+]] = arith.mulf %[[X]], %[[SCALE]]
// CHECK:         arith.select %[[SMALL]], %[[SCALED]], %[[X]]
// CHECK-NOT:     math.log
// CHECK:         %[[SHIFT:.+]] = arith.constant dense<16.6355324> : vector<8xf32>
// CHECK:         %[[SHIFTED:.+]] = arith.subf %[[LOG:.+]], %[[SHIFT]]
// CHECK:         %[[Y:.+]] = arith.select %[[SMALL]], %[[SHIFTED]], %[[LOG]]
// CHECK:         return %[[Y]]
func.func @logarithm(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.log %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func.func @logarithm2(
// CHECK-NOT:     math.log2
// CHECK:         %[[SHIFT:.+]] = arith.constant 2.400000e+01 : f32
// CHECK:         arith.subf %{{.+}}, %[[SHIFT]]
func.func @logarithm2(%x: f32) -> f32 {
  %0 = math.log2 %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @error_function(
// CHECK-SAME:    %[[X:.+]]: f32
// CHECK-NOT:     math.erf
// CHECK:         %[[Y:.+]] = math.copysign %{{.+}}, %[[X]] : f32
// CHECK:         return %[[Y]]
func.func @error_function(%x: f32) -> f32 {
  %0 = math.erf %x : f32
  return %0 : f32
}

// Those whose polynomials lose digits are left to libm.
// CHECK-LABEL: func.func @left(
// CHECK:         math.sin
// CHECK:         math.cos
// CHECK:         math.atan
// CHECK:         math.atan2
// CHECK:         math.cbrt
func.func @left(%x: f32) -> (f32, f32, f32, f32, f32) {
  %0 = math.sin %x : f32
  %1 = math.cos %x : f32
  %2 = math.atan %x : f32
  %3 = math.atan2 %x, %x : f32
  %4 = math.cbrt %x : f32
  return %0, %1, %2, %3, %4 : f32, f32, f32, f32, f32
}

// The machine's estimate of 1 / sqrt(x) has 12 bits.
// CHECK-LABEL: func.func @estimates(
// CHECK:         math.rsqrt %{{.*}} : vector<8xf32>
func.func @estimates(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.rsqrt %x : vector<8xf32>
  return %0 : vector<8xf32>
}
