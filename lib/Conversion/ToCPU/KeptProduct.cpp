// How products of `KeptInputs` are cut: registers, and ranges of inputs.
#include "KeptProduct.h"

#include "KernelEffects.h"

#include <numeric>

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

/// Kept inputs of a panel of two vectors in the first-level cache that make ranges of
/// that size worth while.
constexpr int64_t minimumKeptNear = 144;
/// The same with many registers, whose two sets of sums are soon loaded and stored.
constexpr int64_t minimumKeptOfMany = 80;
/// Kept inputs of a run at once.
constexpr int64_t mostAtOnce = 8;

} // namespace

KeptProduct::KeptProduct(const KeptInputs &pattern, int64_t tokens, Type element,
                         const CpuTarget &target, const KernelTiles &given)
    : pattern(pattern), target(target), vector(pattern.vector), tokens(tokens),
      units(pattern.inputs / pattern.unit), element(element),
      lanes(target.getLanes(element)), given(given) {
  bool many = !hasFewRegisters();
  // Parts of about one size rather than full ones and a short last one.
  partSize = llvm::divideCeil(vector, llvm::divideCeil(vector, many ? 8 : 4));
  partSize = given.part.value_or(partSize);
  // Accumulators are part x tokenVectors (forward) and part x jobs (gradient), next
  // to the vectors that they are made from.
  // At least as many as hide the latency of adding to them, and otherwise few, so that
  // panels are small and in the cache.
  // With one vector each multiplication would load a weight: as fast only where
  // arithmetic is slow.
  int64_t fewest = isLimitedByLoads() ? 2 : 1;
  tokenVectors = many ? (partSize >= 5   ? fewest
                         : partSize == 4 ? 2
                                         : 4)
                      : (partSize >= 3   ? 2
                         : partSize == 2 ? 4
                                         : 8);
  tokenVectors = given.tokenVectors.value_or(tokenVectors);
  // Single outputs keep dy in registers, and have a tile that is not full in each range.
  // Sums over lanes are fastest where they fill a vector.
  int64_t sums = !many ? 12 : isLimitedByLoads() ? 16 : 24;
  jobs = vector == 1 ? 4 : std::min<int64_t>(8, sums / partSize);
  jobs = given.jobs.value_or(std::max<int64_t>(jobs, 1));
  if (isLoadBound() || (many && !(isLimitedByLoads() && partSize == 4)))
    return;
  // Eight sums are as many as hide the latency of adding to them, twelve hide that of
  // the cache, too, unless most of what is gained goes to tokens that are not there.
  int64_t inputsNear = getNearBytes() / getBytes(getHeight());
  isNear = inputsNear * pattern.kept >=
           (many ? minimumKeptOfMany : minimumKeptNear) * pattern.inputs;
  int64_t taller = 3 * lanes;
  if (!many && !given.tokenVectors && isNear && partSize >= 3 &&
      llvm::alignTo(tokens, taller) * 25 <= llvm::alignTo(tokens, getHeight()) * 26)
    tokenVectors = 3;
}

std::string KeptProduct::getSuffix() const {
  std::string text;
  for (auto [name, member] : KernelTiles::getMembers())
    if (std::optional<int64_t> size = given.*member)
      text += ("_" + name.take_front() + Twine(*size)).str();
  return text;
}

int64_t KeptProduct::getUnitsWithin(int64_t bytes, int64_t columns, int64_t least) const {
  if (given.range)
    return std::min(std::max<int64_t>(*given.range / pattern.unit, 1), units);
  auto getFitting = [&](int64_t limit) {
    return limit / getBytes(columns) / pattern.unit;
  };
  int64_t enough = pattern.kept ? llvm::divideCeil(least * units, pattern.kept) : 1;
  // The panel may be on the stack.
  enough = std::min(enough, getFitting(std::max(bytes, mostStackBytes)));
  int64_t size = std::max<int64_t>({getFitting(bytes), enough, 1});
  if (size >= units)
    return units;
  // Equal ranges rather than full ones and a short last one.
  return getUnitsOfRanges(llvm::divideCeil(units, size));
}

int64_t KeptProduct::getUnitsOfRanges(int64_t count) const {
  int64_t size = llvm::divideCeil(units, count);
  return pattern.unit < lanes && lanes % pattern.unit == 0 && !pattern.keptOfUnit
             ? int64_t(llvm::alignTo(size, lanes / pattern.unit))
             : size;
}

int64_t KeptProduct::getAtOnce() const { return std::gcd(pattern.run, mostAtOnce); }

