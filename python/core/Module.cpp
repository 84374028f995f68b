#include "Module.h"
#include "sparsam/IR/Structure.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mlir::sparsam;
using namespace sparsam_python;

using Lock = std::lock_guard<std::mutex>;

Context::Context() {
  DialectRegistry registry;
  registerProgramDialects(registry);
  mlir.appendDialectRegistry(registry);
  // Frameworks leave marks of dialects that are not theirs to register, such as
  // util.func; sparsam-import deals with them by name.
  mlir.allowUnregisteredDialects();
  // A message names the argument or the place in the user's source; the operation as
  // text can be pages.
  mlir.printOpOnDiagnostic(false);
}

Module Module::parse(const std::string &text, const std::string &name) {
  registerProgramPasses();
  Module parsed(std::make_shared<Context>());
  MLIRContext *mlirContext = &parsed.context->mlir;
  DiagnosticCollector collector(mlirContext, parsed.messages);
  parsed.module = parseSourceString<ModuleOp>(text, ParserConfig(mlirContext), name);
  if (!parsed.module)
    throw CompileError(collector.errors());
  return parsed;
}

Module Module::clone() {
  Lock lock(context->mutex);
  Module copy(context);
  copy.module = module->clone();
  copy.messages = messages;
  copy.times = times;
  return copy;
}

void Module::run(const std::string &pipeline) {
  Lock lock(context->mutex);
  DiagnosticCollector collector(&context->mlir, messages);
  if (failed(runPipeline(*module, pipeline, &times)))
    throw CompileError(collector.errors());
}

std::string Module::text(bool locations, bool generic) {
  Lock lock(context->mutex);
  OpPrintingFlags flags;
  if (locations)
    flags.enableDebugInfo();
  if (generic)
    flags.printGenericOpForm();
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, flags);
  return text;
}

std::vector<FunctionSignature> Module::functions() {
  Lock lock(context->mutex);
  return describeFunctions(*module);
}

AttributeTable Module::attributes() {
  Lock lock(context->mutex);
  return describe((*module)->getAttrDictionary());
}

std::vector<std::pair<std::string, FlopCount>> Module::flops() {
  Lock lock(context->mutex);
  DiagnosticCollector collector(&context->mlir, messages);
  std::vector<std::pair<std::string, FlopCount>> counts;
  for (auto function : module->getOps<func::FuncOp>())
    if (!function.isExternal())
      counts.emplace_back(function.getName(), countFlops(function));
  return counts;
}

bool Module::atBoundary() {
  Lock lock(context->mutex);
  return isAtProgramBoundary(*module);
}

std::unique_ptr<Program> Module::compile(const CompileOptions &options) {
  Lock lock(context->mutex);
  DiagnosticCollector collector(&context->mlir, messages);
  auto program = Program::compile(*module, options);
  if (program)
    return std::move(*program);
  std::string why = llvm::toString(program.takeError());
  std::string errors = collector.errors();
  throw CompileError(errors.empty() ? why : why + ":\n" + errors);
}

/// For questions about structures alone.
static Context &sharedContext() {
  static Context shared;
  return shared;
}

void sparsam_python::loadPlugin(const std::string &path) {
  if (llvm::Error error = loadDialectPlugin(path))
    throw std::runtime_error(llvm::toString(std::move(error)));
  Context &shared = sharedContext();
  Lock lock(shared.mutex);
  DialectRegistry registry;
  registerProgramDialects(registry);
  shared.mlir.appendDialectRegistry(registry);
}

std::string
sparsam_python::checkPattern(const std::string &structure, llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<llvm::ArrayRef<int64_t>> indices) {
  Context &shared = sharedContext();
  Lock lock(shared.mutex);
  std::vector<Message> messages;
  DiagnosticCollector collector(&shared.mlir, messages);
  (void)verifyPattern(structure, shape, indices, UnknownLoc::get(&shared.mlir));
  return collector.errors();
}

namespace {

/// A structure on a parameter of a shape, for as long as the shared context is locked.
struct Question {
  Question(const std::string &text, llvm::ArrayRef<int64_t> shape)
      : lock(sharedContext().mutex), collector(&sharedContext().mlir, messages) {
    MLIRContext *mlirContext = &sharedContext().mlir;
    Location loc = UnknownLoc::get(mlirContext);
    auto parsed = parseStructure(text, loc);
    if (failed(parsed))
      throw std::invalid_argument(collector.errors());
    structure = *parsed;
    // The element type says nothing about a view.
    type = RankedTensorType::get(shape, Float32Type::get(mlirContext));
    auto found = getMatrixView(structure, type, [&] { return emitError(loc); });
    if (failed(found))
      throw std::invalid_argument(collector.errors());
    view = *found;
  }

  Lock lock;
  std::vector<Message> messages;
  DiagnosticCollector collector;
  StructureInterface structure;
  RankedTensorType type;
  MatrixView view;
};

} // namespace

std::string sparsam_python::pinnedStructure(const std::string &structure,
                                            llvm::ArrayRef<int64_t> shape) {
  Question asked(structure, shape);
  std::string text;
  llvm::raw_string_ostream stream(text);
  asked.structure.withView(asked.view.in, asked.view.stack).print(stream);
  return llvm::StringRef(text).split('.').second.str();
}

std::pair<StructureCost, int64_t>
sparsam_python::structureCost(const std::string &structure,
                              llvm::ArrayRef<int64_t> shape) {
  Question asked(structure, shape);
  auto fits = getParameterStorage(asked.structure, asked.type, [] {
    return emitError(UnknownLoc::get(&sharedContext().mlir));
  });
  if (failed(fits))
    throw std::invalid_argument(asked.collector.errors());
  FailureOr<StructureCost> cost = asked.structure.getCost(asked.view.matrix);
  if (failed(cost))
    throw std::invalid_argument("the cost of " + structure + " is not known");
  int64_t layers = 1;
  for (int64_t dim : asked.view.stack)
    layers *= asked.type.getDimSize(dim);
  return {*cost, layers};
}
