// RUN: sparsam-opt %s --pass-pipeline="builtin.module(func.func(sparsam-carry-in-place))" | FileCheck %s
// RUN: sparsam-opt %s --sparsam-to-cpu | FileCheck %s --check-prefix=CPU

// CHECK-LABEL: @rotate
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %[[N:.*]] = %{{.*}})
// CHECK:   %[[SUM:.*]] = linalg.generic
// CHECK:   %[[OLD_A:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK:   %[[NEW_A:.*]] = bufferization.materialize_in_destination %[[SUM]] in %[[A]]
// CHECK:   %[[NEW_B:.*]] = bufferization.materialize_in_destination %[[OLD_A]] in %[[B]]
// CHECK:   scf.yield %[[NEW_A]], %[[NEW_B]], %{{.*}} : tensor<4xf32>, tensor<4xf32>, i32

// What is carried has one buffer, and no loop allocates.
// CPU-LABEL: func.func @rotate
// CPU-NOT: memref.alloc
// CPU: return
func.func @rotate(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %one = arith.constant 1 : i32
  %init = tensor.empty() : tensor<4xf32>
  %r:3 = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %x, %b = %y, %n = %one)
      -> (tensor<4xf32>, tensor<4xf32>, i32) {
    %sum = linalg.generic {
      indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>,
                       affine_map<(d0) -> (d0)>],
      iterator_types = ["parallel"]
    } ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%init : tensor<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
    } -> tensor<4xf32>
    %next = arith.addi %n, %one : i32
    scf.yield %sum, %a, %next : tensor<4xf32>, tensor<4xf32>, i32
  }
  return %r#0 : tensor<4xf32>
}

// CHECK-LABEL: @while
// CHECK: scf.condition(%{{.*}}) %{{.*}}, %{{.*}} : i32, tensor<4xf32>
// CHECK: ^bb0(%{{.*}}: i32, %[[V:.*]]: tensor<4xf32>):
// CHECK:   %[[DOUBLE:.*]] = arith.addf
// CHECK:   %[[NEXT:.*]] = bufferization.materialize_in_destination %[[DOUBLE]] in %[[V]]
// CHECK:   scf.yield %{{.*}}, %[[NEXT]]
// CPU-LABEL: func.func @while
// CPU-NOT: memref.alloc
// CPU: return
func.func @while(%x: tensor<4xf32>, %n: tensor<i32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %end = tensor.extract %n[] : tensor<i32>
  %r:2 = scf.while (%i = %c0, %v = %x) : (i32, tensor<4xf32>) -> (i32, tensor<4xf32>) {
    %more = arith.cmpi slt, %i, %end : i32
    scf.condition(%more) %i, %v : i32, tensor<4xf32>
  } do {
  ^bb0(%i: i32, %v: tensor<4xf32>):
    %next = arith.addi %i, %c1 : i32
    %double = arith.addf %v, %v : tensor<4xf32>
    scf.yield %next, %double : i32, tensor<4xf32>
  }
  return %r#1 : tensor<4xf32>
}

