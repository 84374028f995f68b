// Sorting by the input that is kept.
#include "SortByInput.h"

#include "KeptShares.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// Kept inputs of an output in a piece of its inputs, at least, that repay taking up the
/// output once more.
constexpr int64_t keptOfPiece = 24;

void store(ImplicitLocOpBuilder &b, Value number, Value numbers, ValueRange at) {
  Value stored = arith::IndexCastUIOp::create(b, b.getI32Type(), number);
  memref::StoreOp::create(b, stored, numbers, at);
}
/// numbers[at] += more; returns what was there.
Value buildAdvance(ImplicitLocOpBuilder &b, Value numbers, ValueRange at, Value more) {
  Value before = buildIndexLoad(b, numbers, at);
  store(b, arith::AddIOp::create(b, before, more), numbers, at);
  return before;
}
void fillZeros(ImplicitLocOpBuilder &b, Value numbers, ValueRange row, int64_t count) {
  buildFor(b, count, 1, [&](ImplicitLocOpBuilder &b, Value i) {
    SmallVector<Value> at(row);
    at.push_back(i);
    store(b, buildIndex(b, 0), numbers, at);
  });
}

/// What the sorting kernels work on: the unsorted pattern, and the views of the buffer.
struct Sorting {
  Sorting(ImplicitLocOpBuilder &b, const KeptProduct &product, const SortedLayout &layout,
          int64_t bunch, ValueRange arguments)
      : product(product), kept(product.pattern), layout(layout), units(layout.units),
        bunch(bunch), values(buildRow(b, arguments[0])),
        entries(layout.viewEntries(b, arguments.back(), false)),
        gathered(layout.viewEntries(b, arguments.back(), true)),
        starts(layout.viewStarts(b, arguments.back())),
        order(layout.viewOrder(b, arguments.back())),
        counts(layout.viewCounts(b, arguments.back())),
        cursors(layout.viewCursors(b, arguments.back())),
        histograms(layout.viewHistograms(b, arguments.back())),
        fronts(layout.viewFronts(b, arguments.back())) {
    for (Value indices : arguments.drop_front().drop_back())
      pattern.push_back(buildRow(b, indices));
  }

  const KeptProduct &product;
  const KeptInputs &kept;
  const SortedLayout &layout;
  int64_t units, bunch;
  Value values, entries, gathered, starts, order, counts, cursors, histograms, fronts;
  SmallVector<Value> pattern;

  void storeEntry(ImplicitLocOpBuilder &b, Value number, Value row, Value place) const {
    Value at = buildScaled(b, place, SortedKept::width);
    memref::StoreOp::create(b, memref::LoadOp::create(b, values, number), entries, at);
    Type integer = cast<MemRefType>(gathered.getType()).getElementType();
    memref::StoreOp::create(b, arith::IndexCastUIOp::create(b, integer, row), gathered,
                            buildOffset(b, at, 1));
  }

  /// Chooses the order of a range's rows, which have been counted: in each bunch of them
  /// by their number of entries. Loops over one row after the other then end where the
  /// one before did, as the processor predicts. The entries start at `begin`; returns
  /// their end.
  Value buildOrder(ImplicitLocOpBuilder &b, Value range, Value begin) const;
};

Value Sorting::buildOrder(ImplicitLocOpBuilder &b, Value range, Value begin) const {
  int64_t width = units + 1;
  Value one = buildIndex(b, 1), rows = buildIndex(b, layout.rows);
  buildFor(b, layout.rows, bunch, [&](ImplicitLocOpBuilder &b, Value first) {
    Value end = arith::MinUIOp::create(b, buildOffset(b, first, bunch), rows);
    fillZeros(b, histograms, range, width);
    buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value row) {
      buildAdvance(b, histograms, {range, buildIndexLoad(b, counts, {range, row})}, one);
    });
    buildFor(b, buildIndex(b, 0), buildIndex(b, width), 1, first,
             [&](ImplicitLocOpBuilder &b, Value at, ValueRange place) {
               Value number = buildIndexLoad(b, histograms, {range, at});
               store(b, place[0], histograms, {range, at});
               return SmallVector<Value>{arith::AddIOp::create(b, place[0], number)};
             });
    buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value row) {
      Value count = buildIndexLoad(b, counts, {range, row});
      Value place = buildAdvance(b, histograms, {range, count}, one);
      store(b, row, order, {range, place});
    });
  });
  Value last =
      buildFor(b, buildIndex(b, 0), rows, 1, begin,
               [&](ImplicitLocOpBuilder &b, Value place, ValueRange start) {
                 Value row = buildIndexLoad(b, order, {range, place});
                 store(b, start[0], starts, {range, place});
                 store(b, start[0], cursors, {range, row});
                 Value count = buildIndexLoad(b, counts, {range, row});
                 return SmallVector<Value>{arith::AddIOp::create(b, start[0], count)};
               })[0];
  store(b, last, starts, {range, rows});
  return last;
}

/// Calls `body` for each range of outputs, in parallel.
void forEachRange(ImplicitLocOpBuilder &b, const Sorting &sorting,
                  function_ref<void(ImplicitLocOpBuilder &, Value)> body) {
  const KeptInputs &kept = sorting.kept;
  if (!kept.ragged)
    return buildParallel(b, sorting.layout.ranges, body);
  int64_t units = sorting.units;
  Shares shares(kept, enoughPieces, units, 1);
  SharedBlocks blocks(b, kept, shares, sorting.pattern);
  buildParallel(b, shares.count, [&](ImplicitLocOpBuilder &b, Value share) {
    Share span = blocks.get(b, share);
    buildFor(b, span.begin, span.end, units, [&](ImplicitLocOpBuilder &b, Value first) {
      body(b, arith::DivUIOp::create(b, first, buildIndex(b, units)));
    });
  });
}

