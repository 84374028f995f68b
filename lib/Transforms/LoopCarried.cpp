#include "LoopCarried.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "sparsam/Analysis/ElementwiseSlice.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The loop that `value` is a result of, and its number.
static scf::ForOp getLoop(Value value, unsigned &number) {
  auto loop = value.getDefiningOp<scf::ForOp>();
  if (loop)
    number = cast<OpResult>(value).getResultNumber();
  return loop;
}

static std::optional<Layers> matchInserted(tensor::InsertSliceOp insert) {
  return matchLayers(insert, insert.getDestType().getShape());
}

static bool isDefinedBefore(Value value, Operation *op) {
  Operation *definition = value.getDefiningOp();
  if (!definition)
    return cast<BlockArgument>(value).getOwner()->getParentOp()->isProperAncestor(op);
  Operation *place = definition->getBlock()->findAncestorOpInBlock(*op);
  return place && place != definition && definition->isBeforeInBlock(place);
}

static bool isKnownBefore(const LinearMap &map, Operation *op) {
  return llvm::all_of(map.getOperands(), [&](const SlicedValue &operand) {
    return (operand.isConstant() || isDefinedBefore(operand.value, op)) &&
           llvm::all_of(operand.slices, [&](const Layers &layers) {
             return llvm::all_of(layers.offsets, [&](OpFoldResult offset) {
               auto value = dyn_cast<Value>(offset);
               return !value || isDefinedBefore(value, op);
             });
           });
  });
}

/// The operands of elementwise work that `map` moves through; none where it is other
/// work.
static std::optional<ElementwiseOp> matchMoved(Operation *op, const LinearMap &map) {
  FailureOr<ElementwiseOp> matched = matchElementwise(op);
  if (failed(matched))
    return std::nullopt;
  const ElementwiseOp &elementwise = *matched;
  if (elementwise.isCopy() || !map.movesThrough(elementwise))
    return std::nullopt;
  return elementwise;
}

//===----------------------------------------------------------------------===//
// Which loops a map moves into
//===----------------------------------------------------------------------===//

/// Whether `loop` does to what it carries only what `map` moves through: every use of it
/// is a step towards its next value. `steps` gathers these.
static bool carriesParts(scf::ForOp loop, unsigned number, const LinearMap &map,
                         SmallPtrSetImpl<Operation *> &steps) {
  if (!isKnownBefore(map, loop))
    return false;
  Value carried = loop.getRegionIterArg(number);
  SmallVector<Value> worklist{loop.getYieldedValues()[number]};
  steps.insert(loop.getBody()->getTerminator());
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!op || !loop->isProperAncestor(op) || steps.contains(op))
      continue;
    unsigned inner;
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
      auto layers = matchInserted(insert);
      if (!layers || !map.at(*layers).map)
        continue;
      worklist.push_back(insert.getDest());
    } else if (scf::ForOp nested = getLoop(value, inner)) {
      if (!carriesParts(nested, inner, map, steps))
        continue;
      worklist.push_back(nested.getInitArgs()[inner]);
    } else if (auto elementwise = matchMoved(op, map)) {
      for (const ElementwiseOperand &operand : elementwise->operands)
        worklist.push_back(operand.value);
    } else {
      continue;
    }
    steps.insert(op);
  }
  return llvm::all_of(carried.getUsers(),
                      [&](Operation *user) { return steps.contains(user); });
}

