// RUN: sparsam-opt %s --sparsam-plan-memory -split-input-file -verify-diagnostics

func.func @dynamic(%n: index) {
  // expected-error @+1 {{of type 'memref<?xf32>': expected static shape, identity layout and numbers}}
  %0 = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

func.func @parallel(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    // expected-error @+1 {{is inside a parallel loop, whose iterations would share it}}
    %0 = memref.alloc() : memref<f32>
    %1 = memref.load %x[%i] : memref<8xf32>
    memref.store %1, %0[] : memref<f32>
  }
  return
}

// -----

func.func @handed_on(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %first = memref.alloc() : memref<8xf32>
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %first) -> (memref<8xf32>) {
    // expected-error @+1 {{is handed on by the loop that it is inside of}}
    %next = memref.alloc() : memref<8xf32>
    linalg.exp ins(%a : memref<8xf32>) outs(%next : memref<8xf32>)
    scf.yield %next : memref<8xf32>
  }
  linalg.exp ins(%r : memref<8xf32>) outs(%x : memref<8xf32>)
  return
}

// -----

// expected-error @+1 {{has control flow between blocks; expected one block}}
func.func @blocks() {
  cf.br ^next
^next:
  return
}

// -----

func.func @elements() {
  // expected-error @+1 {{of type 'memref<4xvector<4xf32>>': expected static shape, identity layout and numbers}}
  %0 = memref.alloc() : memref<4xvector<4xf32>>
  return
}

// -----

func.func private @recursive(%a: memref<4xf32>) {
  %0 = memref.alloc() : memref<4xf32>
  memref.copy %0, %a : memref<4xf32> to memref<4xf32>
  // expected-error @+1 {{calls @recursive, which is calling it; expected no recursion}}
  call @recursive(%a) : (memref<4xf32>) -> ()
  return
}

// -----

func.func private @first(%a: memref<4xf32>) {
  call @second(%a) : (memref<4xf32>) -> ()
  return
}
func.func private @second(%a: memref<4xf32>) {
  // expected-error @+1 {{calls @first, which is calling it; expected no recursion}}
  call @first(%a) : (memref<4xf32>) -> ()
  return
}

// -----

func.func private @callee(%a: memref<4xf32>) {
  %0 = memref.alloc() : memref<4xf32>
  memref.copy %0, %a : memref<4xf32> to memref<4xf32>
  return
}
func.func private @indirect(%a: memref<4xf32>) {
  // expected-error @+1 {{refers to @callee, which takes a workspace; expected calls only}}
  %f = func.constant @callee : (memref<4xf32>) -> ()
  func.call_indirect %f(%a) : (memref<4xf32>) -> ()
  return
}
