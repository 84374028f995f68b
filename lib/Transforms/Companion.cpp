#include "Companion.h"
#include "sparsam/Analysis/GradientDegree.h"
#include "sparsam/Transforms/Boundary.h"

using namespace mlir;
using namespace mlir::sparsam;

Companion::Companion(OpBuilder builder, Location loc, StringRef name)
    : func(func::FuncOp::create(builder, loc, name, builder.getFunctionType({}, {}))),
      body(OpBuilder::atBlockEnd(func.addEntryBlock())) {
  func->setAttr(boundary::companion, builder.getUnitAttr());
}

Value Companion::addArgument(Type type, Location loc, DictionaryAttr attrs) {
  argumentAttrs.push_back(attrs);
  return func.front().addArgument(type, loc);
}

void Companion::addResult(Value value, DictionaryAttr attrs) {
  returned.push_back(value);
  resultAttrs.push_back(attrs);
}

void Companion::finish() {
  func::ReturnOp::create(body, func.getLoc(), returned);
  func.setFunctionType(
      body.getFunctionType(func.front().getArgumentTypes(), TypeRange(returned)));
  func.setAllArgAttrs(argumentAttrs);
  func.setAllResultAttrs(resultAttrs);
}

FailureOr<TrainedFactors> TrainedFactors::get(OpBuilder &builder,
                                              const StructuredParameter &parameter,
                                              ValueRange storage) {
  auto composition = Composition::get(parameter.structure, parameter.type, [&] {
    return emitError(parameter.loc) << parameter.path << ": ";
  });
  if (failed(composition))
    return failure();
  TrainedFactors made(std::move(*composition));
  made.dense = made.composition.createFactors(builder, parameter.loc, storage);
  for (unsigned number = 0; number < made.composition.size(); ++number)
    if (!made.composition[number].isFrozen) {
      made.numbers.push_back(number);
      made.patterns.push_back(made.composition.getPattern(number, storage));
    }
  return made;
}

FailureOr<SmallVector<Value>> TrainedFactors::project(IRRewriter &rewriter, Location loc,
                                                      Value state,
                                                      unsigned degree) const {
  auto states =
      composition.createProjections(rewriter, loc, numbers, dense, state, degree);
  if (failed(states))
    return failure();
  for (auto [own, pattern] : llvm::zip_equal(*states, patterns))
    if (pattern) {
      OpBuilder::InsertionGuard guard(rewriter);
      own = getOrCreateRestrict(rewriter, loc, own, *pattern);
    }
  return states;
}

Value TrainedFactors::spread(OpBuilder &builder, Location loc, ValueRange states,
                             unsigned degree) const {
  SmallVector<Value> whole(states);
  for (auto [number, own, pattern] : llvm::zip_equal(numbers, whole, patterns))
    if (pattern)
      own = createDensify(builder, loc, own, *pattern,
                          RankedTensorType::get(composition[number].type.getShape(),
                                                getElementTypeOrSelf(own.getType())));
  return composition.createSpread(builder, loc, numbers, dense, whole, degree);
}

/// The degrees of a factor parameter's states, in their order.
static SmallVector<std::optional<unsigned>>
getDegrees(const StructuredFunction &function, const StructuredParameter &parameter) {
  SmallVector<std::optional<unsigned>> degrees(parameter.states.size());
  bool isTrained = llvm::any_of(parameter.storage, [](const StorageTensor &tensor) {
    return tensor.isTrainable();
  });
  GradientOp gradient = parameter.gradient;
  if (parameter.isPattern() || !gradient || !isTrained)
    return degrees;
  Block &body = function.getBody();
  SmallVector<StateUpdate> updates;
  SmallVector<unsigned> positions;
  for (auto [position, state] : llvm::enumerate(parameter.states)) {
    Value before = body.getArgument(state.argument);
    // Factors and state meet in products, which have one element type.
    if (!state.result || getElementTypeOrSelf(before) != parameter.type.getElementType())
      continue;
    updates.push_back({before, function.getReturn()->getOperand(*state.result)});
    positions.push_back(position);
  }
  auto found = getGradientDegrees(updates, gradient.getResult(),
                                  body.getArgument(parameter.value.argument));
  for (auto [position, degree] : llvm::zip_equal(positions, found))
    degrees[position] = degree;
  return degrees;
}

SmallVector<StateArgument> sparsam::getStates(const StructuredFunction &function) {
  SmallVector<StateArgument> states;
  ArrayRef<Type> types = func::FuncOp(function.func).getArgumentTypes();
  for (const StructuredParameter &parameter : function.parameters)
    for (auto [state, degree] :
         llvm::zip_equal(parameter.states, getDegrees(function, parameter)))
      states.push_back({&parameter, state.argument,
                        cast<RankedTensorType>(types[state.argument]), degree});
  llvm::sort(states, [](const StateArgument &a, const StateArgument &b) {
    return a.argument < b.argument;
  });
  return states;
}

const StructuredFunction *sparsam::findStep(ArrayRef<StructuredFunction> functions) {
  const auto *chosen = llvm::find_if(functions, [](const StructuredFunction &function) {
    return llvm::any_of(function.parameters, [](const StructuredParameter &p) {
      return p.value.result.has_value();
    });
  });
  if (chosen != functions.end())
    return chosen;
  return functions.empty() ? nullptr : functions.begin();
}

static DictionaryAttr getAttrs(func::FuncOp func, StringRef role, StringRef path,
                               unsigned argument, StringRef part) {
  Builder builder(func.getContext());
  NamedAttrList attrs;
  attrs.set(role, builder.getStringAttr(path));
  if (Attribute name = func.getArgAttr(argument, boundary::name))
    attrs.set(boundary::name, name);
  if (!part.empty())
    attrs.set(boundary::part, builder.getStringAttr(part));
  return attrs.getDictionary(builder.getContext());
}

DictionaryAttr sparsam::getCompanionAttrs(const StructuredFunction &function,
                                          const StructuredParameter &parameter,
                                          StringRef part) {
  return getAttrs(function.func, boundary::param, parameter.path,
                  parameter.value.argument, part);
}

DictionaryAttr sparsam::getCompanionAttrs(const StructuredFunction &function,
                                          const StateArgument &state, StringRef part) {
  return getAttrs(function.func, boundary::stateOf, state.parameter->path, state.argument,
                  part);
}

SmallVector<Value> sparsam::addStorage(Companion &companion,
                                       const StructuredFunction &function,
                                       const StructuredParameter &parameter) {
  return llvm::map_to_vector(parameter.storage, [&](const StorageTensor &tensor) {
    return companion.addArgument(tensor.type, parameter.loc,
                                 getCompanionAttrs(function, parameter, tensor.name));
  });
}
