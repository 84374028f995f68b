// RUN: sparsam-opt %s --allow-unregistered-dialect --sparsam-import --mlir-print-debuginfo | FileCheck %s
// RUN: sparsam-opt %s --allow-unregistered-dialect --sparsam-import \
// RUN:   --sparsam-find-parameters --sparsam-apply-structure 2>&1 | FileCheck %s --check-prefix=REMARK

// What a framework named is named in remarks. Operations keep their locations, and so do
// functions of which nothing is named.

// CHECK-LABEL: func.func public @main(
// CHECK-SAME: tensor<4xf32> {sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 0 : i64} loc("w"),
// CHECK-SAME: tensor<4xf32> {sparsam.name = "1"} loc("1"),
// CHECK-SAME: tensor<4xf32> loc({{.*}}"mine.py":3:4
// CHECK: linalg.add {{.*}} loc(#[[ADD:.*]])
// CHECK: } loc(#[[MAIN:.*]])
// CHECK-LABEL: func.func public @unnamed(
// CHECK-SAME: tensor<4xf32> loc("mine.py":9:1))
// CHECK-DAG: #[[ADD]] = loc("mine.py":5:6)
// CHECK-DAG: #[[MAIN]] = loc("main")

// REMARK: remark: loc("w"): w stays dense: no structure was asked for
// REMARK-NOT: "util.func"
"builtin.module"() ({
  "util.func"() <{arg_attrs = [{sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 0 : i64}, {sparsam.name = "1"}, {}], function_type = (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>, sym_name = "main", sym_visibility = "public"}> ({
  ^bb0(%w: tensor<4xf32> loc("w['w']"), %x: tensor<4xf32>, %y: tensor<4xf32> loc("mine.py":3:4)):
    %0 = linalg.add ins(%w, %x : tensor<4xf32>, tensor<4xf32>) outs(%y : tensor<4xf32>) -> tensor<4xf32> loc("mine.py":5:6)
    "util.return"(%0) : (tensor<4xf32>) -> ()
  }) : () -> () loc("mine.py":1:2)
  "util.func"() <{function_type = (tensor<4xf32>) -> tensor<4xf32>, sym_name = "unnamed", sym_visibility = "public"}> ({
  ^bb0(%x: tensor<4xf32> loc("mine.py":9:1)):
    "util.return"(%x) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()
