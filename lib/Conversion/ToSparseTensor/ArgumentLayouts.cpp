#include "ArgumentLayouts.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Sets the arguments' types and the function's with them.
static void setTypes(func::FuncOp function, ArrayRef<Type> types) {
  for (auto [argument, type] : llvm::zip_equal(function.getArguments(), types))
    argument.setType(type);
  function.setType(
      FunctionType::get(function.getContext(), types, function.getResultTypes()));
}

ArgumentLayouts::ArgumentLayouts(func::FuncOp function)
    : function(function), types(function.getArgumentTypes()) {
  SmallVector<Type> plain;
  for (Type type : types) {
    auto memref = dyn_cast<MemRefType>(type);
    plain.push_back(memref ? MemRefType::get(memref.getShape(), memref.getElementType(),
                                             MemRefLayoutAttrInterface(),
                                             memref.getMemorySpace())
                           : type);
  }
  setTypes(function, plain);
}

/// The type that a view has by its source's, null where that is not known.
static MemRefType getViewType(Operation *view) {
  return llvm::TypeSwitch<Operation *, MemRefType>(view)
      .Case([](memref::CastOp op) {
        auto source = cast<MemRefType>(op.getSource().getType());
        auto type = cast<MemRefType>(op.getType());
        return MemRefType::get(type.getShape(), type.getElementType(), source.getLayout(),
                               type.getMemorySpace());
      })
      .Case([](memref::CollapseShapeOp op) {
        return memref::CollapseShapeOp::computeCollapsedType(
            cast<MemRefType>(op.getSrc().getType()), op.getReassociationIndices());
      })
      .Case([](memref::SubViewOp op) {
        return memref::SubViewOp::inferResultType(
            op.getSourceType(), op.getStaticOffsets(), op.getStaticSizes(),
            op.getStaticStrides());
      })
      .Default([](Operation *) { return MemRefType(); });
}

LogicalResult ArgumentLayouts::restore() {
  SmallVector<Value> changed;
  for (auto [argument, type] : llvm::zip_equal(function.getArguments(), types))
    if (argument.getType() != type)
      changed.push_back(argument);
  setTypes(function, types);
  while (!changed.empty())
    for (Operation *user : changed.pop_back_val().getUsers()) {
      // What has no memref for a result reads or writes at any layout.
      if (llvm::none_of(user->getResultTypes(), llvm::IsaPred<MemRefType>))
        continue;
      MemRefType type = getViewType(user);
      if (!type)
        return user->emitOpError("is a view of an argument at some offset that cannot be "
                                 "followed");
      user->getResult(0).setType(type);
      changed.push_back(user->getResult(0));
    }
  return success();
}
