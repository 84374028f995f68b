// Rule 7 of the algebra for factor structures: W disappears into chains of products.
//
// A densified factor structure is the product of its factors, and a contraction with
// it, or an einsum on a contraction's result, is one product of more terms. The order
// in which that is computed is found by cost: (X * U) * V forward, X^T * (dY * V^T)
// backward. Nothing here knows any structure's einsum.
#include "MergedProduct.h"
#include "PropagateRules.h"
#include "SharedProducts.h"
#include "WidenProducts.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sparsam/Analysis/ElementwiseSlice.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "sparsam/Transforms/Composition.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

/// sum + value or sum - value; a null sum is zero.
static Value buildSigned(OpBuilder &builder, Location loc, Value sum, Value value,
                         bool negated) {
  if (!negated)
    return sum ? buildAdd(builder, loc, sum, value) : value;
  return sum ? buildElementwise<arith::SubFOp>(builder, loc, {sum, value})
             : buildElementwise<arith::NegFOp>(builder, loc, value);
}

namespace {

class Reassociation {
public:
  explicit Reassociation(func::FuncOp function)
      : function(function), rewriter(function.getContext()) {}

  FailureOr<int64_t> run();

private:
  LogicalResult defineFactors();
  bool isParameter(Operation *op);
  bool isStorage(Value value);
  void remarkOnOpaqueGradient(Operation *op, const Merged &merged);
  bool reachesFactors(Value value);
  bool diesInEinsums(Value value);
  bool isCandidate(Operation *op);
  bool pays(const Product &outer, unsigned term, const Product &inner) const;
  bool inlineOnce(Merged &merged, unsigned term, bool takesContractions);
  void expand(Merged merged, bool takesContractions, std::vector<Merged> &addends);
  FailureOr<Value> build(Operation *op, Merged &merged);
  LogicalResult checkDense(Operation *op);
  LogicalResult rewrite(Operation *op);
  bool eraseIfDead(Operation *op);

  func::FuncOp function;
  IRRewriter rewriter;
  /// The einsums of the input. Only they take in the contractions before them: they
  /// are the derivatives by factors, and what they take in is the raw gradient.
  llvm::SetVector<Operation *> einsums;
  /// Of these, what densify ops of factor structures were.
  DenseSet<Operation *> definitions;
  DenseMap<Value, bool> reaching;
  /// Out of the function, and destroyed at the end: no address comes twice.
  llvm::SetVector<Operation *> erased;
  int64_t chains = 0;
  std::function<bool(Value)> isFactor = [this](Value value) { return isStorage(value); };
  SharedProducts shared{isFactor};
};

} // namespace

/// An einsum of the input on storage alone: a parameter as the product of its factors.
bool Reassociation::isParameter(Operation *op) {
  return op && einsums.contains(op) &&
         (definitions.contains(op) || llvm::all_of(op->getOperands(), [&](Value operand) {
            return isStorage(operand);
          }));
}

/// Factor structures that are densified by hand, by what that means.
LogicalResult Reassociation::defineFactors() {
  SmallVector<DensifyOp> factors;
  function.walk([&](DensifyOp op) {
    if (op.getStructure().getKind() == StructureKind::Factors)
      factors.push_back(op);
  });
  for (DensifyOp op : factors) {
    rewriter.setInsertionPoint(op);
    Operation *before = op->getPrevNode();
    FailureOr<Value> dense = createDefinition(rewriter, op);
    if (failed(dense))
      return failure();
    for (Operation *made = op->getPrevNode(); made != before; made = made->getPrevNode())
      if (isa<EinsumOp>(made))
        definitions.insert(made);
    rewriter.replaceOp(op, *dense);
  }
  return success();
}

/// A tensor of a parameter's storage, or the dense factor that it stands for, perhaps
/// widened.
bool Reassociation::isStorage(Value value) {
  value = getStorageRoot(value);
  if (Value source = getConverted(value))
    return isStorage(source);
  if (auto densify = value.getDefiningOp<DensifyOp>())
    return llvm::all_of(densify.getStorage(),
                        [&](Value part) { return isStorage(part); });
  if (matchPattern(value, m_Constant()))
    return true; // the scale of a term
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner() == &function.front() &&
         function.getArgAttr(argument.getArgNumber(), boundary::param);
}

