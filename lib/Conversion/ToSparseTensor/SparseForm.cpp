#include "sparsam/Conversion/ToSparseTensor/SparseForm.h"
#include "sparsam/Analysis/Views.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparsam;
using sparse_tensor::LevelFormat;
using sparse_tensor::LevelType;

#include "sparsam/Conversion/ToSparseTensor/SparseTensorInterface.cpp.inc"

/// A tensor of one dimension, each element of which `compute` makes of those of the
/// inputs.
static Value
buildNumbers(OpBuilder &builder, Location loc, RankedTensorType type, ValueRange inputs,
             function_ref<Value(OpBuilder &, Location, ValueRange)> compute) {
  Value empty =
      tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
  SmallVector<AffineMap> maps(inputs.size() + 1, builder.getMultiDimIdentityMap(1));
  return linalg::GenericOp::create(
             builder, loc, type, inputs, empty, maps, utils::IteratorType::parallel,
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               linalg::YieldOp::create(nested, loc, compute(nested, loc, arguments));
             })
      .getResult(0);
}

/// A K x N matrix whose levels `map` gives of (k, n) or, transposed, of (n, k).
static SparseForm getForm(RankedTensorType matrix, bool isTransposed,
                          ArrayRef<LevelType> levels, ArrayRef<AffineExpr> map,
                          unsigned positionBits, unsigned coordinateBits) {
  MLIRContext *context = matrix.getContext();
  auto encoding = sparse_tensor::SparseTensorEncodingAttr::get(
      context, levels, AffineMap::get(2, 0, map, context), AffineMap(), positionBits,
      coordinateBits);
  SmallVector<int64_t> shape(matrix.getShape());
  if (isTransposed)
    std::swap(shape[0], shape[1]);
  return {RankedTensorType::get(shape, matrix.getElementType(), encoding), isTransposed};
}

SparseForm sparsam::getRows(RankedTensorType matrix, unsigned positionBits,
                            unsigned coordinateBits) {
  MLIRContext *context = matrix.getContext();
  return getForm(matrix, /*isTransposed=*/true,
                 {LevelFormat::Dense, LevelFormat::Compressed},
                 {getAffineDimExpr(0, context), getAffineDimExpr(1, context)},
                 positionBits, coordinateBits);
}

bool sparsam::isStructured(RankedTensorType matrix, int64_t m) {
  // The encoding has eight bits for each number.
  return m > 1 && m < 256 && m < matrix.getDimSize(0);
}

SparseForm sparsam::getStructuredRows(RankedTensorType matrix, int64_t n, int64_t m,
                                      unsigned coordinateBits) {
  MLIRContext *context = matrix.getContext();
  AffineExpr output = getAffineDimExpr(0, context), input = getAffineDimExpr(1, context);
  std::vector<sparse_tensor::LevelPropNonDefault> properties;
  LevelType kept = *sparse_tensor::buildLevelType(LevelFormat::NOutOfM, properties, n, m);
  return getForm(
      matrix, /*isTransposed=*/true, {LevelFormat::Dense, LevelFormat::Dense, kept},
      {output, input.floorDiv(m), input % m}, /*positionBits=*/0, coordinateBits);
}

Value sparsam::buildRemainders(OpBuilder &builder, Location loc, Value indices,
                               int64_t m) {
  auto type = cast<RankedTensorType>(indices.getType());
  return buildNumbers(builder, loc, type, indices,
                      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
                        Value size = arith::ConstantOp::create(
                            nested, loc, nested.getIntegerAttr(type.getElementType(), m));
                        return arith::RemUIOp::create(nested, loc, arguments[0], size);
                      });
}

