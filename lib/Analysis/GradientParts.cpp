#include "sparsam/Analysis/GradientParts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Analysis/Product.h"
#include "sparsam/IR/SparsamOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The dimensions larger than 1.
static int64_t getRealRank(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasRank()
             ? llvm::count_if(shaped.getShape(), [](int64_t size) { return size != 1; })
             : 0;
}

/// Whether each entry of an operand is at one place of the loops: not so for the windows
/// of a convolution.
static bool isPlainAccess(AffineMap map) {
  return map.isProjectedPermutation(/*allowZeroInResults=*/true);
}

/// A contraction of two values, each of which gives dimensions to the result or neither.
/// A weighted sum of parts is written as a contraction, too.
static bool isContraction(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (linalgOp && !llvm::all_of(linalgOp.getIndexingMapsArray(), isPlainAccess))
    return true;
  auto product = Product::of(op);
  if (failed(product) || product->terms.size() < 2)
    return false;
  product->absorbViews();
  auto getLetters = [](const Grouping &dims) {
    SmallVector<Letter> letters = flatten(dims);
    llvm::sort(letters);
    return letters;
  };
  SmallVector<SmallVector<Letter>> terms = llvm::map_to_vector(
      product->terms, [&](const Term &term) { return getLetters(term.dims); });
  if (llvm::all_equal(terms))
    return !product->isElementwise();
  SmallVector<Letter> result = getLetters(product->result);
  bool isOfOne = llvm::any_of(
      terms, [&](ArrayRef<Letter> letters) { return llvm::includes(letters, result); });
  // A matrix times a vector has the dimensions of the matrix alone.
  return !isOfOne || (result.size() < 2 && !product->isElementwise());
}

/// What the branches of `op` make its result of.
static SmallVector<Value> getYielded(Operation *op, unsigned number) {
  return llvm::map_to_vector(op->getRegions(), [&](Region &region) {
    return region.front().getTerminator()->getOperand(number);
  });
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

void GradientParts::Term::unite(const Term &other) {
  linear |= other.linear;
  nonlinear |= other.nonlinear;
  direct |= other.direct;
  spread |= other.spread;
  linear.intersectWithComplement(nonlinear);
}

void GradientParts::addTerm(Sum &sum, Term term) {
  if (llvm::is_contained(sum, term))
    return;
  // What is linear in nothing stays so: one such term says as much as several.
  if (term.linear.empty())
    for (Term &other : sum)
      if (other.linear.empty())
        return other.unite(term);
  sum.push_back(std::move(term));
  if (sum.size() <= maxTerms)
    return;
  for (const Term &other : ArrayRef(sum).drop_front())
    sum.front().unite(other);
  sum.truncate(1);
}

GradientParts::Sum GradientParts::add(Sum lhs, const Sum &rhs) {
  for (const Term &term : rhs)
    addTerm(lhs, term);
  return lhs;
}

GradientParts::Sum GradientParts::multiply(const Sum &lhs, const Sum &rhs) {
  Sum product;
  for (const Term &a : lhs)
    for (const Term &b : rhs) {
      Term term = a;
      term.nonlinear |= a.getAll() & b.getAll();
      term.unite(b);
      addTerm(product, std::move(term));
    }
  return product;
}

GradientParts::Sum GradientParts::mix(const Sum &sum) {
  Term mixed;
  for (const Term &term : sum) {
    mixed.nonlinear |= term.linear;
    mixed.unite(term);
  }
  return {mixed};
}

GradientParts::Sum GradientParts::spread(Sum sum) {
  for (Term &term : sum) {
    term.spread = term.getAll();
    term.direct.clear();
  }
  return sum;
}

GradientParts::Set GradientParts::getAll(const Sum &sum) {
  Set all;
  for (const Term &term : sum)
    all |= term.getAll();
  return all;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

GradientParts::GradientParts(ArrayRef<Value> gradients) {
  llvm::for_each(gradients, [&](Value gradient) { get(gradient); });
  if (isCarried) {
    std::swap(assumed, known);
    llvm::for_each(gradients, [&](Value gradient) { get(gradient); });
  }
  for (Value gradient : gradients)
    beside[gradient] = {Term()};
}

GradientParts::Sum GradientParts::get(Value value) {
  // What a loop carries is made of itself: the empty sum, the first time.
  if (auto found = known.find(value); found != known.end())
    return found->second;
  if (depth == maxDepth)
    return {Term()};
  ++depth;
  auto before = assumed.find(value);
  known[value] = before == assumed.end() ? Sum() : before->second;
  auto argument = dyn_cast<BlockArgument>(value);
  Sum sum = argument ? computeCarried(argument) : computeResult(cast<OpResult>(value));
  --depth;
  return known[value] = std::move(sum);
}

GradientParts::Sum GradientParts::createProduct(Value value) {
  auto [found, isNew] = products.try_emplace(value, products.size());
  if (isNew) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    entries.push_back(type && type.hasStaticShape() ? type.getNumElements() : 0);
  }
  Term term;
  term.linear.set(found->second);
  term.direct = term.linear;
  return {term};
}

GradientParts::Sum GradientParts::addAll(ValueRange values) {
  Sum sum;
  for (Value value : values)
    sum = add(std::move(sum), get(value));
  return sum;
}

GradientParts::Sum GradientParts::getControl(ValueRange values) {
  return spread(mix(addAll(values)));
}

/// A product is new to a gradient, and of what both operands are made of it is nonlinear.
/// That of a part with itself is nothing new.
GradientParts::Sum GradientParts::computeContraction(Operation *op, Value result) {
  Set all;
  Term shared;
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType())) {
      Set made = getAll(get(operand));
      shared.nonlinear |= all & made;
      all |= made;
    }
  shared.spread = shared.nonlinear;
  if (!all.empty() && shared.nonlinear == all)
    return {shared};
  return multiply(createProduct(result), {shared});
}

