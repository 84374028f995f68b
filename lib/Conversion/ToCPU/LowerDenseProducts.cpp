// Contractions on memrefs become calls of the runtime's matrix product, with
// transposes, slices and up to two batch dimensions expressed as strides.

#include "Buffers.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <array>

namespace mlir::sparsam {
#define GEN_PASS_DEF_LOWERDENSEPRODUCTSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The operands of C += A * B, by position.
enum Role { A, B, C, numRoles };

/// A loop of the contraction, or several that run as one: its length, and the
/// stride of each operand, zero where the operand does not depend on it.
struct Dim {
  int64_t size;
  std::array<int64_t, numRoles> strides;
};

/// An operand: a buffer and, for each of its dimensions, the loop that indexes it.
struct Operand {
  Value buffer;
  SmallVector<unsigned> loops;
};

struct Contraction {
  std::array<Operand, numRoles> operands;
  linalg::ContractionDimensions dims;
  SmallVector<int64_t> sizes;
  bool accumulate;
};

/// One call: two operands in the order that makes rows of C contiguous.
struct Call {
  std::array<Role, 2> inputs{A, B};
  Dim m, n, k;
  SmallVector<Dim, 2> batch;
  std::array<bool, 2> transposed{};
  std::array<int64_t, numRoles> leading{};
};

constexpr unsigned maxBatch = 2;
constexpr Dim unitDim{1, {0, 0, 0}};

std::optional<Contraction> matchContraction(linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics() || !linalg::isaContractionOpInterface(op))
    return std::nullopt;
  FailureOr<linalg::ContractionDimensions> dims = linalg::inferContractionDims(op);
  if (failed(dims))
    return std::nullopt;
  // A loop of another kind sums one operand alone.
  size_t known = dims->batch.size() + dims->m.size() + dims->n.size() + dims->k.size();
  if (known != op.getNumLoops())
    return std::nullopt;
  Contraction result;
  result.dims = *dims;
  result.sizes = op.getStaticLoopRanges();
  result.accumulate = !op->hasAttr("sparsam.overwrite");
  for (OpOperand &operand : op->getOpOperands()) {
    Operand &entry = result.operands[operand.getOperandNumber()];
    entry.buffer = operand.get();
    if (!getStridedLayout(operand.get().getType()))
      return std::nullopt;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        return std::nullopt;
      entry.loops.push_back(dim.getPosition());
    }
  }
  return result;
}

/// The loops `positions`, those of size one dropped, merged where one index can run
/// over two of them in all three operands; the slowest first.
SmallVector<Dim> mergeLoops(const Contraction &contraction,
                            ArrayRef<unsigned> positions) {
  SmallVector<Dim> dims;
  for (unsigned position : positions) {
    if (contraction.sizes[position] == 1)
      continue;
    Dim dim{contraction.sizes[position], {0, 0, 0}};
    for (auto [role, operand] : llvm::enumerate(contraction.operands)) {
      StridedLayout layout = *getStridedLayout(operand.buffer.getType());
      for (auto [loop, stride] : llvm::zip_equal(operand.loops, layout.strides))
        if (loop == position)
          dim.strides[role] += stride;
    }
    dims.push_back(dim);
  }
  llvm::sort(dims, [](const Dim &left, const Dim &right) {
    return std::tie(left.strides, left.size) > std::tie(right.strides, right.size);
  });
  for (size_t i = 0; i + 1 < dims.size();) {
    Dim &outer = dims[i], &inner = dims[i + 1];
    bool mergeable = true;
    for (unsigned role = 0; role < numRoles; ++role)
      mergeable &= outer.strides[role] == inner.strides[role] * inner.size;
    if (!mergeable) {
      ++i;
      continue;
    }
    inner.size *= outer.size;
    dims.erase(dims.begin() + i);
    i = 0;
  }
  return dims;
}

bool isUnit(const Dim &dim, Role role) { return dim.size == 1 || dim.strides[role] == 1; }

/// Whether rows of length `columns.size` of a matrix may start `rows.strides` apart;
/// the leading dimension where they may.
std::optional<int64_t> getLeading(const Dim &rows, const Dim &columns, Role role) {
  if (!isUnit(columns, role))
    return std::nullopt;
  if (rows.size == 1)
    return std::max<int64_t>(columns.size, 1);
  if (rows.strides[role] < columns.size)
    return std::nullopt;
  return rows.strides[role];
}

