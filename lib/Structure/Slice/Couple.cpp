// A request for a slice becomes the same slice of all parameters that share its axis.
#include "sparsam/Analysis/CoupledGroups.h"
#include "sparsam/Analysis/Views.h"
#include "sparsam/Structure/Slice/Slice.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>

using namespace mlir;
using namespace mlir::sparsam;

namespace {

/// A group of which a parameter asks that some entries are kept.
struct Wanted {
  int64_t keep;
  unsigned parameter;
};

class Coupling {
public:
  explicit Coupling(MutableArrayRef<CoupledParameter> parameters)
      : parameters(parameters),
        groups(cast<func::FuncOp>(parameters.front().value.getOwner()->getParentOp()),
               parameters) {}

  LogicalResult run();

private:
  InFlightDiagnostic error(unsigned number) {
    return emitError(parameters[number].value.getLoc())
           << parameters[number].path << ": ";
  }
  SliceAttr getSlice(unsigned number) {
    return dyn_cast_or_null<SliceAttr>(parameters[number].structure);
  }
  FailureOr<const CoupledGroup *> findGroup(unsigned number, SliceAttr request);
  LogicalResult want(unsigned number, SliceAttr request);
  LogicalResult checkMembers(const CoupledGroup &group, const Wanted &wanted);
  void complete(unsigned number);

  MutableArrayRef<CoupledParameter> parameters;
  CoupledGroups groups;
  llvm::MapVector<const CoupledGroup *, Wanted> wanted;
};

} // namespace

/// The group that a request is about.
FailureOr<const CoupledGroup *> Coupling::findGroup(unsigned number, SliceAttr request) {
  StringRef name = request.getGroups().front().getValue();
  if (!name.empty()) {
    auto isOwn = [&](const CoupledGroup &group) {
      return llvm::any_of(group.members, [&](const CoupledGroup::Member &member) {
        return member.parameter == number;
      });
    };
    if (const CoupledGroup *group = groups.find(name); group && isOwn(*group))
      return group;
    InFlightDiagnostic diagnostic = error(number)
                                    << "has no group \"" << name << "\"; its groups are ";
    SmallVector<StringRef> own;
    for (const CoupledGroup &group : groups.get())
      if (isOwn(group))
        own.push_back(group.name);
    llvm::interleaveComma(own, diagnostic,
                          [&](StringRef other) { diagnostic << '"' << other << '"'; });
    return diagnostic;
  }
  auto type = cast<RankedTensorType>(parameters[number].value.getType());
  auto view = getMatrixView(request, getPlainType(type), [&] { return error(number); });
  if (failed(view))
    return failure();
  // A dimension whose entries are taken one by one is the last that could be meant.
  const CoupledGroup *cut = nullptr;
  for (int64_t dim : view->out) {
    const CoupledGroup *group = groups.find(number, dim);
    if (group && !group->isCut)
      return group;
    cut = cut ? cut : group;
  }
  if (cut)
    return cut;
  return error(number) << request << " needs an output dimension of more than one entry, "
                       << "found " << getPlainType(type);
}

LogicalResult Coupling::want(unsigned number, SliceAttr request) {
  auto group = findGroup(number, request);
  if (failed(group))
    return failure();
  int64_t keep = request.getKeeps().front(), size = (*group)->size;
  if (!keep)
    keep = std::max<int64_t>(
        1, std::llround(std::floor(request.getShare()->convertToDouble() * size + 0.5)));
  if (keep > size)
    return error(number) << request << " keeps more than the " << size
                         << " entries of group \"" << (*group)->name << "\"";
  if (const auto &obstacle = (*group)->obstacle) {
    InFlightDiagnostic diagnostic = error(number)
                                    << "group \"" << (*group)->name
                                    << "\" cannot be sliced: " << obstacle->reason
                                    << "; leave it dense";
    diagnostic.attachNote(obstacle->loc) << "here";
    return diagnostic;
  }
  auto [known, isNew] = wanted.insert({*group, {keep, number}});
  if (!isNew && known->second.keep != keep)
    return error(number) << "keeps " << keep << " entries of group \"" << (*group)->name
                         << "\", but " << parameters[known->second.parameter].path
                         << " keeps " << known->second.keep
                         << "; they are coupled, so ask for the same";
  return success();
}

/// What else is asked for on the parameters of a group must be slices.
LogicalResult Coupling::checkMembers(const CoupledGroup &group, const Wanted &wanted) {
  for (const CoupledGroup::Member &member : group.members) {
    const CoupledParameter &parameter = parameters[member.parameter];
    SliceAttr slice = getSlice(member.parameter);
    if (parameter.structure && !slice)
      return error(member.parameter)
             << parameter.structure << " was asked for, but group \"" << group.name
             << "\", which " << parameters[wanted.parameter].path
             << " slices, has it too (" << member.text
             << "); one parameter has one structure, so leave it to the slice";
    if (slice && !slice.isRequest())
      return error(member.parameter)
             << slice << " is complete, so group \"" << group.name
             << "\" cannot be added to it; write out all of them or none";
  }
  return success();
}

/// The structure of a parameter: all wanted groups that it has, in their order.
void Coupling::complete(unsigned number) {
  CoupledParameter &parameter = parameters[number];
  SmallVector<SlicedAxis> axes;
  SmallVector<StringRef> names;
  for (const auto &[group, want] : wanted) {
    SlicedAxis axis = groups.locate(*group, number, want.keep);
    if (axis.rows.empty() && axis.columns.empty())
      continue;
    axes.push_back(axis);
    if (want.parameter != number)
      names.push_back(group->name);
  }
  if (axes.empty())
    return;
  int64_t rank = cast<RankedTensorType>(parameter.value.getType()).getRank();
  SmallVector<int64_t> in = llvm::to_vector(llvm::seq<int64_t>(0, rank - 1));
  if (in == getDefaultInputs({}, rank))
    in.clear();
  parameter.structure = SliceAttr::get(parameter.value.getContext(), axes, in);
  for (StringRef name : names)
    emitRemark(parameter.value.getLoc())
        << parameter.path << " is sliced too: it is coupled by group \"" << name << "\"";
}

LogicalResult Coupling::run() {
  bool failedAny = false;
  for (unsigned number = 0; number < parameters.size(); ++number)
    if (SliceAttr slice = getSlice(number); slice && slice.isRequest())
      failedAny |= failed(want(number, slice));
  if (failedAny)
    return failure();
  for (const auto &[group, want] : wanted)
    if (failed(checkMembers(*group, want)))
      return failure();
  if (!wanted.empty())
    for (unsigned number = 0; number < parameters.size(); ++number)
      complete(number);
  return success();
}

LogicalResult SliceAttr::couple(MutableArrayRef<CoupledParameter> parameters) const {
  auto isRequest = [](const CoupledParameter &parameter) {
    auto slice = dyn_cast_or_null<SliceAttr>(parameter.structure);
    return slice && slice.isRequest();
  };
  if (llvm::none_of(parameters, isRequest))
    return success();
  return Coupling(parameters).run();
}
