#include "FactorOptimizer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "sparsam/Transforms/Algebra.h"
#include "sparsam/Transforms/Boundary.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_EXPANDSTORAGEPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// The storage tensors that an argument or a result becomes.
using Parts = std::optional<SmallVector<StorageTensor>>;

/// Rewrites one function: its arguments, what each parameter means inside, and its
/// results. A function that fails is left half done, as the pass fails with it.
class Expansion {
public:
  explicit Expansion(StructuredFunction &function)
      : function(function), func(function.func) {}

  LogicalResult run();

private:
  LogicalResult planParts();
  LogicalResult claim(const CarriedValue &carried, SmallVector<StorageTensor> parts,
                      ArrayRef<StorageTensor> updated, Location loc);
  void insertArguments();
  FailureOr<FactorizedValue> createFactorized(OpBuilder &builder,
                                              const StructuredParameter &parameter,
                                              ValueRange parts);
  LogicalResult expandParameters();
  void expandPattern(StructuredParameter &parameter, DensifyOp dense);
  LogicalResult eraseExpandedArguments();
  void setSignature();

  StructuredFunction &function;
  func::FuncOp func;
  SmallVector<Parts> argumentParts, resultParts;
  /// By old number.
  SmallVector<ExpandedArgument> arguments;
  /// By old number, the values that are returned in its place.
  SmallVector<SmallVector<Value>> results;
};

/// The text inside `#sparsam.`: a string is readable without the dialect, to the end of
/// the pipeline.
std::string getText(StructureInterface structure) {
  std::string text;
  llvm::raw_string_ostream(text) << structure;
  StringRef inside = text;
  inside.consume_front("#sparsam.");
  return inside.str();
}

SmallVector<StorageTensor> getTrainable(ArrayRef<StorageTensor> storage) {
  return llvm::filter_to_vector(
      storage, [](const StorageTensor &tensor) { return tensor.isTrainable(); });
}

/// Elementwise arithmetic on whole tensors, as one writes it by hand, becomes linalg,
/// which is where the rules look for it.
LogicalResult normalizeElementwise(func::FuncOp func) {
  SmallVector<Operation *> ops;
  func.walk([&](Operation *op) {
    if (OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1 &&
        isa<RankedTensorType>(op->getResult(0).getType()))
      ops.push_back(op);
  });
  RewritePatternSet patterns(func.getContext());
  linalg::populateElementwiseToLinalgConversionPatterns(patterns);
  if (failed(applyOpPatternsGreedily(
          ops, std::move(patterns),
          GreedyRewriteConfig().setStrictness(GreedyRewriteStrictness::ExistingOps))))
    return failure();
  // An operand as the destination of what overwrites it would outlive its last reader.
  func.walk([](linalg::GenericOp op) {
    for (OpOperand &init : op.getDpsInitsMutable())
      if (!op.payloadUsesValueFromOperand(&init) &&
          llvm::is_contained(op.getInputs(), init.get())) {
        auto type = cast<RankedTensorType>(init.get().getType());
        OpBuilder builder(op);
        init.set(tensor::EmptyOp::create(
            builder, op.getLoc(), tensor::getMixedSizes(builder, op.getLoc(), init.get()),
            type.getElementType()));
      }
  });
  return success();
}

/// The parts of state, whose elements may be of another type than the parameter's.
SmallVector<StorageTensor> getStateParts(const StructuredParameter &parameter,
                                         Type stateType) {
  SmallVector<StorageTensor> parts = getTrainable(parameter.storage);
  Type element = cast<RankedTensorType>(stateType).getElementType();
  for (StorageTensor &part : parts)
    part.type = part.type.clone(element);
  return parts;
}

LogicalResult Expansion::claim(const CarriedValue &carried,
                               SmallVector<StorageTensor> parts,
                               ArrayRef<StorageTensor> updated, Location loc) {
  argumentParts[carried.argument] = std::move(parts);
  if (!carried.result)
    return success();
  if (resultParts[*carried.result])
    return emitError(loc) << "result " << *carried.result
                          << " is the new value of two structured arguments";
  resultParts[*carried.result] = SmallVector<StorageTensor>(updated);
  return success();
}

