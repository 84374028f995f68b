#include "sparsam/Transforms/Composition.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Transforms/BuildProduct.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::sparsam;

/// As many letters as there are stacked dimensions, which no term uses.
static std::string pickLetters(ArrayRef<FactorTerm> terms, size_t count) {
  std::string used, picked;
  for (const FactorTerm &term : terms) {
    used += term.in + term.out;
    for (const Factor &factor : term.factors)
      used += factor.letters;
  }
  for (char letter = 'A'; letter <= 'Z' && picked.size() < count; ++letter)
    if (used.find(letter) == std::string::npos)
      picked += letter;
  return picked;
}

FailureOr<Composition> Composition::get(StructureInterface structure,
                                        RankedTensorType type,
                                        function_ref<InFlightDiagnostic()> emitError) {
  auto view = getMatrixView(structure, type, emitError);
  if (failed(view))
    return failure();
  Composition made;
  made.structure = structure;
  made.type = type;
  auto terms = structure.getTerms(view->matrix, emitError);
  auto storage = getParameterStorage(structure, type, emitError);
  if (failed(terms) || failed(storage))
    return emitError() << structure << " does not say which factors it has";
  made.terms = std::move(*terms);
  made.storage = std::move(*storage);
  for (int64_t dim : view->stack)
    made.matrixShape.push_back(type.getDimSize(dim));
  made.stack = pickLetters(made.terms, view->stack.size());
  unsigned next = 0;
  for (auto [number, term] : llvm::enumerate(made.terms))
    for (Factor factor : term.factors) {
      if (static_cast<int64_t>(factor.letters.size()) != factor.type.getRank())
        return emitError() << structure << ": term \"" << factor.letters
                           << "\" does not fit " << factor.name << " of " << factor.type;
      auto own = getFactorStorage(factor, emitError);
      if (failed(own))
        return failure();
      SmallVector<int64_t> shape(made.matrixShape);
      llvm::append_range(shape, factor.type.getShape());
      factor.type = factor.type.clone(shape);
      factor.letters = made.stack + factor.letters;
      if (factor.pattern && !made.stack.empty())
        factor.pattern = factor.getPattern().withView(
            {}, llvm::to_vector(llvm::seq<int64_t>(0, made.stack.size())));
      unsigned count = own->size();
      made.factors.push_back({factor, static_cast<unsigned>(number), next, count});
      next += count;
    }
  if (next != made.storage.size())
    return emitError() << structure << " has factors of " << next << " tensors and "
                       << made.storage.size() << " in its storage";
  llvm::append_range(made.matrixShape, view->matrix.getShape());
  return made;
}

std::string Composition::getMatrixLetters(unsigned term) const {
  return stack + terms[term].in + terms[term].out;
}

SmallVector<int64_t> Composition::getShape(unsigned term, StringRef letters) const {
  SmallVector<int64_t> shape;
  for (char letter : letters)
    for (const Placed &placed : factors) {
      size_t dim = placed.factor.letters.find(letter);
      if (placed.term != term || placed.factor.isAside || dim == std::string::npos)
        continue;
      shape.push_back(placed.factor.type.getDimSize(dim));
      break;
    }
  return shape;
}

/// Whether the term is its only factor.
bool Composition::isItself(unsigned term) const {
  const Factor *only = nullptr;
  for (const Factor &factor : terms[term].factors) {
    if (factor.isAside)
      continue;
    if (only)
      return false;
    only = &factor;
  }
  return only && terms[term].scale == 1 &&
         stack + only->letters == getMatrixLetters(term);
}

std::optional<StoredPattern> Composition::getPattern(unsigned number,
                                                     ValueRange values) const {
  const Placed &placed = factors[number];
  if (!placed.factor.pattern)
    return std::nullopt;
  StoredPattern pattern{placed.factor.getPattern(), {}};
  for (unsigned tensor = placed.firstTensor;
       tensor < placed.firstTensor + placed.numTensors; ++tensor)
    if (storage[tensor].isIndex())
      pattern.indices.push_back(values[tensor]);
  return pattern;
}

