// A pattern structure from outside, with kernels. It has no indices: where its entries
// are is arithmetic.
#include "Band.h"
#include "sparsam/Conversion/ToCPU/KeptInputs.h"
#include "sparsam/Conversion/ToCPU/Panels.h"
#include "sparsam/Structure/BuildPattern.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;

#define GET_ATTRDEF_CLASSES
#include "Band.cpp.inc"

LogicalResult BandAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t width, ArrayRef<int64_t>, ArrayRef<int64_t>) {
  if (width < 1)
    return emitError() << "expected a width of at least 1, found " << width;
  return success();
}

StructureInterface BandAttr::withView(ArrayRef<int64_t> in,
                                      ArrayRef<int64_t> stack) const {
  return BandAttr::get(getContext(), getWidth(), in, stack);
}

FailureOr<SmallVector<StorageTensor>>
BandAttr::getStorage(RankedTensorType matrix,
                     function_ref<InFlightDiagnostic()> emitError) const {
  if (getWidth() > matrix.getDimSize(0))
    return emitError() << *this << " is wider than the " << matrix.getDimSize(0)
                       << " inputs of " << matrix;
  return SmallVector<StorageTensor>{
      {"values",
       RankedTensorType::get({matrix.getDimSize(1), getWidth()}, matrix.getElementType()),
       StorageRole::Trainable}};
}

FailureOr<StructureCost> BandAttr::getCost(RankedTensorType matrix) const {
  int64_t entries = matrix.getDimSize(1) * getWidth();
  return StructureCost{entries, entries * matrix.getElementTypeBitWidth() / 8,
                       2 * entries};
}

LogicalResult BandAttr::verifyPattern(RankedTensorType, ArrayRef<ArrayRef<int64_t>>,
                                      function_ref<InFlightDiagnostic()>) const {
  return success();
}

FailureOr<SmallVector<Value>> BandAttr::buildSelect(OpBuilder &, Location, Value) const {
  return SmallVector<Value>();
}

/// The first input of an output.
static Value buildFirst(ImplicitLocOpBuilder &b, Value output, int64_t inputs,
                        int64_t outputs, int64_t width) {
  Value places = arith::ConstantIndexOp::create(b, inputs - width + 1);
  Value count = arith::ConstantIndexOp::create(b, outputs);
  return arith::DivUIOp::create(b, arith::MulIOp::create(b, output, places), count);
}

FailureOr<Value> BandAttr::buildDensify(OpBuilder &builder, Location loc,
                                        ValueRange storage,
                                        RankedTensorType matrix) const {
  ImplicitLocOpBuilder b(loc, builder);
  return createScatter(
      b, storage[0], matrix, [&](ImplicitLocOpBuilder &b, ValueRange at) {
        Value first =
            buildFirst(b, at[0], matrix.getDimSize(0), matrix.getDimSize(1), getWidth());
        return SmallVector<Value>{arith::AddIOp::create(b, first, at[1]), at[0]};
      });
}

FailureOr<Value> BandAttr::buildRestrict(OpBuilder &builder, Location loc, Value matrix,
                                         ValueRange) const {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<RankedTensorType>(matrix.getType());
  int64_t inputs = type.getDimSize(0), outputs = type.getDimSize(1);
  Value empty = tensor::EmptyOp::create(b, ArrayRef<int64_t>{outputs, getWidth()},
                                        type.getElementType());
  constexpr auto parallel = utils::IteratorType::parallel;
  return createGeneric(
      b, {}, empty, getDims(b, 2, {0, 1}), {parallel, parallel},
      [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        Value output = linalg::IndexOp::create(b, 0);
        Value first = buildFirst(b, output, inputs, outputs, getWidth());
        Value input = arith::AddIOp::create(b, first, linalg::IndexOp::create(b, 1));
        return tensor::ExtractOp::create(b, matrix, ValueRange{input, output});
      });
}

namespace {

/// The band as the kernels of the tree read it.
struct BandKeptInputs : KeptInputs {
  BandKeptInputs(BandAttr structure, RankedTensorType matrix) {
    inputs = matrix.getDimSize(0);
    blocks = matrix.getDimSize(1);
    vector = 1;
    kept = structure.getWidth();
  }

  std::string getName() const override {
    return llvm::formatv("band_{0}_{1}", kept, inputs);
  }

  std::pair<Value, Value> buildSpan(ImplicitLocOpBuilder &b, ValueRange,
                                    Value block) const override {
    Value begin = buildScaled(b, block, kept);
    return {begin, buildOffset(b, begin, kept)};
  }

  Value buildInput(ImplicitLocOpBuilder &b, ValueRange, Value block,
                   Value number) const override {
    Value first = buildFirst(b, block, inputs, blocks, kept);
    Value place = arith::SubIOp::create(b, number, buildScaled(b, block, kept));
    return arith::AddIOp::create(b, first, place);
  }
};

} // namespace

void sparsam::registerBand(DialectRegistry &registry) {
  registerStructures<BandAttr>(registry);
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    BandAttr::attachInterface<KernelsOfKept<BandAttr, BandKeptInputs>>(*context);
  });
}
