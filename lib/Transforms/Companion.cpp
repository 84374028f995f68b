#include "Companion.h"
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

SmallVector<StateArgument> sparsam::getStates(const StructuredFunction &function) {
  SmallVector<StateArgument> states;
  ArrayRef<Type> types = func::FuncOp(function.func).getArgumentTypes();
  for (const StructuredParameter &parameter : function.parameters)
    for (const CarriedValue &state : parameter.states)
      states.push_back(
          {&parameter, state.argument, cast<RankedTensorType>(types[state.argument])});
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
