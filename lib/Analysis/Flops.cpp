#include "sparsam/Analysis/Flops.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "sparsam/Analysis/Convolution.h"
#include "sparsam/IR/SparsamOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparsam;

ArrayRef<FlopCount::Kind> FlopCount::getKinds() {
  static const Kind kinds[] = {{"contractions", &FlopCount::contractions},
                               {"convolutions", &FlopCount::convolutions},
                               {"einsums", &FlopCount::einsums},
                               {"spmm", &FlopCount::spmm},
                               {"sddmm", &FlopCount::sddmm}};
  return kinds;
}

int64_t FlopCount::getTotal() const {
  int64_t total = 0;
  for (auto [name, count] : getKinds())
    total += this->*count;
  return total;
}

FlopCount &FlopCount::operator+=(const FlopCount &other) {
  for (auto [name, count] : getKinds())
    this->*count += other.*count;
  return *this;
}

FlopCount FlopCount::operator*(int64_t times) const {
  FlopCount scaled = *this;
  for (auto [name, count] : getKinds())
    scaled.*count *= times;
  return scaled;
}

static FlopCount of(int64_t FlopCount::*kind, int64_t flops) {
  FlopCount count;
  count.*kind = flops;
  return count;
}

/// A norm: one tensor, multiplied by itself.
static bool isSquare(const Product &product) {
  return llvm::all_of(product.terms, [&](const Term &term) {
    return term.value == product.terms.front().value &&
           term.dims == product.terms.front().dims;
  });
}

/// One addition and, for each term but the first, one multiplication.
static int64_t countProduct(const Product &product) {
  int64_t flops = product.terms.size();
  for (int64_t size : product.sizes)
    flops *= size;
  return flops;
}

namespace {

class Counter {
public:
  explicit Counter(UnknownFlops onUnknown) : onUnknown(onUnknown) {}

  FlopCount count(func::FuncOp function) {
    active.insert(function);
    FlopCount total = count(function.getBody());
    active.remove(function);
    return total;
  }

private:
  FlopCount count(Region &region) {
    FlopCount total;
    for (Block &block : region)
      for (Operation &op : block)
        total += count(&op);
    return total;
  }

  FlopCount countRegions(Operation *op) {
    FlopCount total;
    for (Region &region : op->getRegions())
      total += count(region);
    return total;
  }

  FlopCount count(Operation *op) {
    if (auto spmm = dyn_cast<SpmmOp>(op))
      return of(&FlopCount::spmm, countStored(spmm.getInput(), spmm.getStorage()));
    if (auto sddmm = dyn_cast<SddmmOp>(op))
      return of(&FlopCount::sddmm, countStored(sddmm.getLhs(), sddmm.getInit()));
    if (auto einsum = dyn_cast<EinsumOp>(op))
      return countEinsum(einsum);
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      return countLinalg(structured);
    if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
      return countLoop(loop);
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      FlopCount yes = count(branch.getThenRegion()), no = count(branch.getElseRegion());
      return yes.getTotal() < no.getTotal() ? no : yes;
    }
    if (auto call = dyn_cast<func::CallOp>(op))
      return countCall(call);
    return countRegions(op);
  }

  /// Each stored value meets each row of the dense operand.
  static int64_t countStored(Value dense, ValueRange storage) {
    int64_t stored = 0;
    for (Value tensor : storage)
      if (auto type = cast<ShapedType>(tensor.getType());
          isa<FloatType>(type.getElementType()))
        stored += type.getNumElements();
    return 2 * cast<ShapedType>(dense.getType()).getDimSize(0) * stored;
  }

  FlopCount countEinsum(EinsumOp op) {
    FailureOr<Product> product = Product::of(op);
    if (failed(product)) {
      reportDynamicShape(op);
      return {};
    }
    bool isProduct = product->terms.size() > 1 && !product->isElementwise();
    return of(&FlopCount::einsums, isProduct ? countProduct(*product) : 0);
  }

  FlopCount countLinalg(linalg::LinalgOp op) {
    if (FailureOr<Product> product = Product::of(op); succeeded(product)) {
      bool isProduct = product->terms.size() > 1 && !isSquare(*product) &&
                       (!product->isElementwise() || isOuterProduct(op));
      return of(&FlopCount::contractions, isProduct ? countProduct(*product) : 0);
    }
    // Windows, and operands that are widened on the way: the loops tell.
    bool isContraction = linalg::isaContractionOpInterface(op);
    bool isConvolution = !isContraction && (succeeded(Convolution::of(op)) ||
                                            linalg::isaConvolutionOpInterface(op));
    Type element = getElementTypeOrSelf(op.getDpsInits().front().getType());
    if (!(isContraction || isConvolution) || !isa<FloatType>(element) || !multiplies(op))
      return {};
    int64_t flops = 2;
    for (int64_t size : op.getStaticLoopRanges()) {
      if (ShapedType::isDynamic(size)) {
        onUnknown(op, "its shape is not static");
        return {};
      }
      flops *= size;
    }
    return of(isContraction ? &FlopCount::contractions : &FlopCount::convolutions, flops);
  }

  /// Pooling has the maps of a convolution.
  static bool multiplies(linalg::LinalgOp op) {
    return !op.getBlock()->getOps<arith::MulFOp>().empty();
  }

  void reportDynamicShape(Operation *op) {
    for (Type type : op->getOperandTypes())
      if (auto shaped = dyn_cast<ShapedType>(type); shaped && !shaped.hasStaticShape())
        return onUnknown(op, "its shape is not static");
  }

  FlopCount countLoop(LoopLikeOpInterface loop) {
    FlopCount once = countRegions(loop);
    if (once.getTotal() == 0)
      return once;
    std::optional<APInt> trips = loop.getStaticTripCount();
    if (!trips) {
      onUnknown(loop, "how often it runs is not known");
      return once;
    }
    return once * static_cast<int64_t>(trips->getZExtValue());
  }

  FlopCount countCall(func::CallOp call) {
    auto callee =
        SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
    if (!callee || callee.isExternal())
      return {};
    if (active.contains(callee)) {
      onUnknown(call, "it is recursive");
      return {};
    }
    return count(callee);
  }

  UnknownFlops onUnknown;
  /// The functions that are being counted, callers first.
  llvm::SetVector<func::FuncOp> active;
};

} // namespace

FlopCount sparsam::countFlops(func::FuncOp function, UnknownFlops onUnknown) {
  return Counter(onUnknown).count(function);
}

FlopCount sparsam::countFlops(func::FuncOp function) {
  return countFlops(function, [](Operation *op, StringRef reason) {
    op->emitRemark() << "counts for less than it costs: " << reason;
  });
}
