#include "sparsam/Analysis/Convolution.h"
#include "ProductBody.h"

using namespace mlir;
using namespace mlir::sparsam;

using Place = Convolution::Place;
using Step = Convolution::Step;

/// sum of strides[d] * d, plus `offset`.
static LogicalResult collectStrides(AffineExpr expr, int64_t scale,
                                    MutableArrayRef<int64_t> strides, int64_t &offset) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    strides[dim.getPosition()] += scale;
    return success();
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    offset += scale * constant.getValue();
    return success();
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return failure();
  if (binary.getKind() == AffineExprKind::Add)
    return success(succeeded(collectStrides(binary.getLHS(), scale, strides, offset)) &&
                   succeeded(collectStrides(binary.getRHS(), scale, strides, offset)));
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (binary.getKind() != AffineExprKind::Mul || !factor)
    return failure();
  return collectStrides(binary.getLHS(), scale * factor.getValue(), strides, offset);
}

FailureOr<Convolution> Convolution::of(Operation *op) {
  FailureOr<ProductBody> body = matchProductBody(op);
  return succeeded(body) ? getConvolution(*body) : FailureOr<Convolution>(failure());
}

FailureOr<Convolution> sparsam::getConvolution(const ProductBody &body) {
  if (!body.sums || body.factors.size() != 2 || body.factors[0] == body.factors[1])
    return failure();
  linalg::LinalgOp linalgOp = body.op;
  SmallVector<AffineMap> maps = linalgOp.getIndexingMapsArray();
  AffineMap resultMap = maps[linalgOp.getNumDpsInputs()];
  unsigned source = body.factors[0], other = body.factors[1];
  if (maps[source].isProjectedPermutation())
    std::swap(source, other);
  bool meets = llvm::any_of(maps[source].getResults(), llvm::IsaPred<AffineBinaryOpExpr>);
  if (!meets || !maps[other].isProjectedPermutation() ||
      !resultMap.isProjectedPermutation())
    return failure();

  Convolution found;
  Product &product = found.product;
  product.scalars = body.scalars;
  SmallVector<Group> loops;
  for (int64_t range : linalgOp.getStaticLoopRanges())
    loops.push_back(product.addDimension(range));
  auto groupingOf = [&](AffineMap map) {
    return llvm::map_to_vector<4>(map.getResults(), [&](AffineExpr expr) {
      return loops[cast<AffineDimExpr>(expr).getPosition()];
    });
  };
  Grouping slots;
  SmallVector<bool> isUsed(loops.size());
  for (AffineExpr expr : maps[source].getResults()) {
    Place &place = found.places.emplace_back();
    SmallVector<int64_t> strides(loops.size());
    if (failed(collectStrides(expr, 1, strides, place.offset)))
      return failure();
    for (auto [loop, stride] : llvm::enumerate(strides)) {
      if (stride == 0 || loops[loop].empty())
        continue;
      if (isUsed[loop])
        return failure();
      isUsed[loop] = true;
      place.steps.push_back({static_cast<unsigned>(slots.size()), stride});
      slots.push_back(loops[loop]);
    }
  }
  product.terms.push_back({linalgOp->getOperand(source), slots});
  product.terms.push_back({linalgOp->getOperand(other), groupingOf(maps[other])});
  product.result = groupingOf(resultMap);
  SmallVector<Letter> covered = flatten(slots);
  llvm::append_range(covered, flatten(product.terms[Convolution::filter].dims));
  for (const Group &loop : loops)
    if (!loop.empty() && !llvm::is_contained(covered, loop.front()))
      return failure();
  Value init = linalgOp.getDpsInits()[0];
  if (!isZeroTensor(init))
    product.init = init;
  return found;
}

int64_t Convolution::getSourceSize(unsigned dim) const {
  return cast<RankedTensorType>(getSource().getType()).getDimSize(dim);
}

static bool containsAll(ArrayRef<Group> dims, ArrayRef<Letter> letters) {
  SmallVector<Letter> all = flatten(dims);
  return llvm::all_of(letters, [&](Letter l) { return llvm::is_contained(all, l); });
}

