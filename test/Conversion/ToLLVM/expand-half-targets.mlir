// No machine needs a function of the compiler's library, with or without instructions for
// bf16 or f16; those that have none at all keep the one of f16, which libgcc has.
//
// RUN: sparsam-opt %s --sparsam-lower-to-llvm | mlir-translate --mlir-to-llvmir -o %t.ll
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=haswell -o - | FileCheck %s
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=skylake-avx512 -o - | FileCheck %s
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=cooperlake -o - | FileCheck %s
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=sapphirerapids -o - | FileCheck %s
// RUN: llc %t.ll -mtriple=x86_64-linux-gnu -mcpu=x86-64-v2 -o - | FileCheck %s --check-prefix=OLD

// CHECK-NOT: {{call.*(trunc|extend)}}
// OLD-NOT:   {{call.*bf}}
func.func @conversions(%d: f64, %s: f32, %b: bf16, %h: f16, %i: i32, %v: vector<8xf64>,
                       %w: vector<8xf32>)
    -> (bf16, f16, bf16, f16, f64, f64, bf16, vector<8xbf16>, vector<8xbf16>, vector<8xf16>) {
  %0 = arith.truncf %d : f64 to bf16
  %1 = arith.truncf %d : f64 to f16
  %2 = arith.truncf %s : f32 to bf16
  %3 = arith.truncf %s : f32 to f16
  %4 = arith.extf %b : bf16 to f64
  %5 = arith.extf %h : f16 to f64
  %6 = arith.sitofp %i : i32 to bf16
  %7 = arith.truncf %v : vector<8xf64> to vector<8xbf16>
  %8 = arith.truncf %w : vector<8xf32> to vector<8xbf16>
  %9 = arith.truncf %v : vector<8xf64> to vector<8xf16>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9 : bf16, f16, bf16, f16, f64, f64, bf16,
      vector<8xbf16>, vector<8xbf16>, vector<8xf16>
}

func.func @work(%a: bf16, %b: bf16, %h: f16) -> (bf16, bf16, f16, i32) {
  %0 = arith.divf %a, %b : bf16
  %1 = math.sqrt %0 : bf16
  %2 = math.sqrt %h : f16
  %3 = arith.fptosi %b : bf16 to i32
  return %0, %1, %2, %3 : bf16, bf16, f16, i32
}
