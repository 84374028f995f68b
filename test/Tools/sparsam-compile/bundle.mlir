// A step is compiled once and runs without LLVM, as it does with it.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../sparsam-run/Inputs/regression.py make %t
// RUN: sparsam-compile %S/../sparsam-run/step.mlir -o %t/dense.sparsam 2> /dev/null
// RUN: sparsam-run %t/dense.sparsam --args %t/dense.npz --steps 5 --results %t/dense-out.npz
// RUN: sparsam-compile %S/../sparsam-run/step.mlir -o %t/pruned.sparsam \
// RUN:   --pipeline "sparsam-cpu-pipeline{structures=w=nm<2:4>}" 2> /dev/null
// RUN: sparsam-run %t/pruned.sparsam --args %t/dense.npz --function compress --results %t/storage.npz
// RUN: %python %S/../sparsam-run/Inputs/regression.py merge %t
// RUN: sparsam-run %t/pruned.sparsam --args %t/pruned.npz --steps 5 --results %t/pruned-out.npz
// RUN: %python %S/../sparsam-run/Inputs/regression.py check %t

// Indices that no selection made are refused without LLVM, too.
// RUN: %python %S/../sparsam-run/Inputs/regression.py spoil %t
// RUN: not sparsam-run %t/pruned.sparsam --args %t/bad.npz 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: bad.npz': array '0/w/indices' is no pattern of nm<2:4>: indices[0, 0] is 30000, expected an input from 0 to 3

// Nothing of LLVM is looked for, and a bundle that has moved is as good.
// RUN: mv %t/pruned.sparsam %t/moved
// RUN: env LD_DEBUG=libs LD_DEBUG_OUTPUT=%t/trace sparsam-run %t/moved --args %t/pruned.npz | FileCheck %s
// RUN: cat %t/trace.* | FileCheck %s --check-prefix=TRACE --implicit-check-not=libLLVM --implicit-check-not=libMLIR
// RUN: llvm-readelf -d %build/bin/sparsam-run %build/lib/libSparsamBundle.so %build/lib/libSparsamRuntime.so \
// RUN:   | FileCheck %s --check-prefix=NEEDED --implicit-check-not=libLLVM --implicit-check-not=libMLIR
// CHECK: 1 step, ms a step:
// CHECK: compiled ahead of time for
// TRACE: find library=libSparsamBundle
// NEEDED: NEEDED{{.*}}libSparsamRuntime

// The code itself needs nothing but the runtime.
// RUN: cat %t/moved/x86-64-v3-*.so > %t/code.so || cat %t/moved/generic-*.so > %t/code.so
// RUN: llvm-readelf -d --dyn-syms %t/code.so | FileCheck %s --check-prefix=CODE --implicit-check-not=NEEDED
// CODE: NEEDED{{.*}}[libSparsamRuntime.so
// CODE: sparsam_entry_step
