// Pairwise contractions as linalg, in forms that map to one matrix product.
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Program order: arguments, then the results of one block's operations.
static bool isEarlier(Value lhs, Value rhs) {
  Operation *left = lhs.getDefiningOp(), *right = rhs.getDefiningOp();
  if (!left && !right)
    return cast<BlockArgument>(lhs).getArgNumber() <
           cast<BlockArgument>(rhs).getArgNumber();
  if (!left || !right)
    return !left;
  return left->getBlock() == right->getBlock() && left->isBeforeInBlock(right);
}

namespace {

using Letters = SmallVector<Letter>;

/// One contraction of one or two terms.
class Contraction {
public:
  Contraction(OpBuilder &builder, Location loc, const Product &product,
              ArrayRef<Term> operands, ArrayRef<Letter> kept)
      : builder(builder), loc(loc), product(product), operands(operands) {
    this->kept.insert(kept.begin(), kept.end());
  }

  /// The result in the order that suits the operands best.
  Term build() {
    orderOperands();
    return buildInOrder(naturalOrder());
  }

  /// The result with the dimensions `target`.
  Value buildInto(ArrayRef<Group> target) {
    orderOperands();
    Letters order = flatten(target);
    const Letter *rows = llvm::find_if(
        order, [&](Letter letter) { return kindOf(letter) != Kind::Batch; });
    if (rows != order.end() && kindOf(*rows) == Kind::Rhs)
      std::swap(operands[0], operands[1]);
    Term result = buildInOrder(isMatrixProduct(order) ? order : naturalOrder());
    return buildView(builder, loc, product, result, target);
  }

private:
  enum class Kind { Batch, Lhs, Rhs, Sum };

  bool has(unsigned operand, Letter letter) const {
    return llvm::is_contained(flatten(operands[operand].dims), letter);
  }

  Kind kindOf(Letter letter) const {
    if (!kept.contains(letter))
      return Kind::Sum;
    bool onLeft = has(0, letter), onRight = operands.size() > 1 && has(1, letter);
    return onLeft && onRight ? Kind::Batch : onLeft ? Kind::Lhs : Kind::Rhs;
  }

  Letters select(unsigned operand, Kind kind) const {
    Letters found;
    for (Letter letter : flatten(operands[operand].dims))
      if (kindOf(letter) == kind)
        found.push_back(letter);
    return found;
  }

  /// x * U whoever comes first in the product: the operand whose summed letters are
  /// innermost goes left, then the one with more rows. Equal pairs come out equal,
  /// which is what lets CSE share them between forward and backward.
  void orderOperands() {
    if (operands.size() != 2)
      return;
    auto score = [&](unsigned lhs) {
      const Term &left = operands[lhs], &right = operands[1 - lhs];
      Letters leftFlat = flatten(left.dims), rightFlat = flatten(right.dims);
      bool leftInner = !leftFlat.empty() && !kept.contains(leftFlat.back());
      bool rightOuter = !rightFlat.empty() && !kept.contains(rightFlat.front());
      int64_t rows = 1;
      for (Letter letter : leftFlat)
        if (kept.contains(letter))
          rows *= product.sizes[letter];
      return std::pair<int, int64_t>(leftInner + rightOuter, rows);
    };
    if (score(1) > score(0) ||
        (score(1) == score(0) && isEarlier(operands[1].value, operands[0].value)))
      std::swap(operands[0], operands[1]);
  }

  Letters naturalOrder() const {
    Letters order = select(0, Kind::Batch);
    llvm::append_range(order, select(0, Kind::Lhs));
    if (operands.size() > 1)
      llvm::append_range(order, select(1, Kind::Rhs));
    return order;
  }

  /// Runs of letters that follow each other wherever they occur: one loop each.
  SmallVector<Letters> mergeLetters(ArrayRef<Letter> order) const {
    SmallVector<Letters> lists;
    for (const Term &operand : operands)
      lists.push_back(flatten(operand.dims));
    lists.emplace_back(order);
    auto follow = [&](Letter first, Letter second) {
      return llvm::all_of(lists, [&](const Letters &list) {
        const Letter *at = llvm::find(list, first);
        bool hasSecond = llvm::is_contained(list, second);
        if (at == list.end())
          return !hasSecond;
        return at + 1 != list.end() && at[1] == second;
      });
    };
    SmallVector<Letters> merged;
    llvm::SmallSetVector<Letter, 8> seen;
    for (const Letters &list : llvm::reverse(lists))
      for (Letter letter : list) {
        if (!seen.insert(letter))
          continue;
        if (!merged.empty() && follow(merged.back().back(), letter))
          merged.back().push_back(letter);
        else
          merged.push_back({letter});
      }
    return merged;
  }

