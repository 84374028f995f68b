#include "ImportLinalgExt.h"
#include "mlir/Transforms/Passes.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_IMPORTPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;

namespace {

bool isNamed(Operation *op, StringRef name) {
  return op->getName().getStringRef() == name;
}

template <typename AttrT> AttrT attributeOf(Operation *op, StringRef name) {
  return op->getAttrOfType<AttrT>(name);
}

/// An attribute of a dialect that is not loaded, by its name or its value.
bool isForeign(NamedAttribute attr) {
  StringRef name = attr.getName();
  return (name.contains('.') && !attr.getNameDialect()) ||
         isa<OpaqueAttr>(attr.getValue());
}

DictionaryAttr withoutForeign(DictionaryAttr attrs) {
  return DictionaryAttr::getWithSorted(
      attrs.getContext(), llvm::filter_to_vector(attrs, [](NamedAttribute attr) {
        return !isForeign(attr);
      }));
}

/// Arguments take the framework's path as their location, and the function its name,
/// instead of a place in text that no one wrote and whose lines are thousands of
/// characters long.
void nameLocations(func::FuncOp function) {
  auto named = [&](StringAttr name) -> Location { return NameLoc::get(name); };
  bool any = false;
  for (BlockArgument argument : function.getArguments())
    for (StringRef attribute : {sparsam::boundary::param, sparsam::boundary::name})
      if (auto path =
              function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), attribute)) {
        argument.setLoc(named(path));
        any = true;
        break;
      }
  if (any)
    function->setLoc(named(function.getSymNameAttr()));
}

LogicalResult importFunction(RewriterBase &rewriter, Operation *op) {
  auto name = attributeOf<StringAttr>(op, "sym_name");
  auto typeAttr = attributeOf<TypeAttr>(op, "function_type");
  auto type = typeAttr ? dyn_cast<FunctionType>(typeAttr.getValue()) : FunctionType();
  if (!name || !type)
    return op->emitOpError("expected a sym_name and a function_type");
  if (op->getNumRegions() != 1 || op->getRegion(0).empty())
    return op->emitOpError("'")
           << name.getValue() << "' has no body; external functions cannot be imported";
  if (op->getRegion(0).front().getArgumentTypes() != type.getInputs())
    return op->emitOpError("'") << name.getValue() << "' has the type " << type
                                << ", which does not fit the arguments of its body";
  rewriter.setInsertionPoint(op);
  auto function = func::FuncOp::create(rewriter, op->getLoc(), name, type);
  function.setSymVisibilityAttr(attributeOf<StringAttr>(op, "sym_visibility"));
  auto setAll = [&](StringRef from, size_t size, auto set) -> LogicalResult {
    auto all = attributeOf<ArrayAttr>(op, from);
    if (!all)
      return success();
    if (all.size() != size || !llvm::all_of(all, llvm::IsaPred<DictionaryAttr>))
      return op->emitOpError("expected ")
             << size << " dictionaries in " << from << ", found " << all.size();
    set(all);
    return success();
  };
  if (failed(setAll("arg_attrs", type.getNumInputs(),
                    [&](ArrayAttr all) { function.setAllArgAttrs(all); })) ||
      failed(setAll("res_attrs", type.getNumResults(),
                    [&](ArrayAttr all) { function.setAllResultAttrs(all); })))
    return failure();
  rewriter.inlineRegionBefore(op->getRegion(0), function.getBody(),
                              function.getBody().end());
  nameLocations(function);
  rewriter.eraseOp(op);
  return success();
}

LogicalResult importCall(RewriterBase &rewriter, Operation *op) {
  auto callee = attributeOf<FlatSymbolRefAttr>(op, "callee");
  if (!callee)
    return op->emitOpError("expected a callee");
  rewriter.setInsertionPoint(op);
  rewriter.replaceOpWithNewOp<func::CallOp>(op, callee, op->getResultTypes(),
                                            op->getOperands());
  return success();
}

LogicalResult importBarrier(RewriterBase &rewriter, Operation *op) {
  if (op->getOperandTypes() != op->getResultTypes())
    return op->emitOpError("expected results of the types of the operands");
  rewriter.replaceOp(op, op->getOperands());
  return success();
}

