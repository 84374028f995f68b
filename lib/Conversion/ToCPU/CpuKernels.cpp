#include "sparsam/Conversion/ToCPU/CpuKernels.h"

using namespace mlir;
using namespace mlir::sparsam;

#include "sparsam/Conversion/ToCPU/CpuKernelInterface.cpp.inc"

CpuTarget CpuTarget::get(const Cpu &cpu, int64_t vectorBits, int64_t l1Bytes,
                         int64_t l2Bytes) {
  if (vectorBits == 0)
    vectorBits = cpu.vectorBits;
  // EVEX encodes 32 registers, VEX 16.
  return {vectorBits, vectorBits >= 512 ? 32 : 16, vectorBits >= 512 && cpu.halvesVectors,
          l1Bytes ? l1Bytes : cpu.l1Bytes, l2Bytes ? l2Bytes : cpu.l2Bytes};
}

func::FuncOp KernelLibrary::get(const Twine &name, TypeRange arguments, Body body,
                                unsigned written, StringRef variant) {
  MLIRContext *context = module.getContext();
  auto type = FunctionType::get(context, arguments, TypeRange());
  auto key = std::tuple(StringAttr::get(context, name), StringAttr::get(context, variant),
                        Type(type));
  auto [position, isNew] = functions.try_emplace(key);
  if (!isNew)
    return position->second;

  ImplicitLocOpBuilder b(module.getLoc(), context);
  auto function = func::FuncOp::create(b, std::get<0>(key), type);
  function.setPrivate();
  // Inlined, each product would compile its own copy.
  function.setNoInline(true);
  numWritten[symbols.insert(function)] = written;
  b.setInsertionPointToStart(function.addEntryBlock());
  body(b, function.getArguments());
  func::ReturnOp::create(b);
  position->second = function;
  return function;
}