  /// At most one loop of each kind, and a result that keeps left before right or
  /// the reverse, so that a matrix product and its transposes are enough.
  bool isMatrixProduct(ArrayRef<Letter> order) const {
    SmallVector<unsigned> counts(4, 0);
    for (const Letters &loop : mergeLetters(order))
      ++counts[static_cast<unsigned>(kindOf(loop.front()))];
    return llvm::all_of(counts, [](unsigned count) { return count <= 1; });
  }

  /// Rearranges an operand to [batch][rows][sum] or [batch][sum][rows], whichever
  /// it is nearer to, with batch and sum in the order of the left one.
  Term arrange(unsigned operand, ArrayRef<Letter> batch, ArrayRef<Letter> sum) const {
    Letters rows = select(operand, operand == 0 ? Kind::Lhs : Kind::Rhs);
    Letters flat = flatten(operands[operand].dims);
    Letters ownSum, common;
    for (Letter letter : flat)
      if (kindOf(letter) == Kind::Sum && !llvm::is_contained(sum, letter))
        ownSum.push_back(letter);
    for (Letter letter : sum)
      if (llvm::is_contained(flat, letter))
        common.push_back(letter);
    llvm::append_range(common, ownSum);
    bool sumInner = !flat.empty() && llvm::is_contained(common, flat.back());
    Grouping dims;
    for (ArrayRef<Letter> part : {batch, ArrayRef<Letter>(sumInner ? rows : common),
                                  ArrayRef<Letter>(sumInner ? common : rows)})
      if (!part.empty())
        dims.emplace_back(part.begin(), part.end());
    return {buildView(builder, loc, product, operands[operand], dims), dims};
  }

  Term buildInOrder(ArrayRef<Letter> order) {
    if (!isMatrixProduct(order) && operands.size() == 2) {
      Letters batch = select(0, Kind::Batch), sum = select(0, Kind::Sum);
      SmallVector<Term> arranged{arrange(0, batch, sum), arrange(1, batch, sum)};
      operands = arranged;
    }
    SmallVector<Letters> loops = mergeLetters(order);
    // Parallel loops are those of the result and come first: `order` was merged
    // before the operands' letters.
    DenseMap<Letter, unsigned> loopOf;
    for (auto [position, loop] : llvm::enumerate(loops))
      for (Letter letter : loop)
        loopOf[letter] = position;

    MLIRContext *context = builder.getContext();
    auto groupsOf = [&](ArrayRef<Letter> letters) {
      Grouping groups;
      for (Letter letter : letters)
        if (loops[loopOf[letter]].front() == letter)
          groups.emplace_back(ArrayRef<Letter>(loops[loopOf[letter]]));
      return groups;
    };
    auto mapOf = [&](const Grouping &groups) {
      SmallVector<AffineExpr> exprs;
      for (const Group &group : groups)
        exprs.push_back(getAffineDimExpr(loopOf[group.front()], context));
      return AffineMap::get(loops.size(), 0, exprs, context);
    };

    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Term &operand : operands) {
      Grouping groups = groupsOf(flatten(operand.dims));
      maps.push_back(mapOf(groups));
      inputs.push_back(buildView(builder, loc, product, operand, groups));
    }
    Grouping result = groupsOf(order);
    maps.push_back(mapOf(result));
    return {buildLinalg(inputs, maps, result), result};
  }

