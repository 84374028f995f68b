// Element-wise work on a product's result that the product's kernel does while it has the
// result in registers.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_EPILOGUE_H
#define SPARSAM_LIB_CONVERSION_TOCPU_EPILOGUE_H

#include "Squares.h"

#include "mlir/IR/OwningOpRef.h"

namespace mlir::sparsam::cpu {

class Epilogue {
public:
  /// How an input goes with the elements of the result: one for each of them, for each
  /// feature, for each token, or for all.
  enum class Spread { Element, Feature, Token, All };

  /// What a kernel reads and writes beside the product's own operands: values at its
  /// call, arguments in its body.
  struct Operands {
    SmallVector<Value> inputs, outputs;
  };

  /// Where a kernel has them. The result itself is stored, too, unless `result` is null.
  struct Places {
    const Operands &operands;
    Value result;
    /// From `createTile`.
    Value tile;
  };

  /// The work on one element is `payload`, a function of the result's and of the inputs',
  /// which returns the outputs'. `storesResult` where something else reads the result.
  Epilogue(func::FuncOp payload, ArrayRef<Spread> spreads, bool storesResult)
      : payload(payload), spreads(spreads), storesResult(storesResult) {}

  bool isResultStored() const { return storesResult; }

  /// Tells apart epilogues whose operands have the same types.
  std::string getText() const;

  /// Columns of the result that a kernel should have at once for the epilogue's sake.
  int64_t getWidth(int64_t lanes) const;

  /// Memory for so many rows and columns of the result at once, of one thread; null where
  /// the epilogue needs none.
  Value createTile(ImplicitLocOpBuilder &b, int64_t rows, int64_t columns) const;

  /// Builds what becomes of a panel's `features` first rows of `scratch`, as
  /// `cpu::buildUnpack`; the tile has `lanes` rows and the width.
  void buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features,
                   const UnpackedMatrix &matrix, Value panel, Value column, int64_t lanes,
                   const Places &places) const;

  /// The same of `count` rows from `row` on, each of some vectors from `column` on.
  void buildStore(ImplicitLocOpBuilder &b, ArrayRef<Value> rows, Value row, int64_t count,
                  Value column, const Places &places) const;

private:
  /// Whether rows of the result go through memory first.
  bool usesTile() const;
  /// The inputs that no token has for itself, at some columns.
  SmallVector<Value> buildShared(ImplicitLocOpBuilder &b, const SquareRow &columns,
                                 int64_t lanes, const Places &places) const;
  /// Stores what becomes of `y`, which is at `row` of the result.
  void buildRow(ImplicitLocOpBuilder &b, Value y, const SquareRow &row,
                ArrayRef<Value> shared, const Places &places) const;
  /// The same for each of `count` rows of the tile, and `columns` columns.
  void buildRows(ImplicitLocOpBuilder &b, Value row, Value count, Value column,
                 int64_t columns, int64_t lanes, const Places &places) const;
  void buildPrefetch(ImplicitLocOpBuilder &b, Value row, Value column,
                     const Places &places) const;
  SmallVector<Value> buildPayload(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors) const;

  OwningOpRef<func::FuncOp> payload;
  SmallVector<Spread> spreads;
  bool storesResult;
};

/// An epilogue, and what its kernel reads and writes for it at one call.
using EpilogueWork = std::pair<Epilogue, Epilogue::Operands>;

/// Takes the element-wise op behind `product` out of the IR if its kernel can do the work
/// in front of it, and writes nothing of what the kernel itself has `read` all over; the
/// operands are in front of `product` then. An op that could be there but for its form
/// stays, with a remark.
std::optional<EpilogueWork> takeEpilogue(RewriterBase &rewriter, SpmmOp product,
                                         ArrayRef<Value> read, KernelLibrary &library);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_EPILOGUE_H
