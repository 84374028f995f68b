#include "sparsam/Transforms/RuntimeCall.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::sparsam;

/// The memref that the runtime takes for a tensor; a scalar is what it is.
static Type getArgumentType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  SmallVector<int64_t> shape(tensor.getRank(), ShapedType::kDynamic);
  return MemRefType::get(shape, tensor.getElementType());
}

static func::FuncOp getDeclaration(ImplicitLocOpBuilder &b, StringRef name,
                                   TypeRange arguments) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (auto known = module.lookupSymbol<func::FuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  auto function =
      func::FuncOp::create(b, name, b.getFunctionType(arguments, TypeRange()));
  function.setPrivate();
  function->setAttr("llvm.emit_c_interface", b.getUnitAttr());
  return function;
}

SmallVector<Value> sparsam::buildRuntimeCall(ImplicitLocOpBuilder &b, StringRef name,
                                             ValueRange inputs,
                                             ArrayRef<RankedTensorType> results) {
  SmallVector<Type> arguments;
  for (Type type : inputs.getTypes())
    arguments.push_back(getArgumentType(type));
  for (Type type : results)
    arguments.push_back(getArgumentType(type));
  unsigned width = results.front().getElementTypeBitWidth();
  func::FuncOp function =
      getDeclaration(b, (name + "_f" + Twine(width)).str(), arguments);

  SmallVector<Value> operands, buffers, made;
  for (auto [input, type] : llvm::zip(inputs, arguments)) {
    auto tensor = dyn_cast<RankedTensorType>(input.getType());
    if (!tensor) {
      operands.push_back(input);
      continue;
    }
    auto buffer = MemRefType::get(tensor.getShape(), tensor.getElementType());
    Value source =
        bufferization::ToBufferOp::create(b, buffer, input, /*read_only=*/true);
    operands.push_back(memref::CastOp::create(b, type, source));
  }
  // A call cannot say on tensors that it writes its arguments, so the results are
  // buffers from the start, which are tensors only once they are written.
  for (auto [result, type] :
       llvm::zip_equal(results, ArrayRef(arguments).drop_front(inputs.size()))) {
    auto written = MemRefType::get(result.getShape(), result.getElementType());
    buffers.push_back(memref::AllocOp::create(b, written, b.getI64IntegerAttr(64)));
    operands.push_back(memref::CastOp::create(b, type, buffers.back()));
  }
  func::CallOp::create(b, function, operands);
  for (auto [result, written] : llvm::zip_equal(results, buffers))
    made.push_back(bufferization::ToTensorOp::create(b, result, written,
                                                     /*restrict=*/true,
                                                     /*writable=*/true));
  return made;
}
