// RUN: sparsam-opt %s --sparsam-apply-structure --sparsam-expand-storage=companions=false --sparsam-propagate --split-input-file 2>/dev/null | FileCheck %s

// The hidden neurons are one group: of 8 there are 6 in all of the step.
// CHECK-LABEL: func.func @step
// CHECK-SAME:    (%[[W:[^ ]+]]: tensor<5x6xf32> {sparsam.param = "w", sparsam.part = "values"
// CHECK-SAME:     %[[V:[^ ]+]]: tensor<6x3xf32> {sparsam.param = "v", sparsam.part = "values"
// CHECK-SAME:     %[[X:[^ ]+]]: tensor<4x5xf32>, %[[DY:[^ ]+]]: tensor<4x3xf32>)
// CHECK-NOT:     x8x
// CHECK:         %[[H:.+]] = linalg.matmul ins(%[[X]], %[[W]] : {{.*}} -> tensor<4x6xf32>
// CHECK:         %[[A:.+]] = linalg.generic {{.*}} ins(%[[H]]
// CHECK:         %[[DA:.+]] = linalg.matmul {{.*}} ins(%[[DY]], %[[V]] : {{.*}} -> tensor<4x6xf32>
// CHECK:         linalg.matmul {{.*}} ins(%[[A]], %[[DY]] : {{.*}} -> tensor<6x3xf32>
// CHECK-NOT:     <8x
// CHECK-NOT:     sparsam.
// CHECK:         return
func.func @step(%w: tensor<5x8xf32> {sparsam.param = "w", sparsam.updates = 0 : i64,
                                    sparsam.structure = #sparsam.slice<keep = 0.75>},
                %v: tensor<8x3xf32> {sparsam.param = "v", sparsam.updates = 1 : i64},
                %x: tensor<4x5xf32>, %dy: tensor<4x3xf32>)
    -> (tensor<5x8xf32>, tensor<8x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<4x8xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %h = linalg.matmul ins(%x, %w : tensor<4x5xf32>, tensor<5x8xf32>)
      outs(%z0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%h : tensor<4x8xf32>) outs(%e0 : tensor<4x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %s = math.exp %in : f32
      linalg.yield %s : f32
    } -> tensor<4x8xf32>
  %da = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                       affine_map<(m, n, k) -> (m, n)>]
      ins(%dy, %v : tensor<4x3xf32>, tensor<8x3xf32>) outs(%z0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %dh = arith.mulf %da, %a : tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<8x3xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x3xf32>) -> tensor<8x3xf32>
  %dv0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                       affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %dy : tensor<4x8xf32>, tensor<4x3xf32>) outs(%z1 : tensor<8x3xf32>) -> tensor<8x3xf32>
  %e2 = tensor.empty() : tensor<5x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<5x8xf32>) -> tensor<5x8xf32>
  %dw0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                       affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %dh : tensor<4x5xf32>, tensor<4x8xf32>) outs(%z2 : tensor<5x8xf32>) -> tensor<5x8xf32>
  %dw = sparsam.gradient %dw0 of "w" : tensor<5x8xf32>
  %dv = sparsam.gradient %dv0 of "v" : tensor<8x3xf32>
  %w1 = arith.subf %w, %dw : tensor<5x8xf32>
  %v1 = arith.subf %v, %dv : tensor<8x3xf32>
  return %w1, %v1 : tensor<5x8xf32>, tensor<8x3xf32>
}

// -----

// Entries that are removed are exp(0) before the sum, which meets 2 of them, and the
// maximum, which meets one. The divisor is a constant and stays.
// CHECK-LABEL: func.func @reductions
// CHECK-SAME:    (%[[W:[^ ]+]]: tensor<1x6xf32>
// CHECK-DAG:     %[[TIMES:.+]] = arith.constant 2.000000e+00 : f32
// CHECK-DAG:     %[[DIVISOR:.+]] = arith.constant 8.000000e+00 : f32
// CHECK-DAG:     %[[ONE:.+]] = arith.constant dense<1.000000e+00> : tensor<1xf32>
// CHECK:         %[[VECTOR:.+]] = tensor.collapse_shape %[[W]]
// CHECK:         %[[KEPT:.+]] = linalg.exp ins(%[[VECTOR]] : tensor<6xf32>)
// CHECK:         %[[SUM:.+]] = linalg.generic {{.*}} ins(%[[KEPT]] : tensor<6xf32>)
// CHECK:         %[[ONCE:.+]] = linalg.generic {{.*}} ins(%[[ONE]] : tensor<1xf32>)
// CHECK:         %[[TWICE:.+]] = linalg.generic {{.*}} ins(%[[ONCE]]
// CHECK:           arith.mulf %{{.+}}, %[[TIMES]]
// CHECK:         %[[ALL:.+]] = linalg.generic {{.*}} ins(%[[SUM]], %[[TWICE]]
// CHECK:           arith.addf
// CHECK:         linalg.generic {{.*}} ins(%[[ALL]]
// CHECK:           arith.divf %{{.+}}, %[[DIVISOR]]
// CHECK:         linalg.generic {{.*}} ins(%[[KEPT]] : tensor<6xf32>)
// CHECK:           arith.maximumf
// CHECK:         linalg.generic {{.*}} ins(%[[ONE]] : tensor<1xf32>)
// CHECK:           arith.maximumf
func.func @reductions(
    %w: tensor<8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 6>})
    -> (tensor<f32>, tensor<f32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %divisor = arith.constant 8.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %h = linalg.exp ins(%w : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %e0 = tensor.empty() : tensor<f32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %l0 = linalg.fill ins(%low : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
                         iterator_types = ["reduction"]}
      ins(%h : tensor<8xf32>) outs(%z0 : tensor<f32>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.addf %out, %in : f32
      linalg.yield %0 : f32
    } -> tensor<f32>
  %mean = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>],
                          iterator_types = []}
      ins(%sum : tensor<f32>) outs(%e0 : tensor<f32>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.divf %in, %divisor : f32
      linalg.yield %0 : f32
    } -> tensor<f32>
  %max = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
                         iterator_types = ["reduction"]}
      ins(%h : tensor<8xf32>) outs(%l0 : tensor<f32>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.maximumf %out, %in : f32
      linalg.yield %0 : f32
    } -> tensor<f32>
  return %mean, %max : tensor<f32>, tensor<f32>
}