void removeForeignAttributes(Operation *op) {
  op->setDiscardableAttrs(withoutForeign(op->getDiscardableAttrDictionary()));
  auto function = dyn_cast<func::FuncOp>(op);
  if (!function)
    return;
  for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
    if (DictionaryAttr attrs = function.getArgAttrDict(i))
      function.setArgAttrs(i, withoutForeign(attrs));
  for (unsigned i = 0, e = function.getNumResults(); i != e; ++i)
    if (DictionaryAttr attrs = function.getResultAttrDict(i))
      function.setResultAttrs(i, withoutForeign(attrs));
}

/// Names the operation that is left, and what to do about it.
LogicalResult checkKnown(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  for (Type type : op->getResultTypes())
    if (isa<OpaqueType>(type))
      return op->emitOpError("has a result of type ")
             << type << ", which no dialect loaded here defines";
  if (auto function = dyn_cast<func::FuncOp>(op))
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
      if (isa<OpaqueType>(type))
        return op->emitOpError("argument ")
               << i << " has type " << type
               << "; hand the step over on tensors, before it is wrapped for a runtime";
  if (op->isRegistered())
    return success();
  if (dialect == "stablehlo" || dialect == "chlo" || dialect == "mhlo")
    return op->emitOpError("is not lowered to linalg; run `iree-compile "
                           "--iree-input-type=stablehlo --compile-to=input` first");
  if (dialect == "hal" || dialect == "flow" || dialect == "stream")
    return op->emitOpError("belongs to IREE's runtime; hand the step over as "
                           "`iree-compile --compile-to=input` leaves it");
  return op->emitOpError("is not known to Sparsam and cannot be imported");
}

struct ImportPass : sparsam::impl::ImportPassBase<ImportPass> {
  using ImportPassBase::ImportPassBase;

  void runOnOperation() override {
    if (failed(importOperations()) || failed(inlineCalls()) || failed(rename()))
      return signalPassFailure();
    // From the outside in: an operation is named before what is in its region.
    WalkResult known = getOperation().walk<WalkOrder::PreOrder>([](Operation *op) {
      return failed(checkKnown(op)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (known.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult importOperations() {
    IRRewriter rewriter(&getContext());
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      LogicalResult imported = success();
      if (isNamed(op, "util.func")) {
        imported = importFunction(rewriter, op);
      } else if (isNamed(op, "util.call")) {
        imported = importCall(rewriter, op);
      } else if (isNamed(op, "util.return")) {
        rewriter.setInsertionPoint(op);
        rewriter.replaceOpWithNewOp<func::ReturnOp>(op, op->getOperands());
      } else if (isNamed(op, "util.optimization_barrier")) {
        imported = importBarrier(rewriter, op);
      } else if (isNamed(op, "iree_linalg_ext.scatter")) {
        imported = sparsam::importScatter(rewriter, op);
        ++numScatters;
      } else if (isNamed(op, "iree_linalg_ext.scan")) {
        imported = sparsam::importScan(rewriter, op);
        ++numScans;
      }
      if (failed(imported))
        return failure();
    }
    getOperation().walk(removeForeignAttributes);
    getOperation().walk([&](linalg::GenericOp generic) {
      numIndexChecks += sparsam::importIndexChecks(generic);
      numTransposedReads += sparsam::importTransposedRead(rewriter, generic);
    });
    getOperation().walk([](func::FuncOp function) {
      if (isa<UnknownLoc>(function.getLoc()))
        nameLocations(function);
    });
    return success();
  }

  LogicalResult inlineCalls() {
    bool calls = getOperation()
                     .walk([](func::CallOp) { return WalkResult::interrupt(); })
                     .wasInterrupted();
    if (!calls)
      return success();
    OpPassManager inliner(ModuleOp::getOperationName());
    inliner.addPass(createInlinerPass());
    inliner.addPass(createSymbolDCEPass());
    return runPipeline(inliner, getOperation());
  }

  LogicalResult rename() {
    if (functionName.empty())
      return success();
    auto functions = llvm::filter_to_vector(getOperation().getOps<func::FuncOp>(),
                                            [](func::FuncOp f) { return f.isPublic(); });
    if (functions.size() != 1)
      return getOperation().emitError("function-name needs a module with one public "
                                      "function, found ")
             << functions.size();
    functions.front().setSymName(functionName);
    return success();
  }
};

} // namespace
