// Rule 6: what an optimizer reduces over a factor parameter, and where that goes.
// RUN: sparsam-opt %s --sparsam-expand-storage=companions=false --split-input-file 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t.remarks

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// A mean divides by each factor's own number of elements. The division stands in the body
// of the update here, from where it is hoisted.

// REMARK: remark: reduces over w alone and counts as one for each tensor: #sparsam.low_rank<2> does it for each of its factors
// REMARK: remark: takes the mean over 64 elements of w: #sparsam.low_rank<2> takes it over those of each factor

// CHECK-LABEL: func.func @mean
//       CHECK:   %[[SU:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x2xf32>) outs(%{{.*}} : tensor<f32>)
//       CHECK:   %[[SV:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xf32>) outs(%{{.*}} : tensor<f32>)
//   CHECK-DAG:   %[[XU:.*]] = tensor.extract %[[SU]][]
//   CHECK-DAG:   %[[XV:.*]] = tensor.extract %[[SV]][]
//   CHECK-DAG:   %[[U:.*]] = arith.constant 3.200000e+01 : f32
//   CHECK-DAG:   %[[V:.*]] = arith.constant 8.000000e+00 : f32
//   CHECK-DAG:   %[[MU:.*]] = arith.divf %[[XU]], %[[U]] : f32
//   CHECK-DAG:   %[[MV:.*]] = arith.divf %[[XV]], %[[V]] : f32
//   CHECK-NOT:   6.400000e+01
//       CHECK:   linalg.generic {{.*}} outs(%{{.*}} : tensor<16x2xf32>)
//       CHECK:     arith.mulf %{{.*}}, %[[MU]]
//       CHECK:   linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xf32>)
//       CHECK:     arith.mulf %{{.*}}, %[[MV]]
func.func @mean(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> tensor<16x4xf32, #lr> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %count = arith.constant 64.0 : f32
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%g : tensor<16x4xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %s : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%d: f32, %t: f32, %out: f32):
    %0 = arith.divf %t, %count : f32
    %1 = arith.mulf %d, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<16x4xf32>
  %ne = tensor.cast %n : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %ne : tensor<16x4xf32, #lr>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#zero = affine_map<() -> ()>
#lr = #sparsam.low_rank<2>

// The largest norm of all tensors: the root is taken for each factor, then the maximum.

// CHECK-LABEL: func.func @largest_norm
//       CHECK:   %[[SU:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x2xf32>) outs(%{{.*}} : tensor<f32>)
//       CHECK:   %[[SV:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xf32>) outs(%{{.*}} : tensor<f32>)
//       CHECK:   %[[SB:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x4xf32>) outs(%{{.*}} : tensor<f32>)
//       CHECK:   %[[NU:.*]] = linalg.generic {{.*}} ins(%[[SU]] : tensor<f32>)
//       CHECK:     math.sqrt
//       CHECK:   %[[NV:.*]] = linalg.generic {{.*}} ins(%[[SV]] : tensor<f32>)
//       CHECK:     math.sqrt
//       CHECK:   %[[NB:.*]] = linalg.generic {{.*}} ins(%[[SB]] : tensor<f32>)
//       CHECK:     math.sqrt
//       CHECK:   %[[NF:.*]] = linalg.generic {{.*}} ins(%[[NU]], %[[NV]] : tensor<f32>, tensor<f32>)
//       CHECK:     arith.maximumf
//       CHECK:   %[[N:.*]] = linalg.generic {{.*}} ins(%[[NF]], %[[NB]] : tensor<f32>, tensor<f32>)
//       CHECK:     arith.maximumf
//       CHECK:   ins(%{{.*}}, %[[N]] : tensor<16x2xf32>, tensor<f32>)
//       CHECK:   ins(%{{.*}}, %[[N]] : tensor<2x4xf32>, tensor<f32>)
func.func @largest_norm(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64},
                        %b: tensor<16x4xf32> {sparsam.param = "b", sparsam.updates = 1 : i64},
                        %rawW: tensor<16x4xf32>, %rawB: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<16x4xf32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %gw = sparsam.gradient %rawW of "w" : tensor<16x4xf32>
  %gb = sparsam.gradient %rawB of "b" : tensor<16x4xf32>
  %sw = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%gw : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %sb = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%gb : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %nw = math.sqrt %sw : tensor<f32>
  %nb = math.sqrt %sb : tensor<f32>
  %n = arith.maximumf %nw, %nb : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %w1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%gw, %n : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%g: f32, %by: f32, %out: f32):
    %0 = arith.divf %g, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %b1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%gb, %n : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%g: f32, %by: f32, %out: f32):
    %0 = arith.divf %g, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %we = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %we, %b1 : tensor<16x4xf32, #lr>, tensor<16x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// A global mean of squares: the sums join, and the total, 128, becomes 40 + 64.

