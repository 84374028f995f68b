// An element-wise op that a product's kernel may compute.
#ifndef SPARSAM_LIB_CONVERSION_TOCPU_EPILOGUECANDIDATE_H
#define SPARSAM_LIB_CONVERSION_TOCPU_EPILOGUECANDIDATE_H

#include "Epilogue.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

namespace mlir::sparsam::cpu {

/// An element-wise op behind a product, in its block, that uses the buffer of the result.
class EpilogueCandidate {
public:
  /// `read` is what the product's kernel reads while it writes.
  EpilogueCandidate(SpmmOp product, linalg::GenericOp op, ArrayRef<Value> read,
                    const KernelLibrary &library);

  bool readsResult();

  /// Whether the op could be in front of the product but for reading its result.
  bool isMovable();

  /// Why the kernel cannot do what the op does; empty where it can.
  std::string findObstacle();

  /// Makes the kernel's work of the op, which is no more; none where its loops do not
  /// merge after all.
  std::optional<EpilogueWork> take(RewriterBase &rewriter);

private:
  bool isResult(OpOperand &operand);
  /// Whether the op reads what the operand holds.
  bool isRead(OpOperand &operand);
  bool collectDefinitions(Value value);
  bool splitLoops();
  bool hasMergeableLoops();
  std::optional<Epilogue::Spread> getSpread(OpOperand &operand);
  std::string findObstacle(OpOperand &operand);
  std::string findObstacle(Operation &inner);
  LogicalResult mergeLoops(RewriterBase &rewriter);
  func::FuncOp buildPayload(SmallVectorImpl<Value> &inputs);
  Value prepare(RewriterBase &rewriter, Value value, Epilogue::Spread spread);

  SpmmOp product;
  linalg::GenericOp op;
  ArrayRef<Value> read;
  const KernelLibrary &library;
  Value result;
  SetVector<Value> captured;
  /// What defines the op's operands behind the product, in order.
  SetVector<Operation *> definitions;
  /// The op's loops over tokens and over features.
  SmallVector<ReassociationIndices> groups;
  SmallVector<Epilogue::Spread> spreads;
};

/// The element-wise ops behind `product`, in order, in its block.
SmallVector<linalg::GenericOp> findElementwiseBehind(SpmmOp product);

/// Whether `op` is a number; null is none.
bool isScalarConstant(Operation *op);

} // namespace mlir::sparsam::cpu

#endif // SPARSAM_LIB_CONVERSION_TOCPU_EPILOGUECANDIDATE_H
