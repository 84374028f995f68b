#include "sparsam/Analysis/CoupledAxes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "sparsam/Analysis/Elementwise.h"
#include "sparsam/IR/SparsamOps.h"
#include "sparsam/Transforms/Boundary.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

static std::string quote(Operation *op) {
  return ("`" + op->getName().getStringRef() + "`").str();
}

CoupledAxes::CoupledAxes(func::FuncOp function, function_ref<bool(BlockArgument)> isFree)
    : function(function), isFree(isFree) {
  for (BlockArgument argument : function.getArguments())
    if (!isFree(argument))
      blockDims(get(argument), argument.getLoc(),
                "argument " + Twine(argument.getArgNumber()) +
                    " has it, which is no "
                    "parameter");
  // State has the axes of its parameter, whatever the optimizer does.
  llvm::StringMap<BlockArgument> parameters;
  for (BlockArgument argument : function.getArguments())
    if (auto path = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                          boundary::param))
      parameters[path] = argument;
  for (BlockArgument argument : function.getArguments()) {
    auto path =
        function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), boundary::stateOf);
    if (path && isFree(argument) && parameters.contains(path))
      unify(get(argument), get(parameters[path]), argument.getLoc());
  }
  findTakingAll();
  visitBlock(function.front());
}

ArrayRef<Axis> CoupledAxes::getLoops(linalg::LinalgOp op) {
  auto &loops = ofLoops[op];
  if (!loops) {
    loops = std::make_unique<SmallVector<Axis>>();
    for (int64_t size : op.getStaticLoopRanges())
      loops->push_back(axes.make(size));
  }
  return *loops;
}

void CoupledAxes::unify(ArrayRef<Axis> a, ArrayRef<Axis> b, Location loc) {
  for (auto [left, right] : llvm::zip(a, b))
    axes.unify(left, right, loc);
}

void CoupledAxes::blockDims(ArrayRef<Axis> dims, Location loc, const Twine &reason) {
  for (Axis dim : dims)
    if (axes.getSize(dim) != 1)
      axes.block(dim, loc, reason);
}

