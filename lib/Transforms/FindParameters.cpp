#include "FindParameters.h"

#include "sparsam/Analysis/GradientParts.h"
#include "sparsam/Analysis/GradientSearch.h"
#include "sparsam/IR/SparsamOps.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_FINDPARAMETERSPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

using Parameter = StepBoundary::Parameter;

/// One function: its gradients, then its state.
class Step {
public:
  Step(StepBoundary boundary, llvm::StringMap<Value> marked)
      : step(std::move(boundary)), marked(std::move(marked)), function(step.function) {}

  LogicalResult run() {
    if (failed(checkMarks()))
      return failure();
    noteExistingGradients();
    findGradients();
    if (failed(checkGradients()))
      return failure();
    findState();
    remarkOnDecay();
    remarkOnNorms();
    return success();
  }

  unsigned getNumGradients() const { return gradients.size(); }
  unsigned getNumStates() const { return numStates; }

private:
  LogicalResult checkMarks() {
    for (auto &entry : marked) {
      StringRef path = entry.getKey();
      auto *parameter = llvm::find_if(step.parameters,
                                      [&](const Parameter &p) { return p.path == path; });
      if (parameter == step.parameters.end())
        return function.emitError("a result marks the gradient of '")
               << path << "', but no argument has " << boundary::param << " = \"" << path
               << "\"";
      if (!parameter->result)
        return function.emitError()
               << step.describe(*parameter) << ": its gradient is marked, but it has no "
               << boundary::updates;
      if (entry.getValue().getType() != parameter->type)
        return function.emitError()
               << step.describe(*parameter)
               << ": its gradient is marked on a value of type "
               << entry.getValue().getType() << ", not " << parameter->type;
    }
    return success();
  }

  /// Gradients that are in the IR, by hand or from an earlier run.
  void noteExistingGradients() {
    function.walk([&](GradientOp op) { gradients[op.getParam()] = op.getResult(); });
  }

  /// Looks for all gradients before it changes the IR, which the analysis is of.
  void findGradients() {
    llvm::DenseSet<Value> states, inputs;
    classifyArguments(states, inputs);
    Dependence dependence;
    SmallVector<std::pair<const Parameter *, GradientLocation>> found;
    for (const Parameter &parameter : step.parameters) {
      if (!parameter.result || gradients.contains(parameter.path))
        continue;
      if (Attribute known =
              function.getArgAttr(parameter.argument, boundary::noGradient)) {
        auto reason = dyn_cast<StringAttr>(known);
        giveUp(parameter, reason ? reason.getValue() : "the input says so");
        continue;
      }
      if (!isStructuredElement(parameter.type.getElementType())) {
        giveUp(parameter, "gradients of this element type are not supported");
        continue;
      }
      auto mark = marked.find(parameter.path);
      if (mark != marked.end()) {
        GradientLocation location;
        location.addends.push_back(mark->second);
        found.emplace_back(&parameter, std::move(location));
        continue;
      }
      GradientLocation location = findGradient(
          step.newValue(*parameter.result), parameter.type, states, inputs, dependence);
      if (location)
        found.emplace_back(&parameter, std::move(location));
      else
        giveUp(parameter,
               location.reason + (location.ambiguous
                                      ? "; mark the gradients with sparsam.gradient"
                                      : ""));
    }
    SmallVector<Value> addends;
    for (auto &[parameter, location] : found)
      llvm::append_range(addends, location.addends);
    GradientParts parts(addends);
    llvm::erase_if(found, [&](auto &gradient) {
      auto &[parameter, location] = gradient;
      return !checkParts(*parameter, location.addends, parts);
    });
    SmallVector<unsigned> others = getOtherResults();
    for (auto &[parameter, location] : found)
      remarkOnParts(*parameter, location.addends, others, parts);
    for (auto &[parameter, location] : found)
      gradients[parameter->path] = insertGradient(*parameter, location);
  }

  static constexpr StringLiteral spreadParts =
      "its parts are scaled by what is computed of all their entries (a norm, say) "
      "before they are summed; do that to the sum";

