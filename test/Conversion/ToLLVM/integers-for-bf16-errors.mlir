// RUN: sparsam-opt %s --sparsam-integers-for-bf16 --split-input-file --verify-diagnostics

llvm.func @sum(%a: bf16) -> bf16 {
  // expected-error@+1 {{'llvm.fadd' op computes in bf16; run sparsam-expand-half before the conversion to LLVM}}
  %0 = llvm.fadd %a, %a : bf16
  llvm.return %0 : bf16
}

// -----

llvm.func @rounding(%a: vector<4xf32>) -> vector<4xbf16> {
  // expected-error@+1 {{'llvm.fptrunc' op computes in bf16}}
  %0 = llvm.fptrunc %a : vector<4xf32> to vector<4xbf16>
  llvm.return %0 : vector<4xbf16>
}

// -----

llvm.func @comparison(%a: bf16) -> i1 {
  // expected-error@+1 {{'llvm.fcmp' op computes in bf16}}
  %0 = llvm.fcmp "olt" %a, %a : bf16
  llvm.return %0 : i1
}

// -----

llvm.func @function(%a: bf16) -> bf16 {
  // expected-error@+1 {{'llvm.intr.exp' op computes in bf16}}
  %0 = llvm.intr.exp(%a) : (bf16) -> bf16
  llvm.return %0 : bf16
}
