#include "sparsam/Runtime/Program.h"
#include "HostCompiler.h"
#include "Prepare.h"
#include "sparsam/Runtime/Runtime.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"

#include <chrono>
#include <cstdlib>
#include <mutex>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

constexpr size_t workspaceAlignment = 64;

struct FreeDeleter {
  void operator()(void *memory) const { std::free(memory); }
};

/// Appends the seconds from its making to its end.
class Phase {
public:
  Phase(PhaseTimes &times, StringRef name)
      : times(times), name(name), start(std::chrono::steady_clock::now()) {}
  ~Phase() {
    std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    times.emplace_back(name.str(), passed.count());
  }

private:
  PhaseTimes &times;
  StringRef name;
  std::chrono::steady_clock::time_point start;
};

/// Why `function` is not at the boundary with the JIT; success if it is.
llvm::Error checkBoundary(func::FuncOp function) {
  auto refuse = [&](const llvm::Twine &reason) {
    return llvm::createStringError("function '" + function.getName() + "' " + reason +
                                   "; run sparsam-cpu-pipeline first");
  };
  if (function.getNumResults())
    return refuse("returns a value instead of writing it to an argument");
  if (!function->hasAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName()))
    return refuse("has no '" + LLVM::LLVMDialect::getEmitCWrapperAttrName() + "'");
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref || !memref.hasStaticShape() || !memref.getLayout().isIdentity())
      return refuse("has argument " + llvm::Twine(i) +
                    " that is not a memref of static shape and identity layout");
    if (!memref.getElementType().isIntOrIndexOrFloat())
      return refuse("has argument " + llvm::Twine(i) + " of an element type that is " +
                    "neither an integer nor a float");
  }
  return llvm::Error::success();
}

llvm::SmallVector<func::FuncOp> publicFunctions(ModuleOp module) {
  return llvm::to_vector(
      llvm::make_filter_range(module.getOps<func::FuncOp>(), [](func::FuncOp function) {
        return function.isPublic() && !function.isExternal();
      }));
}

ProgramArgument describeArgument(const ValueSignature &value, MemRefType type) {
  ProgramArgument argument;
  static_cast<ValueSignature &>(argument) = value;
  // i1 is stored as a byte, and an index as 64 bits, as everywhere in MLIR.
  unsigned bits = type.getElementType().isIndex()
                      ? 64
                      : type.getElementType().getIntOrFloatBitWidth();
  argument.bytes = type.getNumElements() * llvm::divideCeil(bits, 8);
  if (argument.has("sparsam.workspace")) {
    argument.role = ProgramArgument::Role::Workspace;
  } else if (const int64_t *result = argument.integer("sparsam.result")) {
    argument.role = ProgramArgument::Role::Result;
    argument.result = *result;
  } else if (const int64_t *result = argument.integer("sparsam.updates")) {
    argument.role = ProgramArgument::Role::Updated;
    argument.result = *result;
  }
  return argument;
}

llvm::Expected<ProgramFunction> describeFunction(func::FuncOp function) {
  if (llvm::Error error = checkBoundary(function))
    return error;
  FunctionSignature signature = describe(function);
  ProgramFunction described;
  described.name = signature.name;
  for (auto [i, value] : llvm::enumerate(signature.arguments)) {
    described.arguments.push_back(
        describeArgument(value, cast<MemRefType>(function.getArgumentTypes()[i])));
    if (described.arguments.back().role == ProgramArgument::Role::Workspace)
      described.workspaceBytes += described.arguments.back().bytes;
  }
  if (llvm::count_if(described.arguments, [](const ProgramArgument &argument) {
        return argument.role == ProgramArgument::Role::Workspace;
      }) > 1)
    return llvm::createStringError("function '%s' has more than one workspace",
                                   described.name.c_str());
  return described;
}

/// The parameters of private functions that are marked `llvm.noalias`, as the
/// positions of their pointers in the lowered function. The lowering of functions
/// drops the mark from memrefs, which become several parameters.
llvm::StringMap<llvm::SmallVector<unsigned>> distinctPointers(ModuleOp module) {
  llvm::StringMap<llvm::SmallVector<unsigned>> positions;
  for (auto function : module.getOps<func::FuncOp>()) {
    unsigned position = 0;
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
      auto memref = dyn_cast<MemRefType>(type);
      // A descriptor: the pointer that was allocated, the one to use, the offset,
      // extents and strides.
      if (memref && function.getArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName()))
        positions[function.getName()].push_back(position + 1);
      position += memref ? 3 + 2 * memref.getRank() : 1;
    }
  }
  return positions;
}

