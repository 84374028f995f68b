// RUN: sparsam-opt %s --sparsam-integers-for-bf16 | FileCheck %s
// RUN: sparsam-opt %s --sparsam-integers-for-bf16 | mlir-translate --mlir-to-llvmir \
// RUN:   | FileCheck %s --check-prefix=LLVM

// The bits of constants stay; 0x3FC0 is 1.5.
// CHECK-LABEL: llvm.func @move(
// CHECK-SAME:    %[[C:.*]]: i1, %[[P:.*]]: !llvm.ptr, %[[V:.*]]: vector<4xi16>) -> i16
// CHECK:         llvm.mlir.constant(16320 : i16) : i16
// CHECK:         llvm.mlir.constant(dense<16320> : vector<4xi16>) : vector<4xi16>
// CHECK:         llvm.getelementptr %[[P]][3] : (!llvm.ptr) -> !llvm.ptr, i16
// CHECK:         llvm.load {{.*}} : !llvm.ptr -> i16
// CHECK:         llvm.select %[[C]], {{.*}} : i1, i16
// CHECK:         llvm.bitcast {{.*}} : i16 to i16
// CHECK:         ^bb1(%{{.*}}: i16):
// LLVM-NOT:      bfloat
llvm.func @move(%c: i1, %p: !llvm.ptr, %v: vector<4xbf16>) -> bf16 {
  %one = llvm.mlir.constant(1.5 : bf16) : bf16
  %ones = llvm.mlir.constant(dense<1.5> : vector<4xbf16>) : vector<4xbf16>
  %q = llvm.getelementptr %p[3] : (!llvm.ptr) -> !llvm.ptr, bf16
  %x = llvm.load %q : !llvm.ptr -> bf16
  %y = llvm.select %c, %x, %one : i1, bf16
  %bits = llvm.bitcast %y : bf16 to i16
  %z = llvm.bitcast %bits : i16 to bf16
  %w = llvm.select %c, %v, %ones : i1, vector<4xbf16>
  llvm.store %w, %p : vector<4xbf16>, !llvm.ptr
  llvm.br ^next(%z : bf16)
^next(%r: bf16):
  llvm.return %r : bf16
}

// CHECK-LABEL: llvm.func @others(
// CHECK-SAME:    %{{.*}}: f16, %{{.*}}: f32) -> f16
// CHECK:         llvm.fadd {{.*}} : f16
// CHECK:         llvm.fptrunc {{.*}} : f32 to f16
llvm.func @others(%a: f16, %b: f32) -> f16 {
  %0 = llvm.fadd %a, %a : f16
  %1 = llvm.fptrunc %b : f32 to f16
  %2 = llvm.fadd %0, %1 : f16
  llvm.return %2 : f16
}
