// Squares of row-major matrices, the size of what vectors of one width transpose.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_SQUARES_H
#define SPARSAM_LIB_CONVERSION_TOCPU_SQUARES_H

#include "sparsam/Conversion/ToCPU/Panels.h"

namespace mlir::sparsam::cpu {

/// The address and, where the square is not whole, the mask of one of its rows.
struct SquareRow {
  SmallVector<Value> at;
  Value mask;
};

/// A square of lanes x lanes, or a strip of several, at the border or inside of a
/// row-major matrix: its first row and column, and how many columns exist. `rows`, those
/// of the matrix, is null where all of the square's rows exist.
struct Square {
  Value row, column;
  int64_t columns, lanes;
  std::optional<int64_t> rows;

  bool isWhole() const { return !rows && columns == lanes; }

  /// Row `i`. One that does not exist has an empty mask and the address of the
  /// matrix's last.
  SquareRow buildRow(ImplicitLocOpBuilder &b, int64_t i) const;
};

/// One row of a square from and to memory; what the mask leaves out is zero.
Value buildLoad(ImplicitLocOpBuilder &b, Value matrix, const SquareRow &row,
                int64_t lanes);
void buildStore(ImplicitLocOpBuilder &b, Value matrix, const SquareRow &row,
                Value vector);

/// Calls `body` for each square of columns, the last one perhaps narrower, with the first
/// and how many there are.
void buildColumns(ImplicitLocOpBuilder &b, int64_t columns, int64_t lanes,
                  function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body);

/// The same for a number that is not known: whole strips of `width`, then squares, then
/// perhaps one of `rest` columns.
void buildColumns(ImplicitLocOpBuilder &b, Value columns, int64_t rest, int64_t width,
                  int64_t lanes,
                  function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body);

/// Stores the rows of a square.
void buildStore(ImplicitLocOpBuilder &b, Value matrix, const Square &square,
                ArrayRef<Value> rows);

/// What becomes of a product's result, which comes in squares: strips of `width` columns,
/// `lanes` tokens each, are `finish`ed, if that is anything, when `store` has had their
/// squares, each with its first column in the strip.
struct SquareSink {
  int64_t width;
  function_ref<void(ImplicitLocOpBuilder &, const Square &, Value, ArrayRef<Value>)>
      store;
  function_ref<void(ImplicitLocOpBuilder &, const Square &)> finish = nullptr;
};

struct UnpackedMatrix {
  int64_t tokens, features;
};

/// As `sparsam::buildUnpack`, of a matrix that `sink` has.
void buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features,
                 const UnpackedMatrix &matrix, Value panel, Value column, int64_t lanes,
                 const SquareSink &sink);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_SQUARES_H