void CoupledAxes::blockAll(Operation *op, const Twine &reason) {
  std::string text = reason.str();
  op->walk([&](Operation *inner) {
    for (OpOperand &use : inner->getOpOperands())
      blockDims(get(use), op->getLoc(), text);
    for (Value result : inner->getResults())
      blockDims(get(result), op->getLoc(), text);
    for (Region &region : inner->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          blockDims(get(argument), op->getLoc(), text);
  });
}

void CoupledAxes::visitBlock(Block &block) {
  for (Operation &op : block)
    visit(&op);
}

static bool hasTensors(Operation *op) {
  auto isTensor = llvm::IsaPred<TensorType>;
  return llvm::any_of(op->getOperandTypes(), isTensor) ||
         llvm::any_of(op->getResultTypes(), isTensor) || op->getNumRegions();
}

static bool hasStaticShapes(Operation *op) {
  auto isStatic = [](Type type) {
    auto tensor = dyn_cast<TensorType>(type);
    return !tensor || tensor.hasStaticShape();
  };
  return llvm::all_of(op->getOperandTypes(), isStatic) &&
         llvm::all_of(op->getResultTypes(), isStatic);
}

void CoupledAxes::visit(Operation *op) {
  Location loc = op->getLoc();
  if (!hasTensors(op) || isa<scf::YieldOp>(op))
    return;
  if (!hasStaticShapes(op))
    return blockAll(op, quote(op) + " is not of static shape");
  if (op->getNumResults() == 1 && isUniform(op->getResult(0)))
    return;
  TypeSwitch<Operation *>(op)
      .Case([&](linalg::LinalgOp linalgOp) { visitLinalg(linalgOp); })
      .Case([&](tensor::ExpandShapeOp reshape) {
        visitReshape(op, reshape.getSrc(), &reshape.getSrcMutable(), reshape.getResult(),
                     nullptr, reshape.getReassociationIndices());
      })
      .Case([&](tensor::CollapseShapeOp reshape) {
        visitReshape(op, reshape.getResult(), nullptr, reshape.getSrc(),
                     &reshape.getSrcMutable(), reshape.getReassociationIndices());
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        visitSlice(slice, get(slice.getSourceMutable()), get(slice.getResult()),
                   slice.getDroppedDims());
      })
      .Case([&](tensor::InsertSliceOp slice) {
        unify(get(slice.getDestMutable()), get(slice.getResult()), loc);
        visitSlice(slice, get(slice.getResult()), get(slice.getSourceMutable()),
                   slice.getDroppedDims());
      })
      .Case([&](tensor::PadOp pad) { visitPad(pad); })
      .Case([&](tensor::ConcatOp concat) { visitConcat(concat); })
      .Case([&](scf::ForOp loop) { visitLoop(loop); })
      .Case([&](scf::IfOp branch) { visitIf(branch); })
      .Case([&](func::ReturnOp terminator) { visitReturn(terminator); })
      .Case<tensor::CastOp, GradientOp>([&](Operation *) {
        unify(get(op->getOpOperand(0)), get(op->getResult(0)), loc);
      })
      .Case([&](DensifyOp densify) {
        visitStructured(op, get(densify.getResult()), densify.getStructure());
      })
      .Case([&](RestrictOp restrict) {
        visitStructured(op, get(restrict.getSourceMutable()), restrict.getStructure());
      })
      .Case([&](arith::ConstantOp) {
        blockDims(get(op->getResult(0)), loc, "a constant has other entries along it");
      })
      .Default([&](Operation *) {
        if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
          return blockAll(op, quote(op) + " takes it");
        for (OpOperand &use : op->getOpOperands())
          unify(get(use), get(op->getResult(0)), loc);
      });
}

void CoupledAxes::visitReshape(Operation *op, Value collapsed, OpOperand *collapsedUse,
                               Value expanded, OpOperand *expandedUse,
                               ArrayRef<ReassociationIndices> groups) {
  ArrayRef<Axis> whole = collapsedUse ? get(*collapsedUse) : get(collapsed);
  ArrayRef<Axis> parts = expandedUse ? get(*expandedUse) : get(expanded);
  for (auto [dim, group] : llvm::zip_equal(whole, groups)) {
    SmallVector<Axis> factors =
        llvm::map_to_vector(group, [&](int64_t part) { return parts[part]; });
    axes.unify(dim, axes.makeProduct(factors), op->getLoc());
  }
}

void CoupledAxes::visitSlice(OffsetSizeAndStrideOpInterface op, ArrayRef<Axis> whole,
                             ArrayRef<Axis> part, const llvm::SmallBitVector &dropped) {
  Location loc = op->getLoc();
  unsigned next = 0;
  for (auto [dim, axis] : llvm::enumerate(whole)) {
    bool isDropped = dropped.test(dim);
    int64_t size = op.getStaticSizes()[dim], offset = op.getStaticOffsets()[dim];
    bool isWhole = size == axes.getSize(axis);
    bool isStatic = !ShapedType::isDynamic(offset) && op.getStaticStrides()[dim] == 1;
    if (isWhole && !isDropped) {
      axes.unify(axis, part[next], loc);
    } else if (isStatic) {
      Axis segment = axes.getSegment(axis, offset, size, loc);
      if (!isDropped)
        axes.unify(segment, part[next], loc);
    } else {
      StringRef reason = "a slice takes entries of it at places that are computed";
      blockDims(axis, loc, reason);
      if (!isDropped)
        blockDims(part[next], loc, reason);
    }
    next += !isDropped;
  }
}

void CoupledAxes::visitPad(tensor::PadOp op) {
  Location loc = op.getLoc();
  ArrayRef<Axis> source = get(op.getSourceMutable()), result = get(op.getResult());
  bool isConstant = static_cast<bool>(op.getConstantPaddingValue());
  for (auto [dim, low] : llvm::enumerate(op.getStaticLow())) {
    int64_t size = axes.getSize(source[dim]);
    if (size == axes.getSize(result[dim]) && isConstant) {
      axes.unify(source[dim], result[dim], loc);
    } else if (isConstant && low >= 0 && low + size <= axes.getSize(result[dim])) {
      axes.unify(axes.getSegment(result[dim], low, size, loc), source[dim], loc);
    } else {
      blockDims({source[dim], result[dim]}, loc, "`tensor.pad` cuts it");
    }
  }
}

void CoupledAxes::visitConcat(tensor::ConcatOp op) {
  int64_t offset = 0;
  ArrayRef<Axis> result = get(op.getResult());
  for (OpOperand &use : op->getOpOperands())
    for (auto [dim, axis] : llvm::enumerate(get(use))) {
      if (dim != op.getDim()) {
        axes.unify(axis, result[dim], op.getLoc());
        continue;
      }
      int64_t size = axes.getSize(axis);
      axes.unify(axes.getSegment(result[dim], offset, size, op.getLoc()), axis,
                 op.getLoc());
      offset += size;
    }
}

void CoupledAxes::visitLoop(scf::ForOp op) {
  for (auto [number, init] : llvm::enumerate(op.getInitArgsMutable())) {
    unify(get(init), get(op.getRegionIterArg(number)), op.getLoc());
    unify(get(op.getRegionIterArg(number)), get(op.getResult(number)), op.getLoc());
  }
  visitBlock(*op.getBody());
  for (auto [number, use] :
       llvm::enumerate(op.getBody()->getTerminator()->getOpOperands()))
    unify(get(use), get(op.getResult(number)), op.getLoc());
}

void CoupledAxes::visitIf(scf::IfOp op) {
  for (Region *region : op.getRegions()) {
    if (region->empty())
      continue;
    visitBlock(region->front());
    for (auto [number, use] :
         llvm::enumerate(region->front().getTerminator()->getOpOperands()))
      unify(get(use), get(op.getResult(number)), op.getLoc());
  }
}

void CoupledAxes::visitReturn(func::ReturnOp op) {
  for (auto [number, argument] : getUpdated())
    unify(get(op->getOpOperand(number)), get(argument), op.getLoc());
}
