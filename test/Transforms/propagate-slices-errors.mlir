// RUN: sparsam-opt %s --sparsam-propagate --split-input-file --verify-diagnostics | FileCheck %s

// What couples a group is named, and its parameters are dense, which is right.
// CHECK-LABEL: func.func @argument
// CHECK:         %[[W:.+]] = sparsam.densify
// CHECK:         linalg.matmul ins(%[[W]]
func.func @argument(%v: tensor<4x6xf32>, %i: tensor<6xi16>,
                    // expected-note @below {{here}}
                    %x: tensor<8x3xf32>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-remark @below {{group "g" is not sliced here: argument 2 has it, which is no parameter}}
  // expected-remark @below {{a parameter of #sparsam.slice<group = "g", keep = 6, columns = [0:1x8x1]> is made dense: its group is not sliced in this function}}
  %w = sparsam.densify %v, %i {structure = #sparsam.slice<group = "g", keep = 6, columns = [0:1x8x1]>}
      : (tensor<4x6xf32>, tensor<6xi16>) -> tensor<4x8xf32>
  // expected-note @below {{used here}}
  %y = linalg.matmul ins(%w, %x : tensor<4x8xf32>, tensor<8x3xf32>)
      outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// One parameter is in two groups of which one is coupled: both are dense. Of the other
// parameter of the second group that is said too.
// CHECK-LABEL: func.func @both
// CHECK-COUNT-2: sparsam.densify
func.func @both(%v: tensor<3x6xf32>, %i: tensor<3xi16>, %j: tensor<6xi16>, %u: tensor<6x2xf32>,
                // expected-note @below {{here}}
                %x: tensor<5x4xf32>, %z: tensor<5x8xf32>, %z2: tensor<5x2xf32>) -> tensor<5x2xf32> {
  // expected-remark @below {{group "g" is not sliced here: argument 4 has it, which is no parameter}}
  // expected-remark @below {{is made dense: its group is not sliced in this function}}
  %w = sparsam.densify %v, %i, %j {structure = #sparsam.slice<
      group = "g", keep = 3, rows = [0:1x4x1], group = "h", keep = 6, columns = [0:1x8x1]>}
      : (tensor<3x6xf32>, tensor<3xi16>, tensor<6xi16>) -> tensor<4x8xf32>
  // expected-remark @below {{group "h" is not sliced here}}
  // expected-remark @below {{is made dense: its group is not sliced in this function}}
  %b = sparsam.densify %u, %j {structure = #sparsam.slice<group = "h", keep = 6, rows = [0:1x8x1]>}
      : (tensor<6x2xf32>, tensor<6xi16>) -> tensor<8x2xf32>
  // expected-note @below {{used here}}
  %h = linalg.matmul ins(%x, %w : tensor<5x4xf32>, tensor<4x8xf32>)
      outs(%z : tensor<5x8xf32>) -> tensor<5x8xf32>
  // expected-note @below {{used here}}
  %y = linalg.matmul ins(%h, %b : tensor<5x8xf32>, tensor<8x2xf32>)
      outs(%z2 : tensor<5x2xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// -----

// Two groups that this function makes one.
// CHECK-LABEL: func.func @two
// CHECK-COUNT-2: sparsam.densify
func.func @two(%v: tensor<4x6xf32>, %i: tensor<6xi16>, %u: tensor<5x2xf32>, %j: tensor<5xi16>,
               %z: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-remark @below {{group "g" is not sliced here: this function makes one axis of groups "g" and "h"}}
  // expected-remark @below {{is made dense}}
  %w = sparsam.densify %v, %i {structure = #sparsam.slice<group = "g", keep = 6, columns = [0:1x8x1]>}
      : (tensor<4x6xf32>, tensor<6xi16>) -> tensor<4x8xf32>
  // expected-note @below {{here}}
  // expected-remark @below {{group "h" is not sliced here: this function makes one axis of groups "g" and "h"}}
  // expected-remark @below {{is made dense}}
  %b = sparsam.densify %u, %j {structure = #sparsam.slice<group = "h", keep = 5, rows = [0:1x8x1]>}
      : (tensor<5x2xf32>, tensor<5xi16>) -> tensor<8x2xf32>
  // expected-note @below {{used here}}
  %y = linalg.matmul ins(%w, %b : tensor<4x8xf32>, tensor<8x2xf32>)
      outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
