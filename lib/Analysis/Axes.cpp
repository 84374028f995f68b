#include "sparsam/Analysis/Axes.h"
#include "sparsam/Analysis/Product.h"

using namespace mlir;
using namespace mlir::sparsam;

Axis Axes::make(int64_t size) {
  Axis axis = nodes.size();
  nodes.push_back({size, axis, Kind::Leaf, {}, std::nullopt});
  return axis;
}

Axis Axes::makeProduct(ArrayRef<Axis> parts) {
  SmallVector<Axis, 3> factors;
  int64_t size = 1;
  for (Axis part : parts) {
    if (getSize(part) == 1)
      continue;
    factors.push_back(part);
    size *= getSize(part);
  }
  if (factors.size() == 1)
    return factors.front();
  Axis axis = make(size);
  if (!factors.empty())
    refine(axis, Kind::Product, factors);
  return axis;
}

Axis Axes::makeConcatenation(ArrayRef<Axis> parts) {
  if (parts.size() == 1)
    return parts.front();
  int64_t size = 0;
  for (Axis part : parts)
    size += getSize(part);
  Axis axis = make(size);
  refine(axis, Kind::Concatenation, parts);
  return axis;
}

Axis Axes::find(Axis axis) const {
  while (nodes[axis].parent != axis)
    axis = nodes[axis].parent;
  return axis;
}

const Axes::Obstacle *Axes::getObstacle(Axis leaf) const {
  const auto &obstacle = nodes[find(leaf)].obstacle;
  return obstacle ? &*obstacle : nullptr;
}

void Axes::block(Axis axis, Location loc, const Twine &reason) {
  axis = find(axis);
  if (!isLeaf(axis)) {
    for (Axis part : SmallVector<Axis>(getParts(axis)))
      block(part, loc, reason);
    return;
  }
  if (!nodes[axis].obstacle)
    nodes[axis].obstacle = {loc, reason.str()};
}

/// `axis`, a leaf or what is cut as `by` is, becomes `by`.
void Axes::replace(Axis axis, Axis by) {
  nodes[axis].parent = by;
  if (auto obstacle = nodes[axis].obstacle)
    block(by, obstacle->loc, obstacle->reason);
}

void Axes::refine(Axis leaf, Kind kind, ArrayRef<Axis> parts) {
  leaf = find(leaf);
  nodes[leaf].kind = kind;
  nodes[leaf].parts.assign(parts.begin(), parts.end());
  if (auto obstacle = nodes[leaf].obstacle) {
    nodes[leaf].obstacle.reset();
    block(leaf, obstacle->loc, obstacle->reason);
  }
}

/// The parts of a product or a concatenation, and theirs where they are of its kind.
SmallVector<Axis> Axes::flatten(Axis axis) const {
  SmallVector<Axis> flat;
  for (Axis part : getParts(axis)) {
    if (!isLeaf(part) && getKind(part) == getKind(axis))
      llvm::append_range(flat, flatten(part));
    else
      flat.push_back(find(part));
  }
  return flat;
}

int64_t Axes::getInnerSize(Axis product) const {
  SmallVector<Axis> parts = flatten(product);
  int64_t size = 1;
  for (Axis part : ArrayRef(parts).drop_front())
    size *= getSize(part);
  return size;
}

/// Splits parts so that they have these sizes, which are finer.
void Axes::cutProduct(SmallVector<Axis> &parts, ArrayRef<int64_t> sizes, Location loc) {
  SmallVector<Axis> cut;
  for (Axis part : parts) {
    SmallVector<Axis> pieces;
    for (int64_t size = getSize(part); size > 1;
         size /= sizes.front(), sizes = sizes.drop_front())
      pieces.push_back(sizes.front() == getSize(part) ? part : make(sizes.front()));
    if (pieces.size() > 1)
      unify(part, makeProduct(pieces), loc);
    llvm::append_range(cut, pieces);
  }
  parts = std::move(cut);
}

void Axes::unifyProducts(Axis a, Axis b, Location loc) {
  SmallVector<Axis> lhs = flatten(a), rhs = flatten(b);
  auto sizes = [&](ArrayRef<Axis> parts) {
    return llvm::map_to_vector(parts, [&](Axis part) { return getSize(part); });
  };
  auto refined = refineSizes(sizes(lhs), sizes(rhs));
  if (failed(refined)) {
    block(a, loc, "reshapes cut it at places that do not fit one another");
    block(b, loc, "reshapes cut it at places that do not fit one another");
    return;
  }
  cutProduct(lhs, *refined, loc);
  cutProduct(rhs, *refined, loc);
  for (auto [left, right] : llvm::zip_equal(lhs, rhs))
    unify(left, right, loc);
}

