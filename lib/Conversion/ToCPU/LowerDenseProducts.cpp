// Contractions on memrefs become calls of the runtime's matrix product.

#include "GemmCall.h"
#include "TensorOps.h"

#include "sparsam/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_LOWERDENSEPRODUCTSPASS
#include "sparsam/Conversion/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::gemm;

namespace {

struct LowerDenseProductsPass
    : sparsam::impl::LowerDenseProductsPassBase<LowerDenseProductsPass> {
  using LowerDenseProductsPassBase::LowerDenseProductsPassBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> candidates;
    getOperation().walk([&](linalg::LinalgOp op) {
      // What is on tensors has no buffers yet.
      if (op.hasPureBufferSemantics())
        candidates.push_back(op);
    });
    for (linalg::LinalgOp op : candidates)
      if (failed(lower(op)))
        return signalPassFailure();
  }

  LogicalResult lower(linalg::LinalgOp op) {
    std::optional<Contraction> contraction = matchContraction(op);
    if (!contraction)
      return leaveToLoops(op);
    OpBuilder builder(op);
    FloatType result = contraction->operands[C].getElementType();
    FloatType element =
        result.getWidth() < 32 ? cast<FloatType>(builder.getF32Type()) : result;
    std::array<Operand, numRoles> originals = contraction->operands;
    auto copyIn = [&](auto condition) {
      for (Role role : {A, B, C})
        if (condition(role))
          contraction->operands[role] = pack(builder, op, *contraction, role, element);
    };
    copyIn([&](Role role) { return originals[role].getElementType() != element; });
    bool converted = contraction->operands != originals;
    if (converted)
      op.emitRemark() << "this product is computed in " << element
                      << ", on copies of what is not";
    std::optional<Call> call = matchCall(*contraction);
    if (!call)
      call = packOne(builder, op, *contraction, originals, element);
    if (!call) {
      op.emitRemark(
          "the strides of this product fit no BLAS call; its operands are copied");
      copyIn([&](Role role) { return contraction->operands[role] == originals[role]; });
      call = matchCall(*contraction);
    }
    emitCall(builder, op.getLoc(), *contraction, *call);
    if (contraction->operands[C] != originals[C])
      copy(builder, op.getLoc(), contraction->operands[C], originals[C]);
    packed += contraction->operands != originals;
    op.erase();
    return success();
  }

  /// Loops add to what is in the destination, whereas a call can write over it.
  LogicalResult leaveToLoops(linalg::LinalgOp op) {
    bool isSum = linalg::isaContractionOpInterface(op);
    if (isSum && isMatrixProduct(op))
      op.emitRemark("this product is left to loops: no BLAS call computes it");
    if (!op->hasAttr(cpu::kOverwriteAttr))
      return success();
    OpBuilder builder(op);
    Value destination = op.getDpsInits()[0];
    Type element = getElementTypeOrSelf(destination.getType());
    TypedAttr nothing = builder.getZeroAttr(element);
    if (!isSum || !nothing)
      return op.emitOpError()
             << "has " << cpu::kOverwriteAttr
             << "; expected a sum of products of integers or floats, found elements of "
             << element << (isSum ? "" : " and another payload");
    op->removeAttr(cpu::kOverwriteAttr);
    Value zero = arith::ConstantOp::create(builder, op.getLoc(), element, nothing);
    linalg::FillOp::create(builder, op.getLoc(), zero, destination);
    return success();
  }

  /// Whether `op` has rows, columns and sums, of static sizes.
  static bool isMatrixProduct(linalg::LinalgOp op) {
    FailureOr<linalg::ContractionDimensions> dims = linalg::inferContractionDims(op);
    return succeeded(dims) && !dims->m.empty() && !dims->n.empty() && !dims->k.empty() &&
           llvm::none_of(op.getStaticLoopRanges(), ShapedType::isDynamic);
  }

  /// Copies the smallest operand whose copy alone makes the product fit a call.
  std::optional<Call> packOne(OpBuilder &builder, linalg::LinalgOp op,
                              Contraction &contraction, ArrayRef<Operand> originals,
                              FloatType element) {
    SmallVector<Role> roles{A, B, C};
    llvm::sort(roles, [&](Role a, Role b) {
      auto size = [&](Role role) {
        auto type = cast<MemRefType>(originals[role].buffer.getType());
        return std::pair<int64_t, unsigned>(type.getNumElements(), role);
      };
      return size(a) < size(b);
    });
    for (Role role : roles) {
      if (contraction.operands[role] != originals[role])
        continue;
      Contraction packed = contraction;
      packed.operands[role] = allocate(builder, op, contraction, role, element);
      std::optional<Call> call = matchCall(packed);
      if (!call) {
        packed.operands[role].buffer.getDefiningOp()->erase();
        continue;
      }
      op.emitRemark("the strides of this product fit no BLAS call; operand ")
          << static_cast<unsigned>(role) << " is copied";
      fill(builder, op, contraction, role, packed.operands[role]);
      contraction = std::move(packed);
      return call;
    }
    return std::nullopt;
  }

  /// A copy of an operand in elements of `element`, in a buffer of its own with the
  /// loops in the order batch, rows, columns, which always fits a call.
  Operand pack(OpBuilder &builder, linalg::LinalgOp op, const Contraction &contraction,
               Role role, FloatType element) {
    Operand copied = allocate(builder, op, contraction, role, element);
    fill(builder, op, contraction, role, copied);
    return copied;
  }

  Operand allocate(OpBuilder &builder, linalg::LinalgOp op,
                   const Contraction &contraction, Role role, FloatType element) {
    const linalg::ContractionDimensions &dims = contraction.dims;
    std::array<std::array<ArrayRef<unsigned>, 3>, numRoles> orders{
        {{dims.batch, dims.m, dims.k},
         {dims.batch, dims.k, dims.n},
         {dims.batch, dims.m, dims.n}}};
    Operand copied;
    SmallVector<int64_t> shape;
    for (ArrayRef<unsigned> group : orders[role])
      for (unsigned loop : group) {
        copied.loops.push_back(loop);
        shape.push_back(contraction.sizes[loop]);
      }
    copied.buffer =
        memref::AllocOp::create(builder, op.getLoc(), MemRefType::get(shape, element));
    return copied;
  }

  /// A destination that is written over need not be copied from.
  void fill(OpBuilder &builder, linalg::LinalgOp op, const Contraction &contraction,
            Role role, const Operand &copied) {
    if (role != C || contraction.accumulate)
      copy(builder, op.getLoc(), contraction.operands[role], copied);
  }

  /// A copy between two operands with the same loops in two orders, and elements of
  /// perhaps two types.
  void copy(OpBuilder &builder, Location loc, const Operand &from, const Operand &to) {
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : from.loops)
      exprs.push_back(
          builder.getAffineDimExpr(llvm::find(to.loops, loop) - to.loops.begin()));
    unsigned rank = to.loops.size();
    SmallVector<AffineMap> maps{AffineMap::get(rank, 0, exprs, builder.getContext()),
                                builder.getMultiDimIdentityMap(rank)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    FloatType source = from.getElementType(), target = to.getElementType();
    linalg::GenericOp::create(builder, loc, from.buffer, to.buffer, maps, iterators,
                              [&](OpBuilder &inner, Location at, ValueRange values) {
                                Value value = values[0];
                                if (source.getWidth() < target.getWidth())
                                  value = arith::ExtFOp::create(inner, at, target, value);
                                else if (source != target)
                                  value =
                                      arith::TruncFOp::create(inner, at, target, value);
                                linalg::YieldOp::create(inner, at, value);
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
