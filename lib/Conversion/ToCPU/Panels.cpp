#include "sparsam/Conversion/ToCPU/Panels.h"

#include "Buffers.h"

using namespace mlir;
using namespace mlir::sparsam;

int64_t PanelShape::getStride() const {
  // Some lines between panels, or the same rows of all would meet in one set of a cache;
  // several, since kernels read some consecutive rows of each.
  constexpr int64_t padding = 5;
  return features * height + padding * 64 * 8 / element.getIntOrFloatBitWidth();
}

MemRefType PanelShape::getBufferType() const {
  return MemRefType::get({getCount(), getStride()}, element);
}

Value sparsam::viewPanels(ImplicitLocOpBuilder &b, Value buffer,
                          const PanelShape &shape) {
  SmallVector<int64_t> sizes{shape.getCount(), shape.features, shape.height};
  SmallVector<int64_t> strides{shape.getStride(), shape.height, 1};
  auto layout = StridedLayoutAttr::get(b.getContext(), 0, strides);
  auto type = MemRefType::get(sizes, shape.element, layout);
  return memref::ReinterpretCastOp::create(b, type, buffer, 0, sizes, strides);
}

namespace {

/// A square of lanes x lanes at the border or inside of a row-major matrix: its
/// first row and column, and how many columns exist. `rows` is null where all of the
/// square's rows do.
struct Square {
  Value matrix, row, column;
  int64_t columns, lanes;
  std::optional<int64_t> rows;

  VectorType getType() const {
    return VectorType::get(lanes, cast<MemRefType>(matrix.getType()).getElementType());
  }
  bool isWhole() const { return !rows && columns == lanes; }
};

/// The address and, where the square is not whole, the mask of its row `i`. A row
/// that does not exist has an empty mask and the address of the last one.
struct SquareRow {
  SmallVector<Value> at;
  Value mask;
};

SquareRow buildRow(ImplicitLocOpBuilder &b, const Square &square, int64_t i) {
  Value row = buildOffset(b, square.row, i), count = buildIndex(b, square.columns);
  if (square.isWhole())
    return {{row, square.column}, Value()};
  if (square.rows) {
    Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row,
                                         buildIndex(b, *square.rows));
    count = arith::SelectOp::create(b, exists, count, buildIndex(b, 0));
    row = arith::SelectOp::create(b, exists, row, buildIndex(b, *square.rows - 1));
  }
  auto maskType = VectorType::get(square.lanes, b.getI1Type());
  return {{row, square.column}, vector::CreateMaskOp::create(b, maskType, count)};
}

SmallVector<Value> buildLoad(ImplicitLocOpBuilder &b, const Square &square) {
  VectorType type = square.getType();
  SmallVector<Value> rows;
  for (int64_t i = 0; i < square.lanes; ++i) {
    SquareRow row = buildRow(b, square, i);
    if (!row.mask) {
      rows.push_back(vector::LoadOp::create(b, type, square.matrix, row.at));
      continue;
    }
    Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
    rows.push_back(
        vector::MaskedLoadOp::create(b, type, square.matrix, row.at, row.mask, zeros));
  }
  return rows;
}

void buildStore(ImplicitLocOpBuilder &b, const Square &square, ArrayRef<Value> rows) {
  for (int64_t i = 0; i < square.lanes; ++i) {
    SquareRow row = buildRow(b, square, i);
    if (row.mask)
      vector::MaskedStoreOp::create(b, square.matrix, row.at, row.mask, rows[i]);
    else
      vector::StoreOp::create(b, rows[i], square.matrix, row.at);
  }
}

using SquareBody = function_ref<void(ImplicitLocOpBuilder &, Value, int64_t)>;

/// Calls `body` for each square of columns, the last one perhaps narrower.
void buildColumns(ImplicitLocOpBuilder &b, int64_t columns, int64_t lanes,
                  SquareBody body) {
  int64_t whole = columns / lanes * lanes;
  if (whole)
    buildFor(b, whole, lanes,
             [&](ImplicitLocOpBuilder &b, Value column) { body(b, column, lanes); });
  if (whole < columns)
    body(b, buildIndex(b, whole), columns - whole);
}

