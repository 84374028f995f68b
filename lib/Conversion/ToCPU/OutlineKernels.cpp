// Every computation on memrefs moves into a function of its own, and equal ones
// share it, so that each distinct loop nest is compiled once.

#include "Buffers.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

#include "llvm/ADT/StringMap.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

bool isKernel(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return linalgOp.hasPureBufferSemantics();
  return isa<memref::CopyOp>(op) &&
         llvm::all_of(op->getOperandTypes(), llvm::IsaPred<MemRefType>);
}

/// A name that says what the kernel does and how large it is.
std::string getKernelName(Operation *op) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op->getOperands().back().getType()).getShape();
  auto addSizes = [&](ArrayRef<int64_t> sizes) {
    for (int64_t size : sizes)
      stream << "_" << (ShapedType::isDynamic(size) ? "any" : std::to_string(size));
  };
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp) {
    stream << op->getName().stripDialect();
    addSizes(shape);
    return name;
  }
  if (isa<linalg::GenericOp>(op))
    stream << (linalgOp.getNumReductionLoops() ? "reduction" : "elementwise");
  else
    stream << op->getName().stripDialect();
  addSizes(linalgOp.getStaticLoopRanges());
  return name;
}

struct OutlineKernelsPass : sparsam::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  using OutlineKernelsPassBase::OutlineKernelsPassBase;

  void runOnOperation() override {
    SymbolTable table(getOperation());
    symbols = &table;
    kernels.clear();
    SmallVector<Operation *> ops;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        function.walk<WalkOrder::PreOrder>([&](Operation *op) {
          if (!isKernel(op))
            return WalkResult::advance();
          ops.push_back(op);
          return WalkResult::skip();
        });
    for (Operation *op : ops)
      outline(op);
  }

  void outline(Operation *op) {
    SetVector<Value> values(op->operand_begin(), op->operand_end()), captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    values.insert_range(captured);
    // Constants belong to the kernel.
    SmallVector<Operation *> constants;
    for (Value value : values)
      if (Operation *def = value.getDefiningOp();
          def && def->hasTrait<OpTrait::ConstantLike>())
        constants.push_back(def);
    values.remove_if([&](Value value) {
      Operation *def = value.getDefiningOp();
      return def && llvm::is_contained(constants, def);
    });

    SmallVector<Type> types;
    for (Value value : values)
      // Types inside of the region follow from those of what it captures.
      types.push_back(captured.contains(value) ? value.getType()
                                               : getTypeAtAnyOffset(value.getType()));
    func::FuncOp kernel = buildKernel(op, values.getArrayRef(), types, constants);
    auto [entry, isNew] = kernels.try_emplace(getText(kernel), kernel);
    if (isNew) {
      kernel.setName(getKernelName(op));
      symbols->insert(kernel);
      ++outlined;
    } else {
      kernel.erase();
      kernel = entry->second;
      ++shared;
    }

    OpBuilder builder(op);
    SmallVector<Value> arguments;
    for (auto [value, type] : llvm::zip_equal(values, kernel.getArgumentTypes())) {
      Value argument = value;
      if (value.getType() != type)
        argument = memref::CastOp::create(builder, op->getLoc(), type, value);
      arguments.push_back(argument);
    }
    func::CallOp::create(builder, op->getLoc(), kernel, arguments);
    op->erase();
  }

  func::FuncOp buildKernel(Operation *op, ArrayRef<Value> values, ArrayRef<Type> types,
                           ArrayRef<Operation *> constants) {
    OpBuilder builder(&getContext());
    auto kernel = func::FuncOp::create(builder, op->getLoc(), "kernel",
                                       builder.getFunctionType(types, {}));
    kernel.setPrivate();
    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    mapping.map(ValueRange(values), ValueRange(body->getArguments()));
    for (Operation *constant : constants)
      builder.clone(*constant, mapping);
    builder.clone(*op, mapping);
    func::ReturnOp::create(builder, op->getLoc());
    markDistinct(kernel, values);
    return kernel;
  }

  /// Says of each parameter whose memory no other parameter of this call shares that
  /// it is so: loops are then vectorised without run-time checks.
  void markDistinct(func::FuncOp kernel, ArrayRef<Value> values) {
    SmallVector<Value> roots;
    for (Value value : values)
      roots.push_back(isa<MemRefType>(value.getType()) ? getRootBuffer(value) : Value());
    for (auto [position, value] : llvm::enumerate(values)) {
      if (!isa<MemRefType>(value.getType()))
        continue;
      bool distinct = roots[position] && llvm::count(roots, roots[position]) == 1;
      for (auto [other, root] : llvm::zip_equal(values, roots))
        distinct &= !isa<MemRefType>(other.getType()) || root;
      if (distinct)
        kernel.setArgAttr(position, "llvm.noalias", UnitAttr::get(&getContext()));
    }
  }

  /// What makes two kernels equal: everything but name and location.
  std::string getText(func::FuncOp kernel) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel->print(stream, OpPrintingFlags().useLocalScope().printGenericOpForm());
    return text;
  }

  SymbolTable *symbols = nullptr;
  llvm::StringMap<func::FuncOp> kernels;
};

} // namespace
