#include "LinearMaps.h"
#include "MergedProduct.h"
#include "Stacks.h"
#include "sparsam/Analysis/ElementwiseSlice.h"

using namespace mlir;
using namespace mlir::sparsam;

SlicedValue SlicedValue::at(const Layers &layers) const {
  SlicedValue sliced = *this;
  if (!layers.isWhole())
    sliced.slices.push_back(layers);
  return sliced;
}

Value SlicedValue::create(OpBuilder &builder, Location loc) const {
  // A constant, such as the scale of a term, may stand further down.
  Value made = value;
  if (isConstant())
    made = builder.clone(*value.getDefiningOp())->getResult(0);
  for (const Layers &layers : slices)
    made = createLayers(builder, loc, made, layers);
  return made;
}

static bool isInPlace(const ElementwiseOp &elementwise) {
  return llvm::none_of(elementwise.operands, [](const ElementwiseOperand &operand) {
    return operand.access == ElementAccess::Permuted;
  });
}

/// `shape` with the sizes of a run of layers.
static SmallVector<int64_t> getShapeOf(const Layers &layers, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> sliced(shape);
  for (auto [dim, size] : llvm::zip_equal(layers.dims, layers.sizes))
    sliced[dim] = size;
  return sliced;
}

namespace {

struct RestrictMap : LinearMap {
  StructureInterface structure;
  SmallVector<SlicedValue> indices;
  SmallVector<int64_t> shape;

  Value apply(RewriterBase &rewriter, Location loc, Value value) const override {
    StoredPattern pattern{structure, {}};
    for (const SlicedValue &index : indices)
      pattern.indices.push_back(index.create(rewriter, loc));
    return getOrCreateRestrict(rewriter, loc, value, pattern);
  }

  /// Rule 2 has its own way with these.
  Value applyToUniform(RewriterBase &, Value) const override { return {}; }

  bool movesThrough(const ElementwiseOp &elementwise) const override {
    return isInPlace(elementwise);
  }

  OfLayers at(const Layers &layers) const override {
    auto stored = getStorageLayers(layers, structure, shape.size());
    if (!stored)
      return {};
    auto map = std::make_unique<RestrictMap>();
    map->structure = structure;
    map->shape = getShapeOf(layers, shape);
    for (const SlicedValue &index : indices)
      map->indices.push_back(index.at(*stored));
    return {std::move(map), *stored};
  }

  SmallVector<SlicedValue> getOperands() const override { return indices; }
};

struct EinsumMap : LinearMap {
  std::string subscripts;
  SmallVector<std::string> terms;
  unsigned operand;
  /// Of all operands but the map's own, which has a null value.
  SmallVector<SlicedValue> inputs;
  RankedTensorType type;

  StringRef getResultTerm() const { return terms.back(); }

  Value apply(RewriterBase &rewriter, Location loc, Value value) const override {
    SmallVector<Value> values;
    for (const SlicedValue &input : inputs)
      values.push_back(input.value ? input.create(rewriter, loc) : value);
    return EinsumOp::create(rewriter, loc, type, values, subscripts);
  }

  Value applyToUniform(RewriterBase &rewriter, Value value) const override {
    Operation *op = value.getDefiningOp();
    Value number = isa_and_nonnull<linalg::FillOp>(op) ? op->getOperand(0) : Value();
    bool isZero = matchPattern(value, m_AnyZeroFloat()) ||
                  (number && matchPattern(number, m_AnyZeroFloat()));
    return isZero ? remakeUniform(rewriter, value, type.getShape()) : Value();
  }

  /// Sums and multiples.
  bool movesThrough(const ElementwiseOp &elementwise) const override {
    Value scale;
    return matchLinear(elementwise.op) != Linear::None ||
           (getScaled(elementwise.op->getResult(0), scale) &&
            llvm::count_if(elementwise.operands,
                           [](const ElementwiseOperand &operand) {
                             return operand.access != ElementAccess::Scalar;
                           }) == 1 &&
            isInPlace(elementwise));
  }

  OfLayers at(const Layers &layers) const override {
    auto map = std::make_unique<EinsumMap>(*this);
    OfLayers made;
    for (auto [dim, offset, size] :
         llvm::zip_equal(layers.dims, layers.offsets, layers.sizes)) {
      char letter = terms[operand][dim];
      auto along = [letter, offset = offset, size = size](StringRef term) {
        Layers run;
        if (size_t place = term.find(letter); place != StringRef::npos)
          run = {{static_cast<int64_t>(place)}, {offset}, {size}};
        return run;
      };
      Layers result = along(getResultTerm());
      if (result.isWhole())
        return {};
      for (auto [input, term] : llvm::zip(map->inputs, terms))
        if (input.value)
          input = input.at(along(term));
      map->type = map->type.clone(getShapeOf(result, map->type.getShape()));
      made.layers.dims.append(result.dims);
      made.layers.offsets.append(result.offsets);
      made.layers.sizes.append(result.sizes);
    }
    made.map = std::move(map);
    return made;
  }