  Value buildLinalg(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps,
                    ArrayRef<Group> result) {
    auto element = cast<RankedTensorType>(inputs[0].getType()).getElementType();
    unsigned loops = maps.back().getNumDims();
    bool sums = loops != result.size();
    Value init = buildEmpty(builder, loc, product.getShape(result), element);
    if (sums) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
      init = linalg::FillOp::create(builder, loc, zero, init).getResult(0);
    }
    if (Operation *named = buildNamed(inputs, maps, init))
      return named->getResult(0);
    SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::parallel);
    std::fill(iterators.begin() + result.size(), iterators.end(),
              utils::IteratorType::reduction);
    auto generic = linalg::GenericOp::create(
        builder, loc, init.getType(), inputs, init, maps, iterators,
        [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
          Value value = arguments[0];
          if (inputs.size() > 1)
            value = arith::MulFOp::create(nested, nestedLoc, value, arguments[1]);
          if (sums)
            value = arith::AddFOp::create(nested, nestedLoc, arguments.back(), value);
          linalg::YieldOp::create(nested, nestedLoc, value);
        });
    return generic.getResult(0);
  }

  /// A plain matmul or batch_matmul, where the maps say so.
  Operation *buildNamed(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, Value init) {
    MLIRContext *context = builder.getContext();
    if (inputs.size() != 2)
      return nullptr;
    auto is = [&](ArrayRef<AffineMap> expected) { return maps == expected; };
    AffineExpr b, m, n, k;
    bindDims(context, m, n, k);
    auto map3 = [&](ArrayRef<AffineExpr> exprs) {
      return AffineMap::get(3, 0, exprs, context);
    };
    if (is({map3({m, k}), map3({k, n}), map3({m, n})}))
      return linalg::MatmulOp::create(builder, loc, inputs, init);
    bindDims(context, b, m, n, k);
    auto map4 = [&](ArrayRef<AffineExpr> exprs) {
      return AffineMap::get(4, 0, exprs, context);
    };
    if (is({map4({b, m, k}), map4({b, k, n}), map4({b, m, n})}))
      return linalg::BatchMatmulOp::create(builder, loc, inputs, init);
    return nullptr;
  }

  OpBuilder &builder;
  Location loc;
  const Product &product;
  SmallVector<Term> operands;
  llvm::SmallSetVector<Letter, 8> kept;
};

} // namespace

Value sparsam::buildContractions(OpBuilder &builder, Location loc, const Product &product,
                                 const ContractionPath &path) {
  SmallVector<Term> terms(product.terms);
  if (terms.size() == 1) {
    Letters letters = flatten(product.result);
    if (letters.size() == flatten(terms[0].dims).size())
      return buildView(builder, loc, product, terms[0], product.result);
    return Contraction(builder, loc, product, terms, letters).buildInto(product.result);
  }
  for (const ContractionStep &step : path.steps) {
    SmallVector<Term> pair{terms[step.lhs], terms[step.rhs]};
    // Whatever the result or a term outside the step has is kept.
    Letters kept = flatten(product.result);
    for (auto [position, term] : llvm::enumerate(product.terms))
      if (!(step.terms >> position & 1))
        llvm::append_range(kept, flatten(term.dims));
    Letters own;
    for (const Term &term : pair)
      llvm::append_range(own, flatten(term.dims));
    llvm::erase_if(kept, [&](Letter letter) { return !llvm::is_contained(own, letter); });
    Contraction contraction(builder, loc, product, pair, kept);
    if (&step == &path.steps.back())
      return contraction.buildInto(product.result);
    terms.push_back(contraction.build());
  }
  llvm_unreachable("a path of several terms has steps");
}

Term sparsam::buildSummed(OpBuilder &builder, Location loc, const Product &product,
                          const Term &term, ArrayRef<Letter> kept) {
  Product sum(product);
  sum.terms = {term};
  sum.result.clear();
  SmallVector<Letter> letters = flatten(term.dims);
  for (Letter letter : letters)
    if (llvm::is_contained(kept, letter))
      sum.result.push_back({letter});
  if (sum.result.size() == letters.size())
    return term;
  return {buildContractions(builder, loc, sum, {}), sum.result};
}

Value sparsam::buildDot(OpBuilder &builder, Location loc, Value lhs, Value rhs) {
  auto type = cast<RankedTensorType>(lhs.getType());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type.getElementType()));
  Value empty = buildEmpty(builder, loc, {}, type.getElementType());
  Value init = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  AffineMap all = builder.getMultiDimIdentityMap(type.getRank());
  AffineMap none = AffineMap::get(type.getRank(), 0, builder.getContext());
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::reduction);
  Value sum = linalg::GenericOp::create(
                  builder, loc, init.getType(), ValueRange{lhs, rhs}, init,
                  ArrayRef<AffineMap>{all, all, none}, loops,
                  [](OpBuilder &nested, Location loc, ValueRange in) {
                    Value product = arith::MulFOp::create(nested, loc, in[0], in[1]);
                    Value next = arith::AddFOp::create(nested, loc, in[2], product);
                    linalg::YieldOp::create(nested, loc, next);
                  })
                  .getResult(0);
  return tensor::ExtractOp::create(builder, loc, sum, ValueRange{});
}
