// RUN: sparsam-opt %s --sparsam-generics-to-loops --canonicalize -split-input-file | FileCheck %s

// Small: no threads, and one loop over what memory runs through as one.
// CHECK-LABEL: func.func @small(
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK-NOT:     scf.parallel
// CHECK:         scf.for %{{.*}} = %{{.*}} to %[[C32]]
// CHECK-NEXT:      memref.load
// CHECK-NEXT:      math.exp
// CHECK-NEXT:      memref.store
func.func @small(%a: memref<4x8xf32>, %b: memref<4x8xf32>) {
  linalg.exp ins(%a : memref<4x8xf32>) outs(%b : memref<4x8xf32>)
  return
}

// -----

// A long vector in blocks.
// CHECK-LABEL: func.func @long(
// CHECK-DAG:     %[[BLOCKS:.*]] = arith.constant 245 : index
// CHECK-DAG:     %[[WIDTH:.*]] = arith.constant 4096 : index
// CHECK-DAG:     %[[SIZE:.*]] = arith.constant 1000000 : index
// CHECK:         scf.parallel (%[[BLOCK:.*]]) = (%{{.*}}) to (%[[BLOCKS]])
// CHECK:           %[[LOWER:.*]] = arith.muli %[[BLOCK]], %[[WIDTH]]
// CHECK:           %[[END:.*]] = arith.addi %[[LOWER]], %[[WIDTH]]
// CHECK:           %[[UPPER:.*]] = arith.minsi %[[END]], %[[SIZE]]
// CHECK:           scf.for %{{.*}} = %[[LOWER]] to %[[UPPER]]
func.func @long(%a: memref<1000000xf32>) {
  linalg.exp ins(%a : memref<1000000xf32>) outs(%a : memref<1000000xf32>)
  return
}

// -----

