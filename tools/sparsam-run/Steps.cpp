#include "Steps.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>

using namespace mlir::sparsam;
using namespace sparsam_run;

namespace {

using Role = ProgramArgument::Role;

double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool dtypeMatches(const Array &array, const ElementType &type) {
  if (array.itemBytes != type.bytes)
    return false;
  bool bits = type.mlir == "bf16"; // ml_dtypes saves V2; the bits may come as u2
  return array.kind == type.kind || ((type.isSignless() || bits) && array.kind == 'u');
}

Result<std::unique_ptr<Array>> takeInput(const NamedArgument &named, Arrays &given,
                                         const std::string &path) {
  const ProgramArgument &argument = *named.argument;
  const std::string &name = named.name;
  auto found = given.find(name);
  if (found == given.end())
    found = given.find(named.position());
  if (found == given.end())
    return Failure{(path.empty() ? "no --args file with" : "'" + path + "' has no") +
                   " array '" + name +
                   (name == named.position() ? "'" : "' or '" + named.position() + "'") +
                   ", which must be " + arrayText(argument)};
  Array array = std::move(found->second);
  given.erase(found);
  const ElementType *type = findElementType(argument.elementType);
  if (!type || !dtypeMatches(array, *type) || array.shape != argument.shape)
    return Failure{"'" + path + "': array '" + name + "' must be " + arrayText(argument) +
                   ", and is " + array.dtype() + " of shape " + shapeText(array.shape)};
  return std::make_unique<Array>(std::move(array));
}

std::string quoted(const std::vector<std::string> &names) {
  constexpr size_t most = 20;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), most); ++i)
    text += (i ? ", '" : "'") + names[i] + "'";
  if (names.size() > most)
    text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

Outcome checkNames(const FunctionTable &program, const ProgramFunction &function,
                   const Arrays &given, const std::string &path) {
  std::set<std::string> known;
  for (const ProgramFunction &any : program.functions())
    for (const NamedArgument &argument : namedArguments(any))
      known.insert(argument.name);
  std::vector<std::string> unknown, taken;
  for (const NamedArgument &argument : namedArguments(function))
    if (argument.isRead()) {
      taken.push_back(argument.name);
      if (!given.count(argument.name))
        known.insert(argument.position());
    }
  for (const auto &entry : given)
    if (!known.count(entry.first))
      unknown.push_back(entry.first);
  if (unknown.empty())
    return {};
  return Failure{"'" + path +
                 "' has arrays that no function here knows: " + quoted(unknown) + "; '" +
                 function.name + "' takes " + (taken.empty() ? "none" : quoted(taken))};
}

Result<std::unique_ptr<Array>> makeOutput(const ProgramArgument &argument) {
  const ElementType *type = findElementType(argument.elementType);
  if (!type)
    return Failure{"result " + std::to_string(argument.result) + " has element type " +
                   argument.elementType + ", which an .npz file cannot hold"};
  char kind = argument.isUnsigned() ? 'u' : type->kind;
  auto array = std::make_unique<Array>(kind, type->bytes, argument.shape);
  if (!array->data())
    return Failure{"a result of " + std::to_string(argument.bytes) +
                   " bytes does not fit into memory"};
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
    std::string bar = std::string(filled, '#') + std::string(width - filled, '.');
    std::fprintf(stderr, "\r[%s] %lld/%lld steps, %.1f s, %.1f s left %s", bar.c_str(),
                 static_cast<long long>(done), static_cast<long long>(total), passed,
                 passed / done * (total - done), done == total ? "\n" : "");
  }

private:
  int64_t total;
  bool shown;
  double start, last = 0;
};

} // namespace

std::vector<NamedArgument> sparsam_run::namedArguments(const ProgramFunction &function) {
  std::vector<NamedArgument> named;
  size_t number = 0;
  for (const ProgramArgument &argument : function.arguments) {
    if (argument.role == Role::Workspace)
      continue;
    NamedArgument next{&argument, number, ""};
    const std::string *part = argument.text("sparsam.part");
    if (const std::string *name = argument.text("sparsam.name"))
      next.name = part ? *name + "/" + *part : *name;
    else
      next.name =
          next.isRead() ? next.position() : "result" + std::to_string(argument.result);
    number += next.isRead();
    named.push_back(next);
  }
  return named;
}

Result<Bindings> Bindings::create(const FunctionTable &program,
                                  const ProgramFunction &function, Arrays given,
                                  const std::string &path) {
  if (Outcome known = checkNames(program, function, given, path); known.failed())
    return Failure{known.reason()};
  Bindings bindings;
  for (const NamedArgument &argument : namedArguments(function)) {
    auto array = argument.isRead() ? takeInput(argument, given, path)
                                   : makeOutput(*argument.argument);
    if (array.failed())
      return array.failure();
    if (argument.argument->role != Role::Input &&
        !bindings.named.emplace(argument.name, array->get()).second)
      return Failure{"two results of '" + function.name + "' are both named '" +
                     argument.name + "'"};
    bindings.addresses.push_back((*array)->data());
    bindings.arrays.push_back(std::move(*array));
  }
  return bindings;
}

Arrays Bindings::takeResults() {
  Arrays results;
  for (const auto &[name, array] : named)
    results.emplace(name, std::move(*array));
  return results;
}

Result<std::vector<double>> sparsam_run::runSteps(const FunctionTable &program,
                                                  const ProgramFunction &function,
                                                  const Bindings &bindings, int64_t steps,
                                                  bool progress) {
  std::vector<double> seconds;
  ProgressBar bar(steps, progress);
  for (int64_t i = 0; i < steps; ++i) {
    double start = now();
    const std::vector<void *> &pointers = bindings.pointers();
    Outcome called = program.call(function, pointers.data(), pointers.size());
    if (called.failed())
      return Failure{called.reason()};
    seconds.push_back(now() - start);
    bar.update(i + 1);
  }
  return seconds;
}
