#include "Module.h"
#include "sparsam/Analysis/CoupledGroups.h"
#include "sparsam/IR/Structure.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <list>

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

std::vector<Group> Module::groups() {
  Lock lock(context->mutex);
  std::vector<Group> found;
  for (auto function : module->getOps<func::FuncOp>()) {
    if (function.isExternal() || !function.getBody().hasOneBlock())
      continue;
    auto parameters = getCoupledParameters(function);
    CoupledGroups groups(function, parameters);
    for (const CoupledGroup &group : groups.get()) {
      Group entry{group.name, group.size, {}, ""};
      for (const CoupledGroup::Member &member : group.members)
        entry.members.push_back(member.text);
      if (group.obstacle)
        entry.obstacle = group.obstacle->reason;
      found.push_back(std::move(entry));
    }
  }
  return found;
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

void Module::writeBundle(const std::string &path,
                         const std::vector<std::pair<Module *, std::string>> &programs,
                         const std::map<std::string, std::string> &files) {
  std::list<Lock> locks;
  std::list<DiagnosticCollector> collectors;
  std::vector<LoweredProgram> lowered;
  for (const auto &[program, name] : programs) {
    locks.emplace_back(program->context->mutex);
    collectors.emplace_back(&program->context->mlir, program->messages);
    llvm::Expected<Cpu> cpu = Cpu::get(name);
    if (!cpu)
      throw std::invalid_argument(llvm::toString(cpu.takeError()));
    lowered.push_back({*program->module, std::move(*cpu)});
  }
  llvm::Error error = sparsam::writeBundle(path, lowered, files);
  if (!error)
    return;
  std::string text = llvm::toString(std::move(error));
  for (const DiagnosticCollector &collector : collectors)
    if (std::string errors = collector.errors(); !errors.empty())
      text += ":\n" + errors;
  throw CompileError(text);
}

void sparsam_python::checkCpu(const std::string &name) {
  if (llvm::Expected<Cpu> cpu = Cpu::get(name); !cpu)
    throw std::invalid_argument(llvm::toString(cpu.takeError()));
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
/// A structure that was given as text, while the shared context is locked.
struct ParsedStructure {
  explicit ParsedStructure(const std::string &text)
      : lock(sharedContext().mutex), collector(&sharedContext().mlir, messages),
        loc(UnknownLoc::get(&sharedContext().mlir)), structure(parse(text)) {}

  std::invalid_argument error() { return std::invalid_argument(collector.errors()); }

  /// The element type says nothing about a view.
  RankedTensorType getType(llvm::ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, Float32Type::get(loc.getContext()));
  }

  MatrixView getView(llvm::ArrayRef<int64_t> shape) {
    auto view = getMatrixView(structure, getType(shape), [&] { return emitError(loc); });
    if (failed(view))
      throw error();
    return *view;
  }

  Lock lock;
  std::vector<Message> messages;
  DiagnosticCollector collector;
  Location loc;
  StructureInterface structure;

private:
  StructureInterface parse(const std::string &text) {
    auto parsed = parseStructure(text, loc);
    if (failed(parsed))
      throw error();
    return *parsed;
  }
};

std::string getText(StructureInterface structure) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  structure.print(stream);
  return llvm::StringRef(text).split('.').second.str();
}
} // namespace

std::string sparsam_python::pinnedStructure(const std::string &structure,
                                            llvm::ArrayRef<int64_t> shape) {
  ParsedStructure parsed(structure);
  MatrixView view = parsed.getView(shape);
  return getText(parsed.structure.withView(view.in, view.stack));
}

std::optional<PatternInfo>
sparsam_python::describePattern(const std::string &structure,
                                llvm::ArrayRef<int64_t> shape) {
  ParsedStructure parsed(structure);
  if (parsed.structure.getKind() != StructureKind::Pattern)
    return std::nullopt;
  MatrixView view = parsed.getView(shape);
  auto storage =
      parsed.structure.getStorage(view.matrix, [&] { return emitError(parsed.loc); });
  if (failed(storage))
    throw parsed.error();
  int64_t entries = 1;
  for (int64_t dim : view.stack)
    entries *= shape[dim];
  for (const StorageTensor &tensor : *storage)
    if (tensor.isTrainable())
      entries *= tensor.type.getNumElements();
  return PatternInfo{view.stack, view.in, view.out, parsed.structure.getUnit(), entries};
}

std::optional<std::string> sparsam_python::withDensity(const std::string &structure,
                                                       double density) {
  ParsedStructure parsed(structure);
  auto changed = parsed.structure.withDensity(density);
  if (failed(changed))
    return std::nullopt;
  return getText(*changed);
}

StructureCost sparsam_python::structureCost(const std::string &structure,
                                            llvm::ArrayRef<int64_t> shape) {
  ParsedStructure parsed(structure);
  auto cost = getParameterCost(parsed.structure, parsed.getType(shape),
                               [&] { return emitError(parsed.loc); });
  if (failed(cost))
    throw parsed.error();
  return *cost;
}

std::pair<std::vector<std::string>, std::vector<int64_t>>
sparsam_python::slicedAxes(const std::string &structure, llvm::ArrayRef<int64_t> shape) {
  ParsedStructure parsed(structure);
  auto kept = getKeptShape(parsed.structure, parsed.getType(shape),
                           [&] { return emitError(parsed.loc); });
  if (failed(kept))
    throw parsed.error();
  std::vector<std::string> groups;
  for (const SlicedAxis &axis : parsed.structure.getSlicedAxes())
    groups.push_back(axis.group.str());
  return {groups, std::vector<int64_t>(kept->begin(), kept->end())};
}
