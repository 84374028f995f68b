// Structures through the C API: all of them are asked the same.
// RUN: sparsam-capi-structure-test 2>&1 | FileCheck %s

#include "common.h"

#include "mlir-c/BuiltinAttributes.h"
#include "mlir-c/BuiltinTypes.h"
#include "sparsam-c/Structure.h"

#include <inttypes.h>

static void printDims(const char *name, const int64_t *dims, intptr_t count) {
  printf("  %s:", name);
  for (intptr_t i = 0; i < count; ++i)
    printf(" %" PRId64, dims[i]);
  printf("\n");
}

/* All that can be asked of a structure, without a word about which it is. */
static void describe(const char *structureText, const char *typeText, MlirLocation loc) {
  MlirContext context = mlirLocationGetContext(loc);
  MlirType type = mlirTypeParseGet(context, text(typeText));
  MlirAttribute structure = sparsamStructureParse(text(structureText), loc);
  printf("structure: ");
  mlirAttributePrint(structure, print, NULL);
  printf(" of kind %d\n", (int)sparsamStructureGetKind(structure));

  SparsamMatrixView view;
  int64_t inputs[8], outputs[8], stacked[8];
  require(mlirLogicalResultIsSuccess(sparsamStructureGetMatrixView(
              structure, type, loc, &view, inputs, outputs, stacked)),
          "a matrix view");
  printf("  matrix: ");
  mlirTypePrint(view.matrix, print, NULL);
  printf("\n");
  printDims("inputs", inputs, view.numInputs);
  printDims("outputs", outputs, view.numOutputs);
  printDims("stacked", stacked, view.numStacked);

  SparsamStorage storage = sparsamStructureGetStorage(structure, type, loc);
  require(!sparsamStorageIsNull(storage), "a storage");
  for (intptr_t i = 0; i < sparsamStorageGetNumTensors(storage); ++i) {
    printf("  tensor: ");
    print(sparsamStorageGetName(storage, i), NULL);
    printf(" ");
    mlirTypePrint(sparsamStorageGetType(storage, i), print, NULL);
    printf(" of role %d\n", (int)sparsamStorageGetRole(storage, i));
  }
  sparsamStorageDestroy(storage);

  SparsamStructureCost cost;
  require(
      mlirLogicalResultIsSuccess(sparsamStructureGetCost(structure, type, loc, &cost)),
      "a cost");
  printf("  cost: %" PRId64 " entries, %" PRId64 " bytes, %" PRId64 " FLOPs a row, "
         "%" PRId64 " for the gradient\n",
         cost.entries, cost.bytes, cost.flopsPerRow, cost.gradientFlopsPerRow);
}

static void testStructures(MlirContext context) {
  MlirLocation loc = mlirLocationFileLineColGet(context, text("plan.txt"), 3, 7);
  describe("nm<2:4>", "tensor<16x8xf32>", loc);
  // CHECK: structure: #sparsam.nm<2:4> of kind 0
  // CHECK-NEXT: matrix: tensor<16x8xf32>
  // CHECK-NEXT: inputs: 0
  // CHECK-NEXT: outputs: 1
  // CHECK-NEXT: stacked:
  // CHECK-NEXT: tensor: values tensor<8x8x1xf32> of role 0
  // CHECK-NEXT: tensor: indices tensor<8x8xi16> of role 2
  // CHECK-NEXT: cost: 64 entries, 384 bytes, 128 FLOPs a row, 128 for the gradient
  describe("low_rank<3, in = [0, 2]>", "tensor<4x5x6xf64>", loc);
  // CHECK: structure: #sparsam.low_rank<3, in = [0, 2]> of kind 1
  // CHECK-NEXT: matrix: tensor<24x5xf64>
  // CHECK-NEXT: inputs: 0 2
  // CHECK-NEXT: outputs: 1
  // CHECK-NEXT: stacked:
  // CHECK-NEXT: tensor: u tensor<24x3xf64> of role 0
  // CHECK-NEXT: tensor: v tensor<3x5xf64> of role 0
  // CHECK-NEXT: cost: 87 entries, 696 bytes, 174 FLOPs a row, 174 for the gradient
  describe("nm<2:4, in = [2], stack = [0]>", "tensor<3x8x16xf32>", loc);
  // CHECK: structure: #sparsam.nm<2:4, in = [2], stack = [0]> of kind 0
  // CHECK-NEXT: matrix: tensor<16x8xf32>
  // CHECK-NEXT: inputs: 2
  // CHECK-NEXT: outputs: 1
  // CHECK-NEXT: stacked: 0
  // CHECK-NEXT: tensor: values tensor<3x8x8x1xf32> of role 0
  // CHECK-NEXT: tensor: indices tensor<3x8x8xi16> of role 2
  // CHECK-NEXT: cost: 192 entries, 1152 bytes, 128 FLOPs a row, 128 for the gradient

  MlirAttribute structure = sparsamStructureParse(text("low_rank<3>"), loc);
  int64_t inputs[] = {1};
  int64_t stacked[] = {0, 3};
  mlirAttributeDump(sparsamStructureWithView(structure, 1, inputs, 2, stacked));
  // CHECK: #sparsam.low_rank<3, in = [1], stack = [0, 3]>
  int64_t shape[] = {4, 6};
  MlirType encoded =
      mlirRankedTensorTypeGetChecked(loc, 2, shape, mlirF32TypeGet(context), structure);
  mlirTypeDump(encoded);
  // CHECK: tensor<4x6xf32, #sparsam.low_rank<3>>
  require(mlirAttributeEqual(sparsamTypeGetStructure(encoded), structure),
          "the structure of a type");
  MlirType plain = mlirTypeParseGet(context, text("tensor<4x6xf32>"));
  require(mlirAttributeIsNull(sparsamTypeGetStructure(plain)), "a type without one");
  require(!sparsamAttributeIsAStructure(mlirUnitAttrGet(context)), "a unit attribute");
}

