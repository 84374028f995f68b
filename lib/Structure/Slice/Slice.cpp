#include "sparsam/Structure/Slice/Slice.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include <array>

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "sparsam/Structure/Slice/Slice.cpp.inc"

void sparsam::registerSlice(DialectRegistry &registry) {
  registerStructures<SliceAttr>(registry);
}

SliceAttr SliceAttr::get(MLIRContext *context, ArrayRef<SlicedAxis> axes,
                         ArrayRef<int64_t> in) {
  SmallVector<StringAttr> groups;
  SmallVector<int64_t> keeps, places;
  for (auto [number, axis] : llvm::enumerate(axes)) {
    groups.push_back(axis.group);
    keeps.push_back(axis.keep);
    std::array<ArrayRef<AxisSegment>, 2> sides{axis.rows, axis.columns};
    for (auto [side, segments] : llvm::enumerate(sides))
      for (const AxisSegment &at : segments)
        places.append({static_cast<int64_t>(number), static_cast<int64_t>(side),
                       at.offset, at.outer, at.size, at.inner});
  }
  return get(context, groups, keeps, std::nullopt, places, in, {});
}

SmallVector<SlicedAxis> SliceAttr::getSlicedAxes() const {
  SmallVector<SlicedAxis> axes;
  if (isRequest())
    return axes;
  for (auto [group, keep] : llvm::zip_equal(getGroups(), getKeeps()))
    axes.push_back({group, keep, {}, {}});
  for (ArrayRef<int64_t> rest = getPlaces(); !rest.empty(); rest = rest.drop_front(6))
    (rest[1] ? axes[rest[0]].columns : axes[rest[0]].rows)
        .push_back({rest[2], rest[3], rest[4], rest[5]});
  return axes;
}

LogicalResult SliceAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<StringAttr> groups, ArrayRef<int64_t> keeps,
                                std::optional<APFloat> share, ArrayRef<int64_t> places,
                                ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (groups.empty())
    return emitError() << "expected `keep`, how many entries are kept";
  llvm::SmallSet<StringRef, 4> names;
  for (auto [group, keep] : llvm::zip_equal(groups, keeps)) {
    if (!names.insert(group.getValue()).second)
      return emitError() << "group " << group << " has two axes";
    if (keep < 0 || (keep == 0 && !share))
      return emitError() << "expected keep of at least 1, found " << keep;
  }
  if (share && (groups.size() > 1 || !places.empty()))
    return emitError() << "expected a count of kept entries where an axis has segments";
  if (share && !(*share > APFloat(0.0) && *share <= APFloat(1.0)))
    return emitError() << "expected a share above 0 and up to 1, found "
                       << share->convertToDouble();
  if (places.empty())
    return groups.size() == 1
               ? success()
               : LogicalResult(emitError() << "expected segments of each of "
                                           << groups.size() << " axes");
  SmallVector<int64_t> sizes(groups.size(), 0);
  for (ArrayRef<int64_t> rest = places; !rest.empty(); rest = rest.drop_front(6)) {
    int64_t axis = rest[0], size = rest[4];
    if (rest[2] < 0 || rest[3] < 1 || size < 1 || rest[5] < 1)
      return emitError() << "expected a segment of sizes of at least 1";
    if (sizes[axis] && sizes[axis] != size)
      return emitError() << "the axis of group " << groups[axis] << " has segments of "
                         << sizes[axis] << " and of " << size << " entries";
    sizes[axis] = size;
  }
  for (auto [group, keep, size] : llvm::zip_equal(groups, keeps, sizes)) {
    if (!size)
      return emitError() << "the axis of group " << group << " has no segment";
    if (group.empty())
      return emitError() << "expected the name of a group where an axis has segments";
    if (keep > size)
      return emitError() << "group " << group << " has " << size << " entries, of which "
                         << keep << " cannot be kept";
  }
  return success();
}

StructureInterface SliceAttr::withView(ArrayRef<int64_t> in,
                                       ArrayRef<int64_t> stack) const {
  return get(getContext(), getGroups(), getKeeps(), getShare(), getPlaces(), in, stack);
}

namespace {

/// A segment of one of the axes.
struct Placed {
  AxisSegment segment;
  int64_t keep;

