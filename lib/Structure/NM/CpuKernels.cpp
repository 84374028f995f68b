#include "CpuKernels.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::nm;

Product::Product(NMAttr structure, int64_t tokens, MemRefType values, MemRefType indices,
                 const CpuTarget &target)
    : n(structure.getN()), m(structure.getM()), vector(structure.getVector()),
      tokens(tokens), blocks(indices.getDimSize(0)), kept(indices.getDimSize(1)),
      groups(kept / n), element(values.getElementType()),
      lanes(target.getLanes(element)) {
  bool many = target.registers >= 32;
  int64_t count = llvm::divideCeil(vector, many ? 8 : 4);
  for (int64_t i = 0; i < count; ++i) {
    int64_t begin = vector * i / count, end = vector * (i + 1) / count;
    parts.push_back({begin, end - begin});
  }
  // Accumulators are part x tokenVectors (forward) and part x jobs (gradient), next
  // to the vectors that they are made from.
  int64_t part = llvm::divideCeil(vector, count);
  tokenVectors = many ? (part >= 5 ? 2 : 4) : (part >= 3 ? 2 : part == 2 ? 4 : 8);
  jobs = std::min<int64_t>(8, (many ? 24 : 12) / part);
}

int64_t Product::getGroupsWithin(int64_t bytes, int64_t columns, int64_t minimum) const {
  int64_t fitting = bytes / getBytes(columns) / m, enough = llvm::divideCeil(minimum, n);
  int64_t size = std::min(groups, std::max<int64_t>(fitting, enough));
  // Equal ranges rather than full ones and a short last one.
  return llvm::divideCeil(groups, llvm::divideCeil(groups, size));
}

Value nm::buildKeptInput(ImplicitLocOpBuilder &b, Value indices, Value block,
                         Value position) {
  Value stored = memref::LoadOp::create(b, indices, ValueRange{block, position});
  return arith::IndexCastUIOp::create(b, b.getIndexType(), stored);
}

void nm::buildRanges(ImplicitLocOpBuilder &b, int64_t total, int64_t size,
                     function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)> body) {
  int64_t whole = total / size * size;
  if (whole == size)
    body(b, buildIndex(b, 0), size);
  else if (whole)
    buildFor(b, whole, size,
             [&](ImplicitLocOpBuilder &b, Value first) { body(b, first, size); });
  if (whole < total)
    body(b, buildIndex(b, whole), total - whole);
}

namespace {

struct NMCpuKernels : CpuKernelInterface::ExternalModel<NMCpuKernels, NMAttr> {
  LogicalResult lowerSpmm(Attribute attr, RewriterBase &rewriter, SpmmOp op,
                          KernelLibrary &library) const {
    auto structure = cast<NMAttr>(attr);
    Value values = op.getStorage()[0], indices = op.getStorage()[1];
    auto type = cast<MemRefType>(op.getInput().getType());
    Product product(structure, type.getDimSize(0), cast<MemRefType>(values.getType()),
                    cast<MemRefType>(indices.getType()), library.target);
    Value panels =
        packPanels(rewriter, op.getLoc(), op.getInput(), product.getHeight(), library);
    SmallVector<Value> operands{panels, values, indices, op.getInit()};
    bool transposed = op.getTransposed();
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
      transposed ? buildTransposed(b, product, arguments)
                 : buildForward(b, product, arguments);
    };
    call(rewriter, op.getLoc(), transposed ? "spmm_transposed" : "spmm", product,
         operands, body, library);
    return success();
  }

  LogicalResult lowerSddmm(Attribute attr, RewriterBase &rewriter, SddmmOp op,
                           KernelLibrary &library) const {
    auto structure = cast<NMAttr>(attr);
    Value indices = op.getPattern()[0];
    auto type = cast<MemRefType>(op.getLhs().getType());
    Product product(structure, type.getDimSize(0),
                    cast<MemRefType>(op.getInit().getType()),
                    cast<MemRefType>(indices.getType()), library.target);
    SmallVector<Value> operands;
    for (Value matrix : {op.getLhs(), op.getRhs()})
      operands.push_back(
          packPanels(rewriter, op.getLoc(), matrix, product.getHeight(), library));
    operands.append({indices, op.getInit()});
    call(
        rewriter, op.getLoc(), "sddmm", product, operands,
        [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
          buildGradient(b, product, arguments);
        },
        library);
    return success();
  }

private:
  static void call(RewriterBase &rewriter, Location loc, StringRef kind,
                   const Product &product, ValueRange operands, KernelLibrary::Body body,
                   KernelLibrary &library) {
    std::string name = llvm::formatv("sparsam_{0}_nm_{1}_{2}_{3}", kind, product.n,
                                     product.m, product.getHeight());
    func::FuncOp kernel = library.get(name, operands.getTypes(), body);
    func::CallOp::create(rewriter, loc, kernel, operands);
  }
};

} // namespace

void sparsam::registerNMCpuKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SparsamDialect *) {
    NMAttr::attachInterface<NMCpuKernels>(*context);
  });
}
