#ifndef SPARSAM_CONVERSION_TOLLVM_PASSES
#define SPARSAM_CONVERSION_TOLLVM_PASSES

include "mlir/Pass/PassBase.td"

// What upstream's lowering to LLVM needs beside it.

def StripAnnotationsPass : Pass<"sparsam-strip-annotations", "::mlir::func::FuncOp"> {
  let summary = "drop what arguments say to Sparsam's own stages";
  let description = [{
    LLVM knows no `sparsam.*` attributes. The caller reads an argument's role before
    the lowering to LLVM, which begins with this pass.

    ```mlir
    func.func @f(%w: memref<4xf32> {sparsam.updates = 0 : i64})
    ```
    becomes
    ```mlir
    func.func @f(%w: memref<4xf32>)
    ```
  }];
}

def ListDistinctPointersPass
    : Pass<"sparsam-list-distinct-pointers", "::mlir::func::FuncOp"> {
  let summary = "keep what is known about aliasing over the conversion to LLVM";
  let description = [{
    The conversion of functions on memrefs to LLVM drops `llvm.noalias`. This pass,
    before it, lists the positions that the pointers of such parameters will have;
    `sparsam-restore-noalias`, after it, reads the list.

    ```mlir
    func.func private @f(%a: memref<4xf32> {llvm.noalias}, %b: memref<4xf32> {llvm.noalias})
    ```
    becomes
    ```mlir
    func.func private @f(...) attributes {sparsam.distinct = array<i64: 1, 6>}
    ```
  }];
}

def ExpandHalfPass : Pass<"sparsam-expand-half"> {
  let summary = "compute with bf16 as f32 and integers";
  let description = [{
    Few machines round f64 to bf16 or f16, and those without AVX512-BF16 do not round f32
    to bf16 either: LLVM calls a function of the compiler's library for each number, which
    the library may lack. Arithmetic on bf16 becomes arithmetic on f32 of which each
    result is rounded, functions of `math` on bf16 and f16 likewise, and the rounding
    becomes work on integers that vectorises. Every number is rounded once, to nearest
    even: f64 to f32 by rounding to odd (Boldo and Melquiond 2008), after which
    the second rounding is that of the f64. Integers go through f64; those that f64 does
    not hold are the only ones that are rounded twice.

    ```mlir
    %0 = arith.addf %a, %b : bf16
    ```
    becomes
    ```mlir
    %0 = arith.extf %a : bf16 to f32
    %1 = arith.extf %b : bf16 to f32
    %2 = arith.addf %0, %1 : f32
    %3 = arith.truncf %2 : f32 to bf16
    ```
    with the conversions as shifts, and rounding by adding 0x7fff and the last bit that
    stays.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def ApproximateMathPass : Pass<"sparsam-approximate-math"> {
  let summary = "replace transcendental functions on f32 by polynomials";
  let description = [{
    A call of libm in a loop keeps LLVM from vectorising it. Upstream's polynomials
    (some units in the last place; see docs/Numerics.md) replace exp, tanh, log, erf and
    the like on f32, and on vectors of it. Functions whose polynomials are worse (sin,
    cos, atan, cbrt) and f64 are left to libm, the root of rsqrt to the machine. Logarithms of subnormal numbers, which the polynomial does not
    know, are those of numbers 2^24 times as large, minus a constant.

    ```mlir
    %0 = math.exp %x : f32
    ```
    becomes a dozen of `math.fma` and bit operations. For a CPU without FMA (`sparsam.cpu` of
    the module names it; this machine's, by default) products and sums, but in log, tanh, erf
    and erfc, which lose digits by it: `sparsam-expand-fma` computes theirs in f64.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def InlineAllocaScopesPass : Pass<"sparsam-inline-alloca-scopes"> {
  let summary = "remove stack scopes in which nothing is on the stack";
  let description = [{
    `convert-scf-to-openmp` wraps loop bodies in `memref.alloca_scope`, which holds one
    block, so that a loop inside cannot become control flow. A scope that contains no
    `memref.alloca` is inlined.

    ```mlir
    memref.alloca_scope {
      memref.store %v, %m[%i] : memref<8xf32>
    }
    ```
    becomes
    ```mlir
    memref.store %v, %m[%i] : memref<8xf32>
    ```
  }];
}

def ExpandFMAPass : Pass<"sparsam-expand-fma", "::mlir::ModuleOp"> {
  let summary = "compute fused multiply-adds in a wider type where the CPU has none";
  let description = [{
    On x86 CPUs before FMA (`x86-64`, `x86-64-v2`) LLVM calls the C library for each number
    of a fused multiply-add. For such a CPU (`sparsam.cpu` of the module names it; this
    machine's, by default) those of f32 are computed in f64, and those of f16 in f32, where
    the product is exact, and rounded. For others nothing changes, nor for f64.

    Kernels multiply and add in an operation that LLVM takes apart on such a CPU, so that
    the product is rounded, too. One remark for the module says so.

    ```mlir
    module attributes {sparsam.cpu = "x86-64"} {
      ...
      %0 = llvm.intr.fma(%a, %b, %c) : (f32, f32, f32) -> f32
    ```
    becomes
    ```mlir
      %0 = llvm.fpext %a : f32 to f64
      %1 = llvm.fpext %b : f32 to f64
      %2 = llvm.fmul %0, %1 : f64
      %3 = llvm.fpext %c : f32 to f64
      %4 = llvm.fadd %2, %3 : f64
      %5 = llvm.fptrunc %4 : f64 to f32
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
  let statistics = [
    Statistic<"numExpanded", "num-expanded", "multiply-adds in a wider type">,
  ];
}

def BytesForBooleansPass : Pass<"sparsam-bytes-for-booleans"> {
  let summary = "load and store booleans as bytes";
  let description = [{
    LLVM does not vectorise loops that load or store `i1`. In memory a boolean is a byte
    that is 0 or 1, and here it becomes one in the code as well.

    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> i1
    ```
    becomes
    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> i8
    %1 = llvm.trunc %0 : i8 to i1
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def IntegersForBF16Pass : Pass<"sparsam-integers-for-bf16"> {
  let summary = "store bf16 as i16";
  let description = [{
    After `sparsam-expand-half` a bf16 is loaded, stored, chosen and passed on, and no more.
    Where a machine has no instruction for the type LLVM would do so in f32, and call a
    function of the compiler's library to get back. So the type becomes i16, with the bits
    of constants. An operation that computes in bf16 is an error.

    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> bf16
    %1 = llvm.select %c, %0, %zero : i1, bf16
    ```
    becomes
    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> i16
    %1 = llvm.select %c, %0, %zero : i1, i16
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def RestoreNoAliasPass : Pass<"sparsam-restore-noalias", "::mlir::LLVM::LLVMFuncOp"> {
  let summary = "mark the pointers that were distinct before the conversion to LLVM";
  let description = [{
    The other half of `sparsam-list-distinct-pointers`.

    ```mlir
    llvm.func @f(%0: !llvm.ptr, %1: !llvm.ptr) attributes {sparsam.distinct = array<i64: 1>}
    ```
    becomes
    ```mlir
    llvm.func @f(%0: !llvm.ptr, %1: !llvm.ptr {llvm.noalias})
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // SPARSAM_CONVERSION_TOLLVM_PASSES