  int64_t getPeriod() const { return segment.size * segment.inner; }
  int64_t getEnd() const { return segment.offset + segment.getLength(); }
};

} // namespace

/// How many of `length` rows or columns are kept; fails where the segments do not fit.
static FailureOr<int64_t> countKept(ArrayRef<Placed> placed, int64_t length,
                                    function_ref<InFlightDiagnostic()> emitError) {
  SmallVector<int64_t> places{0, length};
  for (const Placed &one : placed) {
    if (one.getEnd() > length)
      return emitError() << "a segment ends at " << one.getEnd() << ", expected at most "
                         << length;
    places.append({one.segment.offset, one.getEnd()});
  }
  llvm::sort(places);
  int64_t kept = 0;
  for (auto [begin, end] : llvm::zip(places, ArrayRef(places).drop_front())) {
    int64_t count = end - begin;
    SmallVector<Placed> here;
    for (const Placed &one : placed)
      if (begin < end && one.segment.offset <= begin && end <= one.getEnd())
        here.push_back(one);
    llvm::sort(here, [](const Placed &a, const Placed &b) {
      return a.segment.inner < b.segment.inner;
    });
    for (auto [number, one] : llvm::enumerate(here)) {
      bool isWhole = (begin - one.segment.offset) % one.getPeriod() == 0 &&
                     (end - begin) % one.getPeriod() == 0;
      if (!isWhole || (number && one.segment.inner % here[number - 1].getPeriod()))
        return emitError() << "segments from " << begin << " to " << end
                           << " cut across one another";
      count = count / one.segment.size * one.keep;
    }
    kept += count;
  }
  return kept;
}

FailureOr<SmallVector<StorageTensor>>
SliceAttr::getStorage(RankedTensorType matrix,
                      function_ref<InFlightDiagnostic()> emitError) const {
  if (isRequest())
    return emitError()
           << *this << " is a request, which does not say which rows or columns "
           << "it is about: sparsam-apply-structure completes it where it is the "
           << "structure of a parameter of a step; inside another structure it "
           << "cannot be, since it is one choice for several parameters, so ask "
           << "for it on the parameter itself or choose another pattern there";
  SmallVector<Placed> rows, columns;
  for (const SlicedAxis &axis : getSlicedAxes()) {
    for (const AxisSegment &segment : axis.rows)
      rows.push_back({segment, axis.keep});
    for (const AxisSegment &segment : axis.columns)
      columns.push_back({segment, axis.keep});
  }
  auto error = [&] { return emitError() << *this << ": "; };
  auto keptRows = countKept(rows, matrix.getDimSize(0), error);
  auto keptColumns = countKept(columns, matrix.getDimSize(1), error);
  if (failed(keptRows) || failed(keptColumns))
    return failure();
  SmallVector<StorageTensor> storage{
      {"values",
       RankedTensorType::get({*keptRows, *keptColumns}, matrix.getElementType()),
       StorageRole::Trainable}};
  auto axes = getSlicedAxes();
  for (auto [number, axis] : llvm::enumerate(axes)) {
    Type index = IntegerType::get(getContext(), axis.getSize() > 65536 ? 32 : 16);
    std::string name = "indices" + (axes.size() > 1 ? std::to_string(number) : "");
    storage.push_back(
        {name, RankedTensorType::get({axis.keep}, index), StorageRole::Index});
  }
  return storage;
}

FailureOr<StructureCost> SliceAttr::getCost(RankedTensorType matrix) const {
  auto storage =
      getStorage(matrix, [&] { return emitError(UnknownLoc::get(getContext())); });
  if (failed(storage))
    return failure();
  int64_t bytes = 0;
  for (const StorageTensor &tensor : *storage)
    bytes += tensor.type.getNumElements() * tensor.type.getElementTypeBitWidth() / 8;
  int64_t entries = storage->front().type.getNumElements();
  return StructureCost{entries, bytes, 2 * entries};
}

SmallVector<IndexRule> SliceAttr::getIndexRules(RankedTensorType) const {
  SmallVector<IndexRule> rules;
  for (const SlicedAxis &axis : getSlicedAxes()) {
    IndexRule rule;
    rule.place = ("index {} of group \"" + axis.group.getValue() + "\"").str();
    rule.what = "an entry";
    rule.run = rule.range = axis.getSize();
    rules.push_back(rule);
  }
  return rules;
}
