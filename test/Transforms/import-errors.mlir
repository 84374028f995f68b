// RUN: sparsam-opt %s -split-input-file -verify-diagnostics --allow-unregistered-dialect --sparsam-import

func.func @foreign(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{'iree_linalg_ext.sort' op is not known to Sparsam and cannot be imported}}
  %0 = "iree_linalg_ext.sort"(%x) <{dimension = 0 : i64}> ({
  ^bb0(%a: f32, %b: f32):
    %less = "arith.cmpf"(%a, %b) <{predicate = 4 : i64}> : (f32, f32) -> i1
    "iree_linalg_ext.yield"(%less) : (i1) -> ()
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @stablehlo(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{'stablehlo.add' op is not lowered to linalg; run `iree-compile --iree-input-type=stablehlo --compile-to=input` first}}
  %0 = "stablehlo.add"(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @hal(%x: tensor<4xf32>) {
  // expected-error @below {{'hal.tensor.barrier' op belongs to IREE's runtime}}
  "hal.tensor.barrier"(%x) : (tensor<4xf32>) -> ()
  return
}

// -----

// expected-error @below {{argument 0 has type '!hal.buffer_view'; hand the step over on tensors}}
func.func @type(%x: !hal.buffer_view) {
  return
}

// -----

// expected-error @below {{'util.func' op 'main' has no body; external functions cannot be imported}}
"util.func"() <{function_type = (f32) -> f32, sym_name = "main"}> ({}) : () -> ()

// -----

// expected-error @below {{'util.func' op expected a sym_name and a function_type}}
"util.func"() <{sym_name = "main"}> ({}) : () -> ()

// -----

// expected-error @below {{has the type '(f64) -> ()', which does not fit the arguments of its body}}
"util.func"() <{function_type = (f64) -> (), sym_name = "main"}> ({
^bb0(%x: f32):
  "util.return"() : () -> ()
}) : () -> ()

// -----

// expected-error @below {{expected 1 dictionaries in arg_attrs, found 2}}
"util.func"() <{arg_attrs = [{}, {}], function_type = (f64) -> (), sym_name = "main"}> ({
^bb0(%x: f64):
  "util.return"() : () -> ()
}) : () -> ()

// -----

func.func @barrier(%x: f32) {
  // expected-error @below {{expected results of the types of the operands}}
  %0 = "util.optimization_barrier"(%x) : (f32) -> f64
  return
}

// -----

func.func @operands(%u: tensor<4x8xf32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected 3 operands (updates, indices, original), found 2}}
  %0 = "iree_linalg_ext.scatter"(%u, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x8xf32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @dynamic(%u: tensor<?x8xf32>, %i: tensor<?x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected updates of static shape, found 'tensor<?x8xf32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<?x8xf32>, tensor<?x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @no_map(%u: tensor<4x8xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected an array of i64 as dimension_map}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) ({}) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @map(%u: tensor<4x8xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected dimension_map to permute the first 1 dimensions of 'tensor<96x8xf32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 1>}> ({}) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @updates(%u: tensor<f32>, %i: tensor<1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected updates with the 1 slice dimensions of 'tensor<96x8xf32>', found 'tensor<f32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<f32>, tensor<1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @indices(%u: tensor<4x8xf32>, %i: tensor<5x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected indices of the updates' batch dimensions and 1 components, found 'tensor<5x1xi32>' for 'tensor<4x8xf32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x8xf32>, tensor<5x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @index_type(%u: tensor<4x8xf32>, %i: tensor<4x1xf32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected signless integer indices, found 'tensor<4x1xf32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x8xf32>, tensor<4x1xf32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @slice(%u: tensor<4x9xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected update slices that fit into 'tensor<96x8xf32>', found 'tensor<4x9xf32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x9xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @result(%u: tensor<4x8xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected one result of the type of the original, 'tensor<96x8xf32>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<95x8xf32>
  return
}

// -----

func.func @element(%u: tensor<4x8xf64>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected updates of element type 'f32', found 'tensor<4x8xf64>'}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x8xf64>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @region(%u: tensor<4x8xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected one region of one block}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({}) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @yield(%u: tensor<4x8xf32>, %i: tensor<4x1xi32>, %w: tensor<96x8xf32>) {
  // expected-error @below {{expected a region that takes the update and the old value, of type 'f32', and yields the new one}}
  %0 = "iree_linalg_ext.scatter"(%u, %i, %w) <{dimension_map = array<i64: 0>}> ({
  ^bb0(%new: f32, %old: f32):
    "iree_linalg_ext.yield"() : () -> ()
  }) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
  return
}

// -----

func.func @scan_counts(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>, %d: tensor<?x5xf32>) {
  // expected-error @+1 {{expected 3 operands (input, output, accumulator) and 2 results, found 2 and 2}}
  %0:2 = "iree_linalg_ext.scan"(%x, %o) <{dimension = 0 : i64, inclusive = true}> ({}) : (tensor<7x5xf32>, tensor<7x5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>)
  return
}

// -----

func.func @scan_dynamic(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>, %d: tensor<?x5xf32>) {
  // expected-error @+1 {{expected an input of static shape, found 'tensor<?x5xf32>'}}
  %0:2 = "iree_linalg_ext.scan"(%d, %o, %a) <{dimension = 0 : i64, inclusive = true}> ({}) : (tensor<?x5xf32>, tensor<7x5xf32>, tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>)
  return
}

// -----

func.func @scan_dimension(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>, %d: tensor<?x5xf32>) {
  // expected-error @+1 {{expected a dimension of 'tensor<7x5xf32>', found 2 : i64}}
  %0:2 = "iree_linalg_ext.scan"(%x, %o, %a) <{dimension = 2 : i64, inclusive = true}> ({}) : (tensor<7x5xf32>, tensor<7x5xf32>, tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>)
  return
}

// -----

func.func @scan_exclusive(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>, %d: tensor<?x5xf32>) {
  // expected-error @+1 {{expected inclusive = true; what an exclusive scan starts from is not known}}
  %0:2 = "iree_linalg_ext.scan"(%x, %o, %a) <{dimension = 0 : i64, inclusive = false}> ({}) : (tensor<7x5xf32>, tensor<7x5xf32>, tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>)
  return
}

// -----

func.func @scan_results(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>, %d: tensor<?x5xf32>) {
  // expected-error @+1 {{expected results of types 'tensor<7x5xf32>' and 'tensor<5xf32>', found 'tensor<7x5xf32>', 'tensor<7xf32>'}}
  %0:2 = "iree_linalg_ext.scan"(%x, %o, %a) <{dimension = 0 : i64, inclusive = true}> ({}) : (tensor<7x5xf32>, tensor<7x5xf32>, tensor<5xf32>) -> (tensor<7x5xf32>, tensor<7xf32>)
  return
}

// -----

func.func @scan_region(%x: tensor<7x5xf32>, %o: tensor<7x5xf32>, %a: tensor<5xf32>, %d: tensor<?x5xf32>) {
  // expected-error @+1 {{expected one region of one block}}
  %0:2 = "iree_linalg_ext.scan"(%x, %o, %a) <{dimension = 0 : i64, inclusive = true}> ({}) : (tensor<7x5xf32>, tensor<7x5xf32>, tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>)
  return
}