void markDistinct(llvm::Module &module,
                  const llvm::StringMap<llvm::SmallVector<unsigned>> &positions) {
  for (const auto &entry : positions)
    if (llvm::Function *function = module.getFunction(entry.getKey()))
      for (unsigned position : entry.getValue())
        if (position < function->arg_size() &&
            function->getArg(position)->getType()->isPointerTy())
          function->getArg(position)->addAttr(llvm::Attribute::NoAlias);
}

/// A function that takes one array of descriptor pointers, since C++ cannot call a
/// function of a number of arguments that is known at run time only.
void addEntry(llvm::Module &module, StringRef name) {
  llvm::Function *callee = module.getFunction(("_mlir_ciface_" + name).str());
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false);
  auto *entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                       entryPrefix + name, module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", entry));
  llvm::SmallVector<llvm::Value *> arguments;
  for (unsigned i = 0; i < callee->arg_size(); ++i) {
    llvm::Value *slot = builder.CreateConstGEP1_64(pointer, entry->getArg(0), i);
    arguments.push_back(builder.CreateLoad(pointer, slot));
  }
  builder.CreateCall(callee, arguments);
  builder.CreateRetVoid();
  // Each step of the way down passes every word of every descriptor: a thousand
  // arguments, which take seconds to compile as a call and vanish without.
  callee->addFnAttr(llvm::Attribute::AlwaysInline);
  module.getFunction(name)->addFnAttr(llvm::Attribute::AlwaysInline);
}

/// A written array that overlaps any other array would be read half new, half old.
llvm::Error checkOverlap(const ProgramFunction &function, ArrayRef<void *> arrays) {
  struct Range {
    uintptr_t begin, end;
    bool written;
    size_t index;
  };
  llvm::SmallVector<Range> ranges;
  size_t next = 0;
  for (auto [i, argument] : llvm::enumerate(function.arguments)) {
    if (argument.role == ProgramArgument::Role::Workspace)
      continue;
    auto begin = reinterpret_cast<uintptr_t>(arrays[next++]);
    if (argument.bytes)
      ranges.push_back({begin, begin + argument.bytes,
                        argument.role != ProgramArgument::Role::Input, i});
  }
  llvm::sort(ranges, [](const Range &a, const Range &b) { return a.begin < b.begin; });
  // The written range, and the range of any kind, that reach furthest so far.
  const Range *written = nullptr, *any = nullptr;
  for (const Range &range : ranges) {
    const Range *other = range.written ? any : written;
    if (other && other->end > range.begin)
      return llvm::createStringError(
          "function '" + function.name + "' writes to memory that " +
          argumentLabel(function.arguments[other->index], other->index) + " and " +
          argumentLabel(function.arguments[range.index], range.index) + " share");
    if (range.written && (!written || range.end > written->end))
      written = &range;
    if (!any || range.end > any->end)
      any = &range;
  }
  return llvm::Error::success();
}

} // namespace

struct Program::Implementation {
  std::vector<ProgramFunction> functions;
  std::vector<void (*)(void **)> entries;
  PhaseTimes times;
  std::unique_ptr<LoadedCode> code;

  /// Of the largest function; one call at a time uses it.
  std::mutex mutex;
  std::unique_ptr<void, FreeDeleter> workspace;

  llvm::Error compile(ModuleOp module, const CompileOptions &options);
  llvm::Error link();
};

llvm::Error Program::Implementation::compile(ModuleOp module,
                                             const CompileOptions &options) {
  for (func::FuncOp function : publicFunctions(module)) {
    llvm::Expected<ProgramFunction> described = describeFunction(function);
    if (!described)
      return described.takeError();
    functions.push_back(std::move(*described));
  }
  if (functions.empty())
    return llvm::createStringError("the module has no public function to compile");

  OwningOpRef<ModuleOp> lowered(module.clone());
  {
    Phase phase(times, "lower");
    if (failed(runPipeline(*lowered, options.pipeline)))
      return llvm::createStringError("lowering to the LLVM dialect failed");
  }
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule;
  {
    Phase phase(times, "translate");
    llvmModule = translateModuleToLLVMIR(*lowered, *context, "sparsam",
                                         /*disableVerification=*/true);
  }
  if (!llvmModule)
    return llvm::createStringError("translation to LLVM IR failed");
  for (const ProgramFunction &function : functions) {
    if (!llvmModule->getFunction("_mlir_ciface_" + function.name))
      return llvm::createStringError(
          "lowering left function '%s' without its C interface", function.name.c_str());
    addEntry(*llvmModule, function.name);
    if (options.profile)
      addProfiling(*llvmModule->getFunction(function.name));
  }
  markDistinct(*llvmModule, distinctPointers(module));
  auto objects = compileForHost(std::move(llvmModule), options.threads, times);
  if (!objects)
    return objects.takeError();
  Phase phase(times, "load");
  auto loaded = LoadedCode::load(std::move(*objects));
  if (!loaded)
    return loaded.takeError();
  code = std::move(*loaded);
  return link();
}