  /// Whether the gradient is a sum of what the backward passes in the step make. Patterns
  /// allow for work on single entries, as stored ones see the same.
  bool checkParts(const Parameter &parameter, ArrayRef<Value> addends,
                  GradientParts &parts) {
    for (Value addend : addends) {
      // What is marked may be the way that a loop moved the parameter.
      for (Value source : ElementwiseSlice::of(addend).sources)
        if (Operation *around =
                getUpdateAround(source, step.argument(parameter.argument))) {
          giveUp(parameter, "it is updated inside '" + around->getName().getStringRef() +
                                "'; compile one update as the step");
          return false;
        }
      switch (parts.classify(addend)) {
      case PartsWork::Linear:
        break;
      case PartsWork::Elementwise:
        setNotElementwise(parameter, addend.getLoc(),
                          "whose parts are worked on (by a sign, a clip) before they are "
                          "summed");
        break;
      case PartsWork::Spread:
        giveUp(parameter, spreadParts);
        return false;
      }
    }
    llvm::DenseSet<Value> stops(addends.begin(), addends.end());
    auto optimizer = ElementwiseSlice::of(step.newValue(*parameter.result), stops);
    if (llvm::any_of(addends, [&](Value addend) {
          return parts.isAnyMadeOfParts(optimizer.broadcasts.getArrayRef(), addend);
        })) {
      giveUp(parameter, spreadParts);
      return false;
    }
    return true;
  }

  /// The results that are no new values of arguments.
  SmallVector<unsigned> getOtherResults() {
    llvm::SmallDenseSet<unsigned> updates;
    for (const Parameter &any : step.parameters)
      if (any.result)
        updates.insert(*any.result);
    for (auto [argument, result] : step.carried)
      updates.insert(result);
    SmallVector<unsigned> others;
    for (unsigned i = 0, e = function.getNumResults(); i != e; ++i)
      if (!updates.contains(i))
        others.push_back(i);
    return others;
  }

  /// Such results, as the norms of each microbatch, stay those of dense parts.
  void remarkOnParts(const Parameter &parameter, ArrayRef<Value> addends,
                     ArrayRef<unsigned> results, GradientParts &parts) {
    for (unsigned i : results) {
      Value result = step.newValue(i);
      if (llvm::none_of(addends, [&](Value addend) {
            return parts.isAnyMadeOfParts(result, addend);
          }))
        continue;
      auto name = function.getResultAttrOfType<StringAttr>(i, boundary::name);
      emitRemark(result.getLoc())
          << step.describe(parameter) << ": result "
          << (name ? "'" + name.getValue() + "'" : Twine(i)).str()
          << " is computed from parts of its gradient before they are summed, all of "
             "whose entries count, whether a structure stores them or not";
    }
  }

  void classifyArguments(llvm::DenseSet<Value> &states, llvm::DenseSet<Value> &inputs) {
    llvm::DenseSet<Value> known;
    for (const Parameter &parameter : step.parameters)
      known.insert(step.argument(parameter.argument));
    for (auto [argument, result] : step.carried) {
      Value value = step.argument(argument);
      known.insert(value);
      // A step count or a random key says nothing about whose work it enters.
      if (isa<FloatType>(getElementTypeOrSelf(value.getType())))
        states.insert(value);
    }
    for (Value argument : function.getArguments())
      if (!known.contains(argument))
        inputs.insert(argument);
  }

  void giveUp(const Parameter &parameter, const Twine &reason) {
    function.setArgAttr(parameter.argument, boundary::noGradient,
                        StringAttr::get(function.getContext(), reason));
    emitRemark(step.argument(parameter.argument).getLoc())
        << step.describe(parameter) << " has no gradient: " << reason;
  }

  Value insertGradient(const Parameter &parameter, const GradientLocation &location) {
    OpBuilder builder(function.getContext());
    if (location.addends.size() == 1) {
      Value value = location.addends.front();
      builder.setInsertionPointAfterValue(value);
      auto gradient = GradientOp::create(builder, value.getLoc(), value, parameter.path,
                                         marked.contains(parameter.path));
      replaceReaders(value, gradient, parameter);
      return gradient;
    }
    Value root = location.root;
    builder.setInsertionPoint(root.getDefiningOp());
    Location loc = root.getLoc();
    Value sum = addAll(builder, loc, location.addends);
    Value gradient = GradientOp::create(builder, loc, sum, parameter.path);
    SmallVector<Value> all(location.others);
    all.push_back(gradient);
    root.replaceAllUsesWith(addAll(builder, loc, all));
    return gradient;
  }

  /// The readers of a gradient take it marked. One value may be the gradient of two
  /// parameters that were added; then each has the readers on the way to its own update.
  void replaceReaders(Value value, GradientOp gradient, const Parameter &parameter) {
    bool shared = llvm::any_of(value.getUsers(), [&](Operation *user) {
      return user != gradient && isa<GradientOp>(user);
    });
    if (!shared) {
      value.replaceAllUsesExcept(gradient, gradient);
      return;
    }
    for (Operation *user : llvm::to_vector(value.getUsers())) {
      auto other = dyn_cast<GradientOp>(user);
      if (!other || other == gradient)
        continue;
      separateReaders(step, gradient, other);
      function.emitRemark() << step.describe(parameter) << " has the same gradient as '"
                            << other.getParam()
                            << "'; a norm of both is taken to read that one's";
    }
  }

