#ifndef SPARSAM_TRANSFORMS_PASSES
#define SPARSAM_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def ImportPass : Pass<"sparsam-import", "::mlir::ModuleOp"> {
  let summary = "take in what framework importers leave";
  let description = [{
    Importers hand over linalg on tensors inside wrappers of their own dialects. This
    pass reads the generic form that `iree-compile --compile-to=input` prints (the
    driver needs `--allow-unregistered-dialect` for it) and leaves functions in
    upstream dialects only, so that everything behind it knows every operation:

    - `util.func`, `util.return` and `util.call` become those of `func`, and private
      functions are inlined;
    - arguments of `util.func`, and of a function of unknown location, take their
      `sparsam.param` or `sparsam.name` as their location, so that remarks and errors name
      them, and the function its own name;
    - `util.optimization_barrier` goes away;
    - `iree_linalg_ext.scatter` becomes a serial loop over the updates that carries the
      tensor scattered into, which bufferizes in place; updates outside of it are
      dropped, as in StableHLO;
    - `iree_linalg_ext.scan` (running sums, products and maxima) becomes a serial loop
      that carries the result;
    - `cf.assert` in the body of a `linalg.generic` that reads a tensor, with which torch-mlir
      checks indices, goes away, and the indices are clamped into the tensor;
    - attributes of dialects that are not loaded are removed. Among them are the hints
      on buffers (`iree.abi.output`), which pair arguments and results by shape and
      order and so never decide anything here.

    ```mlir
    "util.func"() <{function_type = (tensor<96x8xf32>, tensor<4x1xi32>, tensor<4x8xf32>)
        -> tensor<96x8xf32>, sym_name = "main", sym_visibility = "public"}> ({
    ^bb0(%w: tensor<96x8xf32>, %i: tensor<4x1xi32>, %u: tensor<4x8xf32>):
      %0 = "iree_linalg_ext.scatter"(%u, %i, %w)
          <{dimension_map = array<i64: 0>, unique_indices = false}> ({
      ^bb0(%update: f32, %old: f32):
        %s = "arith.addf"(%old, %update) : (f32, f32) -> f32
        "iree_linalg_ext.yield"(%s) : (f32) -> ()
      }) : (tensor<4x8xf32>, tensor<4x1xi32>, tensor<96x8xf32>) -> tensor<96x8xf32>
      "util.return"(%0) : (tensor<96x8xf32>) -> ()
    }) : () -> ()
    ```

    becomes

    ```mlir
    func.func @main(%w: tensor<96x8xf32>, %i: tensor<4x1xi32>, %u: tensor<4x8xf32>)
        -> tensor<96x8xf32> {
      %0 = scf.for %b = %c0 to %c4 step %c1 iter_args(%old = %w) -> (tensor<96x8xf32>) {
        // read row %r of %i; if it is inside %old, add row %b of %u to it
      }
      return %0 : tensor<96x8xf32>
    }
    ```

    A read of all of a tensor by loops in another order (what torch-mlir makes of a filter
    that it reverses and transposes) becomes a `linalg.transpose` and a read in order.

    An operation of a dialect that is not loaded is an error that names it.
  }];
  let options = [
    Option<"functionName", "function-name", "std::string", /*default=*/"\"\"",
           "new name of the module's only public function; kept if empty">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect",
  ];
  let statistics = [
    Statistic<"numScatters", "scatters", "scatters turned into loops">,
    Statistic<"numScans", "scans", "running sums and the like turned into loops">,
    Statistic<"numIndexChecks", "index-checks", "asserts turned into clamped indices">,
    Statistic<"numTransposedReads", "transposed-reads",
              "transpositions taken out of what reads a tensor">,
  ];
}

