// What an axis is made of, and its size once leaves have others.
#include "sparsam/Analysis/Axes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Adds an occurrence, to the one before where it goes on from there.
static void append(SmallVector<Axes::Occurrence> &occurrences,
                   const Axes::Occurrence &next) {
  for (Axes::Occurrence &known : occurrences) {
    AxisSegment &segment = known.segment;
    if (known.leaf == next.leaf && segment.size == next.segment.size &&
        segment.inner == next.segment.inner &&
        segment.offset + segment.getLength() == next.segment.offset) {
      segment.outer += next.segment.outer;
      return;
    }
  }
  occurrences.push_back(next);
}

SmallVector<Axes::Occurrence> Axes::getOccurrences(Axis axis) const {
  axis = find(axis);
  int64_t size = getSize(axis);
  if (isLeaf(axis))
    return {{axis, {0, 1, size, 1}}};
  SmallVector<Occurrence> found;
  int64_t before = 1, offset = 0;
  for (Axis part : getParts(axis)) {
    int64_t length = getSize(part);
    if (getKind(axis) == Kind::Concatenation) {
      for (Occurrence inside : getOccurrences(part)) {
        inside.segment.offset += offset;
        append(found, inside);
      }
      offset += length;
      continue;
    }
    int64_t after = size / before / length;
    for (Occurrence inside : getOccurrences(part)) {
      AxisSegment segment = inside.segment;
      segment.offset *= after;
      segment.inner *= after;
      if (inside.segment.getLength() == length) {
        segment.outer *= before;
        append(found, {inside.leaf, segment});
        continue;
      }
      for (int64_t place = 0; place < before; ++place) {
        append(found, {inside.leaf, segment});
        segment.offset += length * after;
      }
    }
    before *= length;
  }
  llvm::sort(found, [](const Occurrence &a, const Occurrence &b) {
    // An outer factor before the ones inside of it.
    return std::pair(a.segment.offset, -a.segment.inner) <
           std::pair(b.segment.offset, -b.segment.inner);
  });
  return found;
}

SmallVector<Axis> Axes::getLeaves(Axis axis) const {
  llvm::SetVector<Axis> leaves;
  SmallVector<Axis> worklist{axis};
  while (!worklist.empty()) {
    Axis current = find(worklist.pop_back_val());
    if (isLeaf(current))
      leaves.insert(current);
    for (Axis part : llvm::reverse(getParts(current)))
      worklist.push_back(part);
  }
  return leaves.takeVector();
}

bool Axes::isCut(Axis axis) const {
  return !isLeaf(axis) && getSize(axis) > 1 &&
         llvm::all_of(getLeaves(axis), [&](Axis leaf) { return getSize(leaf) == 1; });
}

int64_t Axes::evaluate(Axis axis, function_ref<int64_t(Axis)> sizeOf) const {
  axis = find(axis);
  switch (getKind(axis)) {
  case Kind::Leaf:
    return sizeOf(axis);
  case Kind::Product: {
    int64_t size = 1;
    for (Axis part : getParts(axis))
      size *= evaluate(part, sizeOf);
    return size;
  }
  case Kind::Concatenation: {
    int64_t size = 0;
    for (Axis part : getParts(axis))
      size += evaluate(part, sizeOf);
    return size;
  }
  }
  llvm_unreachable("no other kind");
}

int64_t Axes::evaluateOffset(Axis axis, int64_t offset,
                             function_ref<int64_t(Axis)> sizeOf) const {
  axis = find(axis);
  if (offset == 0)
    return 0;
  if (offset == getSize(axis))
    return evaluate(axis, sizeOf);
  switch (getKind(axis)) {
  case Kind::Leaf:
    return offset;
  case Kind::Product: {
    int64_t inner = getInnerSize(axis), size = 1;
    SmallVector<Axis> parts = flatten(axis);
    for (Axis part : ArrayRef(parts).drop_front())
      size *= evaluate(part, sizeOf);
    return evaluateOffset(parts.front(), offset / inner, sizeOf) * size;
  }
  case Kind::Concatenation: {
    int64_t place = 0;
    for (Axis part : flatten(axis)) {
      int64_t size = getSize(part);
      if (offset < size)
        return place + evaluateOffset(part, offset, sizeOf);
      place += evaluate(part, sizeOf);
      offset -= size;
    }
    return place;
  }
  }
  llvm_unreachable("no other kind");
}
