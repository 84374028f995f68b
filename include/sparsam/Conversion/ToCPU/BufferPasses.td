#ifndef SPARSAM_CONVERSION_TOCPU_BUFFERPASSES
#define SPARSAM_CONVERSION_TOCPU_BUFFERPASSES

include "mlir/Pass/PassBase.td"

// Where tensors live: around bufferization, and the plan of memory after it.

def MarkWritablePass : Pass<"sparsam-mark-writable", "::mlir::ModuleOp"> {
  let summary = "say which arguments bufferization may write into";
  let description = [{
    One-shot bufferization takes every tensor argument for its own to overwrite. Here
    the caller keeps its inputs: only arguments that a result updates
    (`sparsam.updates`) may be written, because their old values are given up.

    ```mlir
    func.func @step(%w: tensor<4xf32> {sparsam.updates = 0 : i64}, %x: tensor<4xf32>)
        -> tensor<4xf32>
    ```
    becomes
    ```mlir
    func.func @step(
        %w: tensor<4xf32> {bufferization.writable = true, sparsam.updates = 0 : i64},
        %x: tensor<4xf32> {bufferization.writable = false}) -> tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def CarryInPlacePass : Pass<"sparsam-carry-in-place", "::mlir::func::FuncOp"> {
  let summary = "keep each tensor that a loop carries in one buffer";
  let description = [{
    One-shot bufferization refuses a loop that yields a tensor in another buffer than
    the one it came in, such as `lax.scan`'s or the rounds of a random generator. Here
    an update of what is carried stays in its buffer, and any other new value is written
    over the old one. What is read after its buffer is written is copied first: what is
    carried on under another name, also through a loop inside, and what an update
    overwrites that is needed later; a tensor from outside of a loop that a part is
    inserted into, which each iteration needs as it was; and what branches hand on of
    several carried values, or of slices beside whole tensors. The condition of a `while`
    loop hands on all that it gets, in order.

    ```mlir
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y)
        -> (tensor<4xf32>, tensor<4xf32>) {
      scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y)
        -> (tensor<4xf32>, tensor<4xf32>) {
      %0 = bufferization.alloc_tensor() copy(%b) : tensor<4xf32>
      %1 = bufferization.alloc_tensor() copy(%a) : tensor<4xf32>
      %2 = bufferization.materialize_in_destination %0 in %a
          : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %3 = bufferization.materialize_in_destination %1 in %b
          : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      scf.yield %2, %3 : tensor<4xf32>, tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def CopyCarriedPass : Pass<"sparsam-copy-carried", "::mlir::ModuleOp"> {
  let summary = "let loops work on copies where bufferization refuses them";
  let description = [{
    What sparsam-carry-in-place leaves in place may still be too much for one-shot
    bufferization, in branches and loops inside a loop that hand on what they did not
    write. Where its analysis fails, work in these loops gets destinations of its own
    again, which the elimination of empty tensors took from it. Where that does not help,
    each iteration starts from copies of what is carried, and its new values are written
    over that at its end, which always has an order; a remark tells of each outer loop.
    Other modules stay as they are. Runs in front of that elimination and behind it.

    ```mlir
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (tensor<4xf32>) {
      %new = ... %a
      scf.yield %new : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (tensor<4xf32>) {
      %copy = bufferization.alloc_tensor() copy(%a) : tensor<4xf32>
      %new = ... %copy
      %next = bufferization.materialize_in_destination %new in %a
          : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      scf.yield %next : tensor<4xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numLoops", "loops", "loops that work on copies">,
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ResultsToArgumentsPass : Pass<"sparsam-results-to-arguments", "::mlir::ModuleOp"> {
  let summary = "give public functions the calling convention of compiled code";
  let description = [{
    Compiled functions return nothing. A result that updates an argument
    (`sparsam.updates`) is left in that argument; it is copied there, with a remark,
    only where it was computed elsewhere. Any other result k becomes a further argument
    with `sparsam.result = k`, and what computed it writes there.

    ```mlir
    func.func @step(%w: memref<4xf32> {sparsam.updates = 0 : i64})
        -> (memref<4xf32>, memref<f32>) {
      ...
      return %w, %loss : memref<4xf32>, memref<f32>
    ```
    becomes
    ```mlir
    func.func @step(%w: memref<4xf32> {sparsam.updates = 0 : i64},
                    %loss: memref<f32> {sparsam.result = 1 : i64})
        attributes {llvm.emit_c_interface} {
      ...
      return
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"inPlace", "in-place", "Number of results that were in their argument">,
    Statistic<"copied", "copied", "Number of results copied into their argument">,
  ];
}

def PlanMemoryPass : Pass<"sparsam-plan-memory", "::mlir::ModuleOp"> {
  let summary = "plan all temporaries into one workspace argument";
  let description = [{
    Allocating at run time costs page faults and locks in every step. Every
    `memref.alloc` of a public function becomes a view of its last argument, marked
    `sparsam.workspace`, whose type says how many bytes it takes. Buffers whose lives
    do not meet share memory; lives are followed through views, loops and calls. What a
    private function allocates becomes a buffer of its callers. Offsets are multiples
    of 64 bytes, and the caller aligns the workspace to as many.

    ```mlir
    func.func @f(%x: memref<64xf32>) {
      %0 = memref.alloc() : memref<64xf32>
      ...
    ```
    becomes
    ```mlir
    func.func @f(%x: memref<64xf32>, %workspace: memref<256xi8> {sparsam.workspace}) {
      %c0 = arith.constant 0 : index
      %0 = memref.view %workspace[%c0][] : memref<256xi8> to memref<64xf32>
      ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"plannedBytes", "planned-bytes", "Bytes of the workspaces">,
    Statistic<"unplannedBytes", "unplanned-bytes", "Bytes of all temporaries together">,
  ];
}

#endif // SPARSAM_CONVERSION_TOCPU_BUFFERPASSES
