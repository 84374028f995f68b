// RUN: sparsam-opt %s -sparsam-count-flops -split-input-file -verify-diagnostics | FileCheck %s
// RUN: sparsam-opt %s -sparsam-propagate -split-input-file 2>/dev/null | FileCheck %s --check-prefix=RULES

// Nothing changes.
// CHECK-LABEL: func.func @dense
// CHECK-NEXT:    linalg.matmul
// CHECK-NEXT:    return
// expected-remark@+1 {{@dense has 1024 FLOPs in products: contractions 1024}}
func.func @dense(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %zero: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
      outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// Two for each of 32 stored values and 8 rows, and the same for the gradient.
// expected-remark@+1 {{@patterns has 1024 FLOPs in products: spmm 512, sddmm 512}}
func.func @patterns(%x: tensor<8x16xf32>, %dy: tensor<8x4xf32>, %values: tensor<4x8x1xf32>,
                    %indices: tensor<4x8xi16>, %e: tensor<8x4xf32>, %ev: tensor<4x8x1xf32>)
    -> (tensor<8x4xf32>, tensor<4x8x1xf32>) {
  %y = sparsam.spmm %x, %values, %indices into %e {structure = #sparsam.nm<2:4>}
      : (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
      -> tensor<8x4xf32>
  %dv = sparsam.sddmm %x, %dy on %indices into %ev {structure = #sparsam.nm<2:4>}
      : (tensor<8x16xf32>, tensor<8x4xf32>, tensor<4x8xi16>, tensor<4x8x1xf32>)
      -> tensor<4x8x1xf32>
  return %y, %dv : tensor<8x4xf32>, tensor<4x8x1xf32>
}

// -----

// Of four operands, three multiplications and an addition at each point; the order in which
// sparsam-propagate takes them is what makes factors cheap.
// RULES-LABEL: func.func @einsum
// RULES-NOT:     sparsam.einsum
// expected-remark@+1 {{@einsum has 12288 FLOPs in products: einsums 12288}}
func.func @einsum(%x: tensor<8x16xf32>, %u: tensor<16x2xf32>, %s: tensor<2x3xf32>,
                  %v: tensor<3x4xf32>) -> tensor<8x4xf32> {
  %y = sparsam.einsum "tk,kp,pq,qn->tn"(%x, %u, %s, %v)
      : (tensor<8x16xf32>, tensor<16x2xf32>, tensor<2x3xf32>, tensor<3x4xf32>)
      -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// expected-remark@+1 {{@loop has 3072 FLOPs in products: contractions 3072}}
func.func @loop(%x: tensor<8x16xf32>, %w: tensor<16x16xf32>, %zero: tensor<8x4xf32>,
                %v: tensor<16x4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c6 = arith.constant 6 : index
  %y = scf.for %i = %c0 to %c6 step %c2 iter_args(%acc = %zero) -> (tensor<8x4xf32>) {
    %next = linalg.matmul ins(%x, %v : tensor<8x16xf32>, tensor<16x4xf32>)
        outs(%acc : tensor<8x4xf32>) -> tensor<8x4xf32>
    scf.yield %next : tensor<8x4xf32>
  }
  return %y : tensor<8x4xf32>
}

// -----

// The dearer branch, and what a called function costs each time.
// expected-remark@+1 {{@product has 1024 FLOPs in products: contractions 1024}}
func.func private @product(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %zero: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
      outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// expected-remark@+1 {{@branch has 2048 FLOPs in products: contractions 2048}}
func.func @branch(%p: i1, %x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %zero: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %y = scf.if %p -> tensor<8x4xf32> {
    %a = func.call @product(%x, %w, %zero)
        : (tensor<8x16xf32>, tensor<16x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
    %b = func.call @product(%x, %w, %a)
        : (tensor<8x16xf32>, tensor<16x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
    scf.yield %b : tensor<8x4xf32>
  } else {
    %a = func.call @product(%x, %w, %zero)
        : (tensor<8x16xf32>, tensor<16x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
    scf.yield %a : tensor<8x4xf32>
  }
  return %y : tensor<8x4xf32>
}

// -----

// Twelve windows of three in four channels, six filters.
// expected-remark@+1 {{@convolution has 1152 FLOPs in products: convolutions 1152}}
func.func @convolution(%x: tensor<2x9x4xf32>, %w: tensor<3x4x6xf32>, %zeros: tensor<2x4x6xf32>)
    -> tensor<2x4x6xf32> {
  %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : vector<1xi64>,
                               strides = dense<2> : vector<1xi64>}
      ins(%x, %w : tensor<2x9x4xf32>, tensor<3x4x6xf32>)
      outs(%zeros : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  return %y : tensor<2x4x6xf32>
}

// -----

// Operands that are widened on the way are as much work.
// expected-remark@+1 {{@narrow has 1024 FLOPs in products: contractions 1024}}
func.func @narrow(%x: tensor<8x16xbf16>, %w: tensor<16x4xbf16>, %zero: tensor<8x4xf32>)
    -> tensor<8x4xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<8x16xbf16>, tensor<16x4xbf16>)
      outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>
#both = affine_map<(i, j) -> (i, j)>

// The gradient of a weight where the batch is one: a contraction of length one.
// expected-remark@+1 {{@outer has 64 FLOPs in products: contractions 64}}
func.func @outer(%x: tensor<8xf32>, %y: tensor<4xf32>, %e: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %r = linalg.generic {indexing_maps = [#row, #column, #both],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<8xf32>, tensor<4xf32>) outs(%e : tensor<8x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// -----

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

// expected-remark@+1 {{@none has 0 FLOPs in products}}
func.func @none(%x: tensor<8xf32>, %y: tensor<8xf32>, %e: tensor<8xf32>, %zero: tensor<f32>)
    -> (tensor<8xf32>, tensor<f32>, tensor<f32>) {
  %product = linalg.mul ins(%x, %y : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>)
      -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<8xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.addf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %norm = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<8xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.mulf %a, %a : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<f32>
  return %product, %sum, %norm : tensor<8xf32>, tensor<f32>, tensor<f32>
}
