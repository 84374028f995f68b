#include "SortedKept.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// The parts of the one buffer that sorting fills: entries, and where those of each
/// range and row start.
struct Layout {
  int64_t entries, ranges, rows;
  Type element;

  int64_t getStartsOffset() const {
    return llvm::alignTo(
        SortedKept::width * entries * element.getIntOrFloatBitWidth() / 8, 64);
  }
  /// One start more than there are ends: counting shifts them by one.
  int64_t getWidth() const { return rows + 2; }
  MemRefType getBufferType() const {
    int64_t bytes = getStartsOffset() + ranges * getWidth() * 4;
    return MemRefType::get(bytes, IntegerType::get(element.getContext(), 8));
  }

  /// The entries as their values, or as the integers beside them.
  Value viewEntries(ImplicitLocOpBuilder &b, Value buffer, bool asIntegers) const {
    Type type =
        asIntegers ? Type(b.getIntegerType(element.getIntOrFloatBitWidth())) : element;
    return view(b, buffer, 0, MemRefType::get(SortedKept::width * entries, type));
  }
  Value viewStarts(ImplicitLocOpBuilder &b, Value buffer) const {
    return view(b, buffer, getStartsOffset(),
                MemRefType::get({ranges, getWidth()}, b.getI32Type()));
  }

private:
  static Value view(ImplicitLocOpBuilder &b, Value buffer, int64_t offset,
                    MemRefType type) {
    return memref::ViewOp::create(b, type, buffer, buildIndex(b, offset), ValueRange());
  }
};

/// What the sorting kernels work on: the unsorted pattern, and the views of the buffer.
struct Sorting {
  Sorting(ImplicitLocOpBuilder &b, const KeptInputs &kept, const Layout &layout,
          int64_t units, ValueRange arguments)
      : kept(kept), layout(layout), units(units), values(buildRow(b, arguments[0])),
        entries(layout.viewEntries(b, arguments.back(), false)),
        gathered(layout.viewEntries(b, arguments.back(), true)),
        starts(layout.viewStarts(b, arguments.back())) {
    for (Value indices : arguments.drop_front().drop_back())
      pattern.push_back(buildRow(b, indices));
  }

  const KeptInputs &kept;
  const Layout &layout;
  int64_t units;
  Value values, entries, gathered, starts;
  SmallVector<Value> pattern;

  Value loadStart(ImplicitLocOpBuilder &b, Value range, Value row) const {
    Value stored = memref::LoadOp::create(b, starts, ValueRange{range, row});
    return arith::IndexCastUIOp::create(b, b.getIndexType(), stored);
  }
  void storeStart(ImplicitLocOpBuilder &b, Value number, Value range, Value row) const {
    Value stored = arith::IndexCastUIOp::create(b, b.getI32Type(), number);
    memref::StoreOp::create(b, stored, starts, ValueRange{range, row});
  }
  void storeEntry(ImplicitLocOpBuilder &b, Value number, Value row, Value place) const {
    Value at = buildScaled(b, place, SortedKept::width);
    memref::StoreOp::create(b, memref::LoadOp::create(b, values, number), entries, at);
    Type integer = cast<MemRefType>(gathered.getType()).getElementType();
    memref::StoreOp::create(b, arith::IndexCastUIOp::create(b, integer, row), gathered,
                            buildOffset(b, at, 1));
  }
};

/// Entries by ranges of outputs, and in each by the input that is kept: by counting.
void buildByInput(ImplicitLocOpBuilder &b, const Sorting &sorting) {
  const KeptInputs &kept = sorting.kept;
  buildParallel(b, sorting.layout.ranges, [&](ImplicitLocOpBuilder &b, Value range) {
    Value first = buildScaled(b, range, sorting.units);
    Value end = arith::MinUIOp::create(b, buildOffset(b, first, sorting.units),
                                       buildIndex(b, kept.blocks));
    using Body = function_ref<void(ImplicitLocOpBuilder &, Value, Value, Value)>;
    auto forEachKept = [&](Body body) {
      buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value output) {
        auto span = kept.buildSpan(b, sorting.pattern, output);
        buildFor(b, span.first, span.second, 1,
                 [&](ImplicitLocOpBuilder &b, Value number) {
                   body(b, output, number,
                        kept.buildInput(b, sorting.pattern, output, number));
                 });
      });
    };
    Value zero = buildIndex(b, 0), width = buildIndex(b, sorting.layout.getWidth());
    buildFor(b, zero, width, 1, [&](ImplicitLocOpBuilder &b, Value at) {
      sorting.storeStart(b, buildIndex(b, 0), range, at);
    });
    forEachKept([&](ImplicitLocOpBuilder &b, Value, Value, Value input) {
      Value at = buildOffset(b, input, 2);
      sorting.storeStart(b, buildOffset(b, sorting.loadStart(b, range, at), 1), range,
                         at);
    });
    // Storage has the outputs one after the other, and so this range's entries.
    Value begin = kept.buildSpan(b, sorting.pattern, first).first;
    buildFor(
        b, zero, width, 1, begin, [&](ImplicitLocOpBuilder &b, Value at, ValueRange sum) {
          Value next = arith::AddIOp::create(b, sum[0], sorting.loadStart(b, range, at));
          sorting.storeStart(b, next, range, at);
          return SmallVector<Value>{next};
        });
    forEachKept([&](ImplicitLocOpBuilder &b, Value output, Value number, Value input) {
      Value at = buildOffset(b, input, 1);
      Value place = sorting.loadStart(b, range, at);
      sorting.storeStart(b, buildOffset(b, place, 1), range, at);
      sorting.storeEntry(b, number, output, place);
    });
  });
}