Value cpu::buildLowerBound(ImplicitLocOpBuilder &b, Value begin, Value end, Value limit,
                           function_ref<Value(ImplicitLocOpBuilder &, Value)> read) {
  SmallVector<Type> types(2, b.getIndexType());
  auto loop = scf::WhileOp::create(
      b, types, ValueRange{begin, end},
      [](OpBuilder &builder, Location loc, ValueRange at) {
        Value open =
            arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, at[0], at[1]);
        scf::ConditionOp::create(builder, loc, open, at);
      },
      [&](OpBuilder &builder, Location loc, ValueRange at) {
        ImplicitLocOpBuilder b(loc, builder);
        Value sum = arith::AddIOp::create(b, at[0], at[1]);
        Value middle = arith::ShRUIOp::create(b, sum, buildIndex(b, 1));
        Value below =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ult, read(b, middle), limit);
        Value next = buildOffset(b, middle, 1);
        Value low = arith::SelectOp::create(b, below, next, at[0]);
        Value high = arith::SelectOp::create(b, below, at[1], middle);
        scf::YieldOp::create(b, ValueRange{low, high});
      });
  return loop.getResult(0);
}

/// Calls `body` for the piece of a block's kept inputs in each range of `size` inputs,
/// with the range, the first and the end: they ascend. Returns the end of all.
static Value
buildPieces(ImplicitLocOpBuilder &b, const KeptInputs &kept, ValueRange pattern,
            Value block, int64_t size,
            function_ref<void(ImplicitLocOpBuilder &, Value, Value, Value)> body) {
  auto [first, last] = kept.buildSpan(b, pattern, block);
  Value end = last;
  buildFor(b, buildIndex(b, 0), buildIndex(b, llvm::divideCeil(kept.inputs, size)), 1,
           first, [&](ImplicitLocOpBuilder &b, Value range, ValueRange begin) {
             Value limit = buildScaled(b, buildOffset(b, range, 1), size);
             Value next = buildLowerBound(
                 b, begin[0], end, limit, [&](ImplicitLocOpBuilder &b, Value number) {
                   return kept.buildInput(b, pattern, block, number);
                 });
             body(b, range, begin[0], next);
             return SmallVector<Value>{next};
           });
  return end;
}

InputRanges cpu::createRanges(ImplicitLocOpBuilder &b, const KeptProduct &product,
                              ValueRange pattern, int64_t units, KernelLibrary &library) {
  const KeptInputs &kept = product.pattern;
  if (units >= product.units || kept.keptOfUnit)
    return {units, Value()};
  int64_t ranges = llvm::divideCeil(product.units, units);
  auto type = MemRefType::get({ranges + 1, kept.blocks}, b.getI64Type());
  auto types = llvm::to_vector<4>(pattern.getTypes());
  types.push_back(type);
  func::FuncOp find = library.get(
      "sparsam_bounds_" + kept.getName() + "_" + Twine(units), types,
      [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
        SmallVector<Value> pattern;
        for (Value indices : arguments.drop_back())
          pattern.push_back(buildRow(b, indices));
        buildParallel(b, kept.blocks, [&](ImplicitLocOpBuilder &b, Value block) {
          auto store = [&](ImplicitLocOpBuilder &b, Value number, Value range) {
            Value stored = arith::IndexCastOp::create(b, b.getI64Type(), number);
            memref::StoreOp::create(b, stored, arguments.back(),
                                    ValueRange{range, block});
          };
          Value end = buildPieces(b, kept, pattern, block, units * kept.unit,
                                  [&](ImplicitLocOpBuilder &b, Value range, Value begin,
                                      Value) { store(b, begin, range); });
          store(b, end, buildIndex(b, ranges));
        });
      });
  KernelLibrary::Filled &known = library.bounds[{pattern.front(), find}];
  auto isKnown = [&](Value indices) { return isUpToDate(known, indices, b, library); };
  if (known.call && llvm::equal(known.call->getOperands().drop_back(), pattern) &&
      llvm::all_of(pattern, isKnown))
    return {units, known.buffer};
  SmallVector<Value> operands(pattern);
  operands.push_back(
      memref::AllocOp::create(b, type, ValueRange(), b.getI64IntegerAttr(64)));
  known = {operands.back(), func::CallOp::create(b, find, operands)};
  return {units, known.buffer};
}

KeptSpan cpu::buildSpan(ImplicitLocOpBuilder &b, const KeptProduct &product,
                        const InputRanges &ranges, ValueRange pattern, Value block,
                        Value first, int64_t units) {
  const KeptInputs &kept = product.pattern;
  if (ranges.bounds) {
    Value range = arith::DivUIOp::create(b, first, buildIndex(b, ranges.units));
    auto load = [&](Value range, Value block) {
      return buildIndexLoad(b, ranges.bounds, {range, block});
    };
    Value end = ranges.order ? load(range, buildOffset(b, block, 1))
                             : load(buildOffset(b, range, 1), block);
    return {load(range, block), end, std::nullopt};
  }
  auto [begin, end] = kept.buildSpan(b, pattern, block);
  if (!kept.keptOfUnit)
    return {begin, end, std::nullopt};
  int64_t count = units * *kept.keptOfUnit;
  begin = arith::AddIOp::create(b, begin, buildScaled(b, first, *kept.keptOfUnit));
  return {begin, buildOffset(b, begin, count), count};
}

