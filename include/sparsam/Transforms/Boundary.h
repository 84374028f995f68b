// The attributes of arguments and results: what the stages tell each other at
// function boundaries.
#ifndef SPARSAM_TRANSFORMS_BOUNDARY_H
#define SPARSAM_TRANSFORMS_BOUNDARY_H

#include "llvm/ADT/StringRef.h"

namespace mlir::sparsam::boundary {

/// The framework's path of any argument or result.
inline constexpr llvm::StringLiteral name = "sparsam.name";
/// The path of a parameter inside the parameter tree.
inline constexpr llvm::StringLiteral param = "sparsam.param";
/// The number of the result that is the argument's new value.
inline constexpr llvm::StringLiteral updates = "sparsam.updates";
/// The path of the parameter that an argument is optimizer state of.
inline constexpr llvm::StringLiteral stateOf = "sparsam.state_of";
/// On results: the power of the gradient that optimizer state scales with.
inline constexpr llvm::StringLiteral degree = "sparsam.degree";
/// On results: the path of the parameter that a result is the gradient of.
inline constexpr llvm::StringLiteral gradientOf = "sparsam.gradient_of";
/// A parameter whose update is reached by no gradient; the reason, if it is known.
inline constexpr llvm::StringLiteral noGradient = "sparsam.no_gradient";
/// A parameter whose optimizer is not elementwise in the gradient; the reason, as text
/// that follows "the gradient, ", if it is known.
inline constexpr llvm::StringLiteral notElementwise = "sparsam.not_elementwise";
/// The structure that was asked for, an attribute; on storage tensors, the text of
/// their parameter's structure.
inline constexpr llvm::StringLiteral structure = "sparsam.structure";
/// Which storage tensor of its parameter an argument or result is.
inline constexpr llvm::StringLiteral part = "sparsam.part";
/// On an argument that is no parameter and whose new value has all entries of sliced
/// axes: the group of each of its dimensions, empty for none.
inline constexpr llvm::StringLiteral groups = "sparsam.groups";
/// On functions: a companion of a step (compress, densify), which converts between
/// parameters and storage and so keeps such conversions.
inline constexpr llvm::StringLiteral companion = "sparsam.companion";

} // namespace mlir::sparsam::boundary

#endif // SPARSAM_TRANSFORMS_BOUNDARY_H
