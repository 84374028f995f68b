// RUN: sparsam-opt %s -split-input-file -verify-diagnostics

// Constraint 1.
// expected-error @below {{expected `keep`, how many entries are kept}}
func.func private @nothing(tensor<16x8xf32, #sparsam.slice<group = "g">>)

// -----

// expected-error @below {{group "g" has two axes}}
func.func private @twice(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 1, rows = [0:1x16x1], group = "g", keep = 1, columns = [0:1x8x1]>>)

// -----

// expected-error @below {{expected a group before another `keep`}}
func.func private @unnamed(tensor<16x8xf32, #sparsam.slice<keep = 1, keep = 2>>)

// -----

// expected-error @below {{expected `keep` after the group before this one}}
func.func private @no_keep(tensor<16x8xf32, #sparsam.slice<group = "g", group = "h">>)

// -----

// expected-error @below {{expected group, keep, rows, columns, in or stack, found `kept`}}
func.func private @word(tensor<16x8xf32, #sparsam.slice<kept = 1>>)

// -----

// Constraint 2.
// expected-error @below {{expected keep of at least 1, found 0}}
func.func private @none(tensor<16x8xf32, #sparsam.slice<keep = 0>>)

// -----

// expected-error @below {{expected a share above 0 and up to 1, found 1.5}}
func.func private @share(tensor<16x8xf32, #sparsam.slice<keep = 1.5>>)

// -----

// Constraint 3.
// expected-error @below {{expected a count of kept entries where an axis has segments}}
func.func private @share_of_segments(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 0.5, rows = [0:1x16x1]>>)

// -----

// expected-error @below {{the axis of group "h" has no segment}}
func.func private @no_segment(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 2, rows = [0:1x16x1], group = "h", keep = 2>>)

// -----

// expected-error @below {{the axis of group "g" has segments of 16 and of 8 entries}}
func.func private @sizes(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 2, rows = [0:1x16x1], columns = [0:1x8x1]>>)

// -----

// expected-error @below {{group "g" has 8 entries, of which 9 cannot be kept}}
func.func private @too_many(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 9, columns = [0:1x8x1]>>)

// -----

// expected-error @below {{expected the name of a group where an axis has segments}}
func.func private @no_name(tensor<16x8xf32, #sparsam.slice<group = "", keep = 4, columns = [0:1x8x1]>>)

// -----

// expected-error @below {{expected a segment of sizes of at least 1}}
func.func private @empty(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 4, columns = [0:0x8x1]>>)

// -----

// expected-error @below {{expected offset:outer x size x inner, as in 0:3x12x64, found 2 sizes}}
func.func private @two(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 4, columns = [0:1x8]>>)

// -----

// expected-error @below {{expected the group of an axis before its segments}}
func.func private @segments_first(tensor<16x8xf32, #sparsam.slice<columns = [0:1x8x1]>>)

// -----

// Constraint 4.
// expected-error @below {{a segment ends at 10, expected at most 8}}
func.func private @outside(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 4, columns = [2:1x8x1]>>)

// -----

// expected-error @below {{segments from 0 to 2 cut across one another}}
func.func private @overlap(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 2, columns = [0:1x6x1, 2:1x6x1]>>)

// -----

// expected-error @below {{segments from 0 to 8 cut across one another}}
func.func private @across(tensor<16x8xf32, #sparsam.slice<group = "g", keep = 2, columns = [0:1x4x2], group = "h", keep = 2, columns = [0:1x2x4]>>)

// -----

// Constraint 5.
// expected-error @below {{#sparsam.slice<keep = 4> is a request, which does not say which rows or columns it is about: sparsam-apply-structure completes it where it is the structure of a parameter of a step}}
func.func private @request(tensor<16x8xf32, #sparsam.slice<keep = 4>>)

// -----

// Nor has it inside another structure.
// expected-error @below {{inside another structure it cannot be, since it is one choice for several parameters, so ask for it on the parameter itself or choose another pattern there}}
func.func private @factors(tensor<16x8xf32, #sparsam.low_rank<4, factors = slice<keep = 4>>>)

// -----

// expected-error @below {{inside another structure it cannot be}}
func.func private @dynamic(tensor<16x8xf32, #sparsam.dynamic<slice<keep = 4>>>)

// -----

// expected-error @below {{the second structure must be a pattern of one parameter, found #sparsam.slice<group = "g", keep = 4, columns = [0:1x8x1]>, which is one choice for several}}
func.func private @complete_inside(tensor<16x8xf32, #sparsam.sum<low_rank<2>, slice<group = "g", keep = 4, columns = [0:1x8x1]>>>)

// -----

func.func @select_none(%w: tensor<16x8xf32>) -> tensor<4xi16> {
  // expected-error @below {{expected one structure for each source and at least one, found 0 for 1}}
  %i = sparsam.select_coupled "g" of %w {structures = []} : (tensor<16x8xf32>) -> tensor<4xi16>
  return %i : tensor<4xi16>
}

// -----

func.func @select_kinds(%w: tensor<16x8xf32>) -> tensor<4xi16> {
  // expected-error @below {{expected structures of one kind, found #sparsam.nm<2:4>}}
  %i = sparsam.select_coupled "g" of %w, %w {structures = [
      #sparsam.slice<group = "g", keep = 4, columns = [0:1x8x1]>, #sparsam.nm<2:4>]}
      : (tensor<16x8xf32>, tensor<16x8xf32>) -> tensor<4xi16>
  return %i : tensor<4xi16>
}

// -----

func.func @select_other(%w: tensor<16x8xf32>) -> tensor<4xi16> {
  // expected-error @below {{has no axis of group "h"}}
  %i = sparsam.select_coupled "h" of %w {structures = [
      #sparsam.slice<group = "g", keep = 4, columns = [0:1x8x1]>]}
      : (tensor<16x8xf32>) -> tensor<4xi16>
  return %i : tensor<4xi16>
}

// -----

func.func @select_type(%w: tensor<16x8xf32>) -> tensor<5xi16> {
  // expected-error @below {{expected indices of 'tensor<4xi16>', found 'tensor<5xi16>'}}
  %i = sparsam.select_coupled "g" of %w {structures = [
      #sparsam.slice<group = "g", keep = 4, columns = [0:1x8x1]>]}
      : (tensor<16x8xf32>) -> tensor<5xi16>
  return %i : tensor<5xi16>
}

// -----

func.func @select_layers(%w: tensor<2x16x8xf32>) -> tensor<4xi16> {
  // expected-error @below {{cannot choose for layers}}
  %i = sparsam.select_coupled "g" of %w {structures = [
      #sparsam.slice<group = "g", keep = 4, columns = [0:1x8x1], in = [1], stack = [0]>]}
      : (tensor<2x16x8xf32>) -> tensor<4xi16>
  return %i : tensor<4xi16>
}