namespace {

/// Rows of blocks as upstream takes them.
struct EqualBlocks {
  EqualBlocks(RankedTensorType matrix, int64_t inputs, RankedTensorType indices)
      : rows(indices.getDimSize(0)), inputs(inputs), stored(indices.getDimSize(1)),
        coordinate(indices.getElementType()) {
    // All inputs in one block are as many blocks of one input.
    isWhole = inputs > 1 && inputs == matrix.getDimSize(0);
    if (!isWhole)
      return;
    stored *= inputs;
    this->inputs = 1;
    coordinate = IntegerType::get(matrix.getContext(), inputs > 65536 ? 32 : 16);
  }

  IntegerType getPosition() const {
    return IntegerType::get(coordinate.getContext(),
                            llvm::isUInt<32>(rows * stored) ? 32 : 64);
  }

  int64_t rows, inputs, stored;
  Type coordinate;
  bool isWhole;
};

} // namespace

SparseForm sparsam::getEqualBlocks(RankedTensorType matrix, int64_t inputs,
                                   int64_t outputs, RankedTensorType indices) {
  EqualBlocks blocks(matrix, inputs, indices);
  bool cutsInputs = blocks.inputs > 1;
  bool cutsOutputs = outputs > 1 && outputs < matrix.getDimSize(1);
  bool isTransposed = cutsInputs || !cutsOutputs;
  MLIRContext *context = matrix.getContext();
  AffineExpr k = getAffineDimExpr(isTransposed ? 1 : 0, context);
  AffineExpr n = getAffineDimExpr(isTransposed ? 0 : 1, context);
  SmallVector<LevelType> levels;
  SmallVector<AffineExpr> map;
  auto add = [&](LevelFormat level, AffineExpr expr) {
    levels.push_back(level);
    map.push_back(expr);
  };
  if (blocks.rows > 1 || outputs == 1)
    add(LevelFormat::Dense, n.floorDiv(outputs));
  add(LevelFormat::Compressed, k.floorDiv(blocks.inputs));
  if (cutsInputs)
    add(LevelFormat::Dense, k % blocks.inputs);
  if (outputs > 1)
    add(LevelFormat::Dense, cutsOutputs ? n % outputs : n);
  return getForm(matrix, isTransposed, levels, map, blocks.getPosition().getWidth(),
                 blocks.coordinate.getIntOrFloatBitWidth());
}

SmallVector<Value> sparsam::buildEqualBlocks(OpBuilder &builder, Location loc,
                                             RankedTensorType matrix, int64_t inputs,
                                             Value indices) {
  EqualBlocks blocks(matrix, inputs, cast<RankedTensorType>(indices.getType()));
  auto index = [](OpBuilder &nested, Location loc, Type type, auto compute) {
    Value number = compute(linalg::IndexOp::create(nested, loc, 0).getResult());
    return arith::IndexCastUIOp::create(nested, loc, type, number).getResult();
  };
  auto positions = RankedTensorType::get({blocks.rows + 1}, blocks.getPosition());
  Value begins = buildNumbers(
      builder, loc, positions, {}, [&](OpBuilder &nested, Location loc, ValueRange) {
        Value size = arith::ConstantIndexOp::create(nested, loc, blocks.stored);
        return index(nested, loc, blocks.getPosition(), [&](Value row) -> Value {
          return arith::MulIOp::create(nested, loc, row, size);
        });
      });
  if (!blocks.isWhole)
    return {begins, buildFlat(builder, loc, indices)};
  auto coordinates =
      RankedTensorType::get({blocks.rows * blocks.stored}, blocks.coordinate);
  Value each = buildNumbers(
      builder, loc, coordinates, {}, [&](OpBuilder &nested, Location loc, ValueRange) {
        Value size = arith::ConstantIndexOp::create(nested, loc, inputs);
        return index(nested, loc, blocks.coordinate, [&](Value place) -> Value {
          return arith::RemUIOp::create(nested, loc, place, size);
        });
      });
  return {begins, each};
}

Value sparsam::buildFlat(OpBuilder &builder, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return createReshape(builder, loc, tensor, {type.getNumElements()});
}
