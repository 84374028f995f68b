#include "sparsam/Analysis/GradientSearch.h"
#include "sparsam/Analysis/Product.h"

using namespace mlir;
using namespace mlir::sparsam;

namespace {

bool intersects(const llvm::DenseSet<Value> &a, const llvm::DenseSet<Value> &b) {
  return llvm::any_of(a, [&](Value value) { return b.contains(value); });
}

bool hasType(Value value, RankedTensorType type) {
  auto found = dyn_cast<RankedTensorType>(value.getType());
  return found && found.getShape() == type.getShape() &&
         found.getElementType() == type.getElementType();
}

class Search {
public:
  Search(Value update, RankedTensorType type, const llvm::DenseSet<Value> &states,
         const llvm::DenseSet<Value> &inputs, Dependence &dependence)
      : type(type), states(states), inputs(inputs), dependence(dependence),
        slice(ElementwiseSlice::of(update)) {}

  GradientLocation run() {
    if (slice.sources.empty()) {
      result.reason = "its new value is computed from no product, reduction, scatter or "
                      "loop of its size";
      return result;
    }
    result.ambiguous = true;
    separateOptimizer();
    // Optimizers with products leave vectors out. Several behind one another are the
    // forward and the backward pass: of a bias without a batch there is no sum to stop
    // at.
    if (type.getRank() < 2 && !result.products.empty()) {
      result.reason = "the work on it cannot be told from the optimizer's";
      return result;
    }
    if (!gradientBehindProducts() && !joinSources(/*scaled=*/false) &&
        !joinSources(/*scaled=*/true))
      result.reason = "the work on it cannot be told from the optimizer's";
    if (result) {
      llvm::DenseSet<Value> found(result.addends.begin(), result.addends.end());
      auto optimizer = ElementwiseSlice::of(slice.values.front(), found);
      if (takesInputs(optimizer, found) || arrivesTransposed(optimizer, found))
        result.addends.clear();
    }
    return result;
  }

private:
  /// Tells the sources that are the gradient's from products of the optimizer: those are
  /// computed from other sources (the iterates of Muon) or from the optimizer's state.
  void separateOptimizer() {
    SmallVector<Value> first, fromState;
    for (Value source : slice.sources) {
      bool behind = llvm::any_of(slice.sources, [&](Value other) {
        return dependence.dependsOnValue(source, other);
      });
      if (behind)
        result.products.push_back(source);
      else if (intersects(dependence.arguments(source), states))
        fromState.push_back(source);
      else
        first.push_back(source);
    }
    // A loss may take carried values too (the target network of a student); then all
    // sources do.
    onlyFromState = first.empty();
    llvm::append_range(first.empty() ? first : result.products, fromState);
    sources.insert_range(first);
  }

  /// Shampoo multiplies the gradient from both sides, so that no elementwise path leads
  /// to it: look behind the products for values of the parameter's type that no state
  /// enters.
  bool gradientBehindProducts() {
    if (!onlyFromState)
      return false;
    llvm::SetVector<Value> found, work;
    work.insert_range(sources);
    for (size_t i = 0; i < work.size(); ++i) {
      if (isa<BlockArgument>(work[i]))
        continue;
      forEachUsedValue(work[i].getDefiningOp(), [&](Value used) {
        if (intersects(dependence.arguments(used), states))
          work.insert(used);
        else if (hasType(used, type) && !ElementwiseSlice::of(used).sources.empty())
          found.insert(used);
      });
    }
    if (found.size() != 1)
      return false;
    llvm::append_range(result.products, sources);
    result.addends.push_back(found.front());
    return true;
  }

  /// Whether a value is made from the sources by rearranging and adding alone, and, if
  /// `scaled`, by factors that no gradient enters.
  bool isGradient(Value value, bool scaled) {
    if (sources.contains(value))
      return true;
    if (!slice.operands.contains(value))
      return false;
    auto [known, inserted] = gradients.try_emplace(value, false);
    if (!inserted)
      return known->second;
    bool is = false;
    Value scale;
    if (Value rearranged = getRearranged(value))
      is = isGradient(rearranged, scaled);
    else if (auto sum = getSum(value))
      is = isGradient(sum->first, scaled) && isGradient(sum->second, scaled);
    else if (Value factored = scaled ? getScaled(value, scale) : Value())
      is = isGradient(factored, scaled) && !(scale && fromSources(scale));
    return gradients[value] = is;
  }

  bool fromSources(Value value) {
    return llvm::any_of(
        sources, [&](Value source) { return dependence.dependsOnValue(value, source); });
  }

  /// The value of the parameter's own type that `value` is a rearrangement of.
  Value inOwnType(Value value) {
    while (value && !hasType(value, type))
      value = getRearranged(value);
    return value;
  }

  bool joinSources(bool scaled) {
    gradients.clear();
    // Where the optimizer takes over.
    llvm::SetVector<Value> frontier;
    if (isGradient(slice.values.front(), scaled))
      frontier.insert(slice.values.front());
    for (Value user : slice.values)
      if (!isGradient(user, scaled))
        for (Value operand : slice.operands.lookup(user))
          if (isGradient(operand, scaled))
            frontier.insert(operand);
    llvm::SetVector<Value> joined;
    for (Value value : frontier) {
      Value own = inOwnType(value);
      if (!own)
        return false;
      joined.insert(own);
    }
    if (joined.size() > 1 && !joinAcrossSum(joined))
      return false;
    result.addends = joined.takeVector();
    return true;
  }