SmallVector<Value> Composition::createFactors(OpBuilder &builder, Location loc,
                                              ValueRange values) const {
  SmallVector<Value> dense;
  for (const Placed &placed : factors) {
    ValueRange own = values.slice(placed.firstTensor, placed.numTensors);
    dense.push_back(placed.factor.pattern
                        ? DensifyOp::create(builder, loc, placed.factor.type, own,
                                            placed.factor.getPattern())
                              .getResult()
                        : own.front());
  }
  return dense;
}

/// A number as the operand of an einsum, which has no letter.
static Value createScale(OpBuilder &builder, Location loc, Type element, double scale) {
  auto type = RankedTensorType::get({}, element);
  Attribute value = builder.getFloatAttr(element, scale);
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
}

/// An einsum of `made`, which has wide elements: the parameter and its gradients are
/// rounded once.
static Value createEinsum(OpBuilder &builder, Location loc, RankedTensorType made,
                          MutableArrayRef<Value> inputs, const Twine &letters) {
  for (Value &input : inputs)
    input = buildConverted(builder, loc, input, made.getElementType());
  return EinsumOp::create(builder, loc, made, inputs, letters.str());
}

Value Composition::createTerm(OpBuilder &builder, Location loc, unsigned term,
                              ValueRange dense, unsigned degree) const {
  SmallVector<Value> inputs;
  SmallVector<StringRef> letters;
  for (auto [placed, value] : llvm::zip_equal(factors, dense)) {
    if (placed.term != term || placed.factor.isAside)
      continue;
    inputs.push_back(value);
    letters.push_back(placed.factor.letters);
  }
  Value matrix = inputs.front();
  if (!isItself(term)) {
    if (terms[term].scale != 1) {
      inputs.push_back(createScale(builder, loc, type.getElementType(),
                                   std::pow(terms[term].scale, degree)));
      letters.push_back("");
    }
    std::string all = getMatrixLetters(term);
    auto made =
        RankedTensorType::get(getShape(term, all), getWideElement(type.getElementType()));
    matrix =
        createEinsum(builder, loc, made, inputs, llvm::join(letters, ",") + "->" + all);
  }
  return createReshape(builder, loc, matrix, matrixShape);
}

/// The sum of the terms, the stacked dimensions in front.
Value Composition::createMatrix(OpBuilder &builder, Location loc,
                                ValueRange dense) const {
  Value sum;
  for (unsigned term = 0; term < terms.size(); ++term) {
    Value value = createTerm(builder, loc, term, dense);
    if (terms.size() > 1)
      value = buildConverted(builder, loc, value, getWideElement(type.getElementType()));
    sum = sum ? buildAdd(builder, loc, sum, value) : value;
  }
  return buildConverted(builder, loc, sum, type.getElementType());
}

Value Composition::createTerms(OpBuilder &builder, Location loc, ValueRange dense) const {
  return createFromMatrix(builder, loc, createMatrix(builder, loc, dense), type,
                          structure);
}

FailureOr<Value> Composition::createSum(OpBuilder &builder, Location loc,
                                        ValueRange dense) const {
  Value sum = createMatrix(builder, loc, dense);
  FailureOr<Value> read = structure.buildRead(builder, loc, sum, dense);
  if (failed(read))
    return emitError(loc) << structure << " does not say what is read of it";
  return createFromMatrix(builder, loc, *read, type, structure);
}

FailureOr<Value> Composition::createGradient(OpBuilder &builder, Location loc,
                                             unsigned number, ValueRange dense,
                                             Value matrix, unsigned degree) const {
  const Placed &wanted = factors[number];
  unsigned term = wanted.term;
  std::string all = getMatrixLetters(term);
  matrix = createReshape(builder, loc, matrix, getShape(term, all));
  if (isItself(term))
    return matrix;
  SmallVector<Value> inputs{matrix};
  std::string letters = all;
  for (auto [other, placed] : llvm::enumerate(factors)) {
    if (placed.term != term || placed.factor.isAside || other == number)
      continue;
    inputs.push_back(dense[other]);
    letters += "," + placed.factor.letters;
  }
  if (wanted.factor.letters.find_first_not_of(letters) != std::string::npos)
    return emitError(loc) << structure << " sums a dimension of \""
                          << wanted.factor.letters
                          << "\" alone, expected each in another factor or the matrix";
  if (terms[term].scale != 1) {
    inputs.push_back(createScale(builder, loc, type.getElementType(),
                                 std::pow(terms[term].scale, degree)));
    letters += ",";
  }
  auto gradient = RankedTensorType::get(wanted.factor.type.getShape(),
                                        getWideElement(type.getElementType()));
  Type element = getElementTypeOrSelf(matrix.getType());
  Value made = createEinsum(builder, loc, gradient, inputs,
                            letters + "->" + wanted.factor.letters);
  return buildConverted(builder, loc, made, element);
}

