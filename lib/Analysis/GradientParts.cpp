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

/// A contraction of two values, each of which gives dimensions to the result. A sum of
/// squares and a weighted sum of parts are written as contractions, too.
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
    return false;
  SmallVector<Letter> result = getLetters(product->result);
  bool isOfOne = llvm::any_of(
      terms, [&](ArrayRef<Letter> letters) { return llvm::includes(letters, result); });
  // A matrix times a vector has the dimensions of the matrix alone.
  return !isOfOne || (result.size() < 2 && !product->isElementwise());
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

void GradientParts::addTerm(Sum &sum, Term term) {
  if (!sum || llvm::is_contained(*sum, term))
    return;
  // What is linear in nothing stays so: one such term says as much as several.
  if (term.linear.empty())
    for (Term &other : *sum)
      if (other.linear.empty()) {
        other.nonlinear |= term.nonlinear;
        other.direct |= term.direct;
        other.spread |= term.spread;
        return;
      }
  if (sum->size() == maxTerms)
    sum = std::nullopt;
  else
    sum->push_back(std::move(term));
}

GradientParts::Sum GradientParts::add(Sum lhs, const Sum &rhs) {
  if (!rhs)
    return std::nullopt;
  for (const Term &term : *rhs)
    addTerm(lhs, term);
  return lhs;
}

GradientParts::Sum GradientParts::multiply(const Sum &lhs, const Sum &rhs) {
  if (!lhs || !rhs)
    return std::nullopt;
  Sum product = createZero();
  for (const Term &a : *lhs)
    for (const Term &b : *rhs) {
      Term term;
      term.nonlinear = a.nonlinear | b.nonlinear;
      term.nonlinear |= a.getAll() & b.getAll();
      term.linear = a.linear | b.linear;
      term.linear.intersectWithComplement(term.nonlinear);
      term.direct = a.direct | b.direct;
      term.spread = a.spread | b.spread;
      addTerm(product, std::move(term));
    }
  return product;
}

GradientParts::Sum GradientParts::mix(const Sum &sum) {
  if (!sum)
    return std::nullopt;
  Term mixed;
  for (const Term &term : *sum) {
    mixed.nonlinear |= term.getAll();
    mixed.direct |= term.direct;
    mixed.spread |= term.spread;
  }
  return Sum({mixed});
}

GradientParts::Sum GradientParts::spread(Sum sum) {
  if (sum)
    for (Term &term : *sum) {
      term.spread = term.getAll();
      term.direct.clear();
    }
  return sum;
}

GradientParts::Sum GradientParts::createProduct(Value value) {
  Term term;
  term.linear.set(products.try_emplace(value, products.size()).first->second);
  term.direct = term.linear;
  return Sum({term});
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

GradientParts::GradientParts(ArrayRef<Value> gradients) {
  for (bool isSecond : {false, true}) {
    if (isSecond)
      std::swap(assumed, known);
    for (Value gradient : gradients)
      if (getRealRank(gradient.getType()) >= 2)
        get(gradient);
  }
}

GradientParts::Sum GradientParts::get(Value value) {
  // What a loop carries is made of itself: the empty sum, the first time.
  if (auto found = known.find(value); found != known.end())
    return found->second;
  auto before = assumed.find(value);
  known[value] = before == assumed.end() ? createZero() : before->second;
  auto argument = dyn_cast<BlockArgument>(value);
  Sum sum = argument ? computeCarried(argument) : computeResult(cast<OpResult>(value));
  return known[value] = std::move(sum);
}

GradientParts::Sum GradientParts::computeCarried(BlockArgument argument) {
  Operation *parent = argument.getOwner()->getParentOp();
  unsigned number = argument.getArgNumber();
  if (auto loop = dyn_cast<scf::ForOp>(parent); loop && number > 0)
    return add(get(loop.getInitArgs()[number - 1]),
               get(loop.getYieldedValues()[number - 1]));
  if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
    if (argument.getOwner() == loop.getAfterBody())
      return get(loop.getConditionOp().getArgs()[number]);
    return add(get(loop.getInits()[number]), get(loop.getYieldOp()->getOperand(number)));
  }
  return createConstant();
}