/// The derivative by a factor of something that is no product, such as a scatter, is
/// right but has a tensor of the parameter's size.
void Reassociation::remarkOnOpaqueGradient(Operation *op, const Merged &merged) {
  Value gradient;
  for (auto [term, origin] : llvm::zip_equal(merged.product.terms, merged.origin)) {
    Value table = getGatheredTable(term.value);
    if (isStorage(table ? table : term.value) || term.dims.empty())
      continue;
    if (origin >= 0 || gradient)
      return;
    gradient = term.value;
  }
  Operation *producer = gradient ? gradient.getDefiningOp() : nullptr;
  if (!producer || merged.product.terms.size() < 2 || isCompanion(function))
    return;
  InFlightDiagnostic remark = op->emitRemark()
                              << "needs the dense gradient of "
                              << describeParameter(function, op->getOperands())
                              << ", which is not made by a contraction";
  remark.attachNote(producer->getLoc()) << "made here";
}

static MutableArrayRef<OpOperand> getAddends(Operation *op, Linear linear) {
  return op->getOpOperands().take_front(linear == Linear::Neg ? 1 : 2);
}

/// Through views and repetitions, through multiplications, as a scaled W is a product
/// too, and through sums.
bool Reassociation::reachesFactors(Value value) {
  if (auto known = reaching.find(value); known != reaching.end())
    return known->second;
  bool found = false;
  Operation *op = value.getDefiningOp();
  if (isParameter(op))
    found = true;
  else if (op && (isView(op) || succeeded(matchCopy(op, /*broadcasts=*/true))))
    found = reachesFactors(op->getOperand(0));
  else if (Linear linear = matchLinear(op); linear != Linear::None)
    found = llvm::any_of(getAddends(op, linear),
                         [&](OpOperand &addend) { return reachesFactors(addend.get()); });
  else if (FailureOr<Product> product = getElementwiseProduct(op); succeeded(product))
    found = llvm::any_of(product->terms,
                         [&](const Term &term) { return reachesFactors(term.value); });
  reaching[value] = found;
  return found;
}

/// True where nothing but einsums of the input and restrictions, and linear steps towards
/// them, use `value`: a raw gradient that is there for the gradients of factors alone.
bool Reassociation::diesInEinsums(Value value) {
  return llvm::all_of(getUsersThroughViews(value), [&](Operation *user) {
    if (einsums.contains(user) || isa<RestrictOp>(user))
      return true;
    bool passesOn =
        matchLinear(user) != Linear::None || succeeded(getElementwiseProduct(user));
    return passesOn && !user->use_empty() && diesInEinsums(user->getResult(0));
  });
}

bool Reassociation::isCandidate(Operation *op) {
  if (isa<EinsumOp>(op))
    return true;
  if (!isa<linalg::LinalgOp>(op) || isView(op))
    return false;
  FailureOr<Product> product = Product::of(op);
  return succeeded(product) && isContraction(op, *product) &&
         llvm::any_of(product->terms,
                      [&](const Term &term) { return reachesFactors(term.value); });
}

/// True where the merged product is cheaper than the outer one alone, with what the
/// inner one makes given for nothing.
bool Reassociation::pays(const Product &outer, unsigned term,
                         const Product &inner) const {
  Product merged = outer, alone = outer;
  if (failed(merged.inlineTerm(term, inner)))
    return false;
  merged.renumber();
  alone.renumber();
  auto before = findContractionPath(alone), after = findContractionPath(merged);
  return succeeded(before) && succeeded(after) && after->flops < before->flops;
}