// The inner loop runs along contiguous memory, here the second dimension from the back.
// CHECK-LABEL: func.func @order(
// CHECK:         scf.parallel (%[[I:.*]], %[[K:.*]]) =
// CHECK:           scf.for %[[J:.*]] =
// CHECK:             memref.load %{{.*}}[%[[I]], %[[K]], %[[J]]]
// CHECK:             memref.store %{{.*}}, %{{.*}}[%[[I]], %[[K]], %[[J]]]
func.func @order(%a: memref<16x32x128xf32>, %b: memref<16x32x128xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i, j, k) -> (i, k, j)>, affine_map<(i, j, k) -> (i, k, j)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : memref<16x32x128xf32>) outs(%b : memref<16x32x128xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = math.tanh %x : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A row reduction sums in a register.
// CHECK-LABEL: func.func @rows(
// CHECK-SAME:    %[[X:[^:]*]]: memref<2048x512xf32>, %[[SUM:[^:]*]]: memref<2048xf32>)
// CHECK:         scf.parallel (%[[I:.*]]) =
// CHECK:           %[[FIRST:.*]] = memref.load %[[SUM]][%[[I]]]
// CHECK:           %[[TOTAL:.*]] = scf.for %[[J:.*]] = {{.*}} iter_args(%[[ACC:.*]] = %[[FIRST]])
// CHECK:             %[[V:.*]] = memref.load %[[X]][%[[I]], %[[J]]]
// CHECK:             %[[NEXT:.*]] = arith.addf %[[ACC]], %[[V]]
// CHECK:             scf.yield %[[NEXT]]
// CHECK:           memref.store %[[TOTAL]], %[[SUM]][%[[I]]]
func.func @rows(%x: memref<2048x512xf32>, %sum: memref<2048xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<2048x512xf32>) outs(%sum : memref<2048xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %0 = arith.addf %acc, %v : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A long column reduction is cut into pieces of rows, whose partial results are joined
// in order.
// CHECK-LABEL: func.func @columns(
// CHECK-SAME:    %[[X:[^:]*]]: memref<512x432xf32>, %[[SUM:[^:]*]]: memref<432xf32>)
// CHECK-DAG:     %[[ROWS:.*]] = arith.constant 16 : index
// CHECK-DAG:     %[[COLUMNS:.*]] = arith.constant 432 : index
// CHECK-DAG:     %[[PIECES:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[PARTIAL:.*]] = memref.alloc() : memref<32x432xf32>
// CHECK:         scf.parallel (%[[P:.*]]) = (%{{.*}}) to (%[[PIECES]])
// CHECK:           %[[LOWER:.*]] = arith.muli %[[P]], %[[ROWS]]
// CHECK:           %[[UPPER:.*]] = arith.addi %[[LOWER]], %[[ROWS]]
// CHECK:           scf.for %[[I:.*]] = %[[LOWER]] to %[[UPPER]]
// CHECK:             scf.for %[[J:.*]] = %{{.*}} to %[[COLUMNS]]
// CHECK:               memref.load %[[PARTIAL]][%[[P]], %[[J]]]
// CHECK:               arith.addf
// CHECK:         scf.for %[[P:.*]] = %{{.*}} to %[[PIECES]]
// CHECK:           scf.for %[[J:.*]] = %{{.*}} to %[[COLUMNS]]
// CHECK:             memref.load %[[PARTIAL]][%[[P]], %[[J]]]
// CHECK:             memref.load %[[SUM]][%[[J]]]
func.func @columns(%x: memref<512x432xf32>, %sum: memref<432xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
      iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<512x432xf32>) outs(%sum : memref<432xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %0 = arith.addf %acc, %v : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A short one over many columns takes blocks of columns that leave no remainder: 250 of
// 480.
// CHECK-LABEL: func.func @wide(
// CHECK-DAG:     %[[WIDTH:.*]] = arith.constant 480 : index
// CHECK-DAG:     %[[BLOCKS:.*]] = arith.constant 250 : index
// CHECK:         scf.parallel (%[[BLOCK:.*]]) = (%{{.*}}) to (%[[BLOCKS]])
// CHECK:           %[[LOWER:.*]] = arith.muli %[[BLOCK]], %[[WIDTH]]
// CHECK:           %[[UPPER:.*]] = arith.addi %[[LOWER]], %[[WIDTH]]
// CHECK:           scf.for %[[I:.*]] =
// CHECK:             scf.for %[[J:.*]] = %[[LOWER]] to %[[UPPER]]
// CHECK:               arith.addf
func.func @wide(%x: memref<16x120000xf32>, %sum: memref<120000xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
      iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<16x120000xf32>) outs(%sum : memref<120000xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %0 = arith.addf %acc, %v : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// With nothing else to run in parallel the reduction is cut into 32 pieces, joined in
// order: sum and maximum in one pass.
// CHECK-LABEL: func.func @full(
// CHECK-SAME:    %[[X:[^:]*]]: memref<100000xf32>, %[[SUM:[^:]*]]: memref<f32>, %[[MAX:[^:]*]]: memref<f32>)
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.0
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant 0xFF800000
// CHECK-DAG:     %[[PIECES:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[SUMS:.*]] = memref.alloc() : memref<32xf32>
// CHECK-DAG:     %[[MAXIMA:.*]] = memref.alloc() : memref<32xf32>
// CHECK:         scf.parallel (%[[P:.*]]) = (%{{.*}}) to (%[[PIECES]])
// CHECK:           memref.store %[[ZERO]], %[[SUMS]][%[[P]]]
// CHECK:           memref.store %[[LOWEST]], %[[MAXIMA]][%[[P]]]
// CHECK:           scf.for {{.*}} iter_args
// CHECK:         scf.for %{{.*}} to %[[PIECES]]
// CHECK:           memref.load %[[SUM]][]
// CHECK:           memref.load %[[MAX]][]
// CHECK:           arith.addf
// CHECK:           arith.maximumf
func.func @full(%x: memref<100000xf32>, %sum: memref<f32>, %max: memref<f32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]}
      ins(%x : memref<100000xf32>) outs(%sum, %max : memref<f32>, memref<f32>) {
  ^bb0(%v: f32, %s: f32, %m: f32):
    %0 = arith.addf %s, %v : f32
    %1 = arith.maximumf %m, %v : f32
    linalg.yield %0, %1 : f32, f32
  }
  return
}

// -----

// Gathers, indices and scalars.
// CHECK-LABEL: func.func @gather(
// CHECK-SAME:    %[[TABLE:[^:]*]]: memref<9x4xf32>, %[[IDS:[^:]*]]: memref<3xi32>, %[[OUT:[^:]*]]: memref<3x4xf32>, %[[SCALE:[^:]*]]: f32)
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           scf.for %[[J:.*]] =
// CHECK:             %[[ID:.*]] = memref.load %[[IDS]][%[[I]]]
// CHECK:             %[[ROW:.*]] = arith.index_cast %[[ID]]
// CHECK:             %[[V:.*]] = memref.load %[[TABLE]][%[[ROW]], %[[J]]]
// CHECK:             %[[R:.*]] = arith.mulf %[[V]], %[[SCALE]]
// CHECK:             memref.store %[[R]], %[[OUT]][%[[I]], %[[J]]]
func.func @gather(%table: memref<9x4xf32>, %ids: memref<3xi32>, %out: memref<3x4xf32>, %scale: f32) {
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> ()>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids, %scale : memref<3xi32>, f32) outs(%out : memref<3x4xf32>) {
  ^bb0(%id: i32, %s: f32, %o: f32):
    %row = arith.index_cast %id : i32 to index
    %column = linalg.index 1 : index
    %v = memref.load %table[%row, %column] : memref<9x4xf32>
    %r = arith.mulf %v, %s : f32
    linalg.yield %r : f32
  }
  return
}

// -----

// A result that the reduced dimension indexes too is written at every step.
// CHECK-LABEL: func.func @running(
// CHECK:         scf.for
// CHECK:           memref.store
// CHECK:           memref.store
func.func @running(%x: memref<8xf32>, %squares: memref<8xf32>, %sum: memref<f32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]}
      ins(%x : memref<8xf32>) outs(%squares, %sum : memref<8xf32>, memref<f32>) {
  ^bb0(%v: f32, %o: f32, %acc: f32):
    %0 = arith.mulf %v, %v : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %0, %1 : f32, f32
  }
  return
}

// -----

// Copies are loops too, and rank 0 is none.
// CHECK-LABEL: func.func @copies(
// CHECK-SAME:    %[[A:[^:]*]]: memref<f32>, %[[B:[^:]*]]: memref<f32>)
// CHECK-NEXT:    %[[V:.*]] = memref.load %[[A]][]
// CHECK-NEXT:    memref.store %[[V]], %[[B]][]
// CHECK-NEXT:    return
func.func @copies(%a: memref<f32>, %b: memref<f32>) {
  memref.copy %a, %b : memref<f32> to memref<f32>
  return
}