/// Each tensor to the power `degree`, element by element; powers are not rounded to
/// narrow elements.
static SmallVector<Value> createPowers(OpBuilder &builder, Location loc,
                                       ValueRange tensors, unsigned degree) {
  SmallVector<Value> powers(tensors);
  if (degree == 1)
    return powers;
  for (Value &tensor : powers)
    tensor = buildConverted(builder, loc, tensor,
                            getWideElement(getElementTypeOrSelf(tensor.getType())));
  SmallVector<Value> first = powers;
  for (unsigned power = 1; power < degree; ++power)
    for (auto [tensor, raised] : llvm::zip_equal(first, powers))
      raised = buildElementwise<arith::MulFOp>(builder, loc, {tensor, raised});
  return powers;
}

FailureOr<SmallVector<Value>>
Composition::createProjections(OpBuilder &builder, Location loc,
                               ArrayRef<unsigned> numbers, ValueRange dense, Value state,
                               unsigned degree) const {
  Value matrix = createMatrixOf(builder, loc, state, structure);
  SmallVector<Value> powers = createPowers(builder, loc, dense, degree), made;
  for (unsigned number : numbers) {
    FailureOr<Value> own = createGradient(builder, loc, number, powers, matrix, degree);
    if (failed(own))
      return failure();
    made.push_back(*own);
  }
  return made;
}

Value Composition::createSpread(OpBuilder &builder, Location loc,
                                ArrayRef<unsigned> numbers, ValueRange dense,
                                ValueRange states, unsigned degree) const {
  SmallVector<Value> powers = createPowers(builder, loc, dense, degree);
  Value sum;
  for (auto [number, state] : llvm::zip_equal(numbers, states)) {
    SmallVector<Value> replaced(powers);
    replaced[number] = state;
    Value term = createTerm(builder, loc, factors[number].term, replaced, degree);
    term = buildConverted(builder, loc, term, getWideElement(type.getElementType()));
    sum = sum ? buildAdd(builder, loc, sum, term) : term;
  }
  Type element = getElementTypeOrSelf(states.front().getType());
  sum = buildConverted(builder, loc, sum, element);
  return createFromMatrix(builder, loc, sum,
                          RankedTensorType::get(type.getShape(), element), structure);
}

FailureOr<SmallVector<Value>>
Composition::createGradients(OpBuilder &builder, Location loc, ArrayRef<unsigned> numbers,
                             ValueRange dense, Value gradient) const {
  SmallVector<Value> gradients;
  if (numbers.empty())
    return gradients;
  auto matrix = structure.buildGradient(
      builder, loc, createMatrixOf(builder, loc, gradient, structure), dense);
  if (failed(matrix))
    return emitError(loc) << structure << " does not say what its gradient is";
  for (unsigned number : numbers) {
    FailureOr<Value> made = createGradient(builder, loc, number, dense, *matrix);
    if (failed(made))
      return failure();
    gradients.push_back(*made);
  }
  return gradients;
}

FailureOr<Value> sparsam::createDefinition(OpBuilder &builder, DensifyOp op) {
  auto composition =
      Composition::get(op.getStructure(), cast<RankedTensorType>(op.getType()),
                       [&] { return op.emitOpError(); });
  if (failed(composition))
    return failure();
  SmallVector<Value> dense =
      composition->createFactors(builder, op.getLoc(), op.getStorage());
  return composition->createSum(builder, op.getLoc(), dense);
}
