// All temporaries of a function share one block of memory, planned here: its last
// argument. Nothing is allocated while it runs.

#include "Buffers.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr int64_t alignment = 64;

/// A buffer's bytes and the operations of the function's body, by position, from the
/// first to the last that touches it.
struct Lifetime {
  memref::AllocOp alloc;
  int64_t bytes;
  int64_t first, last;
  int64_t offset = 0;

  bool overlaps(const Lifetime &other) const {
    return first <= other.last && other.first <= last;
  }
};

class LifetimeAnalysis {
public:
  explicit LifetimeAnalysis(Block &body) : body(body) {
    for (Operation &op : body)
      positions[&op] = positions.size();
  }

  Lifetime get(memref::AllocOp alloc) const {
    int64_t bytes = std::max<int64_t>(*getBytes(alloc.getType()), 1);
    bytes = llvm::divideCeil(bytes, alignment) * alignment;
    Lifetime lifetime{alloc, bytes, std::numeric_limits<int64_t>::max(), 0};
    forEachUserThroughViews(alloc, [&](Operation *user) {
      int64_t position = positions.lookup(body.findAncestorOpInBlock(*user));
      lifetime.first = std::min(lifetime.first, position);
      lifetime.last = std::max(lifetime.last, position);
    });
    return lifetime;
  }

private:
  Block &body;
  llvm::DenseMap<Operation *, int64_t> positions;
};

/// Gives each buffer the lowest place that is free during its life, the largest
/// first, and returns the size of the whole.
int64_t place(MutableArrayRef<Lifetime> lifetimes) {
  SmallVector<Lifetime *> order;
  for (Lifetime &lifetime : lifetimes)
    order.push_back(&lifetime);
  llvm::sort(order, [](const Lifetime *left, const Lifetime *right) {
    return std::tie(left->bytes, right) > std::tie(right->bytes, left);
  });
  int64_t size = 0;
  // Those placed already, by offset.
  SmallVector<Lifetime *> placed;
  for (Lifetime *lifetime : order) {
    int64_t offset = 0, bestOffset = -1, bestGap = std::numeric_limits<int64_t>::max();
    for (Lifetime *other : placed) {
      if (!lifetime->overlaps(*other))
        continue;
      int64_t gap = other->offset - offset;
      if (gap >= lifetime->bytes && gap < bestGap) {
        bestOffset = offset;
        bestGap = gap;
      }
      offset = std::max(offset, other->offset + other->bytes);
    }
    lifetime->offset = bestOffset >= 0 ? bestOffset : offset;
    size = std::max(size, lifetime->offset + lifetime->bytes);
    auto position =
        llvm::upper_bound(placed, lifetime, [](Lifetime *left, Lifetime *right) {
          return left->offset < right->offset;
        });
    placed.insert(position, lifetime);
  }
  return size;
}

struct PlanMemoryPass : sparsam::impl::PlanMemoryPassBase<PlanMemoryPass> {
  using PlanMemoryPassBase::PlanMemoryPassBase;

