// Convolutions, and the forms that their gradients take, as products of windows.
#ifndef SPARSAM_ANALYSIS_CONVOLUTION_H
#define SPARSAM_ANALYSIS_CONVOLUTION_H

#include "sparsam/Analysis/Product.h"

namespace mlir::sparsam {

/// A sum of products of two operands, one of which is read at places where loops meet:
/// x[s * i + t * k]. What it reads is a tensor of windows with a dimension for each of
/// these loops, and of the windows it is an ordinary product.
///
/// Forward, backward-input and backward-filter of any rank, layout, stride, dilation
/// and number of groups are alike in this: they differ in which loops are summed.
class Convolution {
public:
  /// For `linalg` operations that are such a sum over static shapes.
  static FailureOr<Convolution> of(Operation *op);

  /// One loop that takes part in an index; `slot` is its dimension of the windows.
  struct Step {
    unsigned slot;
    int64_t stride;
  };
  /// The index of a dimension of the source: the sum of its steps, from `offset`.
  struct Place {
    SmallVector<Step, 2> steps;
    int64_t offset = 0;
  };

  static constexpr unsigned windows = 0, filter = 1;

  /// Of the windows and the other operand, here called the filter, in this order. The
  /// value of the windows' term is the tensor that they are read from; views of it are
  /// not the product's to absorb.
  Product product;
  /// Of each dimension of the source. No slot is in two places.
  SmallVector<Place> places;

  Value getSource() const { return product.terms[windows].value; }
  const Group &getSlot(unsigned slot) const { return product.terms[windows].dims[slot]; }
  unsigned getNumSlots() const { return product.terms[windows].dims.size(); }
  int64_t getExtent(unsigned slot) const { return product.getSize(getSlot(slot)); }
  int64_t getSourceSize(unsigned dim) const;

  /// Whether all letters of the slot are summed.
  bool isSummed(unsigned slot) const;
  bool isInFilter(unsigned slot) const;
  /// Whether the index of a source's dimension is one loop over all of it.
  bool isWhole(unsigned dim) const;

  /// Reads the filter through views, reversals and the zeros it lies in: the windows are
  /// reversed, or read at the places of its elements, instead. Returns whether anything
  /// was reversed.
  bool absorbFilter();

  /// Whether rows, columns and sums of a matrix product are all there: grouped with one
  /// channel a group, depthwise, they are not.
  bool isMatrixProduct() const;

private:
  /// Where the slot with these letters is a step; null where none has exactly these.
  std::pair<Place *, Step *> findStep(ArrayRef<Letter> letters);
  bool absorbReversal(bool &reversesAny);
  bool absorbEmbedding();
};

/// The tensor that `op` reverses along some dimensions, with one flag a dimension. None
/// may be: importers reverse 1x1 filters too.
struct Reversal {
  Value source;
  SmallVector<bool> dims;
};
FailureOr<Reversal> matchReversal(Operation *op);

/// What lies in zeros: `tensor.pad` with zeros, or `tensor.insert_slice` into them.
/// Element i of the source is at offset + stride * i.
struct Embedding {
  Value source;
  SmallVector<int64_t> offsets, strides;
};
FailureOr<Embedding> matchEmbedding(Operation *op);

} // namespace mlir::sparsam

#endif // SPARSAM_ANALYSIS_CONVOLUTION_H
