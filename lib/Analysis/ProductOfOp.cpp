// Which operations are products, and which are views.
#include "ProductBody.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "sparsam/Analysis/Product.h"
#include "sparsam/IR/SparsamOps.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace mlir::sparsam;

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<int64_t>> matchBroadcast(linalg::BroadcastOp op,
                                                      bool broadcasts) {
  auto target = dyn_cast<RankedTensorType>(op.getInit().getType());
  if (!target || !target.hasStaticShape())
    return failure();
  SmallVector<int64_t> sourceDims;
  int64_t next = 0;
  for (auto [position, size] : llvm::enumerate(target.getShape())) {
    bool isNew = llvm::is_contained(op.getDimensions(), position);
    if (isNew && size != 1 && !broadcasts)
      return failure();
    sourceDims.push_back(isNew ? -1 : next++);
  }
  return sourceDims;
}

FailureOr<SmallVector<int64_t>> sparsam::matchCopy(Operation *op, bool broadcasts) {
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    if (!isa<RankedTensorType>(transpose.getInput().getType()))
      return failure();
    return SmallVector<int64_t>(transpose.getPermutation());
  }
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op))
    return matchBroadcast(broadcast, broadcasts);
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 || generic->getNumResults() != 1 ||
      generic.getNumReductionLoops() != 0)
    return failure();
  auto yielded =
      dyn_cast<BlockArgument>(generic.getBody()->getTerminator()->getOperand(0));
  auto source =
      dyn_cast<RankedTensorType>(generic.getDpsInputOperand(0)->get().getType());
  auto target = cast<RankedTensorType>(generic->getResult(0).getType());
  if (!yielded || yielded.getOwner() != generic.getBody() ||
      yielded.getArgNumber() != 0 || !source || !source.hasStaticShape() ||
      !target.hasStaticShape() || source.getElementType() != target.getElementType())
    return failure();
  AffineMap from = generic.getIndexingMapsArray()[0];
  AffineMap to = generic.getIndexingMapsArray()[1];
  if (!from.isProjectedPermutation() || !to.isPermutation())
    return failure();
  SmallVector<int64_t> sourceDims;
  for (auto [position, size] : llvm::enumerate(target.getShape())) {
    std::optional<unsigned> dim = from.getResultPosition(to.getResult(position));
    if (!dim && size != 1 && !broadcasts)
      return failure();
    sourceDims.push_back(dim ? static_cast<int64_t>(*dim) : -1);
  }
  return sourceDims;
}

static bool isPlainReshape(Operation *op) {
  if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return false;
  auto isStatic = [](Type type) { return cast<RankedTensorType>(type).hasStaticShape(); };
  return isStatic(op->getOperand(0).getType()) && isStatic(op->getResult(0).getType());
}

static bool isIdentity(Operation *op) {
  if (isa<GradientOp>(op))
    return true;
  auto cast = dyn_cast<tensor::CastOp>(op);
  if (!cast)
    return false;
  auto source = dyn_cast<RankedTensorType>(cast.getSource().getType());
  auto target = dyn_cast<RankedTensorType>(cast.getType());
  return source && target && source.hasStaticShape() &&
         source.getShape() == target.getShape();
}

bool sparsam::isTransposition(Operation *op) { return succeeded(matchCopy(op)); }

bool sparsam::isView(Operation *op) {
  return isPlainReshape(op) || isIdentity(op) || isTransposition(op);
}

Value sparsam::getViewRoot(Value value) {
  for (Operation *op = value.getDefiningOp(); op && isView(op);
       op = value.getDefiningOp())
    value = op->getOperand(0);
  return value;
}

SmallVector<Operation *> sparsam::getUsersThroughViews(Value value) {
  SmallVector<Operation *> users;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isView(user) && use.getOperandNumber() == 0)
      llvm::append_range(users, getUsersThroughViews(user->getResult(0)));
    else
      users.push_back(user);
  }
  return users;
}

bool Product::absorbView(unsigned position) {
  Value value = terms[position].value;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumResults() != 1)
    return false;
  if (isIdentity(op)) {
    terms[position].value = op->getOperand(0);
    return true;
  }
  Grouping dims;
  if (isPlainReshape(op)) {
    auto sourceType = cast<RankedTensorType>(op->getOperand(0).getType());
    auto cutDims =
        cut(flatten(terms[position].dims), SmallVector<int64_t>(sourceType.getShape()));
    if (failed(cutDims))
      return false;
    dims = *cutDims;
  } else {
    FailureOr<SmallVector<int64_t>> sourceDims = matchCopy(op, /*broadcasts=*/true);
    if (failed(sourceDims))
      return false;
    dims.resize(cast<RankedTensorType>(op->getOperand(0).getType()).getRank());
    for (auto [group, sourceDim] : llvm::zip_equal(terms[position].dims, *sourceDims)) {
      if (sourceDim >= 0) {
        dims[sourceDim] = group;
        continue;
      }
      // A repeated dimension may go where another term still counts it.
      for (Letter letter : group)
        if (llvm::none_of(llvm::enumerate(terms), [&](auto other) {
              return other.index() != position &&
                     llvm::is_contained(flatten(other.value().dims), letter);
            }))
          return false;
    }
  }
  terms[position] = {op->getOperand(0), dims};
  return true;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static FailureOr<Product> ofEinsum(EinsumOp op) {
  Product product;
  std::map<char, Group> letters;
  auto groupingOf = [&](StringRef subscripts, RankedTensorType type) {
    Grouping dims;
    for (auto [letter, size] : llvm::zip_equal(subscripts, type.getShape())) {
      auto [known, isNew] = letters.try_emplace(letter);
      if (isNew)
        known->second = product.addDimension(size);
      dims.push_back(known->second);
    }
    return dims;
  };
  SmallVector<StringRef> subscripts = op.getTerms();
  for (auto [position, input] : llvm::enumerate(op.getInputs()))
    product.terms.push_back({input, groupingOf(subscripts[position],
                                               cast<RankedTensorType>(input.getType()))});
  product.result = groupingOf(subscripts.back(), op.getType());
  return product;
}

