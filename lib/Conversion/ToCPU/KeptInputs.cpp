// The calls of the kernels of `KeptInputs`.
#include "KeptPieces.h"
#include "SortedKept.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace mlir::sparsam::cpu;

namespace {

using KernelBody = function_ref<void(ImplicitLocOpBuilder &, const KeptProduct &,
                                     const KernelOperands &)>;

void call(ImplicitLocOpBuilder &b, StringRef kind, const KeptProduct &product,
          const KernelOperands &operands, KernelBody body, KernelLibrary &library) {
  SmallVector<Value> values(operands.panels);
  if (operands.values)
    values.push_back(operands.values);
  llvm::append_range(values, operands.pattern);
  for (Value numbers : {operands.ranges.bounds, operands.ranges.order})
    if (numbers)
      values.push_back(numbers);
  llvm::append_range(values, operands.ofEpilogue.inputs);
  unsigned numRead = values.size();
  if (operands.destination)
    values.push_back(operands.destination);
  llvm::append_range(values, operands.ofEpilogue.outputs);

  std::string name =
      llvm::formatv("sparsam_{0}_{1}_{2}{3}", kind, product.pattern.getName(),
                    product.getHeight(), product.getSuffix());
  std::string variant;
  if (operands.epilogue) {
    name += "_epilogue";
    variant = operands.epilogue->getText();
  }
  auto build = [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
    KernelOperands inside = operands;
    auto take = [&] {
      Value next = arguments.front();
      arguments = arguments.drop_front();
      return next;
    };
    for (Value &panels : inside.panels)
      panels = take();
    if (inside.values)
      inside.values = buildRow(b, take());
    for (Value &indices : inside.pattern)
      indices = buildRow(b, take());
    for (Value *numbers : {&inside.ranges.bounds, &inside.ranges.order})
      if (*numbers)
        *numbers = take();
    for (Value &input : inside.ofEpilogue.inputs)
      input = take();
    if (inside.destination)
      inside.destination = take();
    for (Value &output : inside.ofEpilogue.outputs)
      output = take();
    if (!inside.values)
      inside.destination = buildRow(b, inside.destination);
    body(b, product, inside);
  };
  func::FuncOp kernel = library.get(name, ValueRange(values).getTypes(), build,
                                    values.size() - numRead, variant);
  func::CallOp::create(b, kernel, values);
}

} // namespace

Epilogue::Places cpu::buildPlaces(ImplicitLocOpBuilder &b, const KernelOperands &operands,
                                  int64_t rows, int64_t columns) {
  const Epilogue *epilogue = operands.epilogue;
  return {operands.ofEpilogue, operands.destination,
          epilogue ? epilogue->createTile(b, rows, columns) : Value()};
}

void sparsam::lowerSpmmOfKept(RewriterBase &rewriter, SpmmOp op,
                              const KeptInputs &pattern, KernelLibrary &library) {
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  auto type = cast<MemRefType>(op.getInput().getType());
  KernelTiles tiles = KernelTiles::get(op);
  KeptProduct product(pattern, type.getDimSize(0), type.getElementType(), library.target,
                      tiles);
  bool transposed = op.getTransposed();
  if (std::optional<KeptPieces> pieces = cutForStack(product, transposed))
    return lowerSpmmOfKept(rewriter, op, *pieces, library);
  bool inRows = !transposed && repaysRows(product);
  SmallVector<Value> read(op.getStorage());
  // Panels have been packed by then.
  if (inRows)
    read.push_back(op.getInput());
  auto epilogue = takeEpilogue(rewriter, op, read, library);
  auto setDestinations = [&](KernelOperands &operands) {
    operands.destination = op.getInit();
    if (!epilogue)
      return;
    operands.epilogue = &epilogue->first;
    operands.ofEpilogue = epilogue->second;
    if (!operands.epilogue->isResultStored())
      operands.destination = {};
  };
  if (inRows) {
    KernelOperands operands;
    operands.panels = {op.getInput()};
    operands.values = op.getStorage().front();
    operands.pattern = llvm::to_vector(op.getStorage().drop_front());
    setDestinations(operands);
    return call(b, "spmm_rows", product, operands, buildForwardRows, library);
  }
  Value panels =
      packPanels(rewriter, op.getLoc(), op.getInput(), product.getHeight(), library);
  if (transposed && repaysSorting(product)) {
    SortedKept sorted(pattern);
    KeptProduct gathered(sorted, product.tokens, product.element, library.target, tiles);
    int64_t units = getForwardUnits(gathered);
    KernelOperands operands = sortKept(b, product, sorted, op.getStorage().front(),
                                       op.getStorage().drop_front(), units,
                                       getForwardBunch(gathered, units), library);
    operands.panels = {panels};
    setDestinations(operands);
    return call(b, "spmm", gathered, operands, buildForward, library);
  }
  KernelOperands operands;
  operands.panels = {panels};
  operands.values = op.getStorage().front();
  operands.pattern = llvm::to_vector(op.getStorage().drop_front());
  if (!transposed && repaysRowsOfPanels(product)) {
    setDestinations(operands);
    return call(b, "spmm_rows_of_panels", product, operands, buildForwardRowsOfPanels,
                library);
  }
  int64_t units = transposed ? getTransposedUnits(product) : getForwardUnits(product);
  operands.ranges = createRanges(b, product, operands.pattern, units, library);
  setDestinations(operands);
  call(b, transposed ? "spmm_transposed" : "spmm", product, operands,
       transposed ? buildTransposed : buildForward, library);
}

void sparsam::lowerSddmmOfKept(RewriterBase &rewriter, SddmmOp op,
                               const KeptInputs &pattern, KernelLibrary &library) {
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  auto type = cast<MemRefType>(op.getLhs().getType());
  KeptProduct product(pattern, type.getDimSize(0), type.getElementType(), library.target,
                      KernelTiles::get(op));
  KernelOperands operands;
  for (Value matrix : {op.getLhs(), op.getRhs()})
    operands.panels.push_back(
        packPanels(rewriter, op.getLoc(), matrix, product.getHeight(), library));
  operands.pattern = llvm::to_vector(op.getPattern());
  operands.ranges =
      createRanges(b, product, operands.pattern, getGradientUnits(product), library);
  operands.destination = op.getInit();
  call(b, "sddmm", product, operands, buildGradient, library);
}

Value KeptInputs::buildValues(ImplicitLocOpBuilder &b, Value, Value number) const {
  return buildScaled(b, number, getValueStride());
}

Value sparsam::buildIndexLoad(ImplicitLocOpBuilder &b, Value indices,
                              ValueRange position) {
  Value stored = memref::LoadOp::create(b, indices, position);
  return arith::IndexCastUIOp::create(b, b.getIndexType(), stored);
}
