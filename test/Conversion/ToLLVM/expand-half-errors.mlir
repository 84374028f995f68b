// RUN: sparsam-opt %s --sparsam-expand-half | FileCheck %s

// Nothing is an error. What rounds otherwise, or has other widths, stays as it is.

// CHECK-LABEL: func.func @rounding_modes(
// CHECK-NEXT:    arith.truncf %{{.*}} downward : f64 to f16
// CHECK-NEXT:    arith.truncf %{{.*}} toward_zero : f64 to f16
// CHECK-NEXT:    return
func.func @rounding_modes(%x: f64) -> (f16, f16) {
  %0 = arith.truncf %x downward : f64 to f16
  %1 = arith.truncf %x toward_zero : f64 to f16
  return %0, %1 : f16, f16
}

// CHECK-LABEL: func.func @widths(
// CHECK-NEXT:    arith.truncf %{{.*}} : f128 to f80
// CHECK-NEXT:    math.sqrt %{{.*}} : f64
// CHECK-NEXT:    math.ipowi %{{.*}} : i32
// CHECK-NEXT:    return
func.func @widths(%a: f128, %b: f64, %i: i32) -> (f80, f64, i32) {
  %0 = arith.truncf %a : f128 to f80
  %1 = math.sqrt %b : f64
  %2 = math.ipowi %i, %i : i32
  return %0, %1, %2 : f80, f64, i32
}

// Memory, constants and choices keep their type.

// CHECK-LABEL: func.func @memory(
// CHECK:         %[[X:.*]] = memref.load %{{.*}} : memref<4xbf16>
// CHECK:         %[[Y:.*]] = arith.select %{{.*}}, %[[X]], %{{.*}} : bf16
// CHECK:         memref.store %[[Y]], %{{.*}} : memref<4xbf16>
func.func @memory(%m: memref<4xbf16>, %i: index, %p: i1) {
  %one = arith.constant 1.0 : bf16
  %0 = memref.load %m[%i] : memref<4xbf16>
  %1 = arith.select %p, %0, %one : bf16
  memref.store %1, %m[%i] : memref<4xbf16>
  return
}

// CHECK-LABEL: func.func private @declared(
func.func private @declared(bf16) -> bf16
