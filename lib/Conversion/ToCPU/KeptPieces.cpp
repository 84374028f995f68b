#include "KeptPieces.h"

#include "SortedKept.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

KeptPieces::KeptPieces(const KeptInputs &whole, int64_t outputs, int64_t unit)
    : whole(whole), pieces(whole.vector / outputs) {
  inputs = whole.inputs;
  blocks = whole.blocks * pieces;
  vector = outputs;
  kept = whole.kept;
  ragged = whole.ragged;
  this->unit = unit;
  run = whole.run;
  if (unit == whole.unit)
    keptOfUnit = whole.keptOfUnit;
  else if (kept == inputs)
    keptOfUnit = unit;
}

std::string KeptPieces::getName() const {
  return llvm::formatv("{0}_by_{1}x{2}", whole.getName(), unit, vector);
}

Value KeptPieces::buildWhole(ImplicitLocOpBuilder &b, Value block) const {
  return pieces == 1 ? block
                     : Value(arith::DivUIOp::create(b, block, buildIndex(b, pieces)));
}

std::pair<Value, Value> KeptPieces::buildSpan(ImplicitLocOpBuilder &b, ValueRange pattern,
                                              Value block) const {
  return whole.buildSpan(b, pattern, buildWhole(b, block));
}

Value KeptPieces::buildInput(ImplicitLocOpBuilder &b, ValueRange pattern, Value block,
                             Value number) const {
  return whole.buildInput(b, pattern, buildWhole(b, block), number);
}

Value KeptPieces::buildValues(ImplicitLocOpBuilder &b, Value block, Value number) const {
  Value first = whole.buildValues(b, buildWhole(b, block), number);
  if (pieces == 1)
    return first;
  Value piece = arith::RemUIOp::create(b, block, buildIndex(b, pieces));
  return arith::AddIOp::create(b, first, buildScaled(b, piece, vector));
}

std::optional<KeptPieces> cpu::cutForStack(const KeptProduct &product, bool transposed) {
  const KeptInputs &whole = product.pattern;
  int64_t most = mostStackBytes / product.getBytes(product.getHeight());
  // The largest divisor with `rows` that fit; 1, or what is `least`, if none does.
  auto getPiece = [&](int64_t size, int64_t least, auto getRows) {
    int64_t piece = std::min(size, most);
    while (piece > least &&
           (size % piece != 0 || piece % least != 0 || getRows(piece) > most))
      --piece;
    return std::max(piece, least);
  };
  int64_t outputs = product.vector, unit = whole.unit;
  if (transposed) {
    // Sorted entries have no units.
    if (unit > most && !repaysSorting(product))
      unit = getPiece(unit, product.getAtOnce(), [](int64_t piece) { return piece; });
  } else if (getForwardBunch(product, product.units) * outputs > most &&
             !repaysRows(product)) {
    outputs = getPiece(outputs, 1,
                       [&](int64_t piece) { return std::lcm(piece, product.lanes); });
  }
  if (outputs == product.vector && unit == whole.unit)
    return std::nullopt;
  return KeptPieces(whole, outputs, unit);
}
