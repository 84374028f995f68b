#include "sparsam/Conversion/ToCPU/Panels.h"

using namespace mlir;
using namespace mlir::sparsam;

Value sparsam::buildIndex(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value sparsam::buildOffset(ImplicitLocOpBuilder &b, Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return arith::AddIOp::create(b, base, buildIndex(b, offset));
}

Value sparsam::buildScaled(ImplicitLocOpBuilder &b, Value factor, int64_t scale) {
  if (scale == 1)
    return factor;
  return arith::MulIOp::create(b, factor, buildIndex(b, scale));
}

SmallVector<Value> sparsam::buildFor(
    ImplicitLocOpBuilder &b, Value first, Value end, int64_t step, ValueRange carried,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      b, first, end, buildIndex(b, step), carried,
      [&](OpBuilder &builder, Location loc, Value i, ValueRange values) {
        ImplicitLocOpBuilder inner(loc, builder);
        scf::YieldOp::create(inner, body(inner, i, values));
      });
  return llvm::to_vector_of<Value>(loop.getResults());
}

void sparsam::buildFor(ImplicitLocOpBuilder &b, Value first, Value end, int64_t step,
                       function_ref<void(ImplicitLocOpBuilder &, Value)> body) {
  buildFor(b, first, end, step, {}, [&](ImplicitLocOpBuilder &b, Value i, ValueRange) {
    body(b, i);
    return SmallVector<Value>();
  });
}

void sparsam::buildFor(ImplicitLocOpBuilder &b, int64_t end, int64_t step,
                       function_ref<void(ImplicitLocOpBuilder &, Value)> body) {
  buildFor(b, buildIndex(b, 0), buildIndex(b, end), step, body);
}

void sparsam::buildParallel(ImplicitLocOpBuilder &b, int64_t end,
                            function_ref<void(ImplicitLocOpBuilder &, Value)> body) {
  scf::ParallelOp::create(b, ValueRange{buildIndex(b, 0)}, ValueRange{buildIndex(b, end)},
                          ValueRange{buildIndex(b, 1)},
                          [&](OpBuilder &builder, Location loc, ValueRange i) {
                            ImplicitLocOpBuilder inner(loc, builder);
                            body(inner, i.front());
                          });
}

void sparsam::buildIf(ImplicitLocOpBuilder &b, Value condition,
                      function_ref<void(ImplicitLocOpBuilder &)> body,
                      function_ref<void(ImplicitLocOpBuilder &)> otherwise) {
  auto branch = [](function_ref<void(ImplicitLocOpBuilder &)> body) {
    return [body](OpBuilder &builder, Location loc) {
      ImplicitLocOpBuilder inner(loc, builder);
      body(inner);
      scf::YieldOp::create(inner);
    };
  };
  if (otherwise)
    scf::IfOp::create(b, condition, branch(body), branch(otherwise));
  else
    scf::IfOp::create(b, condition, branch(body));
}

void sparsam::prefetch(ImplicitLocOpBuilder &b, Value memref, ValueRange at,
                       bool isWrite) {
  memref::PrefetchOp::create(b, memref, at, isWrite, /*localityHint=*/3,
                             /*isDataCache=*/true);
}
