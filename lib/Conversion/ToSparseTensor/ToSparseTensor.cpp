// spmm and sddmm become calls of functions that say the same in sparse_tensor and linalg.
#include "ProductFunction.h"

#include "sparsam/Conversion/Passes.h"
#include "sparsam/Conversion/RowMajorOperands.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_TOSPARSETENSORPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

/// The destination with zeros written into it.
static Value buildZeros(OpBuilder &builder, Location loc, Value destination) {
  Type element = getElementTypeOrSelf(destination.getType());
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  auto fill = linalg::FillOp::create(builder, loc, zero, destination);
  return isa<TensorType>(destination.getType()) ? fill.getResult(0) : destination;
}

static Value getValues(SpmmOp op) { return op.getStorage().front(); }
static Value getValues(SddmmOp op) { return op.getInit(); }

namespace {
struct ToSparseTensorPass : sparsam::impl::ToSparseTensorPassBase<ToSparseTensorPass> {
  using ToSparseTensorPassBase::ToSparseTensorPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> products;
    getOperation().walk([&](Operation *op) {
      if (isa<SpmmOp, SddmmOp>(op))
        products.push_back(op);
    });
    ProductFunctions functions(getOperation());
    RowMajorOperands rowMajor;
    IRRewriter rewriter(&getContext());
    for (Operation *op : products) {
      auto spmm = dyn_cast<SpmmOp>(op);
      bool isReplaced = spmm ? replace(rewriter, rowMajor, functions, spmm)
                             : replace(rewriter, rowMajor, functions, cast<SddmmOp>(op));
      ++(isReplaced ? numProducts : numKept);
    }
  }

  /// False, with a remark, where the op stays.
  template <typename Op>
  bool replace(RewriterBase &rewriter, RowMajorOperands &rowMajor,
               ProductFunctions &functions, Op op) {
    auto refuse = [&] { return op.emitRemark() << "does not become sparse_tensor: "; };
    auto structure = dyn_cast<SparseTensorInterface>(op.getStructure());
    if (!structure) {
      refuse() << op.getStructure() << " does not implement SparseTensorInterface";
      return false;
    }
    for (Type type : op->getOperandTypes())
      if (!cast<ShapedType>(type).hasStaticShape()) {
        refuse() << "expected static shapes, found " << type;
        return false;
      }
    FailureOr<SparseForm> form = structure.getSparseForm(op.getMatrixType(), refuse);
    if (failed(form))
      return false;
    auto build = [&]() -> Value {
      SmallVector<Value> operands(op->getOperands());
      if (isa<SpmmOp>(op))
        operands.back() = buildZeros(rewriter, op.getLoc(), operands.back());
      // A product of nothing; upstream fails on empty storage.
      if (cast<ShapedType>(getValues(op).getType()).getNumElements() == 0)
        return operands.back();
      func::FuncOp function = functions.get(op, structure, *form);
      auto call = func::CallOp::create(rewriter, op.getLoc(), function, operands);
      return op->getNumResults() ? call.getResult(0) : Value();
    };
    if (op->getNumResults() == 0)
      return succeeded(rowMajor.replace(rewriter, op, [&] {
        build();
        return success();
      }));
    rewriter.setInsertionPoint(op);
    rewriter.replaceOp(op, build());
    return true;
  }
};
} // namespace