GradientParts::Sum GradientParts::computeResult(OpResult result) {
  Operation *op = result.getOwner();
  unsigned number = result.getResultNumber();
  auto isReal = [](Value value) {
    return isa<FloatType>(getElementTypeOrSelf(value.getType()));
  };
  return llvm::TypeSwitch<Operation *, Sum>(op)
      .Case<scf::ForOp>([&](auto loop) {
        return add(get(loop.getInitArgs()[number]), get(loop.getYieldedValues()[number]));
      })
      .Case<scf::WhileOp>(
          [&](auto loop) { return get(loop.getConditionOp().getArgs()[number]); })
      .Case<scf::IfOp, scf::IndexSwitchOp>([&](auto branch) {
        Sum sum = createZero();
        for (Region &region : branch->getRegions())
          sum = add(std::move(sum),
                    get(region.front().getTerminator()->getOperand(number)));
        return multiply(spread(mix(get(branch->getOperand(0)))), sum);
      })
      .Case<tensor::InsertSliceOp>([&](auto insert) {
        // A row is not a part of the gradient, but where its rows are scattered to.
        Sum part = getRealRank(insert.getSourceType()) < 2 ? createProduct(result)
                                                           : get(insert.getSource());
        return add(get(insert.getDest()), part);
      })
      .Case<tensor::ExtractOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp,
            tensor::CollapseShapeOp, tensor::ReshapeOp, tensor::CastOp, tensor::PadOp,
            GradientOp>([&](auto) { return get(op->getOperand(0)); })
      .Case<tensor::SplatOp>([&](auto) { return spread(get(op->getOperand(0))); })
      .Case<tensor::ConcatOp, tensor::FromElementsOp>([&](auto) {
        Sum sum = createZero();
        for (Value operand : op->getOperands())
          sum = add(std::move(sum), get(operand));
        return sum;
      })
      .Case<arith::ConstantOp>([&](auto) {
        return matchPattern(op, m_AnyZeroFloat()) ? createZero() : createConstant();
      })
      .Default([&](Operation *) -> Sum {
        if (isContraction(op))
          return isReal(result) ? createProduct(result) : createConstant();
        if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
            linalgOp && linalgOp.hasPureTensorSemantics())
          return computeLinalg(linalgOp, number);
        if (!op->getNumRegions() && OpTrait::hasElementwiseMappableTraits(op))
          return computeScalar(
              op, llvm::map_to_vector(op->getOperands(),
                                      [&](Value operand) { return get(operand); }));
        return createConstant();
      });
}

GradientParts::Sum GradientParts::computeLinalg(linalg::LinalgOp op, unsigned result) {
  SmallVector<int64_t, 4> loops = op.getStaticLoopRanges();
  for (OpOperand &operand : op->getOpOperands()) {
    Value inside = op.getMatchingBlockArgument(&operand);
    if (!op.payloadUsesValueFromOperand(&operand)) {
      known[inside] = createZero();
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
        Sum all = createZero();
        for (const Sum &operand : in)
          all = add(std::move(all), operand);
        return mix(all);
      });
}

PartsWork GradientParts::classify(Value gradient) {
  Sum sum = getRealRank(gradient.getType()) < 2 ? std::nullopt : get(gradient);
  PartsWork work = PartsWork::Linear;
  if (!sum)
    return work;
  Set nonlinear;
  for (const Term &term : *sum)
    nonlinear |= term.nonlinear;
  for (const Term &term : *sum) {
    Set linear = term.linear;
    linear.intersectWithComplement(nonlinear);
    if (!linear.empty() || term.direct.empty())
      continue;
    if (term.direct.intersects(term.spread))
      return PartsWork::Spread;
    work = PartsWork::Elementwise;
  }
  return work;
}

bool sparsam::isUpdatedInside(Value value, Value parameter) {
  Operation *op = value.getDefiningOp();
  SmallVector<Value> before;
  if (auto loop = dyn_cast_or_null<scf::ForOp>(op)) {
    before.push_back(loop.getTiedLoopInit(cast<OpResult>(value))->get());
  } else if (auto loop = dyn_cast_or_null<scf::WhileOp>(op)) {
    llvm::append_range(before, loop.getInits());
  } else if (isa_and_nonnull<scf::IfOp, scf::IndexSwitchOp>(op)) {
    unsigned number = cast<OpResult>(value).getResultNumber();
    for (Region &region : op->getRegions())
      before.push_back(region.front().getTerminator()->getOperand(number));
  }
  return llvm::any_of(before, [&](Value from) {
    return from.getType() == value.getType() &&
           ElementwiseSlice::of(from).reaches(parameter);
  });
}