/// The same for a number that is not known, of whole squares and perhaps one of `rest`
/// columns.
void buildColumns(ImplicitLocOpBuilder &b, Value columns, int64_t rest, int64_t lanes,
                  SquareBody body) {
  Value narrow = arith::RemUIOp::create(b, columns, buildIndex(b, lanes));
  Value whole = arith::SubIOp::create(b, columns, narrow);
  buildFor(b, buildIndex(b, 0), whole, lanes,
           [&](ImplicitLocOpBuilder &b, Value column) { body(b, column, lanes); });
  if (!rest)
    return;
  Value any =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, narrow, buildIndex(b, 0));
  scf::IfOp::create(b, any, [&](OpBuilder &builder, Location loc) {
    ImplicitLocOpBuilder inner(loc, builder);
    body(inner, whole, rest);
    scf::YieldOp::create(inner);
  });
}

/// Calls `body` with the number of existing rows where the panel may lack some.
void buildByPanel(
    ImplicitLocOpBuilder &b, Value panel, int64_t tokens, int64_t height,
    function_ref<void(ImplicitLocOpBuilder &, std::optional<int64_t>)> body) {
  int64_t whole = tokens / height;
  if (whole * height == tokens)
    return body(b, std::nullopt);
  if (whole == 0)
    return body(b, tokens);
  Value isWhole =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, panel, buildIndex(b, whole));
  auto branch = [&](std::optional<int64_t> rows) {
    return [=](OpBuilder &builder, Location loc) {
      ImplicitLocOpBuilder inner(loc, builder);
      body(inner, rows);
      scf::YieldOp::create(inner);
    };
  };
  scf::IfOp::create(b, isWhole, branch(std::nullopt), branch(tokens));
}

void buildPack(ImplicitLocOpBuilder &b, Value matrix, Value buffer,
               const PanelShape &shape, int64_t lanes) {
  Value panels = viewPanels(b, buffer, shape);
  auto packSquare = [&](ImplicitLocOpBuilder &b, Value panel, Value token,
                        const Square &square) {
    SmallVector<Value> features = buildTranspose(b, buildLoad(b, square));
    for (int64_t i = 0; i < square.columns; ++i)
      vector::StoreOp::create(b, features[i], panels,
                              ValueRange{panel, buildOffset(b, square.column, i), token});
  };
  buildParallel(b, shape.getCount(), [&](ImplicitLocOpBuilder &b, Value panel) {
    Value first = buildScaled(b, panel, shape.height);
    buildByPanel(
        b, panel, shape.tokens, shape.height,
        [&](ImplicitLocOpBuilder &b, std::optional<int64_t> rows) {
          buildFor(b, shape.height, lanes, [&](ImplicitLocOpBuilder &b, Value token) {
            Value row = arith::AddIOp::create(b, first, token);
            buildColumns(b, shape.features, lanes,
                         [&](ImplicitLocOpBuilder &b, Value column, int64_t columns) {
                           packSquare(b, panel, token,
                                      {matrix, row, column, columns, lanes, rows});
                         });
          });
        });
  });
}

/// Whether `op`, which uses the memory of `root`, may write it.
bool mayWrite(Operation *op, Value root, const KernelLibrary &library) {
  if (isMemoryEffectFree(op))
    return false;
  auto isRoot = [&](Value value) {
    Value other = isa<BaseMemRefType>(value.getType()) ? getRootBuffer(value) : Value();
    return !other || other == root;
  };
  if (auto interface = dyn_cast<MemoryEffectOpInterface>(op)) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    interface.getEffects(effects);
    return llvm::any_of(effects, [&](const MemoryEffects::EffectInstance &effect) {
      return isa<MemoryEffects::Write, MemoryEffects::Free>(effect.getEffect()) &&
             (!effect.getValue() || isRoot(effect.getValue()));
    });
  }
  // What it contains uses the memory itself, and is asked itself.
  if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
    return false;
  // A kernel writes its last operand only.
  if (auto call = dyn_cast<func::CallOp>(op)) {
    if (library.contains(call.getCalleeAttr().getAttr()))
      return isRoot(op->getOperands().back());
  }
  return true;
}