void cpu::buildRanges(ImplicitLocOpBuilder &b, int64_t total, int64_t size,
                      function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body) {
  int64_t whole = total / size * size;
  if (whole == size)
    body(b, buildIndex(b, 0), size);
  else if (whole)
    buildFor(b, whole, size,
             [&](ImplicitLocOpBuilder &b, Value first) { body(b, first, size); });
  if (whole < total)
    body(b, buildIndex(b, whole), total - whole);
}

void cpu::buildRange(ImplicitLocOpBuilder &b, int64_t total, int64_t size, Value range,
                     function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body) {
  Value first = buildScaled(b, range, size);
  int64_t whole = total / size, rest = total % size;
  if (!rest)
    return body(b, first, size);
  if (!whole)
    return body(b, first, rest);
  Value isWhole =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, range, buildIndex(b, whole));
  buildIf(
      b, isWhole, [&](ImplicitLocOpBuilder &b) { body(b, first, size); },
      [&](ImplicitLocOpBuilder &b) { body(b, first, rest); });
}

void cpu::buildParts(ImplicitLocOpBuilder &b, const KeptProduct &product,
                     function_ref<void(ImplicitLocOpBuilder &, Part)> body) {
  buildRanges(b, product.vector, product.partSize,
              [&](ImplicitLocOpBuilder &b, Value offset, int64_t size) {
                body(b, {offset, size});
              });
}

Value cpu::buildPlace(ImplicitLocOpBuilder &b, const KeptProduct &product, Value row,
                      Part part, int64_t place) {
  Value first = buildScaled(b, row, product.vector);
  return buildOffset(b, arith::AddIOp::create(b, first, part.offset), place);
}

SmallVector<Value> cpu::loadTokens(ImplicitLocOpBuilder &b, const KeptProduct &product,
                                   Value memref, ValueRange row) {
  SmallVector<Value> vectors;
  for (int64_t r = 0; r < product.tokenVectors; ++r) {
    SmallVector<Value> at(row);
    at.push_back(buildIndex(b, r * product.lanes));
    vectors.push_back(vector::LoadOp::create(b, product.getVectorType(), memref, at));
  }
  return vectors;
}

void cpu::prefetchTokens(ImplicitLocOpBuilder &b, const KeptProduct &product,
                         Value memref, ValueRange row) {
  for (int64_t token = 0; token < product.getHeight();
       token += 64 / product.getBytes(1)) {
    SmallVector<Value> at(row);
    at.push_back(buildIndex(b, token));
    prefetch(b, memref, at);
  }
}

SmallVector<Value> cpu::buildKept(
    ImplicitLocOpBuilder &b, const KeptProduct &product, ValueRange pattern, Value block,
    const KeptSpan &span, ValueRange carried,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, Value, ValueRange)>
        body) {
  return buildKeptInTurn(
      b, product, pattern, block, span, carried, /*turns=*/1,
      [&](ImplicitLocOpBuilder &b, Value number, Value input, int64_t,
          ValueRange carried) { return body(b, number, input, carried); });
}

SmallVector<Value>
cpu::buildKeptInTurn(ImplicitLocOpBuilder &b, const KeptProduct &product,
                     ValueRange pattern, Value block, const KeptSpan &span,
                     ValueRange carried, int64_t turns,
                     function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, Value,
                                                     int64_t, ValueRange)>
                         body) {
  int64_t run = product.getAtOnce();
  auto buildRuns = [&](Value begin, Value end, int64_t runs, ValueRange carried) {
    return buildFor(b, begin, end, runs * run, carried,
                    [&](ImplicitLocOpBuilder &b, Value first, ValueRange carried) {
                      auto values = llvm::to_vector_of<Value>(carried);
                      for (int64_t i = 0; i < runs * run; i += run) {
                        Value number = buildOffset(b, first, i);
                        Value input =
                            product.pattern.buildInput(b, pattern, block, number);
                        for (int64_t j = 0; j < run; ++j)
                          values =
                              body(b, buildOffset(b, number, j), buildOffset(b, input, j),
                                   (i + j) % turns, values);
                      }
                      return values;
                    });
  };
  int64_t runs = std::lcm(run, turns) / run;
  if (runs == 1 || (span.count && *span.count % (runs * run) == 0))
    return buildRuns(span.begin, span.end, runs, carried);
  Value left = arith::SubIOp::create(b, span.end, span.begin);
  Value rest = arith::RemUIOp::create(b, left, buildIndex(b, runs * run));
  Value whole = arith::SubIOp::create(b, span.end, rest);
  SmallVector<Value> values = buildRuns(span.begin, whole, runs, carried);
  return buildRuns(whole, span.end, 1, values);
}

Value cpu::buildRow(ImplicitLocOpBuilder &b, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getRank() == 1)
    return memref;
  auto dims = llvm::to_vector_of<int64_t, 2>(llvm::seq<int64_t>(0, type.getRank()));
  return memref::CollapseShapeOp::create(b, memref,
                                         SmallVector<ReassociationIndices>{dims});
}

int64_t cpu::getKeptOfAll(const KeptProduct &product, Value values) {
  return cast<MemRefType>(values.getType()).getNumElements() /
         product.pattern.getValueStride();
}
