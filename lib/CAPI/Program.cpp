#include "sparsam-c/Program.h"
#include "sparsam/Bundle/ArgumentRole.h"
#include "sparsam/Runtime/Program.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"

using namespace mlir;
using namespace mlir::sparsam;

static Program &unwrap(SparsamProgram program) {
  return *static_cast<Program *>(program.ptr);
}

static const ProgramFunction &functionAt(SparsamProgram program, intptr_t function) {
  return unwrap(program).functions()[function];
}

/// The text of an attribute, or an empty one.
static MlirStringRef textOf(const ProgramArgument &argument, StringRef attribute) {
  const std::string *text = argument.text(attribute);
  return text ? wrap(StringRef(*text)) : wrap(StringRef());
}

void sparsamRegisterProgramDialects(MlirDialectRegistry registry) {
  registerProgramDialects(*unwrap(registry));
}

void sparsamRegisterProgramPasses() { registerProgramPasses(); }

SparsamProgram sparsamProgramCompile(MlirModule module, MlirStringRef pipeline,
                                     unsigned threads) {
  CompileOptions options;
  if (pipeline.length)
    options.pipeline = unwrap(pipeline).str();
  options.threads = threads;
  ModuleOp op = unwrap(module);
  auto program = Program::compile(op, options);
  if (program)
    return {program->release()};
  emitError(op.getLoc()) << llvm::toString(program.takeError());
  return {nullptr};
}

void sparsamProgramDestroy(SparsamProgram program) {
  delete static_cast<Program *>(program.ptr);
}

intptr_t sparsamProgramGetNumFunctions(SparsamProgram program) {
  return unwrap(program).functions().size();
}

MlirStringRef sparsamProgramGetFunctionName(SparsamProgram program, intptr_t function) {
  return wrap(StringRef(functionAt(program, function).name));
}

intptr_t sparsamProgramFindFunction(SparsamProgram program, MlirStringRef name) {
  const ProgramFunction *found = unwrap(program).find(unwrap(name));
  return found ? found - unwrap(program).functions().data() : -1;
}

intptr_t sparsamProgramGetNumArguments(SparsamProgram program, intptr_t function) {
  return functionAt(program, function).callerArguments();
}

SparsamArgument sparsamProgramGetArgument(SparsamProgram program, intptr_t function,
                                          intptr_t argument) {
  // The workspace, which callers do not pass, may be anywhere among them.
  auto passed = llvm::make_filter_range(
      functionAt(program, function).arguments, [](const ProgramArgument &any) {
        return any.role != ProgramArgument::Role::Workspace;
      });
  const ProgramArgument &found = *std::next(passed.begin(), argument);
  return {textOf(found, "sparsam.name"),
          textOf(found, "sparsam.param"),
          textOf(found, "sparsam.part"),
          roleInC(found),
          found.result,
          wrap(StringRef(found.elementType)),
          static_cast<intptr_t>(found.shape.size()),
          found.shape.data(),
          found.bytes};
}

MlirLogicalResult sparsamProgramCall(SparsamProgram program, intptr_t function,
                                     intptr_t numArrays, void *const *arrays,
                                     MlirStringCallback onError, void *userData) {
  llvm::Error error = unwrap(program).call(functionAt(program, function),
                                           ArrayRef<void *>(arrays, numArrays));
  if (!error)
    return mlirLogicalResultSuccess();
  std::string reason = llvm::toString(std::move(error));
  if (onError)
    onError(wrap(StringRef(reason)), userData);
  return mlirLogicalResultFailure();
}
