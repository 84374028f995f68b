// Functions of one structured product each, as upstream sparsification takes them.
#ifndef SPARSAM_LIB_CONVERSION_TOSPARSETENSOR_PRODUCTFUNCTION_H
#define SPARSAM_LIB_CONVERSION_TOSPARSETENSOR_PRODUCTFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "sparsam/Conversion/ToSparseTensor/SparseForm.h"
#include "sparsam/IR/SparsamOps.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::sparsam {

/// The functions of a module, which equal products share. Their arguments are the
/// product's operands. Between tensors they return the result; between memrefs they write
/// it over the last argument.
class ProductFunctions {
public:
  explicit ProductFunctions(ModuleOp module) : module(module), symbols(module) {}

  /// Adds x * W, or x * W^T, to the destination.
  func::FuncOp get(SpmmOp op, SparseTensorInterface structure, const SparseForm &form);
  /// Writes all entries of the destination. Between memrefs it returns the values that
  /// it wrote, without which nothing says that they are needed.
  func::FuncOp get(SddmmOp op, SparseTensorInterface structure, const SparseForm &form);

private:
  using Body = function_ref<Value(OpBuilder &, Location, ValueRange arguments)>;
  func::FuncOp create(StringRef name, Operation *op, Attribute structure,
                      TypeRange results, Body body);

  ModuleOp module;
  SymbolTable symbols;
  llvm::DenseMap<std::tuple<StringAttr, Attribute, Type>, func::FuncOp> functions;
};

} // namespace mlir::sparsam

#endif // SPARSAM_LIB_CONVERSION_TOSPARSETENSOR_PRODUCTFUNCTION_H