/// Takes the loop that is to be a dimension of the product out of `dims`: the one
/// that is contiguous in `role`, else the longest.
Dim takeDim(SmallVectorImpl<Dim> &dims, Role role) {
  if (dims.empty())
    return unitDim;
  auto best = llvm::max_element(dims, [&](const Dim &left, const Dim &right) {
    return std::pair(left.strides[role] == 1, left.size) <
           std::pair(right.strides[role] == 1, right.size);
  });
  Dim taken = *best;
  dims.erase(best);
  return taken;
}

std::optional<Call> matchCall(const Contraction &contraction) {
  SmallVector<Dim> k = mergeLoops(contraction, contraction.dims.k);
  if (k.size() > 1)
    return std::nullopt;
  SmallVector<Dim> m = mergeLoops(contraction, contraction.dims.m);
  SmallVector<Dim> n = mergeLoops(contraction, contraction.dims.n);
  Call call;
  call.k = k.empty() ? unitDim : k.front();
  call.m = takeDim(m, C);
  call.n = takeDim(n, C);
  // What is left of M and N repeats the product on other parts of C.
  call.batch.assign(mergeLoops(contraction, contraction.dims.batch));
  call.batch.append(m);
  call.batch.append(n);
  if (call.batch.size() > maxBatch)
    return std::nullopt;
  // C = A * B has contiguous rows, or C^T = B^T * A^T has.
  std::optional<int64_t> leading = getLeading(call.m, call.n, C);
  if (!leading) {
    std::swap(call.m, call.n);
    std::swap(call.inputs[0], call.inputs[1]);
    leading = getLeading(call.m, call.n, C);
  }
  if (!leading)
    return std::nullopt;
  call.leading[C] = *leading;
  std::array<const Dim *, 2> rows{&call.m, &call.k}, columns{&call.k, &call.n};
  for (unsigned side = 0; side < 2; ++side) {
    Role role = call.inputs[side];
    leading = getLeading(*rows[side], *columns[side], role);
    if (!leading) {
      call.transposed[side] = true;
      leading = getLeading(*columns[side], *rows[side], role);
    }
    if (!leading)
      return std::nullopt;
    call.leading[role] = *leading;
  }
  return call;
}