// REMARK: remark: takes the mean over 128 elements of w and other parameters: with the factors of #sparsam.low_rank<2> these are 104

// CHECK-LABEL: func.func @global_mean
//       CHECK:   %[[C:.*]] = arith.constant dense<1.040000e+02> : tensor<f32>
//       CHECK:   %[[N:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[C]] : tensor<f32>, tensor<f32>)
//       CHECK:     arith.divf
//       CHECK:   ins(%{{.*}}, %[[N]] : tensor<16x2xf32>, tensor<f32>)
//       CHECK:   ins(%{{.*}}, %[[N]] : tensor<2x4xf32>, tensor<f32>)
func.func @global_mean(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64},
                       %b: tensor<16x4xf32> {sparsam.param = "b", sparsam.updates = 1 : i64},
                       %rawW: tensor<16x4xf32>, %rawB: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<16x4xf32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %count = arith.constant dense<128.0> : tensor<f32>
  %gw = sparsam.gradient %rawW of "w" : tensor<16x4xf32>
  %gb = sparsam.gradient %rawB of "b" : tensor<16x4xf32>
  %sw = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%gw : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %sb = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%gb : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %s = arith.addf %sw, %sb : tensor<f32>
  %n = arith.divf %s, %count : tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %w1 = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%gw, %n : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%g: f32, %by: f32, %out: f32):
    %0 = arith.divf %g, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %we = tensor.cast %w1 : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %we, %gb : tensor<16x4xf32, #lr>, tensor<16x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// A norm of nothing but the marked gradient, where no other parameter has one, is global.
// What the step tells its caller of it is, too.

// REMARK: remark: reduces over w alone and counts as global, as the gradient is marked and no other parameter has one: #sparsam.low_rank<2> does it over all of its factors together

// CHECK-LABEL: func.func @only_parameter
//       CHECK:   %[[SU:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x2xf32>) outs(%{{.*}} : tensor<f32>)
//       CHECK:   %[[SV:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xf32>) outs(%[[SU]] : tensor<f32>)
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[SV]] : tensor<16x2xf32>, tensor<f32>)
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[SV]] : tensor<2x4xf32>, tensor<f32>)
//       CHECK:   return %{{.*}}, %{{.*}}, %[[SV]]
func.func @only_parameter(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<f32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %g = sparsam.gradient %raw of "w" marked : tensor<16x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%g : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %s : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%d: f32, %by: f32, %out: f32):
    %0 = arith.divf %d, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %ne = tensor.cast %n : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %ne, %s : tensor<16x4xf32, #lr>, tensor<f32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> ()>
#lr = #sparsam.low_rank<2>

// Not marked it is one for each tensor in the optimizer, and over all factors for the caller.

// REMARK: remark: reduces over w alone and counts as one for each tensor: #sparsam.low_rank<2> does it for each of its factors
// REMARK: reduces over w alone and counts as global where it is used outside of its optimizer: #sparsam.low_rank<2> does it over all of its factors together

// CHECK-LABEL: func.func @not_marked
//       CHECK:   %[[ALL_U:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x2xf32>) outs(%[[INIT:.*]] : tensor<f32>)
//       CHECK:   %[[ALL:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xf32>) outs(%[[ALL_U]] : tensor<f32>)
//       CHECK:   %[[SU:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x2xf32>) outs(%[[INIT]] : tensor<f32>)
//       CHECK:   %[[SV:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xf32>) outs(%[[INIT]] : tensor<f32>)
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[SU]] : tensor<16x2xf32>, tensor<f32>)
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[SV]] : tensor<2x4xf32>, tensor<f32>)
//       CHECK:   return %{{.*}}, %{{.*}}, %[[ALL]]
func.func @not_marked(%w: tensor<16x4xf32, #lr> {sparsam.param = "w", sparsam.updates = 0 : i64}, %raw: tensor<16x4xf32>) -> (tensor<16x4xf32, #lr>, tensor<f32>) {
  %init = arith.constant dense<0.0> : tensor<f32>
  %g = sparsam.gradient %raw of "w" : tensor<16x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction", "reduction"]}
      ins(%g : tensor<16x4xf32>) outs(%init : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  %e = tensor.empty() : tensor<16x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #all, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %s : tensor<16x4xf32>, tensor<f32>) outs(%e : tensor<16x4xf32>) {
  ^bb0(%d: f32, %by: f32, %out: f32):
    %0 = arith.divf %d, %by : f32
    linalg.yield %0 : f32
  } -> tensor<16x4xf32>
  %ne = tensor.cast %n : tensor<16x4xf32> to tensor<16x4xf32, #lr>
  return %ne, %s : tensor<16x4xf32, #lr>, tensor<f32>
}
