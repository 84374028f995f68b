// An element-wise op becomes the work of the product's kernel.
#include "Buffers.h"
#include "EpilogueCandidate.h"
#include "KernelEffects.h"
#include "MergeLoops.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;
using Spread = Epilogue::Spread;

/// The op's region as a function of the result's element, and those of `inputs`, which
/// this finds.
func::FuncOp EpilogueCandidate::buildPayload(SmallVectorImpl<Value> &inputs) {
  Location loc = op.getLoc();
  Block &region = op.getRegion().front();
  auto payload =
      func::FuncOp::create(loc, "epilogue", FunctionType::get(op.getContext(), {}, {}));
  Block *body = payload.addEntryBlock();
  OpBuilder builder = OpBuilder::atBlockEnd(body);
  IRMapping mapping;
  Value y = body->addArgument(getElementTypeOrSelf(result.getType()), loc);
  auto addInput = [&](Value value, Value inside, Spread spread) {
    inputs.push_back(value);
    spreads.push_back(spread);
    mapping.map(inside, body->addArgument(inside.getType(), loc));
  };
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (isResult(operand))
      mapping.map(argument, y);
    else if (isRead(operand))
      addInput(operand.get(), argument, *getSpread(operand));
  }
  for (Value value : captured) {
    if (Operation *definition = value.getDefiningOp(); isScalarConstant(definition))
      builder.clone(*definition, mapping);
    else
      addInput(value, value, Spread::All);
  }
  for (Operation &inner : region.without_terminator())
    builder.clone(inner, mapping);
  SmallVector<Value> outputs;
  for (Value value : region.getTerminator()->getOperands())
    outputs.push_back(mapping.lookupOrDefault(value));
  func::ReturnOp::create(builder, loc, outputs);
  payload.setFunctionType(FunctionType::get(op.getContext(), body->getArgumentTypes(),
                                            ValueRange(outputs).getTypes()));
  return payload;
}

/// An operand as the kernel takes it.
Value EpilogueCandidate::prepare(RewriterBase &rewriter, Value value, Spread spread) {
  auto type = dyn_cast<MemRefType>(value.getType());
  if (spread == Spread::Element && type.getRank() == 1)
    value = memref::ExpandShapeOp::create(rewriter, op.getLoc(),
                                          cast<MemRefType>(result.getType()).getShape(),
                                          value, ReassociationIndices{0, 1});
  // All slices of one layout share a kernel.
  Type anywhere = getTypeAtAnyOffset(value.getType());
  if (anywhere != value.getType())
    value = memref::CastOp::create(rewriter, op.getLoc(), anywhere, value);
  return value;
}

/// Lets at most one loop run over tokens, and one over features.
LogicalResult EpilogueCandidate::mergeLoops(RewriterBase &rewriter) {
  OpBuilder::InsertionGuard guard(rewriter);
  SmallVector<ReassociationIndices> merged;
  unsigned loops = 0;
  for (ReassociationIndices &group : groups)
    if (!group.empty()) {
      merged.push_back(group);
      group = {loops++};
    }
  op = sparsam::mergeLoops(rewriter, op, merged);
  // Operands are other views by now.
  definitions.clear();
  return success(op.getNumLoops() == loops && isMovable());
}

std::optional<EpilogueWork> EpilogueCandidate::take(RewriterBase &rewriter) {
  if (failed(mergeLoops(rewriter)))
    return std::nullopt;
  bool isOverwritten = llvm::any_of(op.getDpsInitsMutable(),
                                    [&](OpOperand &init) { return isResult(init); });
  bool storesResult = !isOverwritten && isUsedElsewhere(result, {product, op});

  OpBuilder::InsertionGuard guard(rewriter);
  for (Operation *definition : definitions)
    rewriter.moveOpBefore(definition, product);
  Epilogue::Operands operands;
  func::FuncOp payload = buildPayload(operands.inputs);
  llvm::append_range(operands.outputs, op.getDpsInits());
  rewriter.setInsertionPoint(product);
  for (auto [input, spread] : llvm::zip_equal(operands.inputs, spreads))
    input = prepare(rewriter, input, spread);
  for (Value &output : operands.outputs)
    output = prepare(rewriter, output, Spread::Element);
  rewriter.eraseOp(op);
  return EpilogueWork(Epilogue(payload, spreads, storesResult), std::move(operands));
}

std::optional<EpilogueWork> cpu::takeEpilogue(RewriterBase &rewriter, SpmmOp product,
                                              ArrayRef<Value> read,
                                              KernelLibrary &library) {
  if (!library.fuseEpilogues)
    return std::nullopt;
  for (linalg::GenericOp op : findElementwiseBehind(product)) {
    EpilogueCandidate candidate(product, op, read, library);
    if (!candidate.readsResult() || !candidate.isMovable())
      continue;
    std::string obstacle = candidate.findObstacle();
    if (!obstacle.empty()) {
      op.emitRemark("is not computed by the kernel of the product that it reads: ")
          << obstacle;
      continue;
    }
    std::optional<EpilogueWork> work = candidate.take(rewriter);
    if (!work)
      continue;
    ++library.epilogues;
    return work;
  }
  return std::nullopt;
}
