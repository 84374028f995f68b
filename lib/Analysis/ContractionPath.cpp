#include "sparsam/Analysis/ContractionPath.h"
#include "llvm/ADT/bit.h"

#include <tuple>

using namespace mlir;
using namespace mlir::sparsam;

namespace {
constexpr unsigned maxTerms = 12;
constexpr unsigned maxLetters = 64;

/// Dynamic programming over the sets of terms: the best way to contract each.
class Search {
public:
  Search(const Product &product, Preference preference)
      : product(product), preference(preference), count(product.terms.size()),
        letters(uint64_t(1) << count), best(letters.size()) {
    all = letters.size() - 1;
    resultLetters = maskOf(product.result);
    for (uint64_t set = 1; set <= all; ++set)
      for (unsigned term = 0; term < count; ++term)
        if (set >> term & 1)
          letters[set] |= maskOf(product.terms[term].dims);
  }

  ContractionPath run() {
    for (uint64_t set = 1; set <= all; ++set)
      if (llvm::popcount(set) > 1)
        best[set] = findBest(set);
    ContractionPath path;
    path.flops = best[all].flops;
    path.intermediates = best[all].intermediates;
    if (count > 1)
      appendSteps(all, path);
    return path;
  }

private:
  struct Choice {
    double flops = 0;
    int64_t worth = 0;
    double intermediates = 0;
    uint64_t lhs = 0;
  };

  uint64_t maskOf(ArrayRef<Group> dims) const {
    uint64_t mask = 0;
    for (Letter letter : flatten(dims))
      mask |= uint64_t(1) << letter;
    return mask;
  }

  double sizeOf(uint64_t mask) const {
    double size = 1;
    for (unsigned letter = 0; letter < product.sizes.size(); ++letter)
      if (mask >> letter & 1)
        size *= static_cast<double>(product.sizes[letter]);
    return size;
  }

  /// What the contraction of `set` keeps: letters of the result or of other terms.
  uint64_t kept(uint64_t set) const {
    return letters[set] & (resultLetters | letters[all & ~set]);
  }

  Choice findBest(uint64_t set) const {
    Choice found;
    bool any = false;
    // The half with the first term is the left one, so that no split comes twice.
    uint64_t first = set & -set, rest = set & ~first;
    for (uint64_t others = rest; others; others = (others - 1) & rest) {
      uint64_t lhs = set & ~others;
      Choice choice;
      choice.lhs = lhs;
      choice.flops =
          best[lhs].flops + best[others].flops + 2 * sizeOf(kept(lhs) | kept(others));
      choice.worth = best[lhs].worth + best[others].worth +
                     (preference && set != all ? preference(set) : 0);
      choice.intermediates = best[lhs].intermediates + best[others].intermediates +
                             (set == all ? 0 : sizeOf(kept(set)));
      auto rank = [](const Choice &c) {
        return std::tuple(c.flops, -c.worth, c.intermediates, c.lhs);
      };
      if (!any || rank(choice) < rank(found))
        found = choice;
      any = true;
    }
    return found;
  }

  unsigned appendSteps(uint64_t set, ContractionPath &path) const {
    if (llvm::popcount(set) == 1)
      return llvm::countr_zero(set);
    unsigned lhs = appendSteps(best[set].lhs, path);
    unsigned rhs = appendSteps(set & ~best[set].lhs, path);
    path.steps.push_back({lhs, rhs, set});
    return count + path.steps.size() - 1;
  }

  const Product &product;
  Preference preference;
  unsigned count;
  uint64_t all, resultLetters;
  SmallVector<uint64_t> letters;
  SmallVector<Choice> best;
};
} // namespace

FailureOr<ContractionPath> sparsam::findContractionPath(const Product &product,
                                                        Preference preference) {
  if (product.terms.empty() || product.terms.size() > maxTerms ||
      product.sizes.size() > maxLetters)
    return failure();
  return Search(product, preference).run();
}
