// The means of inputs, in f32, which sparsam-run prints.
func.func @mean(
    %b: memref<4096xbf16>, %h: memref<4096xf16>, %d: memref<4096xf64>, %i: memref<4096xi32>,
    %bfloat16: memref<f32> {sparsam.name = "bfloat16", sparsam.result = 0 : i64},
    %float16: memref<f32> {sparsam.name = "float16", sparsam.result = 1 : i64},
    %float64: memref<f32> {sparsam.name = "float64", sparsam.result = 2 : i64},
    %integers: memref<f32> {sparsam.name = "integers", sparsam.result = 3 : i64})
    attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 4096 : index
  %zero = arith.constant 0.0 : f32
  %share = arith.constant 0x39800000 : f32
  %sums:4 = scf.for %k = %c0 to %n step %c1
      iter_args(%sb = %zero, %sh = %zero, %sd = %zero, %si = %zero) -> (f32, f32, f32, f32) {
    %0 = memref.load %b[%k] : memref<4096xbf16>
    %1 = memref.load %h[%k] : memref<4096xf16>
    %2 = memref.load %d[%k] : memref<4096xf64>
    %3 = memref.load %i[%k] : memref<4096xi32>
    %4 = arith.extf %0 : bf16 to f32
    %5 = arith.extf %1 : f16 to f32
    %6 = arith.truncf %2 : f64 to f32
    %7 = arith.sitofp %3 : i32 to f32
    %8 = arith.addf %sb, %4 : f32
    %9 = arith.addf %sh, %5 : f32
    %10 = arith.addf %sd, %6 : f32
    %11 = arith.addf %si, %7 : f32
    scf.yield %8, %9, %10, %11 : f32, f32, f32, f32
  }
  %mb = arith.mulf %sums#0, %share : f32
  %mh = arith.mulf %sums#1, %share : f32
  %md = arith.mulf %sums#2, %share : f32
  memref.store %mb, %bfloat16[] : memref<f32>
  memref.store %mh, %float16[] : memref<f32>
  memref.store %md, %float64[] : memref<f32>
  memref.store %sums#3, %integers[] : memref<f32>
  return
}