struct LowerDenseProductsPass
    : sparsam::impl::LowerDenseProductsPassBase<LowerDenseProductsPass> {
  using LowerDenseProductsPassBase::LowerDenseProductsPassBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> candidates;
    getOperation().walk([&](linalg::LinalgOp op) { candidates.push_back(op); });
    for (linalg::LinalgOp op : candidates)
      lower(op);
  }

  void lower(linalg::LinalgOp op) {
    std::optional<Contraction> contraction = matchContraction(op);
    if (!contraction)
      return leaveToLoops(op);
    Type element =
        cast<MemRefType>(contraction->operands[C].buffer.getType()).getElementType();
    bool sameElements = llvm::all_of(contraction->operands, [&](const Operand &operand) {
      return cast<MemRefType>(operand.buffer.getType()).getElementType() == element;
    });
    if (!sameElements || !(element.isF32() || element.isF64())) {
      op.emitRemark("this product is left to loops: expected all f32 or all f64");
      return leaveToLoops(op);
    }
    OpBuilder builder(op);
    std::optional<Call> call = matchCall(*contraction);
    if (!call) {
      op.emitRemark(
          "the strides of this product fit no BLAS call; its operands are copied");
      ++packed;
      return lowerPacked(builder, op, *contraction);
    }
    emitCall(builder, op.getLoc(), *contraction, *call);
    op.erase();
  }

  /// Loops add to what is in the destination, whereas a call can write over it.
  void leaveToLoops(linalg::LinalgOp op) {
    if (!op->removeAttr("sparsam.overwrite"))
      return;
    OpBuilder builder(op);
    Value destination = op.getDpsInits()[0];
    Type element = cast<MemRefType>(destination.getType()).getElementType();
    Value zero = arith::ConstantOp::create(builder, op.getLoc(), element,
                                           builder.getZeroAttr(element));
    linalg::FillOp::create(builder, op.getLoc(), zero, destination);
  }

  /// Copies each operand into a buffer of its own with the loops in the order batch,
  /// rows, columns, which always fits.
  void lowerPacked(OpBuilder &builder, linalg::LinalgOp op, Contraction contraction) {
    const linalg::ContractionDimensions &dims = contraction.dims;
    Operand result = contraction.operands[C];
    std::array<std::array<ArrayRef<unsigned>, 3>, numRoles> orders{
        {{dims.batch, dims.m, dims.k},
         {dims.batch, dims.k, dims.n},
         {dims.batch, dims.m, dims.n}}};
    for (unsigned role = 0; role < numRoles; ++role) {
      Operand packedOperand;
      SmallVector<int64_t> shape;
      for (ArrayRef<unsigned> group : orders[role])
        for (unsigned loop : group) {
          packedOperand.loops.push_back(loop);
          shape.push_back(contraction.sizes[loop]);
        }
      Operand &operand = contraction.operands[role];
      Type element = cast<MemRefType>(operand.buffer.getType()).getElementType();
      packedOperand.buffer =
          memref::AllocOp::create(builder, op.getLoc(), MemRefType::get(shape, element));
      if (role != C || contraction.accumulate)
        copy(builder, op.getLoc(), operand, packedOperand);
      operand = packedOperand;
    }
    emitCall(builder, op.getLoc(), contraction, *matchCall(contraction));
    copy(builder, op.getLoc(), contraction.operands[C], result);
    op.erase();
  }

  /// A copy between two operands with the same loops in two orders.
  void copy(OpBuilder &builder, Location loc, const Operand &from, const Operand &to) {
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : from.loops)
      exprs.push_back(
          builder.getAffineDimExpr(llvm::find(to.loops, loop) - to.loops.begin()));
    unsigned rank = to.loops.size();
    SmallVector<AffineMap> maps{AffineMap::get(rank, 0, exprs, builder.getContext()),
                                builder.getMultiDimIdentityMap(rank)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    linalg::GenericOp::create(builder, loc, from.buffer, to.buffer, maps, iterators,
                              [](OpBuilder &inner, Location innerLoc, ValueRange values) {
                                linalg::YieldOp::create(inner, innerLoc, values[0]);
                              });
  }

  void emitCall(OpBuilder &builder, Location loc, const Contraction &contraction,
                Call call) {
    while (call.batch.size() < maxBatch)
      call.batch.insert(call.batch.begin(), unitDim);
    SmallVector<Value> arguments;
    SmallVector<Role> roles{call.inputs[0], call.inputs[1], C};
    for (Role role : roles)
      arguments.push_back(
          getElementPointer(builder, loc, contraction.operands[role].buffer));
    SmallVector<int64_t> numbers{call.m.size,
                                 call.n.size,
                                 call.k.size,
                                 call.leading[roles[0]],
                                 call.leading[roles[1]],
                                 call.leading[C],
                                 call.transposed[0],
                                 call.transposed[1],
                                 call.batch[0].size,
                                 call.batch[1].size};
    for (Role role : roles)
      for (const Dim &batch : call.batch)
        numbers.push_back(batch.strides[role]);
    numbers.push_back(contraction.accumulate);
    for (int64_t number : numbers)
      arguments.push_back(arith::ConstantIntOp::create(builder, loc, number, 64));
    func::FuncOp callee = getRuntimeFunction(arguments);
    func::CallOp::create(builder, loc, callee, arguments);
    ++calls;
  }

  /// The buffer as a pointer and an offset, which is how the runtime takes it: a
  /// memref of rank 0 is the same three words whatever the shape of its source.
  Value getElementPointer(OpBuilder &builder, Location loc, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, buffer);
    auto layout = StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, {});
    auto scalar = MemRefType::get({}, type.getElementType(), layout);
    return memref::ReinterpretCastOp::create(
        builder, loc, scalar, metadata.getBaseBuffer(),
        OpFoldResult(metadata.getOffset()), ArrayRef<OpFoldResult>{},
        ArrayRef<OpFoldResult>{});
  }

  func::FuncOp getRuntimeFunction(ValueRange arguments) {
    ModuleOp module = getOperation();
    auto element = cast<MemRefType>(arguments.front().getType()).getElementType();
    StringRef name = element.isF32() ? "sparsam_gemm_f32" : "sparsam_gemm_f64";
    if (auto function = module.lookupSymbol<func::FuncOp>(name))
      return function;
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    auto type = builder.getFunctionType(arguments.getTypes(), {});
    auto function = func::FuncOp::create(builder, module.getLoc(), name, type);
    function.setPrivate();
    return function;
  }
};

} // namespace