LogicalResult Expansion::planParts() {
  argumentParts.resize(func.getNumArguments());
  resultParts.resize(func.getNumResults());
  results.resize(func.getNumResults());
  for (StructuredParameter &parameter : function.parameters) {
    if (failed(claim(parameter.value, parameter.storage, getTrainable(parameter.storage),
                     parameter.loc)))
      return failure();
    for (const CarriedValue &state : parameter.states) {
      auto parts = getStateParts(parameter, func.getArgumentTypes()[state.argument]);
      if (failed(claim(state, parts, parts, parameter.loc)))
        return failure();
    }
  }
  return success();
}

/// In front of each expanded argument, which stays until nothing uses it.
void Expansion::insertArguments() {
  Block &body = function.getBody();
  unsigned position = 0;
  for (auto [argument, parts] :
       llvm::zip_equal(SmallVector<BlockArgument>(body.getArguments()), argumentParts)) {
    ExpandedArgument expanded{argument, {}};
    if (parts)
      for (const StorageTensor &part : *parts)
        expanded.parts.push_back(
            body.insertArgument(position++, part.type, argument.getLoc()));
    ++position;
    arguments.push_back(std::move(expanded));
  }
}

/// Here is only what a pattern means; rules 1 to 3 and 5 make it cheap.
void Expansion::expandPattern(StructuredParameter &parameter, DensifyOp dense) {
  StoredPattern pattern = *getPattern(dense);
  IRRewriter rewriter(func.getContext());
  for (const CarriedValue &state : parameter.states) {
    ExpandedArgument &expanded = arguments[state.argument];
    rewriter.setInsertionPointAfter(dense);
    expanded.argument.replaceAllUsesWith(
        createDensify(rewriter, expanded.argument.getLoc(), expanded.parts[0], pattern,
                      cast<RankedTensorType>(expanded.argument.getType())));
  }
  if (GradientOp gradient = parameter.gradient) {
    rewriter.setInsertionPoint(gradient);
    auto stored =
        getOrCreateRestrict(rewriter, gradient.getLoc(), gradient.getValue(), pattern);
    gradient->setOperand(
        0, createDensify(rewriter, gradient.getLoc(), stored, pattern, parameter.type));
  }
  SmallVector<CarriedValue> carried{parameter.value};
  llvm::append_range(carried, parameter.states);
  for (const CarriedValue &value : carried) {
    if (!value.result)
      continue;
    rewriter.setInsertionPoint(function.getReturn());
    Value updated = function.getReturn()->getOperand(*value.result);
    results[*value.result].push_back(
        getOrCreateRestrict(rewriter, parameter.loc, updated, pattern));
  }
}

FailureOr<FactorizedValue>
Expansion::createFactorized(OpBuilder &builder, const StructuredParameter &parameter,
                            ValueRange parts) {
  auto composition = Composition::get(parameter.structure, parameter.type, [&] {
    return emitError(parameter.loc) << parameter.path << ": ";
  });
  if (failed(composition))
    return failure();
  FactorizedValue value{std::move(*composition), llvm::to_vector(parts), {}, {}};
  value.factors = value.composition.createFactors(builder, parameter.loc, parts);
  auto dense = value.composition.createSum(builder, parameter.loc, value.factors);
  if (failed(dense))
    return failure();
  value.dense = *dense;
  return value;
}

LogicalResult Expansion::expandParameters() {
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody());
  DenseMap<const StructuredParameter *, DensifyOp> patterns;
  DenseMap<const StructuredParameter *, FactorizedValue> factorized;
  for (StructuredParameter &parameter : function.parameters) {
    ExpandedArgument &value = arguments[parameter.value.argument];
    Value dense;
    if (parameter.isPattern()) {
      auto densify = DensifyOp::create(builder, parameter.loc, parameter.type,
                                       value.parts, parameter.structure);
      patterns[&parameter] = densify;
      dense = densify;
    } else {
      auto made = createFactorized(builder, parameter, value.parts);
      if (failed(made))
        return failure();
      dense = made->dense;
      factorized.try_emplace(&parameter, std::move(*made));
    }
    value.argument.replaceAllUsesWith(dense);
  }
  dropEncodings(func);
  if (failed(normalizeElementwise(func)))
    return failure();
  TensorNames names = getTensorNames(function, arguments);
  for (StructuredParameter &parameter : function.parameters) {
    if (parameter.isPattern()) {
      expandPattern(parameter, patterns[&parameter]);
      continue;
    }
    SmallVector<ExpandedArgument> states;
    for (const CarriedValue &state : parameter.states)
      states.push_back(arguments[state.argument]);
    builder.setInsertionPointToStart(&function.getBody());
    FactorOptimizer optimizer(builder, function, parameter,
                              factorized.find(&parameter)->second, states);
    if (failed(expandFactors(std::move(optimizer), names, results)))
      return failure();
  }
  return success();
}

