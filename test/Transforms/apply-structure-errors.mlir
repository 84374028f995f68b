// RUN: sparsam-opt %s --sparsam-apply-structure="structures=a=nm<2:4>" --split-input-file --verify-diagnostics
// RUN: not sparsam-opt %s --sparsam-apply-structure="structures=no/*=nm<2:4>" 2>&1 | FileCheck %s --check-prefix=GLOB
// RUN: not sparsam-opt %s --sparsam-apply-structure="structures=a" 2>&1 | FileCheck %s --check-prefix=PAIR
// RUN: not sparsam-opt %s --sparsam-apply-structure="structures=a=nm<2>" 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not sparsam-opt %s --sparsam-apply-structure="structures=a=sparse" 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// RUN: sparsam-opt %S/apply-structure.mlir --split-input-file --sparsam-apply-structure="structures=*=dense;*=nm<2:4>" 2>&1 | FileCheck %s --check-prefix=SHADOW

// SHADOW: warning: `*` decides nothing: earlier globs match all parameters that it matches
// GLOB: error: `no/*` matches no parameter; there are a
// PAIR: error: expected `glob=structure`, found `a`
// TEXT: error: structure `nm<2>` does not parse: expected ':', found `>`
// UNKNOWN: error: structure `sparse` does not parse: unknown structure `sparse`, expected one of

// expected-error@+1 {{a: #sparsam.nm<2:4> needs inputs that are a multiple of M = 4, found 15 (remainder 3)}}
func.func @inputs(%a: tensor<15x4xf32> {sparsam.param = "a"}) {
  return
}

// -----

// The view, which the product gives, is not shown: nobody wrote it.
// expected-error@+1 {{a: #sparsam.nm<2:4> needs inputs that are a multiple of M = 4, found 6 (remainder 2)}}
func.func @view(%a: tensor<16x6xf32> {sparsam.param = "a"}, %x: tensor<8x6xf32>, %y: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %a : tensor<8x6xf32>, tensor<16x6xf32>) outs(%y : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %s: f32):
    %1 = arith.mulf %p, %q : f32
    %2 = arith.addf %s, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

// expected-error@+1 {{a: #sparsam.nm<2:4, in = [1]> needs inputs that are a multiple of M = 4, found 6 (remainder 2)}}
func.func @written_view(%a: tensor<16x6xf32> {sparsam.param = "a", sparsam.structure = #sparsam.nm<2:4, in = [1]>}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.nm<2:4> was asked for, but no gradient is known to reach this parameter's update: the work on it cannot be told from the optimizer's; leave it dense}}
func.func @no_gradient_and_why(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.no_gradient = "the work on it cannot be told from the optimizer's", sparsam.structure = #sparsam.nm<2:4>}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.low_rank<2> was asked for, but the optimizer is not elementwise in this parameter's gradient, which enters 'linalg.matmul'; choose a pattern structure or dense}}
func.func @muon_and_why(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.structure = #sparsam.low_rank<2>, sparsam.not_elementwise = "which enters 'linalg.matmul'"}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.nm<2:4> needs elements of bf16, f16, f32 or f64, found 'i32'}}
func.func @elements(%a: tensor<16x4xi32> {sparsam.param = "a"}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.nm<2:4> needs inputs that are a multiple of M = 4, found 1 (remainder 1)}}
func.func @vector(%a: tensor<16xf32> {sparsam.param = "a"}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.nm<2:4> needs a tensor, found 'f32'}}
func.func @scalar(%a: f32 {sparsam.param = "a"}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.nm<2:4> was asked for, but no gradient is known to reach this parameter's update; leave it dense}}
func.func @no_gradient(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.no_gradient}) {
  return
}

// -----

// The attribute comes before the option.
// expected-error@+1 {{a: #sparsam.low_rank<5> has a rank larger than the shape: expected at most 4 for 16x4}}
func.func @rank(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.structure = #sparsam.low_rank<5>}) {
  return
}

// -----

// expected-error@+1 {{a: #sparsam.low_rank<2> was asked for, but the optimizer is not elementwise in this parameter's gradient}}
func.func @muon(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.structure = #sparsam.low_rank<2>, sparsam.not_elementwise}) {
  return
}

// -----

// expected-error@+1 {{a: sparsam.structure is "nm", expected a structure}}
func.func @attribute(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.structure = "nm"}) {
  return
}

// -----

// expected-error@+1 {{a of 'tensor<16x4xf32>' is updated by result 0 of 'tensor<4xf32>'}}
func.func @updates(%a: tensor<16x4xf32> {sparsam.param = "a", sparsam.updates = 0 : i64}, %b: tensor<4xf32>) -> tensor<4xf32> {
  return %b : tensor<4xf32>
}
