#include "sparsam/Analysis/CoupledGroups.h"
#include "sparsam/Transforms/Passes.h"

namespace mlir::sparsam {
#define GEN_PASS_DEF_LISTGROUPSPASS
#include "sparsam/Transforms/Passes.h.inc"
} // namespace mlir::sparsam

using namespace mlir;
using namespace mlir::sparsam;

namespace {

struct ListGroupsPass : mlir::sparsam::impl::ListGroupsPassBase<ListGroupsPass> {
  using ListGroupsPassBase::ListGroupsPassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal() || !function.getBody().hasOneBlock())
        continue;
      SmallVector<CoupledParameter> parameters = getCoupledParameters(function);
      CoupledGroups groups(function, parameters);
      for (const CoupledGroup &group : groups.get())
        report(group, parameters[group.members.front().parameter].value.getLoc());
    }
    markAllAnalysesPreserved();
  }

private:
  void report(const CoupledGroup &group, Location loc) {
    InFlightDiagnostic remark = emitRemark(loc);
    remark << "group \"" << group.name << "\" ";
    auto list = [&] {
      llvm::interleaveComma(
          group.members, remark,
          [&](const CoupledGroup::Member &member) { remark << member.text; });
    };
    if (!group.obstacle) {
      ++numGroups;
      remark << "has " << group.size << " entries: ";
      return list();
    }
    ++numBlocked;
    remark << "of " << group.size << " entries (";
    list();
    remark << ") cannot be sliced: " << group.obstacle->reason;
    remark.attachNote(group.obstacle->loc) << "here";
  }
};

} // namespace