// A loop inside that overwrites what it starts from starts from a copy where something
// else reads that too, here the sum after it; otherwise it stays in place.
// CHECK-LABEL: @nested
// CHECK: scf.for {{.*}} iter_args(%[[OUTER:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}) -> (tensor<4xf32>, tensor<4xf32>)
// CHECK:   %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[OUTER]])
// CHECK:   %[[INNER:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[COPY]])
// CHECK:   %[[ADDED:.*]] = arith.addf %[[SUM]], %[[OUTER]]
// CHECK:   %[[NEXT:.*]] = bufferization.materialize_in_destination %[[INNER]] in %[[OUTER]]
// CHECK:   scf.yield %[[NEXT]],
// CPU-LABEL: func.func @nested
// CHECK-LABEL: @nested_alone
// CHECK: scf.for {{.*}} iter_args(%[[OUTER:[^ ]*]] =
// CHECK:   %[[INNER:[^ ]*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[OUTER]])
// CHECK:   scf.yield %[[INNER]]
// CPU-LABEL: func.func @nested_alone
func.func @nested(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %r, %total = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %s = %zero)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %inner = scf.for %j = %c0 to %c3 step %c1 iter_args(%b = %a) -> tensor<4xf32> {
      %double = arith.addf %b, %b : tensor<4xf32>
      scf.yield %double : tensor<4xf32>
    }
    %sum = arith.addf %s, %a : tensor<4xf32>
    scf.yield %inner, %sum : tensor<4xf32>, tensor<4xf32>
  }
  return %r, %total : tensor<4xf32>, tensor<4xf32>
}
func.func @nested_alone(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<4xf32> {
    %inner = scf.for %j = %c0 to %c3 step %c1 iter_args(%b = %a) -> tensor<4xf32> {
      %double = arith.addf %b, %b : tensor<4xf32>
      scf.yield %double : tensor<4xf32>
    }
    scf.yield %inner : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// What is carried twice is written to the second buffer from the first.
// CHECK-LABEL: @carried_twice
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK:   %[[SUM:.*]] = linalg.generic
// CHECK-NOT: bufferization.alloc_tensor
// CHECK:   %[[NEW_A:.*]] = bufferization.materialize_in_destination %[[SUM]] in %[[A]]
// CHECK:   %[[NEW_B:.*]] = bufferization.materialize_in_destination %[[NEW_A]] in %[[B]]
// CHECK:   scf.yield %[[NEW_A]], %[[NEW_B]]
// CPU-LABEL: func.func @carried_twice
func.func @carried_twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %init = tensor.empty() : tensor<4xf32>
  %r:2 = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %x, %b = %x)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %sum = linalg.generic {
      indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>,
                       affine_map<(d0) -> (d0)>],
      iterator_types = ["parallel"]
    } ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%init : tensor<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
    } -> tensor<4xf32>
    scf.yield %sum, %sum : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// An update stays in place where it is carried; elsewhere it is copied from there.
// CHECK-LABEL: @update_at_both
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK-NEXT: %[[NEW_A:.*]] = tensor.insert %{{.*}} into %[[A]]
// CHECK-NEXT: %[[NEW_B:.*]] = bufferization.materialize_in_destination %[[NEW_A]] in %[[B]]
// CHECK-NEXT: scf.yield %[[NEW_A]], %[[NEW_B]]
// CPU-LABEL: func.func @update_at_both
func.func @update_at_both(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %v = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x, %b = %x)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %new = tensor.insert %v into %a[%i] : tensor<4xf32>
    scf.yield %new, %new : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// What it was made in may be written over before: it is moved out of the way.
// CHECK-LABEL: @update_elsewhere
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK-NEXT: %[[UPDATE:.*]] = tensor.insert %{{.*}} into %[[A]]
// CHECK-NEXT: %[[OLD_B:.*]] = bufferization.alloc_tensor() copy(%[[B]])
// CHECK-NEXT: %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[UPDATE]])
// CHECK-NEXT: %[[NEW_A:.*]] = bufferization.materialize_in_destination %[[OLD_B]] in %[[A]]
// CHECK-NEXT: %[[NEW_B:.*]] = bufferization.materialize_in_destination %[[COPY]] in %[[B]]
// CHECK-NEXT: scf.yield %[[NEW_A]], %[[NEW_B]]
// CPU-LABEL: func.func @update_elsewhere
func.func @update_elsewhere(%x: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %v = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x, %b = %y)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %new = tensor.insert %v into %a[%i] : tensor<4xf32>
    scf.yield %b, %new : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// An update of what is carried on under another name, too, starts from a copy.
// CHECK-LABEL: @still_read
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK-NEXT: %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK-NEXT: %[[UPDATE:.*]] = tensor.insert %{{.*}} into %[[COPY]]
// CHECK: scf.yield
// CPU-LABEL: func.func @still_read
func.func @still_read(%x: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %v = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x, %b = %y)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %new = tensor.insert %v into %a[%i] : tensor<4xf32>
    scf.yield %new, %a : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// Loops inside that start from each other's value: both results are copied before the
