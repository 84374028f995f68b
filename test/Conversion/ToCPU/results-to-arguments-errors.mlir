// RUN: sparsam-opt %s --sparsam-results-to-arguments -split-input-file -verify-diagnostics

// expected-error @+1 {{argument 0 updates result 1, but there are 1 results}}
func.func @missing(%w: memref<4xf32> {sparsam.updates = 1 : i64}) -> memref<4xf32> {
  return %w : memref<4xf32>
}

// -----

// expected-error @+1 {{argument 1 updates result 0, which argument 0 updates already}}
func.func @twice(%a: memref<4xf32> {sparsam.updates = 0 : i64}, %b: memref<4xf32> {sparsam.updates = 0 : i64}) -> memref<4xf32> {
  return %a : memref<4xf32>
}

// -----

// expected-error @+1 {{argument 0 updates result 0 of another type: expected 'memref<4xf32>', found 'memref<8xf32>'}}
func.func @shape(%a: memref<4xf32> {sparsam.updates = 0 : i64}, %b: memref<8xf32>) -> memref<8xf32> {
  return %b : memref<8xf32>
}

// -----

// expected-error @+1 {{has an argument or result of type 'memref<?xf32>'; expected memrefs of static shape and identity layout}}
func.func @dynamic(%a: memref<?xf32>) {
  return
}

// -----

// expected-error @+1 {{has an argument or result of type 'index'}}
func.func @scalar(%a: index) {
  return
}

// -----

// expected-error @+1 {{has control flow between blocks; expected one block}}
func.func @blocks(%a: memref<4xf32>) {
  cf.br ^next
^next:
  return
}

// -----

func.func @recursive(%a: memref<4xf32>) {
  // expected-error @+1 {{calls the public function @recursive; expected calls to be inlined, which recursive ones cannot be}}
  call @recursive(%a) : (memref<4xf32>) -> ()
  return
}

// -----

// expected-error @+1 {{ends with 'llvm.unreachable'; expected func.return}}
func.func @unreachable(%a: memref<4xf32>) -> memref<4xf32> {
  llvm.unreachable
}

// -----

// expected-error @+1 {{has an argument or result of type 'memref<*xf32>'; expected memrefs of static shape and identity layout}}
func.func @unranked(%a: memref<*xf32>) {
  return
}