GradientParts::Sum GradientParts::computeCarried(BlockArgument argument) {
  Operation *parent = argument.getOwner()->getParentOp();
  unsigned number = argument.getArgNumber();
  isCarried |= isa<LoopLikeOpInterface>(parent);
  if (auto loop = dyn_cast<scf::ForOp>(parent); loop && number > 0)
    return addAll({loop.getInitArgs()[number - 1], loop.getYieldedValues()[number - 1]});
  if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
    if (argument.getOwner() == loop.getAfterBody())
      return get(loop.getConditionOp().getArgs()[number]);
    return addAll({loop.getInits()[number], loop.getYieldOp()->getOperand(number)});
  }
  return {Term()};
}

GradientParts::Sum GradientParts::computeResult(OpResult result) {
  Operation *op = result.getOwner();
  unsigned number = result.getResultNumber();
  auto isReal = [](Value value) {
    return isa<FloatType>(getElementTypeOrSelf(value.getType()));
  };
  return llvm::TypeSwitch<Operation *, Sum>(op)
      .Case<scf::ForOp>([&](auto loop) {
        return multiply(
            getControl({loop.getLowerBound(), loop.getUpperBound()}),
            addAll({loop.getInitArgs()[number], loop.getYieldedValues()[number]}));
      })
      .Case<scf::WhileOp>([&](auto loop) {
        scf::ConditionOp condition = loop.getConditionOp();
        return multiply(getControl(condition.getCondition()),
                        get(condition.getArgs()[number]));
      })
      .Case<scf::IfOp, scf::IndexSwitchOp>([&](auto branch) {
        Sum sum = addAll(getYielded(branch, number));
        // Outside of loops there is no part that a branch could choose.
        bool isInLoop = branch->template getParentOfType<LoopLikeOpInterface>();
        return isInLoop ? multiply(getControl(branch->getOperand(0)), sum) : sum;
      })
      .Case<tensor::InsertSliceOp>([&](auto insert) {
        Sum part = get(insert.getSource());
        // A row is not a part of the gradient, but where its rows are scattered to.
        bool isLinear = llvm::all_of(part, [](const Term &term) {
          return term.getAll().empty() || !term.linear.empty();
        });
        if (isLinear && getRealRank(insert.getSourceType()) < 2)
          part = createProduct(result);
        return multiply(getControl(insert.getOffsets()),
                        add(get(insert.getDest()), part));
      })
      .Case<tensor::ExtractSliceOp>([&](auto slice) {
        return multiply(getControl(slice.getOffsets()), get(slice.getSource()));
      })
      .Case<tensor::ExtractOp>([&](auto extract) {
        return multiply(getControl(extract.getIndices()), get(extract.getTensor()));
      })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ReshapeOp,
            tensor::CastOp, tensor::PadOp, GradientOp>(
          [&](auto) { return get(op->getOperand(0)); })
      .Case<tensor::SplatOp>([&](auto) { return spread(get(op->getOperand(0))); })
      .Case<tensor::ConcatOp, tensor::FromElementsOp>(
          [&](auto) { return addAll(op->getOperands()); })
      .Case<arith::ConstantOp>(
          [&](auto) { return matchPattern(op, m_AnyZeroFloat()) ? Sum() : Sum{Term()}; })
      .Default([&](Operation *) -> Sum {
        if (isContraction(op))
          return isReal(result) ? computeContraction(op, result) : Sum{Term()};
        if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
            linalgOp && linalgOp.hasPureTensorSemantics())
          return computeLinalg(linalgOp, number);
        if (!op->getNumRegions() && OpTrait::hasElementwiseMappableTraits(op))
          return computeScalar(
              op, llvm::map_to_vector(op->getOperands(),
                                      [&](Value operand) { return get(operand); }));
        return {Term()};
      });
}

