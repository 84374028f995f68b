#include "GemmCall.h"

#include "Buffers.h"
#include "TensorOps.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::gemm;

std::optional<Contraction> gemm::matchContraction(linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics() || !cpu::isMultiplyAdd(op) ||
      op.getNumReductionLoops() == 0)
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
  result.accumulate = !op->hasAttr(cpu::kOverwriteAttr);
  for (OpOperand &operand : op->getOpOperands()) {
    Operand &entry = result.operands[operand.getOperandNumber()];
    entry.buffer = operand.get();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!getStridedLayout(operand.get().getType()) || !map.isProjectedPermutation() ||
        !isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(
            cast<MemRefType>(operand.get().getType()).getElementType()))
      return std::nullopt;
    for (AffineExpr expr : map.getResults())
      entry.loops.push_back(cast<AffineDimExpr>(expr).getPosition());
  }
  return result;
}

/// The loops `positions`, those of size one dropped, merged where one index can run
/// over two of them in all three operands; the slowest first.
static SmallVector<Dim> mergeLoops(const Contraction &contraction,
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

static bool isUnit(const Dim &dim, Role role) {
  return dim.size == 1 || dim.strides[role] == 1;
}

/// Whether rows of length `columns.size` of a matrix may start `rows.strides` apart;
/// the leading dimension where they may.
static std::optional<int64_t> getLeading(const Dim &rows, const Dim &columns, Role role) {
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
static Dim takeDim(SmallVectorImpl<Dim> &dims, Role role) {
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

std::optional<Call> gemm::matchCall(const Contraction &contraction) {
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