/// Replaces a term by the product that makes it, where that is a parameter, perhaps
/// scaled, an einsum of the input, or a raw gradient.
bool Reassociation::inlineOnce(Merged &merged, unsigned term, bool takesContractions) {
  Value value = merged.product.terms[term].value;
  Operation *op = value.getDefiningOp();
  if (FailureOr<Product> scaled = getElementwiseProduct(op); succeeded(scaled)) {
    bool isScaledGradient =
        takesContractions && merged.origin[term] < 0 && diesInEinsums(value) &&
        (scaled->terms.size() == 1 ||
         llvm::any_of(
             scaled->terms,
             [](const Term &factor) { return getRepeatedScalar(factor.value); }));
    return (isScaledGradient || reachesFactors(value)) &&
           succeeded(merged.inlineTerm(term, *scaled, ""));
  }
  FailureOr<Product> inner = failure();
  if (op)
    inner = Product::of(op);
  if (succeeded(inner) && isParameter(op))
    return succeeded(merged.inlineTerm(term, *inner, "the dense parameter"));
  // None of the terms that a contraction brought takes in another one.
  if (failed(inner) || !takesContractions || merged.origin[term] >= 0)
    return false;
  if ((isa<EinsumOp>(op) && !einsums.contains(op)) ||
      !(diesInEinsums(value) || pays(merged.product, term, *inner)))
    return false;
  return succeeded(
      merged.inlineTerm(term, *inner, isa<EinsumOp>(op) ? "" : "the dense gradient"));
}

/// Inlines all that can be, and distributes over the sums that are met.
void Reassociation::expand(Merged merged, bool takesContractions,
                           std::vector<Merged> &addends) {
  for (unsigned term = 0; term < merged.product.terms.size(); ++term) {
    while (term < merged.product.terms.size() &&
           inlineOnce(merged, term, takesContractions)) {
    }
    Operation *op = merged.product.terms[term].value.getDefiningOp();
    Linear linear = matchLinear(op);
    if (linear == Linear::None)
      continue;
    // Rule 8 for the parameter, and its transpose for the gradient.
    bool isGradient =
        takesContractions && merged.origin[term] < 0 && diesInEinsums(op->getResult(0));
    if (!isGradient && !reachesFactors(op->getResult(0)))
      continue;
    for (OpOperand &operand : getAddends(op, linear)) {
      Merged addend = merged;
      addend.product.terms[term].value = operand.get();
      addend.product.absorbViews(term);
      if (linear == Linear::Neg ||
          (linear == Linear::Sub && operand.getOperandNumber() == 1))
        addend.negated = !addend.negated;
      expand(std::move(addend), takesContractions, addends);
    }
    return;
  }
  addends.push_back(std::move(merged));
}

FailureOr<Value> Reassociation::build(Operation *op, Merged &merged) {
  Product &product = merged.product;
  Location loc = op->getLoc();
  for (Value scalar : product.scalars) {
    auto type = RankedTensorType::get({}, scalar.getType());
    Value tensor = tensor::FromElementsOp::create(rewriter, loc, type, scalar);
    product.terms.push_back({tensor, {}});
    merged.origin.push_back(-1);
  }
  product.scalars.clear();
  product.renumber();
  FailureOr<ContractionPath> path = shared.findPath(product);
  if (failed(path))
    return op->emitError() << "is a product of " << product.terms.size()
                           << " operands, more than an order is searched for";
  if (isa<EinsumOp>(op))
    remarkOnOpaqueGradient(op, merged);
  for (auto [id, name] : llvm::enumerate(merged.names)) {
    uint64_t terms = 0;
    for (auto [term, origin] : llvm::enumerate(merged.origin))
      if (origin == static_cast<int>(id))
        terms |= uint64_t(1) << term;
    if (llvm::any_of(ArrayRef(path->steps).drop_back(path->steps.empty() ? 0 : 1),
                     [&](const ContractionStep &step) { return step.terms == terms; }))
      op->emitRemark() << "forms " << name
                       << ": no other order of the products is cheaper";
  }
  return buildContractions(rewriter, loc, product, *path);
}

/// What is left of a parameter that contractions have taken in is needed as it is.
LogicalResult Reassociation::checkDense(Operation *op) {
  SmallVector<Operation *> users = getUsersThroughViews(op->getResult(0));
  if (isCompanion(function) || users.empty())
    return success();
  Operation *user = users.front();
  FailureOr<Product> product = Product::of(user);
  bool contracts = succeeded(product) && isContraction(user, *product);
  InFlightDiagnostic error = op->emitError()
                             << describeParameter(function, op->getOperands())
                             << " is a product of factors but is needed as a dense "
                             << "tensor: `" << user->getName().getStringRef() << "` ";
  if (contracts)
    error << "has dimensions that its factors cut across; choose sizes of the factors "
          << "that divide them, or leave this parameter dense";
  else
    error << "is no contraction; leave this parameter dense";
  error.attachNote(user->getLoc()) << "used here";
  return error;
}

