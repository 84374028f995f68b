// A shared library, called from C and from C++.
// RUN: rm -rf %t && mkdir %t
// RUN: sparsam-compile %s --emit=shared-library -o %t/libtrain.so
// RUN: FileCheck %s --check-prefix=HEADER < %t/train.h
// RUN: %cc -std=c11 -pedantic -Wall -Wextra -Werror -I%t -I%source/include %S/Inputs/main.c -o %t/main \
// RUN:   -L%t -ltrain -L%build/lib -lSparsamRuntime -Wl,-rpath,%t -Wl,-rpath,%build/lib
// RUN: %t/main | FileCheck %s
// RUN: %cxx -x c++ -std=c++17 -Wall -Wextra -Werror -I%t -I%source/include %S/Inputs/main.c -o %t/main++ \
// RUN:   -L%t -ltrain -L%build/lib -lSparsamRuntime -Wl,-rpath,%t -Wl,-rpath,%build/lib
// RUN: %t/main++ | FileCheck %s
// RUN: llvm-readelf -d --dyn-syms %t/libtrain.so | FileCheck %s --check-prefix=LIBRARY --implicit-check-not=NEEDED

// The same as an object file, that is linked here.
// RUN: sparsam-compile %s --emit=object -o %t/train.o
// RUN: %cc -std=c11 -I%t -I%source/include %S/Inputs/main.c %t/train.o -o %t/linked \
// RUN:   -L%build/lib -lSparsamRuntime -Wl,-rpath,%build/lib -Wl,--allow-shlib-undefined
// RUN: %t/linked | FileCheck %s

// CHECK:      7 9 11 13, sum 4
// CHECK-NEXT: function 'train_step' writes to memory that argument 0 'x' and argument 1 '0/w/values' share
// CHECK-NEXT: function 'train_step' got a null pointer for argument 0 'x'
// CHECK-NEXT: function 'train_step' needs its workspace at a multiple of 64 bytes
// CHECK-NEXT: fine again: ''

// LIBRARY: NEEDED{{.*}}[libSparsamRuntime.so
// LIBRARY: SONAME{{.*}}[libtrain.so]
// LIBRARY-NOT: sparsam_entry
// LIBRARY: train_step

// HEADER:      /* Written by Sparsam {{.*}} for CPU {{x86-64-v3|generic}}.
// HEADER:       * is not: the caller sees to it that each has the element type and the shape that is
// HEADER:       * Link with libSparsamRuntime. Calls have a thread a core, or OMP_NUM_THREADS; the
// HEADER-NEXT:  * function sparsam_set_num_threads of sparsam/Runtime/Runtime.h sets another number. */
// HEADER:      const char *sparsam_last_error(void);
// HEADER:      #define TRAIN_STEP_WORKSPACE_BYTES ((size_t)64)
// HEADER:      /* step:
// HEADER-NEXT:  *   x: read, float32 of shape (4,), 'x'
// HEADER-NEXT:  *   arg0_w_values: updated, float32 of shape (4,), '0/w/values'
// HEADER-NEXT:  *   double_indices: read, uint16 of shape (2,), 'double/indices'
// HEADER-NEXT:  *   uint8_t_2: read, bool of shape (), 'uint8_t'
// HEADER-NEXT:  *   result1: written, float32 of shape ()
// HEADER-NEXT:  *   result1_2: written, bfloat16 of shape (0, 3), 'result1'
// HEADER-NEXT:  *   workspace: TRAIN_STEP_WORKSPACE_BYTES bytes at a multiple of 64, or null where that is 0
// HEADER-NEXT:  * 0 if all went well; sparsam_last_error() says what did not. */
// HEADER-NEXT: int train_step(const float *x, float *arg0_w_values, const uint16_t *double_indices, const uint8_t *uint8_t_2, float *result1, uint16_t *result1_2, void *workspace);

// result1 = sum(w); w += x.
func.func @step(
    %x: memref<4xf32> {sparsam.name = "x"},
    %w: memref<4xf32> {sparsam.name = "0/w", sparsam.part = "values", sparsam.updates = 0 : i64},
    %indices: memref<2xi16> {sparsam.name = "double", sparsam.part = "indices"},
    %flag: memref<i1> {sparsam.name = "uint8_t"},
    %sum: memref<f32> {sparsam.result = 1 : i64},
    %empty: memref<0x3xbf16> {sparsam.name = "result1", sparsam.result = 2 : i64},
    %workspace: memref<64xi8> {sparsam.workspace}) attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %sum[] : memref<f32>
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.load %x[%i] : memref<4xf32>
    %b = memref.load %w[%i] : memref<4xf32>
    %s = memref.load %sum[] : memref<f32>
    %next = arith.addf %s, %b : f32
    memref.store %next, %sum[] : memref<f32>
    %new = arith.addf %a, %b : f32
    memref.store %new, %w[%i] : memref<4xf32>
  }
  return
}

// Names that differ in capitals only still have constants of their own.
// HEADER: #define TRAIN_STEP_2_WORKSPACE_BYTES ((size_t)0)
// HEADER: int train_Step_2(void *workspace);
func.func @Step() attributes {llvm.emit_c_interface} {
  return
}
