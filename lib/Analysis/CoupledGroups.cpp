#include "sparsam/Analysis/CoupledGroups.h"
#include "sparsam/Transforms/Boundary.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::sparsam;

/// Calls `report` with each leaf of `dim` that cannot lose entries, and why.
static void findUnevenLeaves(const Axes &axes, Axis dim,
                             function_ref<void(Axis, StringRef)> report) {
  if (axes.isLeaf(dim))
    return;
  ArrayRef<Axis> parts = axes.getParts(dim);
  llvm::MapVector<Axis, unsigned> counts;
  for (Axis part : parts) {
    for (Axis leaf : axes.getLeaves(part))
      ++counts[leaf];
    findUnevenLeaves(axes, part, report);
  }
  bool isProduct = axes.getKind(dim) == Axes::Kind::Product;
  for (auto [leaf, count] : counts) {
    if (isProduct && count > 1)
      report(leaf, "a dimension is a product of it with itself");
    if (!isProduct && count < parts.size())
      report(leaf, "it lies in one dimension with other entries, beside it");
  }
}

void sparsam::blockUnevenLeaves(CoupledAxes &analysis, Value value) {
  for (Axis dim : analysis.get(value))
    findUnevenLeaves(analysis.axes, dim, [&](Axis leaf, StringRef reason) {
      analysis.axes.block(leaf, value.getLoc(), reason);
    });
}

SmallVector<CoupledParameter> sparsam::getCoupledParameters(func::FuncOp function) {
  SmallVector<CoupledParameter> parameters;
  for (BlockArgument argument : function.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto path = function.getArgAttrOfType<StringAttr>(number, boundary::param);
    if (path && !function.getArgAttr(number, boundary::part) &&
        isa<RankedTensorType>(argument.getType()))
      parameters.push_back({path.str(), argument, {}});
  }
  return parameters;
}

/// The text of where a group is in a dimension.
static std::string describe(StringRef path, int64_t dim, int64_t size,
                            const AxisSegment &segment) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << path << ':' << dim;
  if (segment.getLength() == size && segment.size == size)
    return text;
  out << '[';
  if (segment.getLength() != size)
    out << segment.offset << ':' << segment.offset + segment.getLength() << " as ";
  if (segment.outer > 1)
    out << segment.outer << 'x';
  out << '(' << segment.size << ')';
  if (segment.inner > 1)
    out << 'x' << segment.inner;
  out << ']';
  return text;
}

/// The parameters in the order of their first use.
static SmallVector<unsigned> getProgramOrder(func::FuncOp function,
                                             ArrayRef<CoupledParameter> parameters) {
  DenseMap<Value, unsigned> numbers;
  for (auto [number, parameter] : llvm::enumerate(parameters))
    numbers[parameter.value] = number;
  SmallVector<unsigned> order;
  llvm::DenseSet<unsigned> seen;
  auto add = [&](Value value) {
    auto found = numbers.find(value);
    if (found != numbers.end() && seen.insert(found->second).second)
      order.push_back(found->second);
  };
  function.walk<WalkOrder::PreOrder>(
      [&](Operation *op) { llvm::for_each(op->getOperands(), add); });
  for (const CoupledParameter &parameter : parameters)
    add(parameter.value);
  return order;
}

CoupledGroups::CoupledGroups(func::FuncOp function, ArrayRef<CoupledParameter> parameters)
    : parameters(parameters), analysis(function, [&](BlockArgument argument) {
        return llvm::any_of(parameters,
                            [&](const CoupledParameter &parameter) {
                              return parameter.value == argument;
                            }) ||
               function.getArgAttr(argument.getArgNumber(), boundary::stateOf);
      }) {
  Axes &axes = analysis.axes;
  auto check = [&](Value value) { blockUnevenLeaves(analysis, value); };
  function.walk([&](Operation *op) { llvm::for_each(op->getResults(), check); });
  llvm::for_each(function.getArguments(), check);
  llvm::MapVector<Axis, CoupledGroup> found;
  auto add = [&](unsigned number, int64_t dim, Axis axis, const AxisSegment &place,
                 const Axes::Obstacle *obstacle) {
    const CoupledParameter &parameter = parameters[number];
    int64_t size = cast<RankedTensorType>(parameter.value.getType()).getDimSize(dim);
    std::string text = describe(parameter.path, dim, size, place);
    CoupledGroup &group = found[axis];
    if (group.name.empty()) {
      group = {text, axis, place.size, {}, std::nullopt, !axes.isLeaf(axis)};
      if (obstacle)
        group.obstacle = *obstacle;
    }
    group.members.push_back({number, dim, text});
  };
  for (unsigned number : getProgramOrder(function, parameters)) {
    for (auto [dim, axis] : llvm::enumerate(analysis.get(parameters[number].value))) {
      if (axes.isCut(axis)) {
        add(number, dim, axes.find(axis), {0, 1, axes.getSize(axis), 1},
            axes.getObstacle(axes.getLeaves(axis).front()));
        continue;
      }
      for (const Axes::Occurrence &place : axes.getOccurrences(axis))
        if (place.segment.size != 1)
          add(number, dim, place.leaf, place.segment, axes.getObstacle(place.leaf));
    }
  }
  for (auto &[axis, group] : found)
    groups.push_back(std::move(group));
}

const CoupledGroup *CoupledGroups::find(StringRef name) const {
  for (const CoupledGroup &group : groups)
    if (group.name == name)
      return &group;
  return nullptr;
}

const CoupledGroup *CoupledGroups::find(unsigned parameter, int64_t dim) {
  Axis axis = analysis.get(parameters[parameter].value)[dim];
  SmallVector<Axis> candidates = analysis.axes.getLeaves(axis);
  candidates.push_back(analysis.axes.find(axis));
  for (Axis candidate : candidates)
    for (const CoupledGroup &group : groups)
      if (group.axis == candidate)
        return &group;
  return nullptr;
}

SlicedAxis CoupledGroups::locate(const CoupledGroup &group, unsigned parameter,
                                 int64_t keep) {
  Axes &axes = analysis.axes;
  ArrayRef<Axis> dims = analysis.get(parameters[parameter].value);
  MLIRContext *context = parameters[parameter].value.getContext();
  SlicedAxis located{StringAttr::get(context, group.name), keep, {}, {}};
  auto locateIn = [&](Axis side, SmallVector<AxisSegment> &segments) {
    for (const Axes::Occurrence &place : axes.getOccurrences(side))
      if (place.leaf == group.axis)
        segments.push_back(place.segment);
  };
  if (dims.empty())
    return located;
  locateIn(axes.makeProduct(dims.drop_back()), located.rows);
  locateIn(dims.back(), located.columns);
  return located;
}