LogicalResult Reassociation::rewrite(Operation *op) {
  FailureOr<Product> product = Product::of(op);
  if (failed(product))
    return op->emitError("needs static shapes without empty dimensions");
  std::vector<Merged> addends;
  expand(Merged(*product), isa<EinsumOp>(op), addends);
  auto keepsParameter = [&](const Merged &merged) {
    return llvm::any_of(merged.product.terms, [&](const Term &term) {
      return isParameter(getViewRoot(term.value).getDefiningOp());
    });
  };
  // Views of the other operands, such as heads, may cut across the factors.
  if (llvm::any_of(addends, keepsParameter)) {
    Merged apart(*product, [&](Value value) { return reachesFactors(value); });
    addends.clear();
    expand(std::move(apart), isa<EinsumOp>(op), addends);
  }
  rewriter.setInsertionPoint(op);
  Value sum;
  // Positive addends first, so that a difference needs no negation.
  for (bool negated : {false, true})
    for (Merged &merged : addends) {
      if (merged.negated != negated)
        continue;
      FailureOr<Value> value = build(op, merged);
      if (failed(value))
        return failure();
      chains += merged.product.terms.size() > 2;
      sum = buildSigned(rewriter, op->getLoc(), sum, *value, negated);
    }
  rewriter.replaceAllUsesWith(op->getResult(0), sum);
  eraseIfDead(op);
  return success();
}

/// Erases `op` and what was there for it alone: nothing dead may look like a reason
/// to form a parameter.
bool Reassociation::eraseIfDead(Operation *op) {
  if (!isOpTriviallyDead(op))
    return false;
  llvm::SmallSetVector<Operation *, 4> producers;
  for (Value operand : op->getOperands())
    if (Operation *producer = operand.getDefiningOp())
      producers.insert(producer);
  einsums.remove(op);
  op->dropAllReferences();
  op->remove();
  erased.insert(op);
  for (Operation *producer : producers)
    if (!erased.contains(producer))
      eraseIfDead(producer);
  return true;
}

FailureOr<int64_t> Reassociation::run() {
  if (failed(defineFactors()))
    return failure();
  function.walk([&](EinsumOp op) { einsums.insert(op); });
  auto isDefinition = [&](Operation *op) {
    // Made from one of the input in this step.
    if (isa<EinsumOp>(op))
      einsums.insert(op);
    return isParameter(op);
  };
  sliceDefinitions(function, definitions, isDefinition);
  gatherFactors(function, isDefinition);
  moveEinsumsIntoLoops(function);
  einsums.clear();
  function.walk([&](EinsumOp op) { einsums.insert(op); });
  widenFactorProducts(function, isDefinition);
  einsums.clear();
  function.walk([&](EinsumOp op) { einsums.insert(op); });
  SmallVector<Operation *> starts, candidates;
  bool isWrong = false;
  function.walk([&](linalg::LinalgOp op) {
    if (FailureOr<Product> product = Product::of(op);
        succeeded(product) && product->init &&
        (isCandidate(op) || diesInEinsums(op->getResult(0))))
      starts.push_back(op);
  });
  for (Operation *op : starts)
    (void)splitInit(rewriter, op);
  reaching.clear();
  function.walk([&](Operation *op) {
    if (isCandidate(op))
      candidates.push_back(op);
  });
  // Users first: an einsum takes in a contraction before that is rewritten itself.
  for (Operation *op : llvm::reverse(candidates))
    if (!erased.contains(op) && !eraseIfDead(op)) {
      isWrong |= isParameter(op) && failed(checkDense(op));
      isWrong |= failed(rewrite(op));
    }
  for (Operation *op : erased)
    op->destroy();
  if (isWrong)
    return failure();
  return chains;
}

FailureOr<int64_t> sparsam::reassociateFactors(func::FuncOp function) {
  return Reassociation(function).run();
}