// buffers that they are in are written.
// CHECK-LABEL: @swapped_inside
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK: %[[OF_B:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[B]])
// CHECK: %[[OF_A:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[A]])
// CHECK: %[[COPY_B:.*]] = bufferization.alloc_tensor() copy(%[[OF_B]])
// CHECK: %[[COPY_A:.*]] = bufferization.alloc_tensor() copy(%[[OF_A]])
// CHECK: bufferization.materialize_in_destination %[[COPY_B]] in %[[A]]
// CHECK: bufferization.materialize_in_destination %[[COPY_A]] in %[[B]]
// CPU-LABEL: func.func @swapped_inside
func.func @swapped_inside(%x: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>) {
  %v = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x, %b = %y)
      -> (tensor<4xf32>, tensor<4xf32>) {
    %of_b = scf.for %j = %c0 to %i step %c1 iter_args(%c = %b) -> (tensor<4xf32>) {
      %0 = tensor.insert %v into %c[%j] : tensor<4xf32>
      scf.yield %0 : tensor<4xf32>
    }
    %of_a = scf.for %j = %c0 to %i step %c1 iter_args(%c = %a) -> (tensor<4xf32>) {
      %0 = tensor.insert %v into %c[%j] : tensor<4xf32>
      scf.yield %0 : tensor<4xf32>
    }
    scf.yield %of_b, %of_a : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// A condition that hands on less, or in another order, hands on all in order.
// CHECK-LABEL: @handed_on
// CHECK: scf.while (%[[N:.*]] = %{{.*}}, %[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK: scf.condition(%{{.*}}) %[[N]], %[[A]], %[[B]] :
// CHECK: ^bb0(%{{.*}}: i32, %[[IN_A:.*]]: tensor<4xf32>, %[[IN_B:.*]]: tensor<4xf32>):
// CHECK: %[[OLD_B:.*]] = bufferization.alloc_tensor() copy(%[[IN_B]])
// CHECK: %[[NEW_A:.*]] = bufferization.materialize_in_destination %[[OLD_B]] in %[[IN_A]]
// CHECK: bufferization.materialize_in_destination %{{.*}} in %[[IN_B]]
// CPU-LABEL: func.func @handed_on
// CPU: return
func.func @handed_on(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %r:2 = scf.while (%n = %c0, %a = %x, %b = %y)
      : (i32, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, i32) {
    %more = arith.cmpi slt, %n, %c4 : i32
    scf.condition(%more) %b, %n : tensor<4xf32>, i32
  } do {
  ^bb0(%b: tensor<4xf32>, %n: i32):
    %next = arith.addi %n, %c1 : i32
    %init = tensor.empty() : tensor<4xf32>
    %double = linalg.add ins(%b, %b : tensor<4xf32>, tensor<4xf32>)
        outs(%init : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %next, %b, %double : i32, tensor<4xf32>, tensor<4xf32>
  }
  return %r#0 : tensor<4xf32>
}

// A part is inserted into a copy of what comes from outside of the loop, since the next
// iteration needs it as it was.
// CHECK-LABEL: @part_from_outside
// CHECK-SAME: %{{.*}}: tensor<4x3xf32>, %[[BASE:.*]]: tensor<4x3xf32>
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}) ->
// CHECK:   %[[PART:.*]] = linalg.generic
// CHECK:   %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[BASE]])
// CHECK:   tensor.insert_slice %[[PART]] into %[[COPY]]
// CPU-LABEL: func.func @part_from_outside
func.func @part_from_outside(%x: tensor<4x3xf32>, %base: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %init = tensor.empty() : tensor<2x3xf32>
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> (tensor<4x3xf32>) {
    %rows = tensor.extract_slice %a[1, 0] [2, 3] [1, 1] : tensor<4x3xf32> to tensor<2x3xf32>
    %part = linalg.generic {
      indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]
    } ins(%rows : tensor<2x3xf32>) outs(%init : tensor<2x3xf32>) {
    ^bb0(%p: f32, %o: f32):
      %s = arith.addf %p, %p : f32
      linalg.yield %s : f32
    } -> tensor<2x3xf32>
    %new = tensor.insert_slice %part into %base[%i, 0] [2, 3] [1, 1]
        : tensor<2x3xf32> into tensor<4x3xf32>
    scf.yield %new : tensor<4x3xf32>
  }
  return %r : tensor<4x3xf32>
}