def FindParametersPass : Pass<"sparsam-find-parameters", "::mlir::ModuleOp"> {
  let summary = "find parameters, their gradients and their optimizer state";
  let description = [{
    A graph does not say which of its values is whose gradient. The front end says
    which arguments are parameters (`sparsam.param`, their path) and which result is an
    argument's new value (`sparsam.updates`); from there this pass walks back through
    the optimizer, which is elementwise work, transposes and reshapes, until products,
    reductions, scatters or loop results of the parameter's size remain. Their sum (the
    weights of an embedding may be the output's too) is the gradient, and
    `sparsam.gradient` marks it. Carried arguments of the parameter's shape that meet
    its gradient and no other are its optimizer state.

    ```mlir
    func.func @step(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %m: tensor<16x4xf32> {sparsam.updates = 1 : i64}, ...) {
      %dw = linalg.matmul ins(%xt, %dy : ...) outs(%zero : ...) -> tensor<16x4xf32>
      %m1 = ... %m, %dw    // 0.9 m + dw
      %w1 = ... %w, %m1    // w - 0.1 m1
      return %w1, %m1 : tensor<16x4xf32>, tensor<16x4xf32>
    ```

    becomes

    ```mlir
    func.func @step(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %m: tensor<16x4xf32> {sparsam.state_of = "w", sparsam.updates = 1 : i64},
                    ...) {
      %dw = linalg.matmul ins(%xt, %dy : ...) outs(%zero : ...) -> tensor<16x4xf32>
      %g = sparsam.gradient %dw of "w" : tensor<16x4xf32>
      %m1 = ... %m, %g
      %w1 = ... %w, %m1
      return %w1, %m1 : tensor<16x4xf32>, tensor<16x4xf32>
    ```

    Two things cannot be read off a graph, and a remark says how they were taken: a
    multiple of the parameter that joins its gradient counts as the optimizer's decay,
    not as a term of the loss; and a norm over one gradient alone counts as per tensor.
    A result with `sparsam.gradient_of = "path"` gives the gradient instead, which is
    `marked` then, and is removed. `sparsam.gradient` in the input is kept.

    With several gradients the graph says which norm is global, as it joins them. With
    one, a full reduction of nothing but that gradient (and of scalars that it does not
    enter) is global if the gradient is marked and per tensor if not; reductions of
    anything else, as of the parameter, of its state or of a gradient that was clipped
    before, are per tensor.

    A gradient that loops or batched products make in parts has to be their sum, with
    weights. Where the parts are scaled by what is computed of them (a norm of each
    microbatch or example), or where the parameter itself goes through a loop or a branch
    that updates it, no gradient is known. Parts whose entries are worked on one by one
    (a sign, a clip) are as an optimizer that is not elementwise.

    A parameter that has `sparsam.no_gradient` in the input keeps it: a front end writes
    it where it knows that the gradient is more than one value, as where a later backward
    pass depends on a gradient (SAM, MAML). Other results of the step that are computed
    from parts of a gradient, as the norm of each microbatch, are a remark: these parts
    are dense.

    A parameter whose gradient is not found gets `sparsam.no_gradient`, and one whose
    optimizer does more to the gradient than elementwise work (Muon, Shampoo,
    Adafactor) gets `sparsam.not_elementwise`, each with a remark and with the reason
    as its value, which the error of sparsam-apply-structure repeats.

    In a function without any `sparsam.updates` they are inferred, for a result of the
    argument's type that is elementwise work on the argument and on a product; and in
    the only function of a module without any attributes the parameters are inferred
    too, as the arguments that the product depends on. Where there is more than one
    answer, an error tells which attribute to write.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::sparsam::SparsamDialect", "::mlir::tensor::TensorDialect",
  ];
  let statistics = [
    Statistic<"numGradients", "gradients", "gradients found">,
    Statistic<"numStates", "states", "arguments found to be optimizer state">,
  ];
}

def ListGroupsPass : Pass<"sparsam-list-groups", "::mlir::ModuleOp"> {
  let summary = "list the coupled groups of a step's parameters";
  let description = [{
    Which dimensions of the parameters are one axis, so that `slice` leaves out the same
    entries of all of them: analysis follows them through elementwise work, products,
    norms, reshapes that split heads, slices and concatenations, convolutions and loops, in
    the forward pass, the backward pass and the optimizer. A remark for each group says what
    it is called, how many entries it has and where parameters have it, or why it cannot be
    sliced. The module stays as it is.

    A group is named after the parameter that has it first in program order, and the
    dimension. Where the dimension is more than the group, its factors follow, that of the
    group in parentheses.

    ```mlir
    func.func @step(%w: tensor<16x4xf32> {sparsam.param = "w", ...},
                    %v: tensor<4x8xf32> {sparsam.param = "v", ...}, ...) {
      %h = linalg.matmul ins(%x, %w : ...) ...
      %y = linalg.matmul ins(%h, %v : ...) ...
    // remark: group "w:1" has 4 entries: w:1, v:0
    // remark: group "w:0" of 16 entries (w:0) cannot be sliced: argument 2 has it, which is
    // no parameter
    ```
  }];
  let statistics = [
    Statistic<"numGroups", "groups", "groups that can be sliced">,
    Statistic<"numBlocked", "blocked", "groups that cannot">,
  ];
}

def ApplyStructurePass : Pass<"sparsam-apply-structure", "::mlir::ModuleOp"> {
  let summary = "give parameters their structure";
  let description = [{
    Says in a function's signature which parameters are structured: the argument and
    its new value take the structure as their encoding, and casts keep the body on
    plain tensors. From here on the module declares what it is; the passes that follow
    need no options.

    A structure is asked for by `structures`, a list of `glob=structure` separated by
    `;`, or by the attribute `sparsam.structure` of the argument, which comes first. In
    globs over `sparsam.param` the character `*` stands for any characters, separators
    too; the first match wins. The structure is written as inside `#sparsam.` (only
    the first `=` of a pair separates), or `dense`. Text with spaces goes in braces:

    ```
    --sparsam-apply-structure="structures={blocks/*/fc=nm<2:8, vector = 8>;*/out=low_rank<32>}"
    ```

    The matrix view, which dimensions are inputs, follows the first contraction or
    convolution in program order that uses the parameter, unless the text gives it: the
    filter of a convolution has `in = [0, 1, 2]` where it is HWIO, `in = [1, 2, 3]` where
    it is OIHW. So do the dimensions of stacked layers (`stack = [0]`): those of which
    that contraction meets one place at a time, in slices that a loop over layers takes,
    or which a batched product has in common with its other operand. Where nothing is
    left as an output, as of a 16x1 that is multiplied as a vector, the dimensions of size
    1 are the outputs.

    ```mlir
    func.func @step(%w: tensor<16x4xf32> {sparsam.param = "fc", sparsam.updates = 0 : i64},
                    ...) -> tensor<16x4xf32>
    // becomes
    func.func @step(%w: tensor<16x4xf32, #sparsam.nm<2:4>> {...},
                    ...) -> tensor<16x4xf32, #sparsam.nm<2:4>> {
      %0 = tensor.cast %w : tensor<16x4xf32, #sparsam.nm<2:4>> to tensor<16x4xf32>
    ```

    A structure that is one choice for several parameters (`slice`) is extended over the
    parameters that are coupled with those it was asked for, each with a remark; another
    structure asked for one of them is an error, and so is a group that cannot be sliced.
    `sparsam-list-groups` lists the groups.

    A structure that does not fit its parameter, a glob that matches none, or a
    parameter without a gradient is an error. Each parameter that stays dense is a
    remark.
  }];
  let options = [
    Option<"structures", "structures", "std::string", /*default=*/"\"\"",
           "`glob=structure` pairs separated by `;`; the first match wins">,
  ];
  let statistics = [
    Statistic<"numStructured", "structured", "parameters with a structure">,
    Statistic<"numDense", "dense", "parameters that stay dense">,
  ];
  let dependentDialects = [
    "::mlir::sparsam::SparsamDialect", "::mlir::tensor::TensorDialect"];
}

def ExpandStoragePass : Pass<"sparsam-expand-storage", "::mlir::ModuleOp"> {
  let summary = "replace structured arguments by their storage";
  let description = [{
    An encoding is a declaration: `linalg` means the dense tensor by an encoded
    operand, and most passes drop encodings. So what a structure means is spelled
    out here, on plain tensors.

    A *pattern* parameter becomes its storage and a `densify` at the entry; its
    gradient is restricted to the pattern, its state and its new value are restricted
    where they are returned. The optimizer is then the optimizer on the masked dense
    tensor, and `sparsam-propagate` moves it onto the stored values.

    A *factor* parameter disappears (rule 6): it becomes the einsum of its factors,
    each factor's gradient the einsum's derivative, and the optimizer, which must be
    elementwise, is cloned once per factor. What comes of it is the same optimizer on a
    tree of tensors with the factors in the parameter's place:

    * full reductions of the parameter's tensors, and the scalar work that follows on them
      alone, are done for each factor (the norms of LAMB);
    * where that meets scalars of other parameters in a sum, product, maximum or minimum
      (a global norm), the factors' scalars are joined first; a meeting in anything else
      is an error;
    * a constant that makes a mean of a sum, as the number of its elements, or of the
      tensors whose scalars it adds up, becomes the number that there is now (one less
      too, as in an unbiased variance); in front of the sum it is an error, and anywhere
      else a constant stays as it is;
    * what leaves the optimizer, as a norm that the step returns, is over all factors
      together, and so is a norm of a marked gradient that no other parameter has
      (`sparsam-find-parameters`); a scalar that is kept from step to step is an error.

    Remarks say where each of these was done.

    The module gets functions that convert: `@compress` (dense parameters and state to
    storage), `@compress_on_pattern` (the same for patterns chosen before) and
    `@densify`.

    ```mlir
    func.func @step(%w: tensor<16x4xf32, #sparsam.nm<2:4>> {sparsam.updates = 0 : i64},
                    %x: tensor<8x16xf32>) -> tensor<16x4xf32, #sparsam.nm<2:4>>
    // becomes
    func.func @step(%values: tensor<4x8x1xf32> {sparsam.part = "values",
                                                sparsam.updates = 0 : i64},
                    %indices: tensor<4x8xi16> {sparsam.part = "indices"},
                    %x: tensor<8x16xf32>) -> tensor<4x8x1xf32>
    ```
  }];
  let options = [
    Option<"companions", "companions", "bool", /*default=*/"true",
           "make @compress, @compress_on_pattern and @densify">,
  ];
  let statistics = [
    Statistic<"numStructured", "structured", "structured parameters expanded">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::sparsam::SparsamDialect", "::mlir::tensor::TensorDialect"];
}

def ExtractGradientsPass : Pass<"sparsam-extract-gradients", "::mlir::ModuleOp"> {
  let summary = "make a step return its gradients instead of its results";
  let description = [{
    Pruning by the gradient (RigL, movement) needs the dense gradient of each parameter,
    at the parameters as they are, pruned ones included: also of the entries that the
    structured step never computes. This pass takes a dense step on which
    sparsam-find-parameters has marked the gradients, and leaves the function of the
    parameters and the batch that returns them, in program order, each with the path of
    its parameter. The optimizer goes, and with it the arguments that it alone reads.

    ```mlir
    func.func @step(%w: tensor<16x4xf32> {sparsam.param = "w", sparsam.updates = 0 : i64},
                    %m: tensor<16x4xf32> {sparsam.state_of = "w", sparsam.updates = 1 : i64},
                    %x: tensor<8x16xf32>, %y: tensor<8x4xf32>)
        -> (tensor<16x4xf32>, tensor<16x4xf32>) {
      ...
      %g = sparsam.gradient %dw of "w" : tensor<16x4xf32>
      ...
      return %w1, %m1 : tensor<16x4xf32>, tensor<16x4xf32>
    }
    ```
    becomes
    ```mlir
    func.func @step(%w: tensor<16x4xf32> {sparsam.param = "w"},
                    %x: tensor<8x16xf32>, %y: tensor<8x4xf32>)
        -> (tensor<16x4xf32> {sparsam.gradient_of = "w"}) {
      ...
      return %dw : tensor<16x4xf32>
    }
    ```

    A module without any gradient, a gradient inside of a loop, and a step whose
    parameters are structured already are errors.
  }];
  let statistics = [
    Statistic<"numGradients", "gradients", "gradients that are returned">,
  ];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::sparsam::SparsamDialect"];
}

def MakeRefreshPass : Pass<"sparsam-make-refresh", "::mlir::ModuleOp"> {
  let summary = "replace a step by functions that move what is stored";
  let description = [{
    During training a parameter changes its pattern: to another choice of entries, or to
    another density. It leaves one pattern and goes to the next through the dense tensor,
    and so does its optimizer state: entries that are in both stay exactly as they are,
    and new ones are zero. This pass takes a step whose signature declares the structures
    and leaves, in the place of all functions, three on its pattern parameters,

    * `@select`: scores, in f64, larger ones to be kept, to index tensors;
    * `@restrict`: dense parameters and state, and a pattern, to what is stored there;
    * `@densify`: what is stored of parameters and state to dense tensors;

    and on its factor parameters

    * `@sum`: the factors to the sum of their einsums;

    with two more where these have optimizer state that scales with the gradient, as a first
    moment, or with its square, as a second:

    * `@project`: dense state to that of the factors, which are given. The gradient of a
      factor is the einsum's derivative applied to that of the parameter, so state of the
      first degree becomes the derivative applied to it, and of the second degree the
      derivative of the squared factors;
    * `@spread`: the adjoint, with the degree of each state as `sparsam.degree`. Dense state that
      projects to what the factors have is found with the two.

    ```mlir
    func.func @step(%w: tensor<16x4xf32, #sparsam.nm<2:4>> {sparsam.param = "w",
                                                           sparsam.updates = 0 : i64},
                    %m: tensor<16x4xf32> {sparsam.state_of = "w", sparsam.updates = 1 : i64},
                    ...) -> (tensor<16x4xf32, #sparsam.nm<2:4>>, tensor<16x4xf32>)
    ```
    becomes
    ```mlir
    func.func @select(%s: tensor<16x4xf64>) -> tensor<4x8xi16>
    func.func @restrict(%w: tensor<16x4xf32>, %m: tensor<16x4xf32>, %i: tensor<4x8xi16>)
        -> (tensor<4x8x1xf32>, tensor<4x8x1xf32>)
    func.func @densify(%v: tensor<4x8x1xf32>, %mv: tensor<4x8x1xf32>, %i: tensor<4x8xi16>)
        -> (tensor<16x4xf32>, tensor<16x4xf32>)
    ```

    with `sparsam.param`, `sparsam.state_of` and `sparsam.part` on each. A refresh is
    `@densify` of the old structure followed by `@select` and `@restrict` of the new
    one. A module in which no parameter is structured is an error.
  }];
  let statistics = [
    Statistic<"numMoved", "moved", "structured parameters that can move">,
  ];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::sparsam::SparsamDialect"];
}

def PropagatePass : Pass<"sparsam-propagate", "::mlir::ModuleOp"> {
  let summary = "move densify and restrict into the products";
  let description = [{
    A step that densifies every parameter and restricts every gradient computes as
    much as the dense one. This pass applies the algebra of structures until the step
    computes on what is stored:

    * elementwise work runs on stored values (rules 1 to 3);
    * a contraction with a densified pattern, forward or backward, is an `spmm`, read
      through whatever transposes and reshapes are in between (rule 4);
    * a restricted contraction is an `sddmm`, each addend of a sum its own (rule 5);
    * a contraction with the product of factors, and the derivatives by these, become
      chains of small products in the cheapest order (rule 7);
    * a convolution with a structured filter becomes a product of windows, so that the
      rules above apply, of any rank, layout, stride, padding, dilation and number of
      groups: windows of the input are copied into a tensor (im2col), which forward and
      backward to the filter share; backward to the input, the product comes first and
      overlapping windows are summed after it (col2im);
    * a step whose parameters are slices of coupled groups is made again with smaller
      dimensions, forward, backward and optimizer (rule 9): nothing of the group's size is
      left. What the removed entries would contribute to sums and maxima, where that is
      not nothing, is computed for one of them. A group that something in the function
      couples is a remark, and its parameters are dense;
    * slices of layers, inserted layers and what loops carry change places with densify
      and restrict, and with the einsums of factors (rule 10): a scan over layers reads
      and makes what is stored of a layer at a time. A batched product with a stacked
      parameter has a loop over its layers, and rows looked up in a product of factors
      are a product of looked-up rows.

    A product of numbers narrower than f32 becomes one in f32 of what its operands are
    where a rule needs that; a result that was narrow is rounded at its end.

    ```mlir
    %w = sparsam.densify %values, %indices {structure = #sparsam.nm<2:4>}
        : (tensor<4x8x1xf32>, tensor<4x8xi16>) -> tensor<16x4xf32>
    %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>)
        outs(%zero : tensor<8x4xf32>) -> tensor<8x4xf32>
    ```
    becomes
    ```mlir
    %0 = tensor.empty() : tensor<8x4xf32>
    %y = sparsam.spmm %x, %values, %indices into %0 {structure = #sparsam.nm<2:4>}
        : (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
        -> tensor<8x4xf32>
    ```
    and a gradient that a loop over layers makes,
    ```mlir
    %dw = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %zero) -> tensor<3x16x4xf32> {
      %g = linalg.matmul ...  // x[l]^T * dy[l]
      %next = tensor.insert_slice %g into %acc[%l, 0, 0] [1, 16, 4] [1, 1, 1]
          : tensor<16x4xf32> into tensor<3x16x4xf32>
      scf.yield %next : tensor<3x16x4xf32>
    }
    %dv = sparsam.restrict %dw on %indices {structure = #sparsam.nm<2:4, stack = [0]>}
        : (tensor<3x16x4xf32>, tensor<3x4x8xi16>) -> tensor<3x4x8x1xf32>
    ```
    becomes
    ```mlir
    %dv = scf.for %l = %c0 to %c3 step %c1 iter_args(%acc = %0) -> tensor<3x4x8x1xf32> {
      %il = tensor.extract_slice %indices[%l, 0, 0] [1, 4, 8] [1, 1, 1] ...
      %g = sparsam.sddmm %xl, %dyl on %il into %1 {structure = #sparsam.nm<2:4>} ...
      %next = tensor.insert_slice %g into %acc[%l, 0, 0, 0] [1, 4, 8, 1] [1, 1, 1, 1] ...
      scf.yield %next : tensor<3x4x8x1xf32>
    }
    ```

    Of a convolution with the filter `%w`

    ```mlir
    %y = linalg.conv_1d_nwc_wcf {dilations = dense<1> : vector<1xi64>,
                                 strides = dense<2> : vector<1xi64>}
        ins(%x, %w : tensor<2x9x4xf32>, tensor<3x4x6xf32>)
        outs(%zeros : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    ```
    becomes
    ```mlir
    %p = linalg.generic {indexing_maps = [(n, i, k, c) -> (n, 2 * i + k, c), identity]}
        ins(%x : tensor<2x9x4xf32>) outs(%e : tensor<2x4x3x4xf32>)   // a copy
    %y = sparsam.spmm %p_as_8x12, %values, %indices into %0 {structure = #sparsam.nm<2:4>}
        : (tensor<8x12xf32>, tensor<6x6x1xf32>, tensor<6x6xi16>, tensor<8x6xf32>)
        -> tensor<8x6xf32>                                           // as 2x4x6
    ```

    A pattern that no rule carries further, as that of a grouped convolution's filter, is
    still right: it stays densified, and a remark says where and why. A factor structure that is needed as a dense tensor is
    an error. Functions marked `sparsam.companion` convert between parameters and
    storage and keep their conversions without remarks.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::sparsam::SparsamDialect"];
  let statistics = [
    Statistic<"numGroups", "groups", "coupled groups that are sliced">,
    Statistic<"numSpmm", "spmm", "Number of products with a pattern">,
    Statistic<"numSddmm", "sddmm", "Number of gradients computed on a pattern">,
    Statistic<"numConvolutions", "convolutions",
              "Number of convolutions that became products of windows">,
    Statistic<"numChains", "chains", "Number of products of more than two re-associated">,
    Statistic<"numLeftovers", "leftovers",
              "Number of densify and restrict that no rule carries further">];
}

def LowerStoragePass : Pass<"sparsam-lower-storage", "::mlir::ModuleOp"> {
  let summary = "build densify, restrict, select and factorize out of upstream operations";
  let description = [{
    What propagation leaves of `densify` and `restrict`, and the `select` and
    `factorize` that companion functions such as `@compress` consist of, become
    linalg, tensor, arith and scf. Each structure builds its own
    (`StructureInterface::buildDensify` and so on); the densify of a factor structure
    is the product of its einsum. A parameter whose view is not the default one is
    reshaped, or transposed, around that, and one of stacked layers has a loop over them.

    ```mlir
    %v = sparsam.restrict %w on %i {structure = #sparsam.nm<2:4>}
        : (tensor<16x4xf32>, tensor<4x8xi16>) -> tensor<4x8x1xf32>
    ```
    becomes
    ```mlir
    %0 = tensor.empty() : tensor<4x8x1xf32>
    %v = linalg.generic {...} ins(%i : tensor<4x8xi16>) outs(%0 : tensor<4x8x1xf32>) {
    ^bb0(%in: i16, %out: f32):
      %row = arith.index_castui %in : i16 to index
      ...
      %entry = tensor.extract %w[%row, %column] : tensor<16x4xf32>
      linalg.yield %entry : f32
    } -> tensor<4x8x1xf32>
    ```

    What is no work for loops, such as a singular value decomposition or the largest of
    many entries, is a call of the runtime library (`sparsam_svd_f32`,
    `sparsam_largest_f32`, ...).
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numLowered", "lowered", "Number of operations lowered">];
}

def CountFlopsPass : Pass<"sparsam-count-flops", "::mlir::ModuleOp"> {
  let summary = "count the multiplications and additions of all products";
  let description = [{
    Whether a structure pays is decided by what is left to compute. This pass changes
    nothing; it reads off the operations what their products cost and says so in a remark
    for each function, after any pass: what `sparsam-propagate` saved is the difference
    between the numbers before and after it.

    A contraction, a convolution or an einsum that is still there costs an addition and a
    multiplication for each point of its loops (for an einsum of n operands, n - 1 of
    these), whatever its operands hold; a product with a pattern costs two for each value
    that is stored and row of the dense operand. Loops count as often as they run, of an
    `scf.if` the dearer branch counts, and calls what they call. Elementwise work, sums
    and the squares of a norm are no products.

    ```mlir
    func.func @f(%x: tensor<8x16xf32>, %values: tensor<4x8x1xf32>,
                 %indices: tensor<4x8xi16>, %init: tensor<8x4xf32>) -> tensor<8x4xf32> {
      %y = sparsam.spmm %x, %values, %indices into %init {structure = #sparsam.nm<2:4>}
          : (tensor<8x16xf32>, tensor<4x8x1xf32>, tensor<4x8xi16>, tensor<8x4xf32>)
          -> tensor<8x4xf32>
      return %y : tensor<8x4xf32>
    }
    ```
    is `remark: @f has 512 FLOPs in products: spmm 512`.

    A loop of unknown length counts once and a shape that is not static not at all, each
    with a remark at its place.
  }];
  let statistics = [
    Statistic<"numContractions", "contractions", "FLOPs of dense contractions">,
    Statistic<"numConvolutions", "convolutions", "FLOPs of convolutions">,
    Statistic<"numEinsums", "einsums", "FLOPs of einsums">,
    Statistic<"numSpmm", "spmm", "FLOPs of products with a pattern">,
    Statistic<"numSddmm", "sddmm", "FLOPs of products sampled on a pattern">,
  ];
}

#endif // SPARSAM_TRANSFORMS_PASSES