bool Convolution::isSummed(unsigned slot) const {
  return !containsAll(product.result, getSlot(slot));
}

bool Convolution::isInFilter(unsigned slot) const {
  return containsAll(product.terms[Convolution::filter].dims, getSlot(slot));
}

bool Convolution::isWhole(unsigned dim) const {
  const Place &place = places[dim];
  if (place.offset != 0 || place.steps.size() > 1)
    return false;
  if (place.steps.empty())
    return getSourceSize(dim) == 1;
  return place.steps[0].stride == 1 &&
         getExtent(place.steps[0].slot) == getSourceSize(dim);
}

std::pair<Place *, Step *> Convolution::findStep(ArrayRef<Letter> letters) {
  for (Place &place : places)
    for (Step &step : place.steps)
      if (ArrayRef<Letter>(getSlot(step.slot)) == letters)
        return {&place, &step};
  return {};
}

bool Convolution::absorbReversal(bool &reversesAny) {
  Term &term = product.terms[filter];
  FailureOr<Reversal> reversal = matchReversal(term.value.getDefiningOp());
  if (failed(reversal))
    return false;
  SmallVector<std::pair<Place *, Step *>> reversed;
  for (auto [group, isReversed] : llvm::zip_equal(term.dims, reversal->dims)) {
    if (!isReversed || group.empty())
      continue;
    reversed.push_back(findStep(group));
    if (!reversed.back().first)
      return false;
  }
  for (auto [place, step] : reversed) {
    place->offset += step->stride * (getExtent(step->slot) - 1);
    step->stride = -step->stride;
  }
  reversesAny |= !reversed.empty();
  term.value = reversal->source;
  return true;
}

/// Where the filter is zero nothing is read: its elements are further apart.
bool Convolution::absorbEmbedding() {
  FailureOr<Embedding> embedding =
      matchEmbedding(product.terms[filter].value.getDefiningOp());
  if (failed(embedding))
    return false;
  auto inner = cast<RankedTensorType>(embedding->source.getType()).getShape();
  SmallVector<int64_t> outer = product.getShape(product.terms[Convolution::filter].dims);
  SmallVector<unsigned> changed;
  for (unsigned dim = 0; dim < outer.size(); ++dim) {
    if (inner[dim] == outer[dim])
      continue;
    auto [place, step] = findStep(product.terms[Convolution::filter].dims[dim]);
    if (!place || !isSummed(step->slot))
      return false;
    changed.push_back(dim);
  }
  for (unsigned dim : changed) {
    Group fresh = product.addDimension(inner[dim]);
    auto [place, step] = findStep(product.terms[Convolution::filter].dims[dim]);
    product.terms[Convolution::filter].dims[dim] = fresh;
    product.terms[windows].dims[step->slot] = fresh;
    place->offset += step->stride * embedding->offsets[dim];
    step->stride *= embedding->strides[dim];
    if (fresh.empty())
      place->steps.erase(step);
  }
  product.terms[filter].value = embedding->source;
  return true;
}

bool Convolution::absorbFilter() {
  bool reversesAny = false;
  do {
    product.absorbViews(filter);
  } while (absorbReversal(reversesAny) || absorbEmbedding());
  return reversesAny;
}

bool Convolution::isMatrixProduct() const {
  bool hasRows = false, hasColumns = false, hasSums = false;
  SmallVector<Letter> kept = flatten(product.result);
  SmallVector<Letter> inWindows = flatten(product.terms[windows].dims);
  SmallVector<Letter> inFilter = flatten(product.terms[Convolution::filter].dims);
  for (Letter letter : inWindows) {
    hasRows |= llvm::is_contained(kept, letter) && !llvm::is_contained(inFilter, letter);
    hasSums |= !llvm::is_contained(kept, letter);
  }
  for (Letter letter : inFilter)
    hasColumns |=
        llvm::is_contained(kept, letter) && !llvm::is_contained(inWindows, letter);
  return hasRows && hasColumns && hasSums;
}
