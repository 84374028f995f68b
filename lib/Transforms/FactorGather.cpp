// Rows taken out of a parameter that is a sum of einsums: gather(U * V) = gather(U) * V.
//
// A gather along one dimension is a contraction with one-hot rows, so it goes to those
// factors that have the dimension, and the einsum keeps the others. That is how an
// embedding whose table is factorized is looked up.
#include "Definitions.h"
#include "LinearMaps.h"
#include "PropagateRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Transforms/BuildProduct.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// A linalg.generic that reads `table[..., row, ...]`: `row` depends on the loops `batch`
/// and is the place along dimension `dim`, and each other place is a loop of its own.
struct Gather {
  linalg::GenericOp op;
  tensor::ExtractOp extract;
  int64_t dim;
  SmallVector<unsigned> batch;
  /// For each dimension of the table but `dim`, its loop.
  SmallVector<unsigned> loops;
};

} // namespace

static std::optional<Gather> matchGather(linalg::GenericOp op) {
  if (op->getNumResults() != 1 || op.getNumReductionLoops() != 0 ||
      !op.hasPureTensorSemantics() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return std::nullopt;
  Block *body = op.getBody();
  auto extract = body->getTerminator()->getOperand(0).getDefiningOp<tensor::ExtractOp>();
  if (!extract || extract->getBlock() != body ||
      !extract.getTensor().getType().hasStaticShape())
    return std::nullopt;
  Gather gather{op, extract, -1, {}, {}};
  llvm::SmallBitVector taken(op.getNumLoops());
  for (auto [dim, place] : llvm::enumerate(extract.getIndices())) {
    auto loop = place.getDefiningOp<linalg::IndexOp>();
    int64_t size = extract.getTensor().getType().getDimSize(dim);
    if (loop && !taken.test(loop.getDim()) &&
        op.getStaticLoopRanges()[loop.getDim()] == size) {
      taken.set(loop.getDim());
      gather.loops.push_back(loop.getDim());
    } else if (gather.dim < 0) {
      gather.dim = dim;
    } else {
      return std::nullopt;
    }
  }
  if (gather.dim < 0)
    return std::nullopt;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (!taken.test(loop))
      gather.batch.push_back(loop);
  // The row is the same for all of the loops that run along the others.
  for (OpOperand *input : op.getDpsInputOperands())
    for (AffineExpr expr : op.getMatchingIndexingMap(input).getResults())
      for (unsigned loop : gather.loops)
        if (expr.isFunctionOfDim(loop))
          return std::nullopt;
  for (Operation &inner : body->without_terminator()) {
    auto index = dyn_cast<linalg::IndexOp>(inner);
    bool isOnlyPlace = index && taken.test(index.getDim());
    if (isOnlyPlace && !llvm::all_of(index->getUses(), [&](OpOperand &use) {
          return use.getOwner() == extract &&
                 use.getOperandNumber() != static_cast<unsigned>(gather.dim) + 1;
        }))
      return std::nullopt;
  }
  return gather;
}

namespace {

/// Makes rows of `value`: the batch's dimensions, then those of the value but the one
/// that is gathered along.
class Gatherer {
public:
  Gatherer(RewriterBase &rewriter, Gather gather,
           function_ref<bool(Operation *)> isDefinition)
      : rewriter(rewriter), gather(std::move(gather)), isDefinition(isDefinition) {
    for (unsigned loop : this->gather.batch)
      batchShape.push_back(this->gather.op.getStaticLoopRanges()[loop]);
  }

  bool reachesDefinition(Value value) const {
    return sparsam::reachesDefinition(value, isDefinition);
  }

  FailureOr<Value> take(Value value, int64_t dim) {
    if (!reachesDefinition(value))
      return takeRows(value, dim);
    Operation *op = value.getDefiningOp();
    if (auto einsum = dyn_cast<EinsumOp>(op))
      return takeEinsum(einsum, dim);
    if (auto change = matchLayoutChange(op); succeeded(change))
      return takeLayoutChange(*change, dim);
    auto elementwise = matchElementwise(op);
    return cloneOnParts(rewriter, *elementwise, getShape(value, dim),
                        [&](Value operand) { return take(operand, dim); });
  }

private:
  SmallVector<int64_t> getShape(Value value, int64_t dim) const {
    SmallVector<int64_t> shape(batchShape);
    for (auto [other, size] :
         llvm::enumerate(cast<RankedTensorType>(value.getType()).getShape()))
      if (static_cast<int64_t>(other) != dim)
        shape.push_back(size);
    return shape;
  }

  FailureOr<Value> takeEinsum(EinsumOp op, int64_t dim) {
    SmallVector<StringRef> terms = op.getTerms();
    char letter = terms.back()[dim];
    std::string batch;
    for (char free = 'a'; free <= 'z' && batch.size() < batchShape.size(); ++free)
      if (!op.getSubscripts().contains(free))
        batch += free;
    if (batch.size() != batchShape.size())
      return failure();
    auto without = [&](StringRef term) {
      std::string left = batch;
      llvm::copy_if(term, std::back_inserter(left), [&](char c) { return c != letter; });
      return left;
    };
    SmallVector<Value> inputs;
    std::string subscripts;
    for (auto [input, term] : llvm::zip(op.getInputs(), terms)) {
      size_t place = term.find(letter);
      inputs.push_back(place == StringRef::npos ? input : takeRows(input, place));
      subscripts += (subscripts.empty() ? "" : ",") +
                    (place == StringRef::npos ? term.str() : without(term));
    }
    auto type = op.getType().clone(getShape(op.getResult(), dim));
    return EinsumOp::create(rewriter, op.getLoc(), type, inputs,
                            subscripts + "->" + without(terms.back()))
        .getResult();
  }

  FailureOr<Value> takeLayoutChange(const LayoutChange &change, int64_t dim) {
    SmallVector<int64_t> alone = getDimensionsAlone(change);
    auto *source = llvm::find(alone, dim);
    if (source == alone.end())
      return failure();
    int64_t from = source - alone.begin();
    auto taken = take(change.source, from);
    if (failed(taken))
      return failure();
    Location loc = change.result.getLoc();
    if (change.kind != LayoutChange::Transpose)
      return createReshape(rewriter, loc, *taken, getShape(change.result, dim));
    int64_t rank = batchShape.size();
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    for (int64_t place : change.permutation)
      if (place != from)
        permutation.push_back(rank + place - (place > from));
    return llvm::is_sorted(permutation)
               ? *taken
               : createTranspose(rewriter, loc, *taken, permutation);
  }

  /// The gather itself, on another table.
  Value takeRows(Value table, int64_t dim) {
    linalg::GenericOp op = gather.op;
    SmallVector<int64_t> shape = getShape(table, dim);
    unsigned rank = shape.size();
    // Where each loop of the batch is now; the others do not occur.
    SmallVector<AffineExpr> places(op.getNumLoops(), rewriter.getAffineConstantExpr(0));
    for (auto [place, loop] : llvm::enumerate(gather.batch))
      places[loop] = rewriter.getAffineDimExpr(place);
    SmallVector<AffineMap> maps;
    for (OpOperand *input : op.getDpsInputOperands())
      maps.push_back(
          op.getMatchingIndexingMap(input).replaceDimsAndSymbols(places, {}, rank, 0));
    maps.push_back(rewriter.getMultiDimIdentityMap(rank));
    Type element = getElementTypeOrSelf(table.getType());
    Value init = buildEmpty(rewriter, op.getLoc(), shape, element);
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto made = linalg::GenericOp::create(
        rewriter, op.getLoc(), init.getType(), op.getInputs(), init, maps, iterators,
        [&](OpBuilder &nested, Location loc, ValueRange arguments) {
          IRMapping mapping;
          mapping.map(op.getBody()->getArguments().drop_back(), arguments.drop_back());
          for (Operation &inner : op.getBody()->without_terminator()) {
            auto index = dyn_cast<linalg::IndexOp>(inner);
            if (&inner == gather.extract)
              continue;
            if (!index) {
              nested.clone(inner, mapping);
              continue;
            }
            auto *loop = llvm::find(gather.batch, index.getDim());
            if (loop != gather.batch.end())
              mapping.map(index.getResult(), linalg::IndexOp::create(
                                                 nested, loc, loop - gather.batch.begin())
                                                 .getResult());
          }
          SmallVector<Value> at;
          unsigned next = batchShape.size();
          int64_t tableRank = cast<RankedTensorType>(table.getType()).getRank();
          for (int64_t other = 0; other < tableRank; ++other)
            at.push_back(
                other == dim
                    ? mapping.lookupOrDefault(gather.extract.getIndices()[gather.dim])
                    : linalg::IndexOp::create(nested, loc, next++).getResult());
          Value taken = tensor::ExtractOp::create(nested, loc, table, at);
          linalg::YieldOp::create(nested, loc, taken);
        });
    return made.getResult(0);
  }

  RewriterBase &rewriter;
  Gather gather;
  function_ref<bool(Operation *)> isDefinition;
  SmallVector<int64_t> batchShape;
};

} // namespace

Value sparsam::getGatheredTable(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  auto gather = op ? matchGather(op) : std::nullopt;
  return gather ? gather->extract.getTensor() : Value();
}

void sparsam::gatherFactors(func::FuncOp function,
                            function_ref<bool(Operation *)> isDefinition) {
  IRRewriter rewriter(function.getContext());
  SmallVector<linalg::GenericOp> ops;
  function.walk([&](linalg::GenericOp op) { ops.push_back(op); });
  for (linalg::GenericOp op : ops) {
    auto gather = matchGather(op);
    if (!gather)
      continue;
    Gatherer gatherer(rewriter, *gather, isDefinition);
    Value table = gather->extract.getTensor();
    if (!gatherer.reachesDefinition(table))
      continue;
    rewriter.setInsertionPoint(op);
    FailureOr<Value> taken = gatherer.take(table, gather->dim);
    if (failed(taken))
      continue;
    // From batch and table order to the order of the loops.
    SmallVector<unsigned> order(gather->batch);
    llvm::append_range(order, gather->loops);
    SmallVector<int64_t> permutation(order.size());
    for (auto [place, loop] : llvm::enumerate(order))
      permutation[loop] = place;
    rewriter.replaceOp(op,
                       llvm::is_sorted(permutation)
                           ? *taken
                           : createTranspose(rewriter, op.getLoc(), *taken, permutation));
  }
}