/// Entries by ranges of inputs, and in each by output. An output keeps ascending inputs:
/// those of a range are a piece of it.
void buildByOutput(ImplicitLocOpBuilder &b, const Sorting &sorting) {
  const KeptInputs &kept = sorting.kept;
  Value zero = buildIndex(b, 0), ranges = buildIndex(b, sorting.layout.ranges);
  buildParallel(b, kept.blocks, [&](ImplicitLocOpBuilder &b, Value output) {
    buildPieces(b, kept, sorting.pattern, output, sorting.units,
                [&](ImplicitLocOpBuilder &b, Value range, Value begin, Value end) {
                  Value count = arith::SubIOp::create(b, end, begin);
                  sorting.storeStart(b, count, range, buildOffset(b, output, 1));
                });
  });
  buildFor(b, zero, ranges, 1, zero,
           [&](ImplicitLocOpBuilder &b, Value range, ValueRange sum) {
             sorting.storeStart(b, sum[0], range, zero);
             return buildFor(b, buildIndex(b, 1), buildIndex(b, kept.blocks + 1), 1,
                             sum[0],
                             [&](ImplicitLocOpBuilder &b, Value at, ValueRange sum) {
                               Value count = sorting.loadStart(b, range, at);
                               Value next = arith::AddIOp::create(b, sum[0], count);
                               sorting.storeStart(b, next, range, at);
                               return SmallVector<Value>{next};
                             });
           });
  buildParallel(b, kept.blocks, [&](ImplicitLocOpBuilder &b, Value output) {
    Value first = kept.buildSpan(b, sorting.pattern, output).first;
    buildFor(b, zero, ranges, 1, first,
             [&](ImplicitLocOpBuilder &b, Value range, ValueRange begin) {
               Value start = sorting.loadStart(b, range, output);
               Value count = arith::SubIOp::create(
                   b, sorting.loadStart(b, range, buildOffset(b, output, 1)), start);
               buildFor(b, zero, count, 1, [&](ImplicitLocOpBuilder &b, Value i) {
                 Value number = arith::AddIOp::create(b, begin[0], i);
                 sorting.storeEntry(b, number,
                                    kept.buildInput(b, sorting.pattern, output, number),
                                    arith::AddIOp::create(b, start, i));
               });
               return SmallVector<Value>{arith::AddIOp::create(b, begin[0], count)};
             });
  });
}

} // namespace

SortedKept::SortedKept(const KeptInputs &pattern, bool transposed)
    : transposed(transposed) {
  inputs = transposed ? pattern.blocks : pattern.inputs;
  vector = 1;
  blocks = transposed ? pattern.inputs : pattern.blocks;
  kept = llvm::divideCeil(pattern.kept * pattern.blocks, std::max<int64_t>(blocks, 1));
}

Value SortedKept::buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value,
                             Value number) const {
  return buildIndexLoad(b, pattern[0], buildOffset(b, buildScaled(b, number, width), 1));
}

bool cpu::repaysSorting(const KeptProduct &product) {
  return product.vector == 1 && product.tokens > product.getHeight();
}

KernelOperands cpu::sortKept(ImplicitLocOpBuilder &b, const KeptProduct &product,
                             const SortedKept &sorted, Value values, ValueRange pattern,
                             int64_t units, KernelLibrary &library) {
  const KeptInputs &kept = product.pattern;
  Layout layout{cast<MemRefType>(values.getType()).getNumElements(),
                int64_t(llvm::divideCeil(sorted.inputs, units)), sorted.blocks,
                product.element};
  Value buffer = memref::AllocOp::create(b, layout.getBufferType(), ValueRange(),
                                         b.getI64IntegerAttr(64));
  SmallVector<Value> operands{values};
  llvm::append_range(operands, pattern);
  operands.push_back(buffer);
  std::string name = llvm::formatv("sparsam_sort_{0}_{1}_{2}", kept.getName(),
                                   sorted.transposed ? "by_input" : "by_output", units);
  func::FuncOp sort = library.get(name, ValueRange(operands).getTypes(),
                                  [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
                                    Sorting sorting(b, kept, layout, units, arguments);
                                    sorted.transposed ? buildByInput(b, sorting)
                                                      : buildByOutput(b, sorting);
                                  });
  func::CallOp::create(b, sort, operands);
  KernelOperands result;
  result.values = layout.viewEntries(b, buffer, false);
  result.pattern = {layout.viewEntries(b, buffer, true)};
  result.ranges = {units, layout.viewStarts(b, buffer), /*sorted=*/true};
  return result;
}
