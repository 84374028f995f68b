// RUN: sparsam-opt %s --sparsam-expand-half --split-input-file | FileCheck %s

// f64 is rounded to odd, then once more in integers: to nearest, a tie to even.
// CHECK-LABEL: func @bf16_of_f64(
// CHECK-SAME: %[[X:.*]]: f64
// CHECK: %[[NEAREST:.*]] = arith.truncf %[[X]] : f64 to f32
// CHECK: %[[BACK:.*]] = arith.extf %[[NEAREST]] : f32 to f64
// CHECK: %[[BITS:.*]] = arith.bitcast %[[NEAREST]] : f32 to i32
// CHECK: %[[AWAY:.*]] = arith.cmpf ogt
// CHECK: %[[LOWER:.*]] = arith.subi %[[BITS]]
// CHECK: %[[ZERO:.*]] = arith.select %[[AWAY]], %[[LOWER]], %[[BITS]]
// CHECK: %[[INEXACT:.*]] = arith.cmpf one, %[[BACK]], %[[X]]
// CHECK: %[[ODD:.*]] = arith.ori %[[ZERO]]
// CHECK: %[[CHOSEN:.*]] = arith.select %[[INEXACT]], %[[ODD]], %[[ZERO]]
// CHECK: arith.bitcast %[[CHOSEN]] : i32 to f32
// CHECK: arith.trunci {{.*}} : i32 to i16
// CHECK: arith.bitcast {{.*}} : i16 to bf16
// CHECK-NOT: to bf16
func.func @bf16_of_f64(%x: f64) -> bf16 {
  %0 = arith.truncf %x : f64 to bf16
  return %0 : bf16
}

// -----

// CHECK-LABEL: func @f64_of_bf16(
// CHECK: arith.shli
// CHECK: arith.extf {{.*}} : f32 to f64
// CHECK-NOT: extf
func.func @f64_of_bf16(%x: bf16) -> f64 {
  %0 = arith.extf %x : bf16 to f64
  return %0 : f64
}

// -----

// Machines round f32 to f16, but not f64.
// CHECK-LABEL: func @f16_of_f64(
// CHECK: arith.truncf {{.*}} : vector<4xf64> to vector<4xf32>
// CHECK: arith.truncf {{.*}} : vector<4xf32> to vector<4xf16>
// CHECK-NOT: truncf
func.func @f16_of_f64(%x: vector<4xf64>) -> vector<4xf16> {
  %0 = arith.truncf %x : vector<4xf64> to vector<4xf16>
  return %0 : vector<4xf16>
}

// -----

// CHECK-LABEL: func @stays(
// CHECK-NEXT: arith.truncf {{.*}} : f32 to f16
// CHECK-NEXT: arith.truncf {{.*}} : f64 to f32
// CHECK-NEXT: arith.addf {{.*}} : f16
// CHECK-NEXT: return
func.func @stays(%x: f32, %y: f64) -> (f16, f32) {
  %0 = arith.truncf %x : f32 to f16
  %1 = arith.truncf %y : f64 to f32
  %2 = arith.addf %0, %0 : f16
  return %2, %1 : f16, f32
}

// -----

// Each result is rounded.
// CHECK-LABEL: func @arithmetic(
// CHECK: arith.mulf {{.*}} : f32
// CHECK: arith.bitcast {{.*}} : i16 to bf16
// CHECK: arith.addf {{.*}} : f32
// CHECK: %[[R:.*]] = arith.bitcast {{.*}} : i16 to bf16
// CHECK: arith.cmpf olt, {{.*}} : f32
// CHECK: return {{.*}}%[[R]]
func.func @arithmetic(%a: bf16, %b: bf16) -> (bf16, i1) {
  %0 = arith.mulf %a, %b fastmath<nsz,contract> : bf16
  %1 = arith.addf %0, %b fastmath<nsz,contract> : bf16
  %2 = arith.cmpf olt, %a, %1 : bf16
  return %1, %2 : bf16, i1
}

// -----

// CHECK-LABEL: func @functions(
// CHECK: math.exp {{.*}} : f32
// CHECK: math.tanh {{.*}} : f32
// CHECK: math.exp {{.*}} : f64
func.func @functions(%a: bf16, %b: f16, %c: f64) -> (bf16, f16, f64) {
  %0 = math.exp %a : bf16
  %1 = math.tanh %b : f16
  %2 = math.exp %c : f64
  return %0, %1, %2 : bf16, f16, f64
}

// -----

// 2^24 + 1 lies between two numbers of f32.
// CHECK-LABEL: func @integers(
// CHECK: arith.sitofp {{.*}} : i32 to f64
// CHECK: arith.uitofp {{.*}} : i32 to f64
// CHECK: arith.sitofp {{.*}} : i32 to f32
func.func @integers(%x: i32) -> (bf16, bf16, f32) {
  %0 = arith.sitofp %x : i32 to bf16
  %1 = arith.uitofp %x : i32 to bf16
  %2 = arith.sitofp %x : i32 to f32
  return %0, %1, %2 : bf16, bf16, f32
}

// -----

// The result of one function is rounded before the next takes it.
// CHECK-LABEL: func @functions_of_functions(
// CHECK: math.tanh {{.*}} : f32
// CHECK-NEXT: %[[ROUNDED:.*]] = arith.truncf %{{[0-9]+}} : f32 to f16
// CHECK-NEXT: %[[AGAIN:.*]] = arith.extf %[[ROUNDED]] : f16 to f32
// CHECK-NEXT: math.exp %[[AGAIN]] : f32
func.func @functions_of_functions(%a: f16) -> f16 {
  %0 = math.tanh %a : f16
  %1 = math.exp %0 : f16
  return %1 : f16
}
