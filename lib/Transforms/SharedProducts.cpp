#include "SharedProducts.h"
#include "llvm/ADT/SetOperations.h"

using namespace mlir;
using namespace mlir::sparsam;

std::pair<Value, SharedProducts::Factors> SharedProducts::split(const Product &product,
                                                                uint64_t terms) const {
  Value data;
  Factors factors;
  for (auto [position, term] : llvm::enumerate(product.terms)) {
    if (!(terms >> position & 1))
      continue;
    if (isFactor(term.value)) {
      factors.insert(term.value);
      continue;
    }
    if (data)
      return {};
    data = term.value;
  }
  return {data, factors};
}

int64_t SharedProducts::getWorth(const Product &product, uint64_t terms) const {
  std::pair<Value, Factors> apart = split(product, terms);
  auto known = made.find(apart.first);
  if (!apart.first || known == made.end())
    return 0;
  const Factors &factors = apart.second;
  if (llvm::is_contained(known->second, factors))
    return 1;
  // Beside one that does not lead to it, nor follows from it, it would be a second one.
  for (const Factors &other : known->second)
    if (!llvm::set_is_subset(factors, other) && !llvm::set_is_subset(other, factors))
      return -1;
  return 0;
}

FailureOr<ContractionPath> SharedProducts::findPath(const Product &product) {
  auto path = findContractionPath(
      product, [&](uint64_t terms) { return getWorth(product, terms); });
  if (failed(path))
    return failure();
  for (const ContractionStep &step : path->steps) {
    auto [data, factors] = split(product, step.terms);
    if (data && &step != &path->steps.back() && !llvm::is_contained(made[data], factors))
      made[data].push_back(factors);
  }
  return path;
}