// One branch hands on what the other carried value is made in: each hands on a copy.
// CHECK-LABEL: @mixed
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) ->
// CHECK:   %[[IF:.*]]:2 = scf.if
// CHECK:     %[[KEPT:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK:     %[[PUT:.*]] = tensor.insert_slice %{{.*}} into %[[B]]
// CHECK:     %[[NEW:.*]] = bufferization.alloc_tensor() copy(%[[PUT]])
// CHECK:     scf.yield %[[NEW]], %[[KEPT]]
// CHECK:   } else {
// CHECK-DAG: %[[FIRST:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK-DAG: %[[SECOND:.*]] = bufferization.alloc_tensor() copy(%[[B]])
// CHECK:     scf.yield %[[FIRST]], %[[SECOND]]
// CHECK:   %[[TO_A:.*]] = bufferization.materialize_in_destination %[[IF]]#0 in %[[A]]
// CHECK:   %[[TO_B:.*]] = bufferization.materialize_in_destination %[[IF]]#1 in %[[B]]
// CHECK:   scf.yield %[[TO_A]], %[[TO_B]]
// CPU-LABEL: func.func @mixed
func.func @mixed(%x: tensor<4x3xf32>, %y: tensor<4x3xf32>, %flag: tensor<i1>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %swaps = tensor.extract %flag[] : tensor<i1>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
    %new:2 = scf.if %swaps -> (tensor<4x3xf32>, tensor<4x3xf32>) {
      %row = tensor.extract_slice %a[0, 0] [1, 3] [1, 1] : tensor<4x3xf32> to tensor<1x3xf32>
      %put = tensor.insert_slice %row into %b[%i, 0] [1, 3] [1, 1] : tensor<1x3xf32> into tensor<4x3xf32>
      scf.yield %put, %a : tensor<4x3xf32>, tensor<4x3xf32>
    } else {
      scf.yield %a, %b : tensor<4x3xf32>, tensor<4x3xf32>
    }
    scf.yield %new#0, %new#1 : tensor<4x3xf32>, tensor<4x3xf32>
  }
  return %r#0, %r#1 : tensor<4x3xf32>, tensor<4x3xf32>
}

// One branch hands on a slice, the other a tensor of its own: the slice is copied.
// CHECK-LABEL: @slice_or_sum
// CHECK: scf.if
// CHECK:   %[[SLICE:.*]] = tensor.extract_slice
// CHECK:   %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[SLICE]])
// CHECK:   scf.yield %[[COPY]]
// CHECK: else
// CHECK-NOT: alloc_tensor
// CHECK:   scf.yield
// CPU-LABEL: func.func @slice_or_sum
func.func @slice_or_sum(%w: tensor<4x3xf32>, %x: tensor<2x3xf32>, %flag: tensor<i1>) -> tensor<2x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %cuts = tensor.extract %flag[] : tensor<i1>
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<2x3xf32> {
    %new = scf.if %cuts -> tensor<2x3xf32> {
      %slice = tensor.extract_slice %w[0, 0] [2, 3] [1, 1] : tensor<4x3xf32> to tensor<2x3xf32>
      scf.yield %slice : tensor<2x3xf32>
    } else {
      %init = tensor.empty() : tensor<2x3xf32>
      %sum = linalg.add ins(%a, %a : tensor<2x3xf32>, tensor<2x3xf32>) outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
      scf.yield %sum : tensor<2x3xf32>
    }
    scf.yield %new : tensor<2x3xf32>
  }
  return %r : tensor<2x3xf32>
}
