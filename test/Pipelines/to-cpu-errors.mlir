// Compiled code knows every size, and each function runs from its top to its end.
// RUN: sparsam-opt %s --sparsam-to-cpu -split-input-file -verify-diagnostics

// expected-error @+1 {{has an argument or result of type 'memref<?xf32>'; expected memrefs of static shape and identity layout}}
func.func @dynamic(%a: tensor<?xf32>) -> tensor<?xf32> {
  return %a : tensor<?xf32>
}

// -----

// expected-error @+1 {{has an argument or result of type 'memref<*xf32>'; expected memrefs of static shape and identity layout}}
func.func @unranked(%a: tensor<*xf32>) -> tensor<*xf32> {
  return %a : tensor<*xf32>
}

// -----

// expected-error @+1 {{has an argument or result of type 'f32'; expected memrefs of static shape and identity layout}}
func.func @scalar(%a: f32) -> f32 {
  return %a : f32
}

// -----

// expected-error @+1 {{has control flow between blocks; expected one block}}
func.func @blocks(%p: tensor<i1>, %a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tensor.extract %p[] : tensor<i1>
  cf.cond_br %0, ^then, ^else
^then:
  %1 = math.exp %a : tensor<4xf32>
  return %1 : tensor<4xf32>
^else:
  return %a : tensor<4xf32>
}

// -----

func.func @recursive(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{calls the public function @recursive; expected calls to be inlined, which recursive ones cannot be}}
  %0 = call @recursive(%a) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @+1 {{argument 0 updates result -1, but there are 1 results}}
func.func @updates(%a: tensor<4xf32> {sparsam.updates = -1 : i64}) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// A module without functions is compiled to one.
module {}