  void runOnOperation() override {
    SymbolTable table(getOperation());
    symbols = &table;
    planned.clear();
    callers.clear();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(plan(function)))
        return signalPassFailure();
    WalkResult result = getOperation().walk([&](func::ConstantOp constant) {
      auto callee = symbols->lookup<func::FuncOp>(constant.getValue());
      if (!callee || callee.getFunctionType() == constant.getType())
        return WalkResult::advance();
      constant.emitOpError() << "refers to @" << constant.getValue()
                             << ", which takes a workspace; expected calls only";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// Plans the callees first: what they need is a buffer of the caller's.
  LogicalResult plan(func::FuncOp function) {
    if (function.isDeclaration() || !planned.insert(function).second)
      return success();
    if (!function.getBody().hasOneBlock())
      return function.emitOpError("has control flow between blocks; expected one block");
    SmallVector<func::CallOp> calls;
    function.walk([&](func::CallOp call) { calls.push_back(call); });
    callers.insert(function);
    for (func::CallOp call : calls) {
      auto callee = symbols->lookup<func::FuncOp>(call.getCallee());
      if (!callee)
        continue;
      if (callers.contains(callee))
        return call.emitOpError() << "calls @" << call.getCallee()
                                  << ", which is calling it; expected no recursion";
      if (failed(plan(callee)))
        return failure();
      addWorkspaceOperand(call, callee);
    }
    callers.erase(function);
    SmallVector<memref::AllocOp> allocs;
    WalkResult result = function.walk([&](memref::AllocOp alloc) {
      allocs.push_back(alloc);
      return checkAllocation(alloc);
    });
    if (result.wasInterrupted())
      return failure();
    function.walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
    if (!allocs.empty() || function.isPublic())
      planAllocations(function, allocs);
    return success();
  }

  void addWorkspaceOperand(func::CallOp call, func::FuncOp callee) {
    if (callee.getNumArguments() == call.getNumOperands())
      return;
    OpBuilder builder(call);
    auto type = cast<MemRefType>(callee.getArgumentTypes().back());
    call->insertOperands(call.getNumOperands(),
                         {memref::AllocOp::create(builder, call.getLoc(), type)});
  }

  WalkResult checkAllocation(memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity() || !getBytes(type)) {
      alloc.emitOpError() << "of type " << type
                          << ": expected static shape, identity layout and numbers";
      return WalkResult::interrupt();
    }
    if (alloc->getParentOfType<scf::ParallelOp>()) {
      alloc.emitOpError("is inside a parallel loop, whose iterations would share it");
      return WalkResult::interrupt();
    }
    // One iteration's buffer is the next one's memory.
    bool carried = false;
    forEachUserThroughViews(alloc, [&](Operation *user) {
      carried |= user->hasTrait<OpTrait::IsTerminator>() &&
                 isa<LoopLikeOpInterface>(user->getParentOp()) &&
                 user->getParentOp()->isAncestor(alloc);
    });
    if (carried) {
      alloc.emitOpError("is handed on by the loop that it is inside of; expected the "
                        "loop to carry buffers from outside");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  }

  void planAllocations(func::FuncOp function, ArrayRef<memref::AllocOp> allocs) {
    LifetimeAnalysis analysis(function.getBody().front());
    SmallVector<Lifetime> lifetimes;
    int64_t total = 0;
    for (memref::AllocOp alloc : allocs) {
      // What nothing uses lives nowhere.
      if (alloc->use_empty()) {
        alloc->erase();
        continue;
      }
      lifetimes.push_back(analysis.get(alloc));
      total += lifetimes.back().bytes;
    }
    int64_t size = place(lifetimes);
    if (function.isPublic()) {
      unplannedBytes += total;
      plannedBytes += size;
    } else if (lifetimes.empty()) {
      return;
    }
    OpBuilder builder(&getContext());
    auto type = MemRefType::get({size}, builder.getI8Type());
    unsigned position = function.getNumArguments();
    NamedAttrList attrs(builder.getNamedAttr("sparsam.workspace", builder.getUnitAttr()));
    // A caller gives a buffer that nothing else lives in during the call.
    if (!function.isPublic())
      attrs.set("llvm.noalias", builder.getUnitAttr());
    (void)function.insertArgument(position, type, attrs.getDictionary(&getContext()),
                                  function.getLoc());
    Value workspace = function.getArgument(position);
    for (Lifetime &lifetime : lifetimes) {
      builder.setInsertionPoint(lifetime.alloc);
      Location loc = lifetime.alloc.getLoc();
      Value offset = arith::ConstantIndexOp::create(builder, loc, lifetime.offset);
      Value view = memref::ViewOp::create(builder, loc, lifetime.alloc.getType(),
                                          workspace, offset, ValueRange{});
      lifetime.alloc.getResult().replaceAllUsesWith(view);
      lifetime.alloc.erase();
    }
  }

  SymbolTable *symbols = nullptr;
  llvm::DenseSet<func::FuncOp> planned;
  /// The function that is being planned, and those that lead to it.
  llvm::DenseSet<func::FuncOp> callers;
};

} // namespace
