#ifndef SPARSAM_IR_SPARSAMOPS
#define SPARSAM_IR_SPARSAMOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "sparsam/IR/SparsamDialect.td"
include "sparsam/IR/StructureInterface.td"

class Sparsam_Op<string mnemonic, list<Trait> traits = []>
    : Op<Sparsam_Dialect, mnemonic, traits> {
  let hasVerifier = 1;
}

def Sparsam_StructureAttr
    : Attr<CPred<"::llvm::isa<::mlir::sparsam::StructureInterface>($_self)">, "a structure"> {
  let storageType = "::mlir::Attribute";
  let returnType = "::mlir::sparsam::StructureInterface";
  let convertFromStorage = "::llvm::cast<::mlir::sparsam::StructureInterface>($_self)";
  let constBuilderCall = "$0";
}

def Sparsam_FloatTensor : RankedTensorOf<[BF16, F16, F32, F64]>;
/// Structured products are in f32 or f64, whatever is stored.
def Sparsam_Float : AnyTypeOf<[F32, F64]>;
def Sparsam_FloatMatrix
    : AnyTypeOf<[2DTensorOf<[Sparsam_Float]>, MemRefRankOf<[Sparsam_Float], [2]>]>;
/// What elementwise work on a parameter may yield: a comparison, a narrower number.
def Sparsam_ElementTensor : RankedTensorOf<[AnyFloat, AnySignlessInteger]>;
def Sparsam_StorageTensor : RankedTensorOf<[AnyFloat, AnySignlessInteger]>;
def Sparsam_StorageOperand
    : AnyTypeOf<[Sparsam_StorageTensor, MemRefOf<[F32, F64, I16, I32]>]>;

//===----------------------------------------------------------------------===//
// Between a parameter and its storage
//===----------------------------------------------------------------------===//

def Sparsam_DensifyOp : Sparsam_Op<"densify", [Pure]> {
  let summary = "the dense tensor that a storage stands for";
  let description = [{
    For a pattern structure the stored entries in their places and zero elsewhere;
    for a factor structure the einsum of the factors. The result has the
    parameter's own shape, which the structure's view maps to a matrix.

    ```mlir
    %w = sparsam.densify %values, %indices {structure = #sparsam.nm<2:4>}
        : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
    ```

    Constraints:
    1. the operands are the structure's storage of the result's matrix view.
  }];
  let arguments = (ins Variadic<Sparsam_StorageTensor>:$storage,
                       Sparsam_StructureAttr:$structure);
  let results = (outs Sparsam_ElementTensor:$result);
  let assemblyFormat = "$storage attr-dict `:` functional-type(operands, results)";
}

def Sparsam_RestrictOp : Sparsam_Op<"restrict", [Pure]> {
  let summary = "the entries of a dense tensor on a pattern";
  let description = [{
    The adjoint of `densify` in its values: reads the entries that the pattern
    stores, in storage order.

    ```mlir
    %values = sparsam.restrict %w on %indices {structure = #sparsam.nm<2:4>}
        : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
    ```

    Constraints:
    1. the structure is a pattern structure;
    2. the pattern and the result are its storage of the source's matrix view.
  }];
  let arguments = (ins Sparsam_ElementTensor:$source, Variadic<Sparsam_StorageTensor>:$pattern,
                       Sparsam_StructureAttr:$structure);
  let results = (outs Sparsam_ElementTensor:$values);
  let assemblyFormat = "$source `on` $pattern attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Sparsam_SelectOp : Sparsam_Op<"select", [Pure]> {
  let summary = "chooses a pattern by magnitude";
  let description = [{
    The pattern that keeps the entries of largest magnitude under the structure's
    constraint; what is compared, and how ties break, is the structure's to say.

    ```mlir
    %indices = sparsam.select %w {structure = #sparsam.nm<2:4>}
        : (tensor<16x4xf32>) -> tensor<4x8xi16>
    ```

    Constraints:
    1. the structure is a pattern structure;
    2. the results are the pattern part of its storage of the source's matrix view.
  }];
  let arguments = (ins Sparsam_FloatTensor:$source, Sparsam_StructureAttr:$structure);
  let results = (outs Variadic<Sparsam_StorageTensor>:$pattern);
  let assemblyFormat = "$source attr-dict `:` functional-type(operands, results)";
}

