// RUN: sparsam-opt %s --pass-pipeline='builtin.module(llvm.func(sparsam-restore-noalias))' -split-input-file -verify-diagnostics

// expected-error @+1 {{lists argument 1 as a distinct pointer, and has no pointer there}}
llvm.func @number(%a: !llvm.ptr, %b: i64) attributes {sparsam.distinct = array<i64: 1>} {
  llvm.return
}

// -----

// expected-error @+1 {{lists argument 5 as a distinct pointer, and has no pointer there}}
llvm.func @missing(%a: !llvm.ptr) attributes {sparsam.distinct = array<i64: 5>} {
  llvm.return
}

// -----

// expected-error @+1 {{lists argument -1 as a distinct pointer, and has no pointer there}}
llvm.func @negative(%a: !llvm.ptr) attributes {sparsam.distinct = array<i64: -1>} {
  llvm.return
}

// -----

// expected-error @+1 {{expected positions as sparsam.distinct, found "a"}}
llvm.func @text(%a: !llvm.ptr) attributes {sparsam.distinct = "a"} {
  llvm.return
}
