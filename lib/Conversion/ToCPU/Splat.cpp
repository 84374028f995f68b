#include "Splat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::sparsam;

static DenseElementsAttr getSplatConstant(Value tensor) {
  DenseElementsAttr constant;
  if (isa<RankedTensorType>(tensor.getType()) &&
      matchPattern(tensor, m_Constant(&constant)) && constant.isSplat() &&
      constant.getElementType().isIntOrIndexOrFloat())
    return constant;
  return {};
}

bool cpu::isSplat(Value tensor) {
  return tensor.getDefiningOp<linalg::FillOp>() || getSplatConstant(tensor);
}

Value cpu::getSplatScalar(OpBuilder &builder, Value splat) {
  if (auto fill = splat.getDefiningOp<linalg::FillOp>())
    return fill.value();
  return arith::ConstantOp::create(builder, splat.getLoc(),
                                   getSplatConstant(splat).getSplatValue<TypedAttr>());
}
