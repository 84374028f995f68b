// A bundle from C: no header of MLIR, no library of LLVM.
// RUN: rm -rf %t && mkdir %t
// RUN: sparsam-compile %S/../Tools/sparsam-run/run.mlir -o %t/step.sparsam
// RUN: sparsam-capi-bundle-test %t/step.sparsam | FileCheck %s
// RUN: llvm-readelf -d %build/bin/sparsam-capi-bundle-test \
// RUN:   | FileCheck %s --check-prefix=NEEDED --implicit-check-not=libLLVM --implicit-check-not=libMLIR
// NEEDED: libSparsamBundle

#include "sparsam-c/Bundle.h"

#include <stdio.h>

static void describe(const SparsamBundle *bundle, intptr_t function) {
  printf("%s:\n", sparsamBundleGetFunctionName(bundle, function));
  for (intptr_t i = 0; i < sparsamBundleGetNumArguments(bundle, function); ++i) {
    SparsamBundleArgument argument = sparsamBundleGetArgument(bundle, function, i);
    printf("  %s %s, role %d, result %d, %zu bytes of %s\n",
           argument.name ? argument.name : "-", argument.part ? argument.part : "-",
           (int)argument.role, (int)argument.result, argument.numBytes,
           argument.elementType);
  }
}

int main(int argc, char **argv) {
  if (argc != 2 || sparsamBundleOpen("/no/where"))
    return 1;
  printf("%s\n", sparsamBundleGetError());
  SparsamBundle *bundle = sparsamBundleOpen(argv[1]);
  if (!bundle) {
    printf("%s\n", sparsamBundleGetError());
    return 1;
  }
  for (intptr_t i = 0; i < sparsamBundleGetNumFunctions(bundle); ++i)
    describe(bundle, i);
  // CHECK: '/no/where' is no bundle: there is nothing of that name
  // CHECK-NEXT: step:
  // CHECK-NEXT:   - -, role 0, result -1, 16 bytes of f32
  // CHECK-NEXT:   0/w values, role 1, result 0, 16 bytes of f32
  // CHECK-NEXT:   count -, role 0, result -1, 4 bytes of i32
  // CHECK-NEXT:   loss -, role 2, result 1, 4 bytes of f32
  // CHECK-NEXT:   - -, role 2, result 2, 16 bytes of i32
  // CHECK-NEXT: other:

  float x[4] = {1, 2, 3, 4}, w[4] = {0.5F, 0.5F, 0.5F, 0.5F}, loss;
  int32_t count = 7, counts[4];
  void *arrays[] = {x, w, &count, &loss, counts};
  intptr_t step = sparsamBundleFindFunction(bundle, "step");
  if (sparsamBundleCall(bundle, step, 5, arrays))
    return 1;
  printf("%g %g %g %g, loss %g, %d\n", w[0], w[1], w[2], w[3], loss, counts[3]);
  // CHECK: 1.5 2.5 3.5 4.5, loss 2, 7
  arrays[4] = x;
  if (!sparsamBundleCall(bundle, step, 5, arrays))
    return 1;
  printf("%s\n", sparsamBundleGetError());
  // CHECK: function 'step' writes to memory that argument 0 and argument 4 share
  sparsamBundleClose(bundle);
  return 0;
}