/// A kept input of an output.
struct Kept {
  Value output, number, input;
};

/// Calls `body` for what the outputs of [first, end) keep.
void buildAllKept(ImplicitLocOpBuilder &b, const Sorting &sorting, Value first, Value end,
                  function_ref<void(ImplicitLocOpBuilder &, const Kept &)> body) {
  const KeptInputs &kept = sorting.kept;
  buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value output) {
    auto span = kept.buildSpan(b, sorting.pattern, output);
    buildFor(b, span.first, span.second, 1, [&](ImplicitLocOpBuilder &b, Value number) {
      body(b, {output, number, kept.buildInput(b, sorting.pattern, output, number)});
    });
  });
}

/// Calls `body` for the output's kept inputs from `number` on that are below `limit`;
/// returns the first that is not.
Value buildKeptBelow(ImplicitLocOpBuilder &b, const Sorting &sorting, Value output,
                     Value number, Value limit,
                     function_ref<void(ImplicitLocOpBuilder &, const Kept &)> body) {
  const KeptInputs &kept = sorting.kept;
  Value end = kept.buildSpan(b, sorting.pattern, output).second;
  SmallVector<Type> types(2, b.getIndexType());
  auto loop = scf::WhileOp::create(
      b, types, ValueRange{number},
      [&](OpBuilder &builder, Location loc, ValueRange at) {
        ImplicitLocOpBuilder b(loc, builder);
        Value open = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at[0], end);
        auto below = scf::IfOp::create(
            b, open,
            [&](OpBuilder &builder, Location loc) {
              ImplicitLocOpBuilder b(loc, builder);
              Value input = kept.buildInput(b, sorting.pattern, output, at[0]);
              Value isBelow =
                  arith::CmpIOp::create(b, arith::CmpIPredicate::ult, input, limit);
              scf::YieldOp::create(b, ValueRange{isBelow, input});
            },
            [&](OpBuilder &builder, Location loc) {
              ImplicitLocOpBuilder b(loc, builder);
              scf::YieldOp::create(b, ValueRange{open, limit});
            });
        scf::ConditionOp::create(b, below.getResult(0),
                                 ValueRange{at[0], below.getResult(1)});
      },
      [&](OpBuilder &builder, Location loc, ValueRange at) {
        ImplicitLocOpBuilder b(loc, builder);
        body(b, {output, at[0], at[1]});
        scf::YieldOp::create(b, ValueRange{buildOffset(b, at[0], 1)});
      });
  return loop.getResult(0);
}

/// Inputs whose rows of entries grow at a time: in equal pieces, where those of a range
/// would not stay in the second-level cache.
int64_t getPiece(const Sorting &sorting) {
  const KeptInputs &kept = sorting.kept;
  int64_t bytes = sorting.product.getBytes(SortedKept::width * kept.kept *
                                           std::min(sorting.units, kept.blocks));
  int64_t pieces = llvm::divideCeil(bytes, sorting.product.target.l2Bytes / 4);
  return llvm::divideCeil(kept.inputs,
                          std::clamp<int64_t>(pieces, 1, kept.kept / keptOfPiece + 1));
}

} // namespace

void cpu::buildSortByInput(ImplicitLocOpBuilder &b, const KeptProduct &product,
                           const SortedLayout &layout, int64_t bunch,
                           ValueRange arguments) {
  Sorting sorting(b, product, layout, bunch, arguments);
  const KeptInputs &kept = sorting.kept;
  int64_t piece = getPiece(sorting);
  forEachRange(b, sorting, [&](ImplicitLocOpBuilder &b, Value range) {
    Value first = buildScaled(b, range, sorting.units);
    Value end = arith::MinUIOp::create(b, buildOffset(b, first, sorting.units),
                                       buildIndex(b, kept.blocks));
    fillZeros(b, sorting.counts, range, sorting.layout.rows);
    Value one = buildIndex(b, 1);
    buildAllKept(b, sorting, first, end, [&](ImplicitLocOpBuilder &b, const Kept &at) {
      buildAdvance(b, sorting.counts, {range, at.input}, one);
    });
    // Storage has the outputs one after the other, and so this range's entries.
    Value begin = kept.buildSpan(b, sorting.pattern, first).first;
    sorting.buildOrder(b, range, begin);
    auto place = [&](ImplicitLocOpBuilder &b, const Kept &at) {
      Value place = buildAdvance(b, sorting.cursors, {range, at.input}, one);
      sorting.storeEntry(b, at.number, at.output, place);
    };
    if (piece == kept.inputs)
      return buildAllKept(b, sorting, first, end, place);
    buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value output) {
      store(b, kept.buildSpan(b, sorting.pattern, output).first, sorting.fronts, output);
    });
    buildFor(b, kept.inputs, piece, [&](ImplicitLocOpBuilder &b, Value input) {
      Value limit = buildOffset(b, input, piece);
      buildFor(b, first, end, 1, [&](ImplicitLocOpBuilder &b, Value output) {
        Value number = buildIndexLoad(b, sorting.fronts, output);
        Value next = buildKeptBelow(b, sorting, output, number, limit, place);
        store(b, next, sorting.fronts, output);
      });
    });
  });
}