bool sparsam::isMadeOfParts(Value value, const LinearMap &map) {
  SmallPtrSet<Operation *, 16> seen;
  SmallVector<Value> worklist{value};
  while (!worklist.empty()) {
    Value next = worklist.pop_back_val();
    Operation *op = next.getDefiningOp();
    if (!op || !seen.insert(op).second)
      continue;
    unsigned number;
    if (scf::ForOp loop = getLoop(next, number)) {
      SmallPtrSet<Operation *, 16> steps;
      if (carriesParts(loop, number, map, steps))
        return true;
    } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
      auto layers = matchInserted(insert);
      if (layers && map.at(*layers).map)
        return true;
    } else if (auto elementwise = matchMoved(op, map)) {
      for (const ElementwiseOperand &operand : elementwise->operands)
        if (operand.access == ElementAccess::Same)
          worklist.push_back(operand.value);
    }
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Moving a map into what makes a value
//===----------------------------------------------------------------------===//

namespace {

class Mover {
public:
  using Known = DenseMap<Value, Value>;

  Mover(RewriterBase &rewriter, Location loc) : rewriter(rewriter), loc(loc) {}

  /// `known` has the map of what surrounding loops carry.
  Value move(Value value, const LinearMap &map, const Known &known) {
    if (Value done = known.lookup(value))
      return done;
    Operation *op = value.getDefiningOp();
    unsigned number;
    if (scf::ForOp loop = getLoop(value, number)) {
      SmallPtrSet<Operation *, 16> steps;
      if (carriesParts(loop, number, map, steps))
        return moveIntoLoop(loop, number, map, known);
    } else if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op)) {
      if (auto layers = matchInserted(insert))
        if (auto part = map.at(*layers); part.map) {
          Value source =
              createReshape(rewriter, loc, insert.getSource(), insert.getStaticSizes());
          Value mapped = hold(move(source, *part.map, Known()));
          Value into = move(insert.getDest(), map, known);
          Value inserted = insertLayers(rewriter, loc, mapped, into, part.layers);
          release(mapped);
          return inserted;
        }
    } else if (Value uniform = map.applyToUniform(rewriter, value)) {
      return uniform;
    } else if (auto elementwise = matchMoved(op, map);
               elementwise && isWorthMoving(*elementwise, map, known)) {
      SmallVector<Value> operands;
      ArrayRef<int64_t> shape;
      for (unsigned i = 0; i < elementwise->operands.size(); ++i) {
        // Moving one operand may put another loop in the place of what makes the next.
        ElementwiseOperand operand = matchMoved(op, map)->operands[i];
        if (operand.access == ElementAccess::Scalar) {
          operands.push_back(hold(operand.value));
          continue;
        }
        operands.push_back(hold(move(operand.value, map, known)));
        shape = cast<RankedTensorType>(operands.back().getType()).getShape();
      }
      Value moved = cloneElementwise(rewriter, *elementwise, operands, shape);
      llvm::for_each(operands, [&](Value operand) { release(operand); });
      return moved;
    }
    return map.apply(rewriter, loc, value);
  }

private:
  /// A value that stays good where a loop that makes it is replaced by a larger one.
  Value hold(Value value) {
    return UnrealizedConversionCastOp::create(rewriter, loc, value.getType(), value)
        .getResult(0);
  }

  /// Puts what is held in the place of a value of `hold`, if it is one.
  void release(Value value) {
    if (auto held = value.getDefiningOp<UnrealizedConversionCastOp>())
      rewriter.replaceOp(held, held.getInputs());
  }

  bool isWorthMoving(const ElementwiseOp &elementwise, const LinearMap &map,
                     const Known &known) {
    return llvm::any_of(elementwise.operands, [&](const ElementwiseOperand &operand) {
      return operand.access == ElementAccess::Same &&
             (reaches(operand.value, map, known) || isMadeOfParts(operand.value, map));
    });
  }

  /// Whether the map of something that a surrounding loop carries is asked for.
  static bool reaches(Value value, const LinearMap &map, const Known &known) {
    if (known.contains(value))
      return true;
    Operation *op = value.getDefiningOp();
    if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op))
      return reaches(insert.getDest(), map, known);
    auto elementwise = matchMoved(op, map);
    return elementwise &&
           llvm::any_of(elementwise->operands, [&](const ElementwiseOperand &operand) {
             return operand.access == ElementAccess::Same &&
                    reaches(operand.value, map, known);
           });
  }

  Value moveIntoLoop(scf::ForOp loop, unsigned number, const LinearMap &map,
                     const Known &known) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(loop);
    Value init = move(loop.getInitArgs()[number], map, known);
    unsigned added = loop.getNumResults();
    auto newLoop = *loop.replaceWithAdditionalYields(
        rewriter, init, /*replaceInitOperandUsesInLoop=*/false,
        [&](OpBuilder &, Location, ArrayRef<BlockArgument> arguments) {
          Known inside;
          inside[loop.getRegionIterArg(number)] = arguments.front();
          return SmallVector<Value>{move(loop.getYieldedValues()[number], map, inside)};
        });
    return newLoop->getResult(added);
  }

  RewriterBase &rewriter;
  Location loc;
};

} // namespace

Value sparsam::applyToParts(RewriterBase &rewriter, Location loc, Value value,
                            const LinearMap &map) {
  return Mover(rewriter, loc).move(value, map, Mover::Known());
}

//===----------------------------------------------------------------------===//
// What nothing needs
//===----------------------------------------------------------------------===//