/// What a number of a body is converted from.
static Value skipConversions(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// The block arguments that `value` multiplies, and the scalars from outside.
static LogicalResult collectFactors(Value value, Block *body, bool acrossTypes,
                                    SmallVectorImpl<unsigned> &factors,
                                    SmallVectorImpl<Value> &scalars) {
  if (acrossTypes)
    value = skipConversions(value);
  if (value.getParentBlock() != body) {
    scalars.push_back(value);
    return success();
  }
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    factors.push_back(argument.getArgNumber());
    return success();
  }
  auto multiply = value.getDefiningOp<arith::MulFOp>();
  if (!multiply ||
      failed(collectFactors(multiply.getLhs(), body, acrossTypes, factors, scalars)))
    return failure();
  return collectFactors(multiply.getRhs(), body, acrossTypes, factors, scalars);
}

bool sparsam::isZeroTensor(Value value) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  return matchPattern(value, m_AnyZeroFloat());
}

static bool hasStaticTensors(Operation *op) {
  return llvm::all_of(
      llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()),
      [](Type type) {
        auto tensor = dyn_cast<RankedTensorType>(type);
        return !tensor || (tensor.hasStaticShape() && tensor.getNumElements() != 0);
      });
}

FailureOr<ProductBody> sparsam::matchProductBody(Operation *op, bool acrossTypes) {
  if (!hasStaticTensors(op))
    return failure();
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInits() != 1 || linalgOp->getNumResults() != 1 ||
      linalgOp.getNumDpsInputs() == 0 || !linalgOp.hasPureTensorSemantics())
    return failure();
  Type element =
      cast<RankedTensorType>(linalgOp->getResult(0).getType()).getElementType();
  if (!isa<FloatType>(element))
    return failure();

  // yield a * b * ..., or yield init + a * b * ...
  Block *body = linalgOp.getBlock();
  Value yielded = body->getTerminator()->getOperand(0);
  unsigned initArgument = linalgOp.getNumDpsInputs();
  auto getSource = [&](Value value) {
    return acrossTypes ? skipConversions(value) : value;
  };
  auto isInit = [&](Value value) {
    auto argument = dyn_cast<BlockArgument>(getSource(value));
    return argument && argument.getOwner() == body &&
           argument.getArgNumber() == initArgument;
  };
  ProductBody found{linalgOp, {}, {}, false};
  if (auto add = getSource(yielded).getDefiningOp<arith::AddFOp>()) {
    if (!isInit(add.getLhs()) && !isInit(add.getRhs()))
      return failure();
    found.sums = true;
    yielded = isInit(add.getLhs()) ? add.getRhs() : add.getLhs();
  }
  if (failed(collectFactors(yielded, body, acrossTypes, found.factors, found.scalars)) ||
      found.factors.empty() || llvm::is_contained(found.factors, initArgument) ||
      (!found.sums && linalgOp.getNumReductionLoops() != 0))
    return failure();
  for (unsigned factor : found.factors) {
    auto type = dyn_cast<RankedTensorType>(linalgOp->getOperand(factor).getType());
    if (!type || !isa<FloatType>(type.getElementType()) ||
        (!acrossTypes && type.getElementType() != element))
      return failure();
  }
  return found;
}

FailureOr<Product> Product::of(Operation *op) {
  if (auto einsum = dyn_cast<EinsumOp>(op))
    return hasStaticTensors(op) ? ofEinsum(einsum) : FailureOr<Product>(failure());
  FailureOr<ProductBody> body = matchProductBody(op);
  return succeeded(body) ? getProduct(*body) : FailureOr<Product>(failure());
}

FailureOr<Product> sparsam::getProduct(const ProductBody &body) {
  linalg::LinalgOp linalgOp = body.op;
  Product product;
  product.scalars = body.scalars;
  SmallVector<Group> loops;
  for (int64_t range : linalgOp.getStaticLoopRanges())
    loops.push_back(product.addDimension(range));
  SmallVector<AffineMap> maps = linalgOp.getIndexingMapsArray();
  auto groupingOf = [&](AffineMap map) {
    Grouping dims;
    for (AffineExpr expr : map.getResults())
      dims.push_back(loops[cast<AffineDimExpr>(expr).getPosition()]);
    return dims;
  };
  for (unsigned factor : body.factors) {
    if (!maps[factor].isProjectedPermutation())
      return failure();
    product.terms.push_back({linalgOp->getOperand(factor), groupingOf(maps[factor])});
  }
  unsigned initArgument = linalgOp.getNumDpsInputs();
  if (!maps[initArgument].isProjectedPermutation())
    return failure();
  product.result = groupingOf(maps[initArgument]);
  // A letter that no factor has would be a sum of equal addends, or a broadcast.
  llvm::SmallSet<Letter, 8> covered;
  for (const Term &term : product.terms)
    for (Letter letter : flatten(term.dims))
      covered.insert(letter);
  if (covered.size() != product.sizes.size())
    return failure();
  Value init = linalgOp.getDpsInits()[0];
  if (body.sums && !isZeroTensor(init))
    product.init = init;
  return product;
}