// -----

// A result of the step has all entries: the kept ones among what the removed ones are.
// CHECK-LABEL: func.func @all_entries
// CHECK-SAME:    %[[INDICES:[^ ]+]]: tensor<6xi16>
// CHECK-DAG:     %[[ONE:.+]] = arith.constant dense<1.000000e+00> : tensor<1xf32>
// CHECK-DAG:     %[[KEPT:.+]] = linalg.exp {{.*}} -> tensor<6xf32>
// CHECK:         %[[ALL:.+]] = linalg.generic {{.*}} ins(%[[ONE]] {{.*}} outs(%{{.+}} : tensor<8xf32>)
// CHECK:         %[[MADE:.+]] = scf.for {{.*}} iter_args(%[[CARRIED:.+]] = %[[ALL]])
// CHECK:           tensor.extract %[[INDICES]]
// CHECK:           tensor.extract_slice %[[KEPT]]
// CHECK:           tensor.insert_slice
// CHECK:         return %[[MADE]]
func.func @all_entries(
    %w: tensor<8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 6>})
    -> (tensor<8xf32>, tensor<f32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %h = linalg.exp ins(%w : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %e0 = tensor.empty() : tensor<f32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %norm = linalg.dot ins(%h, %w : tensor<8xf32>, tensor<8xf32>) outs(%z0 : tensor<f32>) -> tensor<f32>
  return %h, %norm : tensor<8xf32>, tensor<f32>
}

// -----

// A carried value that has all entries is told of the group, through the elementwise work
// that makes it.
// CHECK-LABEL: func.func @running
// CHECK-SAME:    %{{[^ ]+}}: tensor<3x8xf32> {sparsam.groups = ["", "w:0"], sparsam.updates = 0 : i64}
func.func @running(
    %w: tensor<8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 6>},
    %mean: tensor<3x8xf32> {sparsam.updates = 0 : i64})
    -> (tensor<3x8xf32>, tensor<f32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %h = linalg.exp ins(%w : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %e1 = tensor.empty() : tensor<8x3xf32>
  %b = linalg.broadcast ins(%h : tensor<8xf32>) outs(%e1 : tensor<8x3xf32>) dimensions = [1]
  %e2 = tensor.empty() : tensor<3x8xf32>
  %new = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
                         iterator_types = ["parallel", "parallel"]}
      ins(%mean, %b : tensor<3x8xf32>, tensor<8x3xf32>) outs(%e2 : tensor<3x8xf32>) {
    ^bb0(%old: f32, %now: f32, %out: f32):
      %0 = arith.addf %old, %now : f32
      linalg.yield %0 : f32
    } -> tensor<3x8xf32>
  %e0 = tensor.empty() : tensor<f32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %norm = linalg.dot ins(%h, %w : tensor<8xf32>, tensor<8xf32>) outs(%z0 : tensor<f32>) -> tensor<f32>
  return %new, %norm : tensor<3x8xf32>, tensor<f32>
}

// -----

// Loops carry kept entries, and the removed ones beside them where they are no constant.
// CHECK-LABEL: func.func @loop
// CHECK:         scf.for {{.*}} iter_args(%{{.+}}, %{{.+}}) -> (tensor<6xf32>, tensor<1xf32>)
// CHECK:             math.cos
// CHECK-NEXT:        linalg.yield
// CHECK-NEXT:      } -> tensor<6xf32>
// CHECK:             math.cos
// CHECK-NEXT:        linalg.yield
// CHECK-NEXT:      } -> tensor<1xf32>
func.func @loop(
    %w: tensor<8xf32> {sparsam.param = "w", sparsam.structure = #sparsam.slice<keep = 6>})
    -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %e = tensor.empty() : tensor<8xf32>
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%h = %w) -> tensor<8xf32> {
    %n = math.cos %h : tensor<8xf32>
    scf.yield %n : tensor<8xf32>
  }
  return %y : tensor<8xf32>
}