namespace {

/// The values that what a function returns or writes is made from. A loop may need some
/// of what it carries and not the rest.
class Needed {
public:
  explicit Needed(func::FuncOp function) {
    function.walk([&](Operation *op) {
      if (op == function)
        return;
      bool isPlain =
          isa<scf::ForOp>(op) || isa<scf::YieldOp>(op) || isMemoryEffectFree(op);
      if (!isPlain || isa<func::ReturnOp>(op))
        addAll(op);
    });
    while (!worklist.empty())
      visit(worklist.pop_back_val());
  }

  bool contains(Value value) const { return needed.contains(value); }

private:
  void add(Value value) {
    if (needed.insert(value).second)
      worklist.push_back(value);
  }

  void addAll(Operation *op) {
    forEachUsedValue(op, [&](Value value) { add(value); });
    // What is inside of other operations with regions is needed as a whole.
    for (Region &region : op->getRegions())
      region.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          add(operand);
      });
  }

  void addCarried(scf::ForOp loop, unsigned number) {
    add(loop.getInitArgs()[number]);
    add(loop.getYieldedValues()[number]);
    for (Value bound : {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()})
      add(bound);
  }

  void visit(Value value) {
    unsigned number;
    if (scf::ForOp loop = getLoop(value, number)) {
      addCarried(loop, number);
    } else if (Operation *op = value.getDefiningOp()) {
      addAll(op);
    } else if (auto loop = dyn_cast<scf::ForOp>(
                   cast<BlockArgument>(value).getOwner()->getParentOp())) {
      unsigned argument = cast<BlockArgument>(value).getArgNumber();
      if (argument)
        addCarried(loop, argument - 1);
    }
  }

  llvm::DenseSet<Value> needed;
  SmallVector<Value> worklist;
};

} // namespace

/// `loop` without what it carries as `unused`, which only steps towards it use.
static void dropCarried(RewriterBase &rewriter, scf::ForOp loop,
                        const llvm::BitVector &unused) {
  rewriter.setInsertionPoint(loop);
  SmallVector<Value> inits, yielded;
  for (unsigned number = 0; number < unused.size(); ++number) {
    if (unused.test(number))
      continue;
    inits.push_back(loop.getInitArgs()[number]);
    yielded.push_back(loop.getYieldedValues()[number]);
  }
  auto made = scf::ForOp::create(
      rewriter, loop.getLoc(), loop.getLowerBound(), loop.getUpperBound(), loop.getStep(),
      inits, [](OpBuilder &, Location, Value, ValueRange) {}, loop.getUnsignedCmp());
  made->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  loop.getBody()->getTerminator()->setOperands(yielded);
  SmallVector<Value> arguments{made.getInductionVar()};
  SmallVector<Value> results;
  unsigned next = 0;
  for (unsigned number = 0; number < unused.size(); ++number) {
    Value init = loop.getInitArgs()[number];
    arguments.push_back(unused.test(number) ? init : made.getRegionIterArg(next));
    results.push_back(unused.test(number) ? init : made.getResult(next));
    next += !unused.test(number);
  }
  rewriter.mergeBlocks(loop.getBody(), made.getBody(), arguments);
  rewriter.replaceOp(loop, results);
}

static void eraseDead(Region &region) {
  for (Block &block : region)
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      if (!isa<EinsumOp>(op) && isOpTriviallyDead(&op)) {
        op.erase();
        continue;
      }
      for (Region &inner : op.getRegions())
        eraseDead(inner);
    }
}

void sparsam::eraseUnused(func::FuncOp function) { eraseDead(function.getBody()); }

int64_t sparsam::dropUnusedCarried(func::FuncOp function) {
  Needed needed(function);
  SmallVector<std::pair<scf::ForOp, llvm::BitVector>> loops;
  int64_t count = 0;
  function.walk([&](scf::ForOp loop) {
    llvm::BitVector unused(loop.getNumResults());
    for (unsigned number = 0; number < unused.size(); ++number)
      if (!needed.contains(loop.getResult(number)) &&
          !needed.contains(loop.getRegionIterArg(number)))
        unused.set(number);
    if (unused.any())
      loops.emplace_back(loop, unused);
    count += unused.count();
  });
  IRRewriter rewriter(function.getContext());
  for (auto &[loop, unused] : loops)
    dropCarried(rewriter, loop, unused);
  if (count)
    eraseUnused(function);
  return count;
}
