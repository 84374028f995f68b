#ifndef SPARSAM_CONVERSION_TOCPU_LOOPPASSES
#define SPARSAM_CONVERSION_TOCPU_LOOPPASSES

include "mlir/Pass/PassBase.td"

// On memrefs: the work around products becomes loops.

def OutlineKernelsPass : Pass<"sparsam-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "move each computation into a function and share equal ones";
  let description = [{
    A training step repeats the same loops for every layer: of some 430 loop nests of
    a GPT step 80 are distinct. Every linalg operation and structured product on
    memrefs becomes a private function, and equal ones (same operation, shapes and
    strides; offsets are left open) share it, so that LLVM compiles each once.
    Parameters whose memory no other parameter shares get `llvm.noalias`, which spares
    the vectorised loops their run-time checks.

    ```mlir
    linalg.exp ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
    linalg.exp ins(%c : memref<64xf32>) outs(%d : memref<64xf32>)
    ```
    becomes
    ```mlir
    call @exp_64(%a, %b) : (memref<64xf32>, memref<64xf32>) -> ()
    call @exp_64(%c, %d) : (memref<64xf32>, memref<64xf32>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"outlined", "kernels", "Number of kernels">,
    Statistic<"shared", "shared", "Number of computations that share a kernel">,
  ];
}

def GenericsToLoopsPass : Pass<"sparsam-generics-to-loops", "::mlir::func::FuncOp"> {
  let summary = "lower linalg on memrefs to parallel and vectorisable loops";
  let description = [{
    Adjacent loops that step through memory as one are merged. The dimension along
    which most memory is contiguous runs innermost, where LLVM vectorises it; what is
    large enough runs in an outer `scf.parallel`. Row reductions accumulate in
    registers. Full reductions and long column reductions are cut into a fixed number of
    pieces, whose results are joined in order: results do not depend on the number of
    threads.

    ```mlir
    linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                    iterator_types = ["parallel", "reduction"]}
        ins(%x : memref<2048x512xf32>) outs(%sum : memref<2048xf32>) { ... }
    ```
    becomes
    ```mlir
    scf.parallel (%i) = (%c0) to (%c2048) step (%c1) {
      %0 = memref.load %sum[%i]
      %1 = scf.for %j = %c0 to %c512 step %c1 iter_args(%acc = %0) -> (f32) { ... }
      memref.store %1, %sum[%i]
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"lowered", "lowered", "Number of operations lowered to loops">,
  ];
}

def RelaxFloatsPass : Pass<"sparsam-relax-floats"> {
  let summary = "allow floating-point sums to be reordered";
  let description = [{
    Vectorising a sum changes its order. What a linalg op does to the accumulators of its
    reduced loops, and the sum of a vector's lanes, gets the fast-math flag `reassoc`;
    all floating-point operations but conversions get `contract` and `nsz`. What is
    computed for each element keeps its order, and NaN and infinities their meaning:
    1 / x and 1 / sqrt(x) of zero are infinite.

    ```mlir
    linalg.generic {... iterator_types = ["reduction"]} ins(%x, %y) outs(%sum) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.addf %s, %0 : f32
      linalg.yield %1 : f32
    }
    ```
    becomes
    ```mlir
    linalg.generic {... iterator_types = ["reduction"]} ins(%x, %y) outs(%sum) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %0 = arith.mulf %a, %b fastmath<nsz,contract> : f32
      %1 = arith.addf %s, %0 fastmath<reassoc,nsz,contract> : f32
      linalg.yield %1 : f32
    }
    ```
  }];
}

#endif // SPARSAM_CONVERSION_TOCPU_LOOPPASSES