static void testPatterns(MlirContext context) {
  MlirLocation loc =
      mlirLocationNameGet(context, text("w"), mlirLocationUnknownGet(context));
  MlirType type = mlirTypeParseGet(context, text("tensor<4x2xf32>"));
  MlirAttribute structure = sparsamStructureParse(text("nm<2:4>"), loc);
  int64_t indices[] = {0, 3, 1, 2};
  const int64_t *arrays[] = {indices};
  intptr_t size = 4;
  printf("patterns:\n");
  require(mlirLogicalResultIsSuccess(
              sparsamStructureVerifyPattern(structure, type, 1, arrays, &size, loc)),
          "a pattern");
  indices[1] = 4;
  require(mlirLogicalResultIsFailure(
              sparsamStructureVerifyPattern(structure, type, 1, arrays, &size, loc)),
          "no pattern");
  size = 3;
  require(mlirLogicalResultIsFailure(
              sparsamStructureVerifyPattern(structure, type, 1, arrays, &size, loc)),
          "a pattern of another size");
  require(mlirLogicalResultIsFailure(
              sparsamStructureVerifyPattern(structure, type, 0, NULL, NULL, loc)),
          "no arrays");
  // CHECK: patterns:
  // CHECK-NEXT: error at loc("w"): indices[0, 1] is 4, expected an input from 0 to 3
  // CHECK-NEXT: error at loc("w"): indices of #sparsam.nm<2:4> must have 4 elements, found 3
  // CHECK-NEXT: error at loc("w"): #sparsam.nm<2:4> has 1 index tensors, found 0
}

static void testErrors(MlirContext context, int *errors) {
  MlirLocation loc = mlirLocationFileLineColGet(context, text("plan.txt"), 3, 7);
  MlirType type = mlirTypeParseGet(context, text("tensor<6x8xf32>"));
  MlirType scalar = mlirF32TypeGet(context);
  printf("errors:\n");
  *errors = 0;
  require(mlirAttributeIsNull(sparsamStructureParse(text("nm<2>"), loc)), "nm<2>");
  require(mlirAttributeIsNull(sparsamStructureParse(text("absent<2>"), loc)), "absent");
  MlirAttribute structure = sparsamStructureParse(text("nm<2:4>"), loc);
  require(sparsamStorageIsNull(sparsamStructureGetStorage(structure, type, loc)),
          "6 / 4");
  require(sparsamStorageIsNull(sparsamStructureGetStorage(structure, scalar, loc)),
          "a scalar");
  SparsamStructureCost cost;
  require(
      mlirLogicalResultIsFailure(sparsamStructureGetCost(structure, scalar, loc, &cost)),
      "the cost of a scalar");
  require(mlirLogicalResultIsFailure(sparsamStructureGetCost(
              sparsamStructureParse(text("low_rank<7>"), loc), type, loc, &cost)),
          "the cost of what does not fit");
  int64_t inputs[] = {2};
  SparsamMatrixView view;
  require(mlirLogicalResultIsFailure(sparsamStructureGetMatrixView(
              sparsamStructureWithView(structure, 1, inputs, 0, NULL), type, loc, &view,
              NULL, NULL, NULL)),
          "a view of a dimension that is not there");
  int64_t shape[] = {6, 8};
  require(
      mlirTypeIsNull(mlirRankedTensorTypeGetChecked(loc, 2, shape, scalar, structure)),
      "a type that the structure does not fit");
  printf("%d errors\n", *errors);
  // CHECK: errors:
  // CHECK-NEXT: error at loc("plan.txt":3:7): structure `nm<2>` does not parse: {{.+}}
  // CHECK-NEXT: error at loc("plan.txt":3:7): structure `absent<2>` does not parse: {{.+}}
  // CHECK-NEXT: error at loc("plan.txt":3:7): #sparsam.nm<2:4> needs {{.+}} multiple of M = 4, found 6
  // CHECK-NEXT: error at loc("plan.txt":3:7): a parameter must be a ranked tensor, found 'f32'
  // CHECK-NEXT: error at loc("plan.txt":3:7): a parameter must be a ranked tensor, found 'f32'
  // CHECK-NEXT: error at loc("plan.txt":3:7): #sparsam.low_rank<7> has a rank larger than the shape: expected at most 6 for 6x8
  // CHECK-NEXT: error at loc("plan.txt":3:7): #sparsam.nm<2:4, in = [2]> has input dimension 2, expected
  // CHECK-NEXT: error at loc("plan.txt":3:7): #sparsam.nm<2:4> needs {{.+}} multiple of M = 4, found 6
  // CHECK-NEXT: 8 errors
}

int main(void) {
  /* One stream with what MLIR dumps. */
  setbuf(stdout, NULL);
  int errors = 0;
  MlirContext context = mlirContextCreate();
  mlirContextAttachDiagnosticHandler(context, onDiagnostic, &errors, NULL);
  testStructures(context);
  testPatterns(context);
  testErrors(context, &errors);
  mlirContextDestroy(context);
  printf("all done\n");
  // CHECK: all done
  return 0;
}
