// The calling convention of compiled functions: every result lives in an argument.

#include "Buffers.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_RESULTSTOARGUMENTSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr StringLiteral updatesName = "sparsam.updates";
constexpr StringLiteral resultName = "sparsam.result";
constexpr StringLiteral writableName =
    bufferization::BufferizationDialect::kWritableAttrName;

/// The argument that each result updates, or null.
FailureOr<SmallVector<BlockArgument>> getDestinations(func::FuncOp function) {
  SmallVector<BlockArgument> destinations(function.getNumResults());
  for (BlockArgument argument : function.getArguments()) {
    auto updates =
        function.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), updatesName);
    if (!updates)
      continue;
    int64_t result = updates.getInt();
    auto error = [&] {
      return function.emitOpError()
             << "argument " << argument.getArgNumber() << " updates result " << result;
    };
    if (result < 0 || result >= static_cast<int64_t>(function.getNumResults()))
      return error() << ", but there are " << function.getNumResults() << " results",
             failure();
    if (destinations[result])
      return error() << ", which argument " << destinations[result].getArgNumber()
                     << " updates already",
             failure();
    auto expected = cast<ShapedType>(argument.getType());
    auto found = cast<ShapedType>(function.getResultTypes()[result]);
    if (expected.getShape() != found.getShape() ||
        expected.getElementType() != found.getElementType())
      return error() << " of another type: expected " << expected << ", found " << found,
             failure();
    destinations[result] = argument;
  }
  return destinations;
}

/// Whether nothing but a view chain is between `value` and `root`, such that `value`
/// is all of `root`'s memory, in order.
bool isWhole(Value value, Value root) {
  auto contiguous = [](Value memref) {
    return cast<MemRefType>(memref.getType()).getLayout().isIdentity();
  };
  if (!contiguous(value) || !contiguous(root))
    return false;
  auto type = cast<MemRefType>(value.getType());
  auto rootType = cast<MemRefType>(root.getType());
  return type.getNumElements() == rootType.getNumElements() &&
         type.getElementType() == rootType.getElementType();
}

