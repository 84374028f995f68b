#ifndef SPARSAM_CONVERSION_TOCPU_FUSIONPASSES
#define SPARSAM_CONVERSION_TOCPU_FUSIONPASSES

include "mlir/Pass/PassBase.td"

// On tensors: fewer passes over memory around products.

def FuseElementwisePass : Pass<"sparsam-fuse-elementwise"> {
  let summary = "compute elementwise producers where they are read";
  let description = [{
    A framework's step is a thousand elementwise ops that each read and write memory.
    This pass computes a producer inside of the ops that read it, in program order:

    - what computes nothing (a broadcast, a transpose) always;
    - a result with one reader, unless the reader's iteration space is larger and the
      producer divides, calls a function, gathers, or has more than two operations;
    - a result with several readers in each of them, if none of them needs it in memory
      (a product, a return) and recomputing it reads at most one operand as large as
      itself. Gathers are never repeated.

    Operands that are read twice in the same way become one, and fills become scalars.
    Products are left alone; see `sparsam-fold-transposes`.

    ```mlir
    %0 = linalg.generic {indexing_maps = [#id, #id], ...} ins(%x : tensor<8xf32>) ... {
      %e = math.exp %in : f32
      ...
    %1 = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%0, %x : ...) ... {
      %m = arith.mulf %a, %b : f32
      ...
    ```

    becomes

    ```mlir
    %1 = linalg.generic {indexing_maps = [#id, #id], ...} ins(%x : tensor<8xf32>) ... {
      %e = math.exp %in : f32
      %m = arith.mulf %e, %in : f32
      ...
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [
    Statistic<"numFused", "fused", "producers computed where they are read">,
  ];
}

def FuseSiblingsPass : Pass<"sparsam-fuse-siblings"> {
  let summary = "compute results that read the same operands in one op";
  let description = [{
    The new parameter, momentum and variance of an optimizer are three results over the
    same iterations that read the same tensors, and each other; so are the sums that
    the backward pass of a norm takes over one operand. Such ops become one op with
    several results, which reads each operand once. Two ops are siblings if one of them
    reads, in all of its loops, a tensor that the other reads or makes, their loops
    agree, and nothing that reads the first's result comes before the second.

    ```mlir
    %m1 = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%m, %g : ...) ... {
      %0 = arith.addf %a, %b : f32
      ...
    %w1 = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%w, %m1 : ...) ... {
      %0 = arith.subf %a, %b : f32
      ...
    ```

    becomes

    ```mlir
    %r:2 = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id], ...}
        ins(%m, %g, %w : ...) outs(...) {
      %0 = arith.addf %a, %b : f32
      %1 = arith.subf %c, %0 : f32
      linalg.yield %0, %1 : f32, f32
    ...
    ```

    This runs behind `sparsam-fuse-elementwise`, which takes results out of memory
    altogether where it can.
  }];
  let options = [
    Option<"maxOperands", "max-operands", "int64_t", /*default=*/"16",
           "tensors that one op reads or makes at most">,
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [
    Statistic<"numFused", "fused", "ops that became a part of another">,
  ];
}

def SetDestinationsPass : Pass<"sparsam-set-destinations", "::mlir::func::FuncOp"> {
  let summary = "give every result its own buffer, and updates that of their argument";
  let description = [{
    Decides on tensors where each result will be, so that bufferization copies nothing:

    - a product that adds to zeros overwrites its destination instead: it gets the
      attribute `sparsam.overwrite` and an undefined destination. From here on only
      `sparsam-lower-dense-products` knows what that op means;
    - every other op gets a destination of its own, undefined or filled;
    - the result that updates an argument (`sparsam.updates`) is computed in the
      argument itself, if the op that computes it reads the argument at the same indices
      or not at all. The payload then reads the old value from the destination. The
      update moves behind all readers of the old value if nothing but the return waits
      for it.

    CSE must not run between this pass and bufferization: it merges destinations.

    ```mlir
    func.func @step(%w: tensor<8xf32> {sparsam.updates = 0 : i64}, %g: tensor<8xf32>)
        -> tensor<8xf32> {
      %0 = tensor.empty() : tensor<8xf32>
      %1 = linalg.generic {indexing_maps = [#id, #id, #id], ...}
          ins(%w, %g : tensor<8xf32>, tensor<8xf32>) outs(%0 : tensor<8xf32>) {
      ^bb0(%a: f32, %b: f32, %out: f32):
        %2 = arith.subf %a, %b : f32
        linalg.yield %2 : f32
      } -> tensor<8xf32>
      return %1 : tensor<8xf32>
    }
    ```

    becomes

    ```mlir
      %1 = linalg.generic {indexing_maps = [#id, #id], ...}
          ins(%g : tensor<8xf32>) outs(%w : tensor<8xf32>) {
      ^bb0(%b: f32, %out: f32):
        %2 = arith.subf %out, %b : f32
        linalg.yield %2 : f32
      } -> tensor<8xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect",
  ];
  let statistics = [
    Statistic<"numDonated", "donated", "updates computed in their argument">,
    Statistic<"numMissed", "missed", "updates computed elsewhere">,
  ];
}

#endif // SPARSAM_CONVERSION_TOCPU_FUSIONPASSES