void Axes::cutAt(Axis concatenation, int64_t place, Location loc) {
  SmallVector<Axis> parts;
  int64_t offset = 0;
  for (Axis part : flatten(concatenation)) {
    int64_t size = getSize(part), inside = place - offset;
    if (inside > 0 && inside < size) {
      parts.push_back(getSegment(part, 0, inside, loc));
      parts.push_back(getSegment(part, inside, size - inside, loc));
    } else {
      parts.push_back(part);
    }
    offset += size;
  }
  Axis root = find(concatenation);
  nodes[root].parts.assign(parts.begin(), parts.end());
}

void Axes::unifyConcatenations(Axis a, Axis b, Location loc) {
  SmallVector<int64_t> places;
  for (Axis axis : {a, b}) {
    int64_t offset = 0;
    for (Axis part : flatten(axis))
      places.push_back(offset += getSize(part));
  }
  for (int64_t place : places) {
    cutAt(a, place, loc);
    cutAt(b, place, loc);
  }
  SmallVector<Axis> lhs = flatten(a), rhs = flatten(b);
  if (lhs.size() != rhs.size())
    return;
  for (auto [left, right] : llvm::zip_equal(lhs, rhs))
    unify(left, right, loc);
}

/// [a, b, c] x rest is [a x rest, b x rest, c x rest].
void Axes::distribute(Axis product, Axis concatenation, Location loc) {
  int64_t offset = 0;
  for (Axis part : flatten(concatenation)) {
    int64_t size = getSize(part);
    unify(getSegment(product, offset, size, loc), part, loc);
    offset += size;
  }
}

void Axes::unify(Axis a, Axis b, Location loc) {
  a = find(a);
  b = find(b);
  if (a == b || (getSize(a) == 1 && getSize(b) == 1))
    return;
  if (getSize(a) != getSize(b)) {
    block(a, loc, "an operation takes it together with another size");
    block(b, loc, "an operation takes it together with another size");
    return;
  }
  if (isLeaf(a))
    return replace(a, b);
  if (isLeaf(b))
    return replace(b, a);
  if (getKind(a) != getKind(b)) {
    bool isProduct = getKind(a) == Kind::Product;
    return distribute(isProduct ? a : b, isProduct ? b : a, loc);
  }
  if (getKind(a) == Kind::Product)
    unifyProducts(a, b, loc);
  else
    unifyConcatenations(a, b, loc);
}

Axis Axes::getSegment(Axis axis, int64_t offset, int64_t size, Location loc) {
  axis = find(axis);
  int64_t whole = getSize(axis);
  if (offset == 0 && size == whole)
    return axis;
  if (getKind(axis) == Kind::Product) {
    SmallVector<Axis> parts = flatten(axis);
    int64_t inner = getInnerSize(axis);
    if (offset % inner || size % inner) {
      block(axis, loc, "a slice cuts across the product of dimensions that it is");
      Axis segment = make(size);
      block(segment, loc, "it is a slice across a product of dimensions");
      return segment;
    }
    parts.front() = getSegment(parts.front(), offset / inner, size / inner, loc);
    return makeProduct(parts);
  }
  if (isLeaf(axis)) {
    SmallVector<Axis> parts;
    for (int64_t length : {offset, size, whole - offset - size})
      if (length)
        parts.push_back(make(length));
    refine(axis, Kind::Concatenation, parts);
    // Nothing can be left out of one entry; an earlier reason of the whole stays.
    for (Axis part : parts)
      if (getSize(part) == 1)
        block(part, loc, "an operation takes one entry of it by itself");
  }
  cutAt(axis, offset, loc);
  cutAt(axis, offset + size, loc);
  SmallVector<Axis> inside;
  int64_t at = 0;
  for (Axis part : flatten(axis)) {
    if (at >= offset && at < offset + size)
      inside.push_back(part);
    at += getSize(part);
  }
  return makeConcatenation(inside);
}

Axis Axes::getFactor(Axis axis, const AxisSegment &segment, Location loc) {
  Axis factor = make(segment.size);
  Axis range = getSegment(axis, segment.offset, segment.getLength(), loc);
  unify(range, makeProduct({make(segment.outer), factor, make(segment.inner)}), loc);
  return factor;
}
