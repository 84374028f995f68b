#include "sparsam/Analysis/Product.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::sparsam;

SmallVector<Letter> sparsam::flatten(ArrayRef<Group> dims) {
  SmallVector<Letter> letters;
  for (const Group &group : dims)
    llvm::append_range(letters, group);
  return letters;
}

FailureOr<SmallVector<int64_t>> sparsam::refineSizes(ArrayRef<int64_t> lhs,
                                                     ArrayRef<int64_t> rhs) {
  SmallVector<int64_t> pieces;
  int64_t left = 1, right = 1;
  size_t nextLeft = 0, nextRight = 0;
  while (true) {
    while (left == 1 && nextLeft < lhs.size())
      left = lhs[nextLeft++];
    while (right == 1 && nextRight < rhs.size())
      right = rhs[nextRight++];
    if (left == 1 && right == 1)
      return pieces;
    int64_t piece = std::min(left, right);
    if (piece <= 1 || left % piece || right % piece)
      return failure();
    pieces.push_back(piece);
    left /= piece;
    right /= piece;
  }
}

bool sparsam::isOuterProduct(Operation *op) {
  FailureOr<Product> product = op ? Product::of(op) : FailureOr<Product>(failure());
  if (failed(product) || !product->isElementwise() || product->terms.size() != 2)
    return false;
  product->absorbViews();
  SmallVector<Letter> lhs = flatten(product->terms[0].dims),
                      rhs = flatten(product->terms[1].dims);
  return !lhs.empty() && !rhs.empty() && llvm::none_of(lhs, [&](Letter letter) {
    return llvm::is_contained(rhs, letter);
  });
}

Letter Product::addLetter(int64_t size) {
  sizes.push_back(size);
  return sizes.size() - 1;
}

Group Product::addDimension(int64_t size) {
  return size == 1 ? Group{} : Group{addLetter(size)};
}

Product Product::identity(Value value) {
  Product product;
  Term term{value, {}};
  for (int64_t size : cast<RankedTensorType>(value.getType()).getShape())
    term.dims.push_back(product.addDimension(size));
  product.result = term.dims;
  product.terms.push_back(term);
  return product;
}

int64_t Product::getSize(ArrayRef<Letter> letters) const {
  int64_t size = 1;
  for (Letter letter : letters)
    size *= sizes[letter];
  return size;
}

SmallVector<int64_t> Product::getShape(ArrayRef<Group> dims) const {
  return llvm::map_to_vector(dims, [&](const Group &group) { return getSize(group); });
}

bool Product::isElementwise() const {
  SmallVector<Letter> kept = flatten(result);
  return llvm::all_of(terms, [&](const Term &term) {
    return llvm::all_of(flatten(term.dims),
                        [&](Letter letter) { return llvm::is_contained(kept, letter); });
  });
}

void Product::substitute(Letter letter, ArrayRef<Letter> pieces) {
  auto inGrouping = [&](Grouping &dims) {
    for (Group &group : dims)
      if (auto *found = llvm::find(group, letter); found != group.end())
        group.insert(group.erase(found), pieces.begin(), pieces.end());
  };
  for (Term &term : terms)
    inGrouping(term.dims);
  inGrouping(result);
}

FailureOr<Grouping> Product::cut(ArrayRef<Letter> letters, ArrayRef<int64_t> dimSizes) {
  SmallVector<int64_t> letterSizes =
      llvm::map_to_vector(letters, [&](Letter letter) { return sizes[letter]; });
  FailureOr<SmallVector<int64_t>> pieces = refineSizes(letterSizes, dimSizes);
  if (failed(pieces))
    return failure();
  SmallVector<Letter> flat;
  size_t next = 0;
  for (Letter letter : SmallVector<Letter>(letters)) {
    if ((*pieces)[next] == sizes[letter]) {
      flat.push_back(letter);
      ++next;
      continue;
    }
    SmallVector<Letter> parts;
    for (int64_t left = sizes[letter]; left > 1; left /= (*pieces)[next++])
      parts.push_back(addLetter((*pieces)[next]));
    substitute(letter, parts);
    llvm::append_range(flat, parts);
  }
  Grouping dims;
  next = 0;
  for (int64_t left : dimSizes) {
    Group &group = dims.emplace_back();
    for (; left > 1; left /= sizes[group.back()])
      group.push_back(flat[next++]);
  }
  return dims;
}

void Product::absorbViews(unsigned term) {
  while (absorbView(term)) {
  }
}

void Product::absorbViews() {
  for (unsigned term = 0; term < terms.size(); ++term)
    absorbViews(term);
}

LogicalResult Product::inlineTerm(unsigned term, const Product &inner) {
  if (inner.init)
    return failure();
  // The inner letters behind the outer ones, in terms of this product, so that
  // splitting a letter reaches both.
  Letter offset = sizes.size();
  auto shifted = [&](Grouping dims) {
    for (Group &group : dims)
      for (Letter &letter : group)
        letter += offset;
    return dims;
  };
  Product merged = *this;
  llvm::append_range(merged.sizes, inner.sizes);
  llvm::append_range(merged.scalars, inner.scalars);
  unsigned firstInner = merged.terms.size();
  for (const Term &innerTerm : inner.terms)
    merged.terms.push_back({innerTerm.value, shifted(innerTerm.dims)});
  unsigned innerResult = merged.terms.size();
  merged.terms.push_back({Value(), shifted(inner.result)});
  if (merged.terms[term].dims.size() != merged.terms[innerResult].dims.size())
    return failure();

  for (size_t dim = 0; dim < merged.terms[term].dims.size(); ++dim) {
    auto sizesOf = [&](unsigned position) {
      return llvm::map_to_vector(merged.terms[position].dims[dim],
                                 [&](Letter letter) { return merged.sizes[letter]; });
    };
    auto pieces = refineSizes(sizesOf(term), sizesOf(innerResult));
    if (failed(pieces))
      return failure();
    for (unsigned position : {term, innerResult})
      if (failed(merged.cut(Group(merged.terms[position].dims[dim]), *pieces)))
        return failure();
    Group outerGroup = merged.terms[term].dims[dim];
    Group innerGroup = merged.terms[innerResult].dims[dim];
    for (auto [outerLetter, innerLetter] : llvm::zip_equal(outerGroup, innerGroup))
      merged.substitute(innerLetter, outerLetter);
  }
  merged.terms.pop_back();
  SmallVector<Term> innerTerms(merged.terms.begin() + firstInner, merged.terms.end());
  merged.terms.truncate(firstInner);
  merged.terms.erase(merged.terms.begin() + term);
  merged.terms.insert(merged.terms.begin() + term, innerTerms.begin(), innerTerms.end());
  *this = std::move(merged);
  return success();
}

void Product::renumber() {
  SmallVector<int64_t> usedSizes;
  DenseMap<Letter, Letter> numbers;
  auto inGrouping = [&](Grouping &dims) {
    for (Group &group : dims)
      for (Letter &letter : group) {
        auto [known, isNew] = numbers.try_emplace(letter, usedSizes.size());
        if (isNew)
          usedSizes.push_back(sizes[letter]);
        letter = known->second;
      }
  };
  for (Term &term : terms)
    inGrouping(term.dims);
  inGrouping(result);
  sizes = std::move(usedSizes);
}