  static Value addAll(OpBuilder &builder, Location loc, ArrayRef<Value> values) {
    Value sum = values.front();
    for (Value value : values.drop_front()) {
      auto type = cast<RankedTensorType>(sum.getType());
      Value empty =
          tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
      SmallVector<AffineMap> maps(3, builder.getMultiDimIdentityMap(type.getRank()));
      SmallVector<utils::IteratorType> loops(type.getRank(),
                                             utils::IteratorType::parallel);
      sum = linalg::GenericOp::create(
                builder, loc, type, ValueRange{sum, value}, empty, maps, loops,
                [](OpBuilder &body, Location at, ValueRange args) {
                  Value add = arith::AddFOp::create(body, at, args[0], args[1]);
                  linalg::YieldOp::create(body, at, add);
                })
                .getResult(0);
    }
    return sum;
  }

  /// What lies between each gradient and the new value, now that it is marked.
  LogicalResult checkGradients() {
    Dependence dependence;
    for (const Parameter &parameter : step.parameters) {
      auto found = gradients.find(parameter.path);
      if (found == gradients.end() || !parameter.result)
        continue;
      Operation *gradient = found->second.getDefiningOp();
      Value update = step.newValue(*parameter.result);
      auto optimizer = ElementwiseSlice::of(update);
      Value product;
      for (Value source : optimizer.sources)
        if (dependence.dependsOn(source, gradient))
          product = source;
      for (Value value : optimizer.broadcasts)
        if (isSpread(value, gradient, dependence))
          product = value;
      if (product) {
        setNotElementwise(parameter, product.getLoc(), "which enters " + nameOf(product));
      } else if (!optimizer.reaches(found->second)) {
        if (failed(takeUnread(parameter, gradient, optimizer)))
          return failure();
      }
    }
    return success();
  }

  void setNotElementwise(const Parameter &parameter, Location loc, const Twine &reason) {
    std::string text = reason.str();
    function.setArgAttr(parameter.argument, boundary::notElementwise,
                        StringAttr::get(function.getContext(), text));
    emitRemark(loc) << step.describe(parameter)
                    << ": its optimizer is not elementwise in the gradient, " << text;
  }