def Sparsam_SelectCoupledOp : Sparsam_Op<"select_coupled", [Pure]> {
  let summary = "chooses the kept entries of an axis of several parameters";
  let description = [{
    The entries of an axis that the parameters have in common which are kept in all of
    them; what is compared, and how ties break, is the structures' to say.

    ```mlir
    %indices = sparsam.select_coupled "fc:1" of %w, %b {structures = [
        #sparsam.slice<group = "fc:1", keep = 3, columns = [0:1x4x1]>,
        #sparsam.slice<group = "fc:1", keep = 3, columns = [0:1x4x1]>]}
        : (tensor<16x4xf32>, tensor<4xf32>) -> tensor<3xi16>
    ```

    Constraints:
    1. there is one structure for each source, all of one kind, and each has an axis of the
       group;
    2. the result is the index tensor of that axis in the storage of each source's matrix
       view;
    3. no source has stacked dimensions.
  }];
  let arguments = (ins StrAttr:$group, Variadic<Sparsam_FloatTensor>:$sources,
                       ArrayAttr:$structures);
  let results = (outs Sparsam_StorageTensor:$indices);
  let assemblyFormat = [{
    $group `of` $sources attr-dict `:` functional-type(operands, results)
  }];
}

def Sparsam_FactorizeOp : Sparsam_Op<"factorize", [Pure]> {
  let summary = "the factors nearest to a dense tensor";
  let description = [{
    The initialisation of a factor structure from a dense parameter. Factors that are
    stored in a pattern take the entries of largest magnitude, or, where the patterns'
    index tensors are given, those that they name.

    ```mlir
    %u, %v = sparsam.factorize %w {structure = #sparsam.low_rank<2>}
        : (tensor<16x4xf32>) -> (tensor<16x2xf32>, tensor<2x4xf32>)
    ```

    Constraints:
    1. the structure is a factor structure;
    2. the patterns are the index tensors of its storage of the source's matrix view, or
       none;
    3. the results are the rest of that storage, or all of it where no pattern is given.
  }];
  let arguments = (ins Sparsam_FloatTensor:$source,
                       Variadic<Sparsam_StorageTensor>:$pattern,
                       Sparsam_StructureAttr:$structure);
  let results = (outs Variadic<Sparsam_StorageTensor>:$factors);
  let assemblyFormat = [{
    $source (`on` $pattern^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Sparsam_GradientOp : Sparsam_Op<"gradient", [Pure, SameOperandsAndResultType]> {
  let summary = "marks the gradient of a parameter";
  let description = [{
    The identity. Says that its operand is the derivative of the loss by the
    parameter named: what is in front of it belongs to the backward pass, what uses
    it to the optimizer.

    ```mlir
    %g = sparsam.gradient %0 of "blocks/0/fc" : tensor<16x4xf32>
    ```

    `marked` says that the step itself tells which value the gradient is, so that it was
    not found. Where one parameter alone has a gradient, it tells too that a reduction
    of nothing but this gradient, as the norm that clips it, is one over all tensors
    that the parameter becomes.

    ```mlir
    %g = sparsam.gradient %0 of "fc" marked : tensor<16x4xf32>
    ```

    Constraints:
    1. the path is not empty.
  }];
  let arguments = (ins Sparsam_FloatTensor:$value, StrAttr:$param, UnitAttr:$marked);
  let results = (outs Sparsam_FloatTensor:$result);
  let assemblyFormat = [{
    $value `of` $param (`marked` $marked^)? attr-dict `:` type($value)
  }];
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

def Sparsam_EinsumOp : Sparsam_Op<"einsum", [Pure]> {
  let summary = "a sum of products, the normal form of all contractions";
  let description = [{
    One letter a dimension. The result at the letters after `->` is the sum, over
    all other letters, of the product of the operands. Any number of operands, one
    upwards.

    ```mlir
    %y = sparsam.einsum "tk,kr,rn->tn"(%x, %u, %v)
        : (tensor<8x16xf32>, tensor<16x2xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
    ```

    Constraints:
    1. the subscripts have one term for each operand and one result, of the ranks of
       the types, in letters;
    2. no term repeats a letter, and each letter of the result occurs in an operand;
    3. a letter has one size;
    4. all element types are the same.
  }];
  let arguments = (ins Variadic<Sparsam_FloatTensor>:$inputs, StrAttr:$subscripts);
  let results = (outs Sparsam_FloatTensor:$result);
  let assemblyFormat = [{
    $subscripts `(` $inputs `)` attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// The operands' terms, then the result's.
    ::llvm::SmallVector<::llvm::StringRef> getTerms();
  }];
}

def Sparsam_SpmmOp : Sparsam_Op<"spmm", [
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "dense times structured: y = x * W, or y = x * W^T";
  let description = [{
    `input` is M x K and the destination M x N, where W is K x N; with `transposed`
    `input` is M x N and the destination M x K. The destination is overwritten. On
    tensors or, after bufferization, on memrefs.

    ```mlir
    %y = sparsam.spmm %x, %values, %indices into %init {structure = #sparsam.nm<2:4>}
        : (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
        -> tensor<8x4xf32>
    ```

    Constraints:
    1. the structure is a pattern structure in the default view;
    2. the rows of input and destination agree;
    3. the storage is that of the K x N matrix;
    4. the result, on tensors, has the type of the destination; on memrefs there is none;
    5. `sparsam.tiles`, where it is there, is a dictionary of i64 named `part` (1 to 128),
       `token_vectors` (1 to 16) or `range` (at least 1).

    These are sizes that the CPU's kernel has instead of those that its model chooses:
    outputs of a block in registers at once, vectors of tokens, and rows of x or dx that it
    goes through at once. What they are at most for a shape on a target is an error where
    the product is lowered: `part` the outputs of a block, which it need not divide, `part`
    times `token_vectors` 128, and `range` a multiple of the inputs that the structure
    groups, up to all, and for dx what takes 1 MiB of a thread's stack.

    ```mlir
    %y = sparsam.spmm %x, %values, %indices into %init {
        structure = #sparsam.nm<2:4, vector = 4>,
        sparsam.tiles = {part = 2, token_vectors = 3, range = 8}}
        : (tensor<8x16xf32>, tensor<1x8x4xf32>, tensor<1x8xi16>, tensor<8x4xf32>)
        -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Sparsam_FloatMatrix:$input, Variadic<Sparsam_StorageOperand>:$storage,
                       Sparsam_FloatMatrix:$init,
                       Sparsam_StructureAttr:$structure, UnitAttr:$transposed);
  let results = (outs Optional<Sparsam_FloatMatrix>:$result);
  let assemblyFormat = [{
    $input `,` $storage `into` $init attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// The K x N matrix that is stored.
    ::mlir::RankedTensorType getMatrixType();
  }];
}

def Sparsam_SddmmOp : Sparsam_Op<"sddmm", [
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "dense times dense, sampled on a pattern: restrict(x^T * dy)";
  let description = [{
    `lhs` is M x K (the inputs), `rhs` is M x N (the gradient of the outputs), and the
    destination takes the entries of the K x N product lhs^T * rhs on the pattern. The
    destination is overwritten. On tensors or, after bufferization, on memrefs.

    ```mlir
    %dv = sparsam.sddmm %x, %dy on %indices into %init {structure = #sparsam.nm<2:4>}
        : (tensor<8x16xf32>, tensor<8x4xf32>, tensor<4x8xi16>, tensor<4x8x1xf32>)
        -> tensor<4x8x1xf32>
    ```

    Constraints:
    1. the structure is a pattern structure in the default view;
    2. the rows of lhs and rhs agree;
    3. the pattern and the destination are the storage of the K x N matrix;
    4. the result, on tensors, has the type of the destination; on memrefs there is none;
    5. `sparsam.tiles` is as on spmm, with `jobs` (1 to 128: kept inputs whose gradients
       are in registers at once) and `chunk` (at least 1: tokens between two sums over
       lanes) besides.

    Where the product is lowered, it is `part` times `jobs` that is at most 128, and `chunk`
    is at most all tokens. Where outputs share no inputs, `jobs` is a power of two that is
    at most a vector's lanes, and there is no `chunk`.
  }];
  let arguments = (ins Sparsam_FloatMatrix:$lhs, Sparsam_FloatMatrix:$rhs,
                       Variadic<Sparsam_StorageOperand>:$pattern,
                       Sparsam_StorageOperand:$init, Sparsam_StructureAttr:$structure);
  let results = (outs Optional<Sparsam_StorageOperand>:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `on` $pattern `into` $init attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// The K x N matrix that is stored.
    ::mlir::RankedTensorType getMatrixType();
  }];
}

#endif // SPARSAM_IR_SPARSAMOPS