llvm::Error Program::Implementation::link() {
  size_t largest = 0;
  for (const ProgramFunction &function : functions) {
    auto address = code->lookup((entryPrefix + function.name).str());
    if (!address)
      return address.takeError();
    entries.push_back(address->toPtr<void (*)(void **)>());
    largest = std::max(largest, function.workspaceBytes);
  }
  if (!largest)
    return llvm::Error::success();
  workspace.reset(
      std::aligned_alloc(workspaceAlignment, llvm::alignTo(largest, workspaceAlignment)));
  if (!workspace)
    return llvm::createStringError("cannot allocate a workspace of %zu bytes", largest);
  return llvm::Error::success();
}

Program::Program() : implementation(std::make_unique<Implementation>()) {}
Program::~Program() = default;

llvm::Expected<std::unique_ptr<Program>> Program::compile(ModuleOp module,
                                                          const CompileOptions &options) {
  std::unique_ptr<Program> program(new Program);
  if (llvm::Error error = program->implementation->compile(module, options))
    return error;
  return program;
}

const std::vector<ProgramFunction> &Program::functions() const {
  return implementation->functions;
}

const ProgramFunction *Program::find(StringRef name) const {
  for (const ProgramFunction &function : implementation->functions)
    if (function.name == name)
      return &function;
  return nullptr;
}

const PhaseTimes &Program::times() const { return implementation->times; }

size_t ProgramFunction::callerArguments() const {
  return llvm::count_if(arguments, [](const ProgramArgument &argument) {
    return argument.role != ProgramArgument::Role::Workspace;
  });
}

llvm::Error Program::call(const ProgramFunction &function, ArrayRef<void *> arrays) {
  if (arrays.size() != function.callerArguments())
    return llvm::createStringError("function '%s' takes %zu arrays, and got %zu",
                                   function.name.c_str(), function.callerArguments(),
                                   arrays.size());
  if (llvm::Error error = checkOverlap(function, arrays))
    return error;

  // Memref descriptors: two pointers, the offset, extents and strides.
  llvm::SmallVector<int64_t, 0> words;
  llvm::SmallVector<size_t> starts;
  llvm::SmallVector<void *> pointers;
  std::lock_guard<std::mutex> lock(implementation->mutex);
  size_t next = 0;
  for (const ProgramArgument &argument : function.arguments) {
    void *data = argument.role == ProgramArgument::Role::Workspace
                     ? implementation->workspace.get()
                     : arrays[next++];
    starts.push_back(words.size());
    words.append({reinterpret_cast<int64_t>(data), reinterpret_cast<int64_t>(data), 0});
    words.append(argument.shape.begin(), argument.shape.end());
    int64_t stride = 1;
    size_t rank = argument.shape.size();
    words.append(rank, 0);
    for (size_t i = rank; i-- > 0; stride *= argument.shape[i])
      words[words.size() - rank + i] = stride;
  }
  for (size_t start : starts)
    pointers.push_back(words.data() + start);

  size_t index = &function - implementation->functions.data();
  sparsam_call_begin();
  implementation->entries[index](pointers.data());
  if (const char *error = sparsam_call_end())
    return llvm::createStringError(llvm::Twine("function '") + function.name +
                                   "' failed: " + error);
  return llvm::Error::success();
}

std::vector<ProfileEntry> sparsam::takeProfile() {
  std::vector<ProfileEntry> entries;
  sparsam_profile_take(
      [](const char *name, int64_t calls, double seconds, void *context) {
        static_cast<std::vector<ProfileEntry> *>(context)->push_back(
            {name, calls, seconds});
      },
      &entries);
  llvm::sort(entries, [](const ProfileEntry &a, const ProfileEntry &b) {
    return std::tie(b.seconds, a.name) < std::tie(a.seconds, b.name);
  });
  return entries;
}

bool sparsam::isAtProgramBoundary(ModuleOp module) {
  // Without any there are those of a dialect that is not loaded, as importers leave them.
  auto functions = publicFunctions(module);
  return !functions.empty() && llvm::all_of(functions, [](func::FuncOp function) {
    llvm::Error error = checkBoundary(function);
    bool fine = !error;
    llvm::consumeError(std::move(error));
    return fine;
  });
}
