// Where a buffer of sorted entries has what: the entries, and what sorting counts.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_SORTEDLAYOUT_H
#define SPARSAM_LIB_CONVERSION_TOCPU_SORTEDLAYOUT_H

#include "SortedKept.h"

namespace mlir::sparsam::cpu {

/// The parts of the one buffer that sorting fills. In each range rows are gone through in
/// an order of their own, place by place.
struct SortedLayout {
  int64_t entries, ranges, rows, outputs;
  /// Entries of a row in a range, at most.
  int64_t units;
  Type element;

  int64_t getStartsOffset() const {
    return llvm::alignTo(
        SortedKept::width * entries * element.getIntOrFloatBitWidth() / 8, 64);
  }
  int64_t getOrderOffset() const {
    return getStartsOffset() + llvm::alignTo(ranges * (rows + 1) * 4, 64);
  }
  int64_t getCountsOffset() const {
    return getOrderOffset() + llvm::alignTo(ranges * rows * 4, 64);
  }
  int64_t getCursorsOffset() const {
    return getCountsOffset() + llvm::alignTo(ranges * rows * 4, 64);
  }
  int64_t getHistogramsOffset() const {
    return getCursorsOffset() + llvm::alignTo(ranges * rows * 4, 64);
  }
  int64_t getFrontsOffset() const {
    return getHistogramsOffset() + llvm::alignTo(ranges * (units + 1) * 4, 64);
  }
  MemRefType getBufferType() const {
    int64_t bytes = getFrontsOffset() + outputs * 4;
    return MemRefType::get(bytes, IntegerType::get(element.getContext(), 8));
  }

  /// The entries as their values, or as the integers beside them.
  Value viewEntries(ImplicitLocOpBuilder &b, Value buffer, bool asIntegers) const {
    Type type =
        asIntegers ? Type(b.getIntegerType(element.getIntOrFloatBitWidth())) : element;
    return view(b, buffer, 0, MemRefType::get(SortedKept::width * entries, type));
  }
  /// Where the entries of each place start, and those of the last end.
  Value viewStarts(ImplicitLocOpBuilder &b, Value buffer) const {
    return viewNumbers(b, buffer, getStartsOffset(), rows + 1);
  }
  /// The row of each place.
  Value viewOrder(ImplicitLocOpBuilder &b, Value buffer) const {
    return viewNumbers(b, buffer, getOrderOffset(), rows);
  }
  /// For sorting itself: how many entries each row has, and where its next one goes.
  Value viewCounts(ImplicitLocOpBuilder &b, Value buffer) const {
    return viewNumbers(b, buffer, getCountsOffset(), rows);
  }
  Value viewCursors(ImplicitLocOpBuilder &b, Value buffer) const {
    return viewNumbers(b, buffer, getCursorsOffset(), rows);
  }
  /// How many rows have each number of entries, then where the next such row goes.
  Value viewHistograms(ImplicitLocOpBuilder &b, Value buffer) const {
    return viewNumbers(b, buffer, getHistogramsOffset(), units + 1);
  }
  /// The first of each output's kept inputs that is not sorted yet.
  Value viewFronts(ImplicitLocOpBuilder &b, Value buffer) const {
    return view(b, buffer, getFrontsOffset(), MemRefType::get(outputs, b.getI32Type()));
  }

private:
  Value viewNumbers(ImplicitLocOpBuilder &b, Value buffer, int64_t offset,
                    int64_t width) const {
    return view(b, buffer, offset, MemRefType::get({ranges, width}, b.getI32Type()));
  }
  static Value view(ImplicitLocOpBuilder &b, Value buffer, int64_t offset,
                    MemRefType type) {
    return memref::ViewOp::create(b, type, buffer, buildIndex(b, offset), ValueRange());
  }
};

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_SORTEDLAYOUT_H
