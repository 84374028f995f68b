// RUN: sparsam-opt %s --sparsam-apply-structure="structures={*=frozen}" | FileCheck %s

// What trains nothing needs neither a gradient nor an optimizer that is elementwise.
// CHECK-LABEL: func.func @step(
//  CHECK-SAME:   %{{[^:]*}}: tensor<16x4xf32, #sparsam.frozen> {{[^%]*}}%{{[^:]*}}: tensor<16x4xf32, #sparsam.frozen>
func.func @step(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.no_gradient},
                %b: tensor<16x4xf32> {sparsam.param = "b", sparsam.not_elementwise}) {
  return
}