/// Whether `matrix` still holds at `end` what it held at `call`, in one block.
bool isUnchanged(Value matrix, Operation *call, Block *block, Block::iterator end,
                 const KernelLibrary &library) {
  Value root = getRootBuffer(matrix);
  if (!root || call->getBlock() != block || end == block->end())
    return false;
  bool unchanged = true;
  forEachUserThroughViews(root, [&](Operation *user) {
    Operation *ancestor = block->findAncestorOpInBlock(*user);
    // Outside the block it runs before the call or after the end, except in a loop
    // around the block, which comes back to the call.
    if (!ancestor || !call->isBeforeInBlock(ancestor) ||
        !ancestor->isBeforeInBlock(&*end))
      return;
    unchanged &= !mayWrite(user, root, library);
  });
  return unchanged;
}

} // namespace

Value sparsam::packPanels(RewriterBase &rewriter, Location loc, Value matrix,
                          int64_t height, KernelLibrary &library) {
  auto type = cast<MemRefType>(matrix.getType());
  PanelShape shape{type.getDimSize(0), type.getDimSize(1), height, type.getElementType()};
  Block *block = rewriter.getInsertionBlock();
  KernelLibrary::Packed &known = library.packed[{matrix, height}];
  if (known.call &&
      isUnchanged(matrix, known.call, block, rewriter.getInsertionPoint(), library))
    return known.buffer;

  int64_t lanes = library.target.getLanes(shape.element);
  ImplicitLocOpBuilder b(loc, rewriter);
  Value buffer = memref::AllocOp::create(b, shape.getBufferType(), ValueRange(),
                                         b.getI64IntegerAttr(64));
  func::FuncOp pack =
      library.get("sparsam_pack_" + Twine(height), {type, shape.getBufferType()},
                  [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
                    buildPack(b, arguments[0], arguments[1], shape, lanes);
                  });
  auto call = func::CallOp::create(b, pack, ValueRange{matrix, buffer});
  known = {buffer, call};
  return buffer;
}

void sparsam::buildUnpack(ImplicitLocOpBuilder &b, Value scratch, Value features,
                          Value matrix, Value panel, Value column, int64_t lanes) {
  auto type = cast<MemRefType>(matrix.getType());
  int64_t height = cast<MemRefType>(scratch.getType()).getDimSize(1);
  auto vectorType = VectorType::get(lanes, type.getElementType());
  Value first = buildScaled(b, panel, height);
  auto unpackSquare = [&](ImplicitLocOpBuilder &b, Value feature, int64_t columns,
                          Value token, std::optional<int64_t> rows) {
    SmallVector<Value> vectors;
    for (int64_t i = 0; i < lanes; ++i)
      vectors.push_back(vector::LoadOp::create(
          b, vectorType, scratch, ValueRange{buildOffset(b, feature, i), token}));
    Value row = arith::AddIOp::create(b, first, token);
    Value to = arith::AddIOp::create(b, column, feature);
    buildStore(b, {matrix, row, to, columns, lanes, rows}, buildTranspose(b, vectors));
  };
  buildByPanel(b, panel, type.getDimSize(0), height,
               [&](ImplicitLocOpBuilder &b, std::optional<int64_t> rows) {
                 buildFor(b, height, lanes, [&](ImplicitLocOpBuilder &b, Value token) {
                   auto body = [&](ImplicitLocOpBuilder &b, Value feature,
                                   int64_t columns) {
                     unpackSquare(b, feature, columns, token, rows);
                   };
                   if (std::optional<int64_t> known = getConstantIntValue(features))
                     buildColumns(b, *known, lanes, body);
                   else
                     buildColumns(b, features, type.getDimSize(1) % lanes, lanes, body);
                 });
               });
}
