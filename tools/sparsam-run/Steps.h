#ifndef SPARSAM_TOOLS_STEPS_H
#define SPARSAM_TOOLS_STEPS_H

#include "Npz.h"
#include "sparsam/Bundle/FunctionTable.h"

namespace sparsam_run {

/// An argument and the name of its array in an .npz file: its sparsam.name, with its
/// part if it has one; without, `argN` for what a caller gives and `resultN` for what
/// only result N is written to.
struct NamedArgument {
  const mlir::sparsam::ProgramArgument *argument;
  size_t number; ///< among those that a caller gives
  std::string name;

  bool isRead() const {
    return argument->role != mlir::sparsam::ProgramArgument::Role::Result;
  }
  /// The other name under which an .npz file may have what is read.
  std::string position() const { return "arg" + std::to_string(number); }
};

/// All but the workspace, in order.
std::vector<NamedArgument> namedArguments(const mlir::sparsam::ProgramFunction &function);

/// The arrays of one function: what it takes and what it leaves.
class Bindings {
public:
  /// Takes the arrays that `function` reads out of `given`, which came from the file
  /// `path`, and makes those that it writes. One file may serve several functions of
  /// a program and hold what others leave; a name that none of them knows is an error.
  static Result<Bindings> create(const mlir::sparsam::FunctionTable &program,
                                 const mlir::sparsam::ProgramFunction &function,
                                 Arrays given, const std::string &path);

  const std::vector<void *> &pointers() const { return addresses; }

  /// Every result by its name: an array updated in place keeps the name under which
  /// it is read, so that results serve as arguments again; others are `resultK`
  /// unless they are named.
  std::map<std::string, const Array *> results() const {
    return {named.begin(), named.end()};
  }

  /// The results themselves, after which nothing can be called on these.
  Arrays takeResults();

private:
  std::vector<std::unique_ptr<Array>> arrays;
  std::vector<void *> addresses;
  std::map<std::string, Array *> named;
};

/// Seconds of each step, with a progress bar on standard error meanwhile if asked.
Result<std::vector<double>> runSteps(const mlir::sparsam::FunctionTable &program,
                                     const mlir::sparsam::ProgramFunction &function,
                                     const Bindings &bindings, int64_t steps,
                                     bool progress);

} // namespace sparsam_run

#endif // SPARSAM_TOOLS_STEPS_H