GradientParts::Sum GradientParts::computeLinalg(linalg::LinalgOp op, unsigned result) {
  SmallVector<int64_t, 4> loops = op.getStaticLoopRanges();
  for (OpOperand &operand : op->getOpOperands()) {
    Value inside = op.getMatchingBlockArgument(&operand);
    if (!op.payloadUsesValueFromOperand(&operand)) {
      known[inside] = {};
      continue;
    }
    Sum sum = get(operand.get());
    AffineMap map = op.getMatchingIndexingMap(&operand);
    bool isRepeated =
        op.isDpsInput(&operand) && llvm::any_of(llvm::enumerate(loops), [&](auto loop) {
          return loop.value() != 1 && !map.isFunctionOfDim(loop.index());
        });
    known[inside] = isRepeated ? spread(std::move(sum)) : std::move(sum);
  }
  for (Operation &inner : op.getBlock()->without_terminator()) {
    SmallVector<Sum> operands;
    for (Value operand : inner.getOperands()) {
      bool isInside = operand.getParentBlock() == op.getBlock();
      operands.push_back(isInside ? get(operand) : spread(get(operand)));
    }
    for (OpResult value : inner.getResults())
      known[value] =
          operands.empty() ? computeResult(value) : computeScalar(&inner, operands);
  }
  Value yielded = op.getBlock()->getTerminator()->getOperand(result);
  return yielded.getParentBlock() == op.getBlock() ? get(yielded) : spread(get(yielded));
}

GradientParts::Sum GradientParts::computeScalar(Operation *op, ArrayRef<Sum> in) {
  return llvm::TypeSwitch<Operation *, Sum>(op)
      .Case<arith::MulFOp>([&](auto) { return multiply(in[0], in[1]); })
      .Case<arith::DivFOp>([&](auto) { return multiply(in[0], mix(in[1])); })
      .Case<arith::AddFOp, arith::SubFOp>([&](auto) { return add(in[0], in[1]); })
      .Case<math::FmaOp>([&](auto) { return add(multiply(in[0], in[1]), in[2]); })
      .Case<arith::SelectOp>(
          [&](auto) { return multiply(mix(in[0]), add(in[1], in[2])); })
      .Case<arith::NegFOp, arith::ExtFOp, arith::TruncFOp>([&](auto) { return in[0]; })
      .Default([&](Operation *) {
        Sum all;
        for (const Sum &operand : in)
          all = add(std::move(all), operand);
        return mix(all);
      });
}