  SmallVector<SlicedValue> getOperands() const override {
    return llvm::filter_to_vector(
        inputs, [](const SlicedValue &input) { return static_cast<bool>(input.value); });
  }
};

struct LayoutMap : LinearMap {
  SmallVector<int64_t> sourceShape, resultShape;
  /// For a transposing copy, the source's dimension that each of the result's is.
  SmallVector<int64_t> permutation;
  /// For each dimension of the source the one of the result that it is alone, or -1.
  SmallVector<int64_t> target;

  Value apply(RewriterBase &rewriter, Location loc, Value value) const override {
    return permutation.empty() ? createReshape(rewriter, loc, value, resultShape)
                               : createTranspose(rewriter, loc, value, permutation);
  }

  Value applyToUniform(RewriterBase &rewriter, Value value) const override {
    return remakeUniform(rewriter, value, resultShape);
  }

  bool movesThrough(const ElementwiseOp &elementwise) const override {
    return isInPlace(elementwise);
  }

  OfLayers at(const Layers &layers) const override {
    if (llvm::any_of(layers.dims, [&](int64_t dim) { return target[dim] < 0; }))
      return {};
    auto map = std::make_unique<LayoutMap>(*this);
    Layers moved = layers.mapDims(target);
    map->sourceShape = getShapeOf(layers, sourceShape);
    map->resultShape = getShapeOf(moved, resultShape);
    return {std::move(map), std::move(moved)};
  }

  SmallVector<SlicedValue> getOperands() const override { return {}; }
};

} // namespace

std::unique_ptr<LinearMap> sparsam::createRestrictMap(const StoredPattern &pattern,
                                                      ArrayRef<int64_t> shape) {
  auto map = std::make_unique<RestrictMap>();
  map->structure = pattern.structure;
  for (Value index : pattern.indices)
    map->indices.push_back({index, {}});
  map->shape.assign(shape.begin(), shape.end());
  return map;
}

/// `value` as layers of what it was sliced from, which may be known earlier than it.
static SlicedValue getSliced(Value value) {
  SlicedValue sliced{value, {}};
  while (auto slice = sliced.value.getDefiningOp<tensor::ExtractSliceOp>()) {
    auto layers = matchLayers(slice, slice.getSourceType().getShape());
    if (!layers || slice.getType().getRank() != slice.getSourceType().getRank())
      break;
    sliced.slices.insert(sliced.slices.begin(), *layers);
    sliced.value = slice.getSource();
  }
  return sliced;
}

std::unique_ptr<LinearMap> sparsam::createEinsumMap(EinsumOp op, unsigned operand) {
  auto map = std::make_unique<EinsumMap>();
  map->subscripts = op.getSubscripts().str();
  for (StringRef term : op.getTerms())
    map->terms.push_back(term.str());
  map->operand = operand;
  for (auto [position, input] : llvm::enumerate(op.getInputs()))
    map->inputs.push_back(position == operand ? SlicedValue() : getSliced(input));
  map->type = op.getType();
  return map;
}

SmallVector<int64_t> sparsam::getDimensionsAlone(const LayoutChange &change) {
  if (change.kind == LayoutChange::Transpose)
    return invertPermutationVector(change.permutation);
  ArrayRef<int64_t> source = change.getSourceType().getShape();
  ArrayRef<int64_t> result = change.getResultType().getShape();
  SmallVector<int64_t> target(source.size(), -1);
  for (auto [merged, group] : llvm::enumerate(change.groups))
    for (int64_t split : group) {
      int64_t from = split, to = merged;
      if (change.kind == LayoutChange::Expand)
        std::swap(from, to);
      if (source[from] == result[to])
        target[from] = to;
    }
  return target;
}

std::unique_ptr<LinearMap> sparsam::createLayoutMap(const LayoutChange &change) {
  auto map = std::make_unique<LayoutMap>();
  map->sourceShape = llvm::to_vector(change.getSourceType().getShape());
  map->resultShape = llvm::to_vector(change.getResultType().getShape());
  if (change.kind == LayoutChange::Transpose)
    map->permutation = change.permutation;
  map->target = getDimensionsAlone(change);
  return map;
}
