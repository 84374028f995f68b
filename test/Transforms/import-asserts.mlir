// RUN: sparsam-opt %s --sparsam-import --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @embedding(
// CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<10x4xf32>
// CHECK-DAG: %[[FIRST:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[LAST:.*]] = arith.constant 9 : index
// CHECK: %[[ROW:.*]] = arith.index_cast
// CHECK: %[[COLUMN:.*]] = linalg.index 1
// CHECK-NOT: cf.assert
// CHECK: %[[RAISED:.*]] = arith.maxsi %[[ROW]], %[[FIRST]]
// CHECK: %[[INSIDE:.*]] = arith.minsi %[[RAISED]], %[[LAST]]
// CHECK: tensor.extract %[[W]][%[[INSIDE]], %[[COLUMN]]]
func.func @embedding(%w: tensor<10x4xf32>, %ids: tensor<3xi64>) -> tensor<3x4xf32> {
  %zero = arith.constant 0 : i64
  %rows = arith.constant 10 : index
  %init = tensor.empty() : tensor<3x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%init : tensor<3x4xf32>) {
  ^bb0(%id: i64, %out: f32):
    %row = arith.index_cast %id : i64 to index
    %column = linalg.index 1 : index
    %below = arith.cmpi slt, %row, %rows : index
    cf.assert %below, "index must be smaller than dim size"
    %above = arith.cmpi sge, %id, %zero : i64
    cf.assert %above, "index must be larger or equal to 0"
    %read = tensor.extract %w[%row, %column] : tensor<10x4xf32>
    linalg.yield %read : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// An assert of something else stays, and so does one whose bound is not known.

// CHECK-LABEL: func.func @other(
// CHECK: cf.assert
// CHECK-LABEL: func.func @dynamic(
// CHECK: cf.assert
func.func @other(%x: tensor<3xf32>, %ok: i1) -> tensor<3xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<3xf32>) outs(%x : tensor<3xf32>) {
  ^bb0(%in: f32, %out: f32):
    cf.assert %ok, "something else"
    linalg.yield %in : f32
  } -> tensor<3xf32>
  return %y : tensor<3xf32>
}

func.func @dynamic(%w: tensor<?xf32>, %ids: tensor<3xi64>, %ok: i1) -> tensor<3xf32> {
  %init = tensor.empty() : tensor<3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%ids : tensor<3xi64>) outs(%init : tensor<3xf32>) {
  ^bb0(%id: i64, %out: f32):
    %row = arith.index_cast %id : i64 to index
    cf.assert %ok, "index must be smaller than dim size"
    %read = tensor.extract %w[%row] : tensor<?xf32>
    linalg.yield %read : f32
  } -> tensor<3xf32>
  return %y : tensor<3xf32>
}
