// A file that cannot be used is one warning, and all sizes are the model's.
// RUN: rm -rf %t && mkdir %t
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/none.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,NONE
// NONE: warning: tile sizes are the model's: '{{.*}}none.json': cannot read it:

// RUN: head -c 300 %S/Inputs/tiles.json > %t/cut.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/cut.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,CUT
// CUT: warning: tile sizes are the model's: '{{.*}}cut.json' is no whole file of tile sizes: {{.*}}; remove it, or name another file

// RUN: echo '[1]' > %t/list.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/list.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,LIST
// LIST: warning: tile sizes are the model's: '{{.*}}list.json' is no file of tile sizes: it has no version

// RUN: echo '{"version": 2, "entries": {}}' > %t/later.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/later.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,LATER
// LATER: warning: tile sizes are the model's: '{{.*}}later.json' is of version 2, and this Sparsam reads version 1

// RUN: sed 's/"threads": 2/"threads": "2"/' %S/Inputs/tiles.json > %t/field.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/field.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,FIELD
// FIELD: warning: tile sizes are the model's: '{{.*}}field.json' is no file of tile sizes: expected integer at entries[0].threads

// RUN: sed 's/"tiles"/"sizes"/' %S/Inputs/tiles.json > %t/missing.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/missing.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,MISSING
// MISSING: warning: tile sizes are the model's: '{{.*}}missing.json' is no file of tile sizes: missing value at entries[0].tiles

// RUN: sed 's/"part": 4/"part": 0.5/' %S/Inputs/tiles.json > %t/size.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/size.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,SIZE
// SIZE: warning: tile sizes are the model's: '{{.*}}size.json' is no file of tile sizes: expected integer at entries[0].tiles.part

// RUN: sed 's/"part": 4/"parts": 4/' %S/Inputs/tiles.json > %t/name.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="tiles='%t/name.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,NAME
// NAME: warning: tile sizes are the model's: '{{.*}}name.json' is no file of tile sizes: unknown tile size at entries[0].tiles.parts

// Sizes out of reach are a remark on the product.
// RUN: sed 's/"range": 64/"range": 0/' %S/Inputs/tiles.json > %t/none.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=x86-64-v3 l1-bytes=32768 l2-bytes=1048576 threads=2 tiles='%t/none.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,ZERO
// ZERO: remark: {{.*}} has the model's tile sizes: with those in '{{.*}}none.json' it needs tile size 'range' to be at least 1, found 0
// RUN: sed 's/"range": 64/"range": 9223372036854775807/' %S/Inputs/tiles.json > %t/huge.json
// RUN: sparsam-opt %s -sparsam-lower-sparse-products="cpu=x86-64-v3 l1-bytes=32768 l2-bytes=1048576 threads=2 tiles='%t/huge.json'" 2>&1 \
// RUN:   | FileCheck %s --check-prefixes=WARNING,HUGE
// HUGE: remark: {{.*}} it keeps its rows in groups of 8, expected a multiple, up to all 128, found range = 9223372036854775807

// WARNING: call @sparsam_spmm_nm_2_8_
func.func @forward(%x: memref<64x128xf32>, %v: memref<4x32x8xf32>, %i: memref<4x32xi16>,
                   %y: memref<64x32xf32>) {
  sparsam.spmm %x, %v, %i into %y {structure = #sparsam.nm<2:8, vector = 8>}
      : (memref<64x128xf32>, memref<4x32x8xf32>, memref<4x32xi16>, memref<64x32xf32>) -> ()
  return
}