  /// Whether a row or column that is broadcast into the optimizer's work holds, for
  /// several entries at once, what it knows of the gradient: from this step (Adafactor)
  /// or from earlier ones (SM3).
  bool isSpread(Value value, Operation *gradient, Dependence &dependence) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || type.getNumElements() == 1)
      return false;
    if (dependence.dependsOn(value, gradient))
      return true;
    auto arguments = dependence.arguments(value);
    return llvm::any_of(step.carried, [&](std::pair<unsigned, unsigned> carried) {
      Operation *update = step.newValue(carried.second).getDefiningOp();
      return arguments.contains(step.argument(carried.first)) && update &&
             dependence.of(update).contains(gradient);
    });
  }

  static std::string nameOf(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return ("argument " + Twine(argument.getArgNumber())).str();
    return ("'" + value.getDefiningOp()->getName().getStringRef() + "'").str();
  }

  /// A gradient that the new value is not computed from.
  LogicalResult takeUnread(const Parameter &parameter, Operation *gradient,
                           const ElementwiseSlice &optimizer) {
    if (!optimizer.sources.empty())
      return function.emitError()
             << step.describe(parameter)
             << ": its new value is not computed from the gradient that is marked, but "
                "from '"
             << optimizer.sources.front().getDefiningOp()->getName() << "'";
    gradient->replaceAllUsesWith(ValueRange{gradient->getOperand(0)});
    gradient->erase();
    gradients.erase(parameter.path);
    giveUp(parameter, "its new value is not computed from the gradient that is marked");
    return success();
  }

  /// Carried values of a parameter's shape whose new value meets its gradient and no
  /// other, or which meet it in the parameter's new value.
  void findState() {
    llvm::DenseMap<Value, llvm::SmallSetVector<const Parameter *, 2>> owners;
    llvm::DenseMap<Value, const Parameter *> byGradient;
    for (const Parameter &parameter : step.parameters)
      if (Value gradient = gradients.lookup(parameter.path);
          gradient && parameter.result) {
        byGradient[gradient] = &parameter;
        for (Value value :
             ElementwiseSlice::of(step.newValue(*parameter.result)).arguments)
          owners[value].insert(&parameter);
      }
    for (auto [argument, result] : step.carried) {
      Value value = step.argument(argument);
      auto owner = owners.lookup(value);
      for (Value gradient : ElementwiseSlice::of(step.newValue(result)).gradients)
        if (const Parameter *parameter = byGradient.lookup(gradient))
          owner.insert(parameter);
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (owner.size() != 1 || !type || !isa<FloatType>(type.getElementType()) ||
          type.getShape() != owner.front()->type.getShape())
        continue;
      function.setArgAttr(argument, boundary::stateOf,
                          StringAttr::get(function.getContext(), owner.front()->path));
      states[owner.front()].push_back(result);
      ++numStates;
    }
  }

  /// A multiple of the parameter in the optimizer's state is decay, or comes from the
  /// loss: the graph is the same.
  void remarkOnDecay() {
    for (const Parameter &parameter : step.parameters) {
      if (!gradients.contains(parameter.path) || marked.contains(parameter.path) ||
          !parameter.result)
        continue;
      Value value = step.argument(parameter.argument);
      Value update = step.newValue(*parameter.result);
      bool decays = false;
      if (states[&parameter].empty()) {
        unsigned reads = 0;
        for (auto &[user, operands] : ElementwiseSlice::of(update).operands)
          reads += llvm::count(operands, value);
        decays = reads > 1;
      }
      for (unsigned result : states[&parameter]) {
        Value state = step.newValue(result);
        decays |= state != update && ElementwiseSlice::of(state, {update}).reaches(value);
      }
      if (decays)
        function.emitRemark()
            << step.describe(parameter)
            << ": a multiple of it is added to its gradient, which counts as the "
               "optimizer's "
               "decay, not as a term of the loss; sparsam.gradient decides";
    }
  }

  /// A norm over one gradient alone is per tensor where others have gradients too. Where
  /// none has, the graph of a global norm is the same, and the mark decides.
  void remarkOnNorms() {
    Dependence dependence;
    llvm::DenseMap<Operation *, StringRef> pathOf;
    for (auto &entry : gradients)
      pathOf[entry.getValue().getDefiningOp()] = entry.getKey();
    for (const Parameter &parameter : step.parameters) {
      Value gradient = gradients.lookup(parameter.path);
      if (!gradient || !parameter.result || parameter.type.getNumElements() == 1)
        continue;
      Value norm;
      for (Value value :
           ElementwiseSlice::of(step.newValue(*parameter.result)).broadcasts) {
        Operation *op = value.getDefiningOp();
        auto type = dyn_cast<RankedTensorType>(value.getType());
        if (!op || (type && type.getNumElements() != 1) ||
            !dependence.dependsOn(value, gradient.getDefiningOp()))
          continue;
        if (llvm::count_if(dependence.of(op),
                           [&](Operation *on) { return pathOf.contains(on); }) == 1)
          norm = value;
      }
      if (!norm)
        continue;
      bool isGlobal =
          gradients.size() == 1 && gradient.getDefiningOp<GradientOp>().getMarked();
      emitRemark(norm.getLoc())
          << step.describe(parameter)
          << (isGlobal
                  ? ": a norm over nothing but its marked gradient counts as global, "
                    "as no other parameter has one; others count as per tensor"
                  : ": a norm over its gradient alone counts as per tensor, not as "
                    "global");
    }
  }

  StepBoundary step;
  llvm::StringMap<Value> marked;
  func::FuncOp function;
  llvm::StringMap<Value> gradients;
  llvm::DenseMap<const Parameter *, SmallVector<unsigned>> states;
  unsigned numStates = 0;
};

bool hasArgAttr(func::FuncOp function, StringRef name) {
  for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
    if (function.getArgAttr(i, name))
      return true;
  return false;
}

struct FindParametersPass : sparsam::impl::FindParametersPassBase<FindParametersPass> {
  using FindParametersPassBase::FindParametersPassBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions, steps;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr(boundary::companion))
        functions.push_back(function);
    llvm::copy_if(functions, std::back_inserter(steps), [](func::FuncOp function) {
      return hasArgAttr(function, boundary::param) ||
             hasArgAttr(function, boundary::updates);
    });
    // Nothing is annotated: the only function may still leave one answer.
    bool guess = steps.empty() && functions.size() == 1;
    if (guess)
      steps = functions;
    for (func::FuncOp function : steps)
      if (failed(runOn(function, guess)))
        return signalPassFailure();
  }

private:
  LogicalResult runOn(func::FuncOp function, bool guess) {
    auto marked = takeMarkedGradients(function);
    if (failed(marked))
      return failure();
    if (!hasArgAttr(function, boundary::updates) &&
        failed(inferBoundary(function, guess)))
      return failure();
    auto boundary = StepBoundary::read(function);
    if (failed(boundary))
      return failure();
    Step step(std::move(*boundary), std::move(*marked));
    if (failed(step.run()))
      return failure();
    numGradients += step.getNumGradients();
    numStates += step.getNumStates();
    return success();
  }
};

} // namespace