PartsWork GradientParts::classify(Value gradient) {
  PartsWork work = PartsWork::Linear;
  auto type = cast<RankedTensorType>(gradient.getType());
  if (type.getRank() < 2)
    return work;
  // Of a column or a row, what a loop sums and is of its size is a product, and not the
  // seed of one.
  bool isVector = getRealRank(type) < 2;
  if (isVector && !getViewRoot(gradient).getDefiningOp<LoopLikeOpInterface>())
    return work;
  Sum sum = get(gradient);
  Set nonlinear;
  for (const Term &term : sum)
    nonlinear |= term.nonlinear;
  for (const Term &term : sum) {
    Set linear = term.linear, direct;
    linear.intersectWithComplement(nonlinear);
    for (unsigned number : term.direct)
      if (!isVector || entries[number] == type.getNumElements())
        direct.set(number);
    if (!linear.empty() || direct.empty())
      continue;
    if (direct.intersects(term.spread))
      return PartsWork::Spread;
    work = PartsWork::Elementwise;
  }
  return work;
}

bool GradientParts::isAnyMadeOfParts(ArrayRef<Value> values, Value gradient) {
  // A product is a gradient as a whole.
  if (Operation *op = getViewRoot(gradient).getDefiningOp(); op && isContraction(op))
    return false;
  Set parts, nonlinear;
  for (const Term &term : get(gradient)) {
    parts |= term.linear & term.direct;
    nonlinear |= term.nonlinear;
  }
  parts.intersectWithComplement(nonlinear);
  std::swap(known, beside);
  bool isAny = llvm::any_of(
      values, [&](Value value) { return getAll(get(value)).intersects(parts); });
  std::swap(known, beside);
  return isAny;
}

/// Whether a product in the loop that carries `value` is computed from it.
static bool entersProduct(Value value, llvm::SmallDenseSet<Value> &seen) {
  if (!seen.insert(value).second)
    return false;
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto loop = dyn_cast<scf::ForOp>(user)) {
      BlockArgument inside = loop.getTiedLoopRegionIterArg(&use);
      return inside && (entersProduct(inside, seen) ||
                        entersProduct(loop.getTiedLoopResult(&use), seen));
    }
    if (isa<scf::YieldOp, scf::ConditionOp>(user)) {
      Operation *parent = user->getParentOp();
      return isa<scf::IfOp, scf::IndexSwitchOp>(parent) &&
             entersProduct(parent->getResult(use.getOperandNumber()), seen);
    }
    auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
    bool isInput = !linalgOp || linalgOp.isDpsInput(&use);
    if (isInput && isContraction(user))
      return true;
    return llvm::any_of(user->getResults(),
                        [&](Value result) { return entersProduct(result, seen); });
  });
}

Operation *sparsam::getUpdateAround(Value value, Value parameter) {
  // A loop may carry all parameters in one vector.
  value = getViewRoot(value);
  while (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>())
    value = getViewRoot(slice.getSource());
  Operation *op = value.getDefiningOp();
  if (!op)
    return nullptr;
  unsigned number = cast<OpResult>(value).getResultNumber();
  bool isUpdate = false;
  llvm::SmallDenseSet<Value> seen;
  if (auto loop = dyn_cast<scf::ForOp>(op))
    isUpdate = entersProduct(loop.getRegionIterArg(number), seen);
  else if (auto loop = dyn_cast<scf::WhileOp>(op))
    isUpdate = entersProduct(loop.getAfterArguments()[number], seen);
  else if (isa<scf::IfOp, scf::IndexSwitchOp>(op))
    isUpdate = llvm::any_of(getYielded(op, number), [&](Value yielded) {
      return ElementwiseSlice::of(yielded).reaches(parameter);
    });
  return isUpdate ? op : nullptr;
}