void eraseDeadOps(Block &body) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult Expansion::eraseExpandedArguments() {
  Operation *terminator = function.getReturn();
  SmallVector<Value> returned;
  for (auto [number, value] : llvm::enumerate(terminator->getOperands())) {
    if (resultParts[number])
      llvm::append_range(returned, results[number]);
    else
      returned.push_back(value);
  }
  terminator->setOperands(returned);
  eraseDeadOps(function.getBody());
  BitVector expanded(function.getBody().getNumArguments());
  for (auto [number, argument] : llvm::enumerate(arguments)) {
    if (!argumentParts[number])
      continue;
    for (Operation *user : argument.argument.getUsers())
      return user->emitOpError() << "uses the dense tensor that argument " << number
                                 << " was before it was structured";
    expanded.set(argument.argument.getArgNumber());
  }
  function.getBody().eraseArguments(expanded);
  return success();
}

void Expansion::setSignature() {
  Builder builder(func.getContext());
  SmallVector<unsigned> firstPart;
  unsigned resultCount = 0;
  for (const Parts &parts : resultParts) {
    firstPart.push_back(resultCount);
    resultCount += parts ? parts->size() : 1;
  }
  auto with = [&](NamedAttrList attrs, StringRef part) {
    attrs.set(boundary::part, builder.getStringAttr(part));
    return attrs;
  };
  SmallVector<DictionaryAttr> argumentAttrs, resultAttrs;
  for (unsigned number = 0; number < func.getNumArguments(); ++number) {
    NamedAttrList attrs(func.getArgAttrDict(number));
    auto updates = dyn_cast_or_null<IntegerAttr>(attrs.get(boundary::updates));
    unsigned next = updates ? firstPart[updates.getInt()] : 0;
    auto setUpdates = [&](NamedAttrList &list) {
      if (updates)
        list.set(boundary::updates, builder.getI64IntegerAttr(next++));
    };
    if (!argumentParts[number]) {
      setUpdates(attrs);
      argumentAttrs.push_back(attrs.getDictionary(func.getContext()));
      continue;
    }
    for (const StorageTensor &part : *argumentParts[number]) {
      NamedAttrList list = with(attrs, part.name);
      list.erase(boundary::updates);
      if (part.isTrainable())
        setUpdates(list);
      if (StructureInterface structure = getStructure(func.getArgumentTypes()[number]))
        list.set(boundary::structure, builder.getStringAttr(getText(structure)));
      argumentAttrs.push_back(list.getDictionary(func.getContext()));
    }
  }
  for (auto [number, parts] : llvm::enumerate(resultParts)) {
    NamedAttrList attrs(func.getResultAttrDict(number));
    if (!parts)
      resultAttrs.push_back(attrs.getDictionary(func.getContext()));
    else
      for (const StorageTensor &part : *parts)
        resultAttrs.push_back(with(attrs, part.name).getDictionary(func.getContext()));
  }
  func.setFunctionType(builder.getFunctionType(function.getBody().getArgumentTypes(),
                                               function.getReturn()->getOperandTypes()));
  func.setAllArgAttrs(argumentAttrs);
  func.setAllResultAttrs(resultAttrs);
}

LogicalResult Expansion::run() {
  if (failed(planParts()))
    return failure();
  insertArguments();
  if (failed(expandParameters()) || failed(eraseExpandedArguments()))
    return failure();
  setSignature();
  return success();
}

struct ExpandStoragePass : mlir::sparsam::impl::ExpandStoragePassBase<ExpandStoragePass> {
  using ExpandStoragePassBase::ExpandStoragePassBase;

  void runOnOperation() override {
    auto functions = getStructuredFunctions(getOperation());
    if (failed(functions))
      return signalPassFailure();
    if (!functions->empty() && companions && failed(createCompanions(*functions)))
      return signalPassFailure();
    for (StructuredFunction &function : *functions) {
      numStructured += function.parameters.size();
      if (failed(Expansion(function).run()))
        return signalPassFailure();
    }
    // The mark has done its service, for dense parameters too.
    getOperation().walk([](GradientOp gradient) {
      gradient.replaceAllUsesWith(gradient.getValue());
      gradient.erase();
    });
  }
};

} // namespace
