// RUN: sparsam-opt %s -sparsam-lower-storage -split-input-file | FileCheck %s
// RUN: sparsam-opt %s -split-input-file | sparsam-opt -split-input-file | FileCheck %s --check-prefix=TEXT

// The score of an entry is its sum of squares over all parameters of the group.
// CHECK-LABEL: func @select
// CHECK-SAME:    (%[[W:.+]]: tensor<5x12xf32>, %[[V:.+]]: tensor<12xf32>)
// CHECK:         %[[ALL:.+]] = tensor.extract_slice %[[W]][0, 0] [5, 12]
// CHECK:         %[[HEADS:.+]] = tensor.expand_shape %[[ALL]] {{.*}} into tensor<5x2x3x2xf32>
// CHECK:         %[[FIRST:.+]] = linalg.generic {{.*}}["reduction", "reduction", "parallel", "reduction"]
// CHECK-SAME:      ins(%[[HEADS]]
// CHECK:           arith.mulf
// CHECK:         linalg.generic {{.*}} outs(%[[FIRST]]
// CHECK:         call @sparsam_largest_f32
// CHECK:         arith.trunci %{{.+}} : i64 to i16
// TEXT-LABEL: func @select
// TEXT:         sparsam.select_coupled "heads" of
// TEXT-SAME:      #sparsam.slice<group = "heads", keep = 2, columns = [0:2x3x2]>
func.func @select(%w: tensor<5x12xf32>, %v: tensor<12xf32>) -> tensor<2xi16> {
  %i = sparsam.select_coupled "heads" of %w, %v {structures = [
      #sparsam.slice<group = "heads", keep = 2, columns = [0:2x3x2]>,
      #sparsam.slice<group = "heads", keep = 2, columns = [0:2x3x2]>]}
      : (tensor<5x12xf32>, tensor<12xf32>) -> tensor<2xi16>
  return %i : tensor<2xi16>
}

// -----

// Rows and columns of two groups; a stored slice is read at its kept rows and columns.
// CHECK-LABEL: func @restrict
// CHECK-SAME:    (%[[W:.+]]: tensor<6x4xf32>, %[[R:.+]]: tensor<3xi16>, %[[C:.+]]: tensor<2xi16>)
// CHECK:         scf.for {{.*}} -> (tensor<6xi1>)
// CHECK:         scf.for {{.*}} -> (tensor<4xi1>)
// CHECK:         scf.for {{.*}} -> (tensor<3xi32>, index)
// CHECK:         scf.for {{.*}} -> (tensor<2xi32>, index)
// CHECK:         linalg.generic
// CHECK:           tensor.extract %[[W]]
// CHECK:         -> tensor<3x2xf32>
// TEXT-LABEL: func @restrict
// TEXT:         #sparsam.slice<group = "r", keep = 3, rows = [0:1x6x1], group = "c", keep = 2, columns = [0:1x4x1]>
func.func @restrict(%w: tensor<6x4xf32>, %r: tensor<3xi16>, %c: tensor<2xi16>)
    -> tensor<3x2xf32> {
  %v = sparsam.restrict %w on %r, %c
      {structure = #sparsam.slice<group = "r", keep = 3, rows = [0:1x6x1],
                                  group = "c", keep = 2, columns = [0:1x4x1]>}
      : (tensor<6x4xf32>, tensor<3xi16>, tensor<2xi16>) -> tensor<3x2xf32>
  return %v : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: func @densify
// CHECK:         linalg.fill {{.*}} tensor<6x4xf64>
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             tensor.insert
func.func @densify(%v: tensor<4x4xf64>, %r: tensor<2xi16>) -> tensor<6x4xf64> {
  %w = sparsam.densify %v, %r
      {structure = #sparsam.slice<group = "r", keep = 2, rows = [0:2x3x1]>}
      : (tensor<4x4xf64>, tensor<2xi16>) -> tensor<6x4xf64>
  return %w : tensor<6x4xf64>
}

// -----

// A request is text, not storage.
// TEXT-LABEL: func @requests
// TEXT-SAME:    #sparsam.slice<keep = 3>
// TEXT-SAME:    #sparsam.slice<keep = 7.5{{0*}}e-01, in = [1]>
// TEXT-SAME:    #sparsam.slice<group = "a:1[3x(2)x10]", keep = 2>
func.func @requests(%a: tensor<4x4xf32> {test.a = #sparsam.slice<keep = 3>,
                                         test.b = #sparsam.slice<keep = 0.75, in = [1]>,
                                         test.c = #sparsam.slice<group = "a:1[3x(2)x10]", keep = 2>}) {
  return
}