struct ResultsToArgumentsPass
    : sparsam::impl::ResultsToArgumentsPassBase<ResultsToArgumentsPass> {
  using ResultsToArgumentsPassBase::ResultsToArgumentsPassBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isDeclaration())
        functions.push_back(function);
    if (failed(checkCalls()))
      return signalPassFailure();
    for (func::FuncOp function : functions)
      if (failed(convert(function)))
        return signalPassFailure();
  }

  /// Calls would have to follow the new convention; only recursive ones are left, since
  /// all others are inlined.
  LogicalResult checkCalls() {
    SymbolTable table(getOperation());
    WalkResult result =
        getOperation().walk(
            [&](func::CallOp call) {
              auto callee = table.lookup<func::FuncOp>(call.getCallee());
              if (!callee || !callee.isPublic() || callee.isDeclaration())
                return WalkResult::advance();
              call.emitOpError()
                  << "calls the public function @" << call.getCallee()
                  << "; expected calls to be inlined, which recursive ones cannot be";
              return WalkResult::interrupt();
            });
    return failure(result.wasInterrupted());
  }

  LogicalResult convert(func::FuncOp function) {
    if (!function.getBody().hasOneBlock())
      return function.emitOpError("has control flow between blocks; expected one block");
    auto exit = dyn_cast<func::ReturnOp>(function.getBody().front().getTerminator());
    if (!exit)
      return function.emitOpError("ends with '")
             << function.getBody().front().getTerminator()->getName()
             << "'; expected func.return";
    for (Type type : llvm::concat<const Type>(function.getArgumentTypes(),
                                              function.getResultTypes())) {
      auto memref = dyn_cast<MemRefType>(type);
      if (!memref || !memref.hasStaticShape() || !memref.getLayout().isIdentity())
        return function.emitOpError()
               << "has an argument or result of type " << type
               << "; expected memrefs of static shape and identity layout";
    }
    FailureOr<SmallVector<BlockArgument>> destinations = getDestinations(function);
    if (failed(destinations))
      return failure();

    SmallVector<Value> values(exit.getOperands());
    saveCrossed(exit, values, *destinations);
    for (auto [result, value] : llvm::enumerate(values)) {
      if (BlockArgument destination = (*destinations)[result])
        updateInPlace(exit, result, value, destination);
      else
        addResultArgument(function, exit, result, value, values);
    }
    exit.getOperandsMutable().clear();
    function.setFunctionType(FunctionType::get(
        &getContext(), function.getBody().getArgumentTypes(), /*results=*/{}));
    function.removeResAttrsAttr();
    for (unsigned position = 0; position < function.getNumArguments(); ++position)
      function.removeArgAttr(position, writableName);
    function->setAttr("llvm.emit_c_interface", UnitAttr::get(&getContext()));
    return success();
  }

  /// A result whose value sits in an argument that another result overwrites is
  /// moved out of the way before any argument is written.
  void saveCrossed(func::ReturnOp exit, SmallVectorImpl<Value> &values,
                   ArrayRef<BlockArgument> destinations) {
    OpBuilder builder(exit);
    for (auto [result, value] : llvm::enumerate(values)) {
      Value root = getRootBuffer(value);
      auto argument = dyn_cast_or_null<BlockArgument>(root);
      bool known = root && (!argument || argument == destinations[result] ||
                            !llvm::is_contained(destinations, argument));
      if (known)
        continue;
      auto type = cast<MemRefType>(value.getType());
      Value saved = memref::AllocOp::create(builder, exit.getLoc(), type);
      memref::CopyOp::create(builder, exit.getLoc(), value, saved);
      value = saved;
    }
  }

  void updateInPlace(func::ReturnOp exit, unsigned result, Value value,
                     BlockArgument destination) {
    Value root = getRootBuffer(value);
    if (root == destination && isWhole(value, root)) {
      ++inPlace;
      return;
    }
    ++copied;
    emitRemark(value.getLoc()) << "result " << result
                               << " is computed elsewhere and copied into argument "
                               << destination.getArgNumber() << ", which it updates";
    OpBuilder builder(exit);
    memref::CopyOp::create(builder, exit.getLoc(), value, destination);
  }

  void addResultArgument(func::FuncOp function, func::ReturnOp exit, unsigned result,
                         Value value, MutableArrayRef<Value> values) {
    OpBuilder builder(exit);
    DictionaryAttr resultAttrs = function.getResultAttrDict(result);
    NamedAttrList attrs(resultAttrs);
    attrs.set(resultName, builder.getI64IntegerAttr(result));
    unsigned position = function.getNumArguments();
    auto type = cast<MemRefType>(value.getType());
    (void)function.insertArgument(position, type, attrs.getDictionary(&getContext()),
                                  value.getLoc());
    BlockArgument argument = function.getArgument(position);

    // The buffer of a result that is no other result's is the argument itself.
    Value root = getRootBuffer(value);
    auto alloc = root ? root.getDefiningOp<memref::AllocOp>() : nullptr;
    bool shared = llvm::count_if(values, [&](Value other) {
                    return getRootBuffer(other) == root;
                  }) > 1;
    if (!alloc || shared || !isWhole(value, root)) {
      memref::CopyOp::create(builder, exit.getLoc(), value, argument);
      return;
    }
    builder.setInsertionPoint(alloc);
    Value buffer = argument;
    if (type != alloc.getType()) {
      SmallVector<int64_t> strides;
      int64_t offset;
      (void)alloc.getType().getStridesAndOffset(strides, offset);
      buffer = memref::ReinterpretCastOp::create(builder, alloc.getLoc(), alloc.getType(),
                                                 argument, offset,
                                                 alloc.getType().getShape(), strides);
    }
    // The list outlives the allocation: later results are compared with all of it.
    for (Value &other : values)
      if (other == alloc.getResult())
        other = buffer;
    alloc.getResult().replaceAllUsesWith(buffer);
    alloc.erase();
    // Later results look at all of them.
    values[result] = argument;
  }
};

} // namespace
