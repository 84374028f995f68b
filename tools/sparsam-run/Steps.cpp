#include "Steps.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

using Role = ProgramArgument::Role;

double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string wanted(const ProgramArgument &argument) {
  const ElementType *type = findElementType(argument.elementType);
  return (type ? type->numpy.str() : argument.elementType) + " of shape " +
         shapeText(argument.shape);
}

bool dtypeMatches(const Array &array, const ElementType &type) {
  if (array.itemBytes != type.bytes)
    return false;
  bool signless = type.kind == 'i' && !type.mlir.starts_with("s");
  bool bits = type.mlir == "bf16"; // ml_dtypes saves V2; the bits may come as u2
  return array.kind == type.kind || ((signless || bits) && array.kind == 'u');
}

llvm::Expected<std::unique_ptr<Array>> takeInput(const ProgramArgument &argument,
                                                 size_t number, Arrays &given,
                                                 const std::string &path) {
  std::string name = arrayName(argument, number);
  auto found = given.find(name);
  if (found == given.end())
    found = given.find("arg" + std::to_string(number));
  if (found == given.end())
    return llvm::createStringError(
        (path.empty() ? "no --args file with" : "'" + path + "' has no") + " array '" +
        name + "', which must be " + wanted(argument));
  Array array = std::move(found->second);
  given.erase(found);
  const ElementType *type = findElementType(argument.elementType);
  if (!type || !dtypeMatches(array, *type) || array.shape != argument.shape)
    return llvm::createStringError("'" + path + "': array '" + name + "' must be " +
                                   wanted(argument) + ", and is " + array.dtype() +
                                   " of shape " + shapeText(array.shape));
  return std::make_unique<Array>(std::move(array));
}

llvm::Expected<std::unique_ptr<Array>> makeOutput(const ProgramArgument &argument) {
  const ElementType *type = findElementType(argument.elementType);
  if (!type)
    return llvm::createStringError("result " + std::to_string(argument.result) +
                                   " has element type " + argument.elementType +
                                   ", which an .npz file cannot hold");
  auto array = std::make_unique<Array>(type->kind, type->bytes, argument.shape);
  if (!array->data())
    return llvm::createStringError("a result of %zu bytes does not fit into memory",
                                   argument.bytes);
  return array;
}

/// One line that is written over; it stays when all is done.
class ProgressBar {
public:
  ProgressBar(int64_t total, bool shown) : total(total), shown(shown), start(now()) {}

  void update(int64_t done) {
    // Often enough for the eye, and seldom enough to cost nothing.
    if (!shown || (done < total && now() - last < 0.1))
      return;
    last = now();
    constexpr int width = 40;
    int filled = done * width / total;
    double passed = last - start;
    llvm::errs() << "\r[" << std::string(filled, '#') << std::string(width - filled, '.')
                 << "] " << done << "/" << total << " steps, "
                 << llvm::format("%.1f s, %.1f s left ", passed,
                                 passed / done * (total - done));
    if (done == total)
      llvm::errs() << "\n";
  }

private:
  int64_t total;
  bool shown;
  double start, last = 0;
};

} // namespace

std::string sparsam_run::arrayName(const ProgramArgument &argument, size_t number) {
  const std::string *name = argument.text("sparsam.name");
  if (!name)
    return "arg" + std::to_string(number);
  const std::string *part = argument.text("sparsam.part");
  return part ? *name + "/" + *part : *name;
}

llvm::Expected<Bindings> Bindings::create(const ProgramFunction &function, Arrays given,
                                          const std::string &path) {
  Bindings bindings;
  size_t number = 0;
  for (const ProgramArgument &argument : function.arguments) {
    if (argument.role == Role::Workspace)
      continue;
    bool read = argument.role != Role::Result;
    auto array = read ? takeInput(argument, number, given, path) : makeOutput(argument);
    if (!array)
      return array.takeError();
    std::string name = arrayName(argument, number);
    if (!read && !argument.has("sparsam.name"))
      name = "result" + std::to_string(argument.result);
    number += read;
    if (argument.role != Role::Input &&
        !bindings.named.emplace(name, array->get()).second)
      return llvm::createStringError("two results of '" + function.name +
                                     "' are both named '" + name + "'");
    bindings.addresses.push_back((*array)->data());
    bindings.arrays.push_back(std::move(*array));
  }
  return bindings;
}

llvm::Expected<std::vector<double>> sparsam_run::runSteps(Program &program,
                                                          const ProgramFunction &function,
                                                          const Bindings &bindings,
                                                          int64_t steps, bool progress) {
  std::vector<double> seconds;
  ProgressBar bar(steps, progress);
  for (int64_t i = 0; i < steps; ++i) {
    double start = now();
    if (llvm::Error error = program.call(function, bindings.pointers()))
      return error;
    seconds.push_back(now() - start);
    bar.update(i + 1);
  }
  return seconds;
}