  /// Parts of the gradient that meet only in a sum with other values, as in
  /// (x'dy + lambda W) + scatter(dz): finds the smallest sum that holds each part once.
  bool joinAcrossSum(const llvm::SetVector<Value> &parts) {
    size_t fewest = SIZE_MAX;
    for (Value root : slice.values) {
      SmallVector<Value> sums{root}, leaves;
      for (size_t i = 0; i < sums.size() && leaves.size() < fewest; ++i) {
        auto sum = parts.contains(sums[i]) ? std::nullopt : getSum(sums[i]);
        if (sum)
          sums.append({sum->first, sum->second});
        else
          leaves.push_back(sums[i]);
      }
      bool holdsAll =
          llvm::all_of(parts, [&](Value part) { return llvm::count(leaves, part) == 1; });
      if (leaves.size() >= fewest || !holdsAll || !hasType(root, type) ||
          !areInternal(sums, leaves, parts))
        continue;
      fewest = leaves.size();
      result.root = root;
      result.others = llvm::filter_to_vector(
          leaves, [&](Value leaf) { return !parts.contains(leaf); });
    }
    return fewest != SIZE_MAX;
  }

  /// Whether the parts and the sums below the root are read by the sum alone. Another
  /// reader would see a part of the gradient.
  static bool areInternal(ArrayRef<Value> sums, ArrayRef<Value> leaves,
                          const llvm::SetVector<Value> &parts) {
    llvm::DenseSet<Operation *> adds;
    for (Value sum : sums)
      if (!llvm::is_contained(leaves, sum))
        adds.insert(sum.getDefiningOp());
    return llvm::all_of(sums.drop_front(), [&](Value value) {
      if (!parts.contains(value) && llvm::is_contained(leaves, value))
        return true;
      return llvm::all_of(value.getUsers(),
                          [&](Operation *user) { return adds.contains(user); });
    });
  }

  /// Whether work on the batch is left between the gradient found and the new value:
  /// then the walk went on into the backward pass, for example through the sum over a
  /// batch of one that is no sum.
  bool takesInputs(const ElementwiseSlice &optimizer,
                   const llvm::DenseSet<Value> &stops) {
    for (Value value : optimizer.broadcasts) {
      auto tensor = dyn_cast<RankedTensorType>(value.getType());
      if (!tensor || tensor.getNumElements() == 1)
        continue;
      bool fromGradient = llvm::any_of(
          stops, [&](Value stop) { return dependence.dependsOnValue(value, stop); });
      if (fromGradient) {
        result.products.push_back(value);
      } else if (intersects(dependence.arguments(value), inputs)) {
        result.reason = "values of the batch are between it and the new value";
        return true;
      }
    }
    return false;
  }

  /// Whether what was found reaches the new value with its dimensions in another order
  /// too, as the product of x * (W - W^T) does: the gradient is something later then.
  /// What an optimizer transposes, it transposes back.
  bool arrivesTransposed(const ElementwiseSlice &optimizer,
                         const llvm::DenseSet<Value> &stops) {
    // With the dimension of the value that each of the new value's is.
    using Place = std::pair<Value, SmallVector<int64_t>>;
    auto straight = [](Value value) {
      int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
      return llvm::to_vector(llvm::seq<int64_t>(0, rank));
    };
    SmallVector<Place> places{{slice.values.front(), straight(slice.values.front())}};
    llvm::DenseMap<Value, SmallVector<SmallVector<int64_t>>> seen;
    while (!places.empty()) {
      auto [value, dims] = places.pop_back_val();
      if (llvm::is_contained(seen[value], dims))
        continue;
      seen[value].push_back(dims);
      bool isStraight = llvm::is_sorted(dims);
      if (stops.contains(value)) {
        if (isStraight)
          continue;
        result.reason = "a product reaches its new value in two orders of its dimensions";
        return true;
      }
      Operation *op = value.getDefiningOp();
      auto copied = op ? matchCopy(op) : FailureOr<SmallVector<int64_t>>(failure());
      bool isPermuted = succeeded(copied) && !llvm::is_contained(*copied, -1) &&
                        copied->size() == dims.size();
      for (Value operand : optimizer.operands.lookup(value)) {
        auto type = dyn_cast<RankedTensorType>(operand.getType());
        if (!type)
          continue;
        SmallVector<int64_t> next = dims;
        if (isPermuted)
          next = llvm::map_to_vector(dims, [&](int64_t dim) { return (*copied)[dim]; });
        else if (isStraight)
          next = straight(operand);
        else if (type.getShape() != cast<RankedTensorType>(value.getType()).getShape())
          continue; // Through a reshape the order is not followed.
        places.emplace_back(operand, next);
      }
    }
    return false;
  }

  RankedTensorType type;
  const llvm::DenseSet<Value> &states, &inputs;
  Dependence &dependence;
  ElementwiseSlice slice;
  llvm::SetVector<Value> sources;
  llvm::DenseMap<Value, bool> gradients;
  bool onlyFromState = false;
  GradientLocation result;
};

} // namespace

GradientLocation mlir::sparsam::findGradient(Value update, RankedTensorType type,
                                             const llvm::DenseSet<Value> &states,
                                             const llvm::DenseSet<Value> &inputs,
                                             Dependence &dependence) {
  return Search(update, type, states, inputs, dependence).run();
}
