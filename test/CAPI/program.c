// A step from text to numbers through the C API.
// RUN: sparsam-capi-program-test 2>&1 | FileCheck %s

#include "sparsam-c/Program.h"
#include "common.h"

#include "mlir-c/Pass.h"
#include "sparsam/Runtime/Runtime.h"

#include <inttypes.h>
#include <math.h>

enum { K = 16, N = 8, ROWS = 5 };
static const float rate = 0.1F;

/* Gradient descent on y = x W, at a rate of 0.1. */
static const char *const step =
    "func.func @step(\n"
    "    %w: tensor<16x8xf32> {sparsam.param = \"w\", sparsam.updates = 0 : i64},\n"
    "    %x: tensor<5x16xf32> {sparsam.name = \"x\"}, %dy: tensor<5x8xf32>)\n"
    "    -> (tensor<16x8xf32>, tensor<5x8xf32>) {\n"
    "  %zero = arith.constant 0.0 : f32\n"
    "  %rate = arith.constant dense<0.1> : tensor<16x8xf32>\n"
    "  %y0 = tensor.empty() : tensor<5x8xf32>\n"
    "  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x8xf32>)\n"
    "      -> tensor<5x8xf32>\n"
    "  %y = linalg.matmul ins(%x, %w : tensor<5x16xf32>, tensor<16x8xf32>)\n"
    "      outs(%y1 : tensor<5x8xf32>) -> tensor<5x8xf32>\n"
    "  %t0 = tensor.empty() : tensor<16x5xf32>\n"
    "  %xt = linalg.transpose ins(%x : tensor<5x16xf32>)\n"
    "      outs(%t0 : tensor<16x5xf32>) permutation = [1, 0]\n"
    "  %g0 = tensor.empty() : tensor<16x8xf32>\n"
    "  %g1 = linalg.fill ins(%zero : f32) outs(%g0 : tensor<16x8xf32>)\n"
    "      -> tensor<16x8xf32>\n"
    "  %g = linalg.matmul ins(%xt, %dy : tensor<16x5xf32>, tensor<5x8xf32>)\n"
    "      outs(%g1 : tensor<16x8xf32>) -> tensor<16x8xf32>\n"
    "  %scaled = arith.mulf %rate, %g : tensor<16x8xf32>\n"
    "  %new = arith.subf %w, %scaled : tensor<16x8xf32>\n"
    "  return %new, %y : tensor<16x8xf32>, tensor<5x8xf32>\n"
    "}\n";

static void runPipeline(MlirModule module) {
  MlirContext context = mlirModuleGetContext(module);
  MlirPassManager passes = mlirPassManagerCreate(context);
  require(mlirLogicalResultIsSuccess(mlirParsePassPipeline(
              mlirPassManagerGetAsOpPassManager(passes),
              text("builtin.module(sparsam-cpu-pipeline{structures=\"w=nm<2:4>\"})"),
              print, NULL)),
          "parse the pipeline");
  require(mlirLogicalResultIsSuccess(
              mlirPassManagerRunOnOp(passes, mlirModuleGetOperation(module))),
          "run the pipeline");
  mlirPassManagerDestroy(passes);
}

/* The program, once its module and its context are gone. */
static SparsamProgram compileStep(int *errors) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  sparsamRegisterProgramDialects(registry);
  MlirContext context = mlirContextCreateWithRegistry(registry, false);
  mlirDialectRegistryDestroy(registry);
  mlirContextAttachDiagnosticHandler(context, onDiagnostic, errors, NULL);
  sparsamRegisterProgramPasses();

  MlirModule module = mlirModuleCreateParse(context, text(step));
  require(!mlirModuleIsNull(module), "parse the step");
  // CHECK: error at {{.*}}: function 'step' {{.*}}; run sparsam-cpu-pipeline first
  require(sparsamProgramIsNull(sparsamProgramCompile(module, text(""), 1)),
          "a module on tensors compiles");
  runPipeline(module);
  // CHECK: error at {{.*}}: cannot parse the pipeline 'absent':
  require(sparsamProgramIsNull(sparsamProgramCompile(module, text("absent"), 1)),
          "a pipeline that there is not compiles");
  SparsamProgram program = sparsamProgramCompile(module, text(""), 1);
  require(!sparsamProgramIsNull(program), "compile");
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
  return program;
}

static void describe(SparsamProgram program, intptr_t function) {
  printf("function ");
  print(sparsamProgramGetFunctionName(program, function), NULL);
  printf(":\n");
  for (intptr_t i = 0; i < sparsamProgramGetNumArguments(program, function); ++i) {
    SparsamArgument argument = sparsamProgramGetArgument(program, function, i);
    printf("  '");
    print(argument.name, NULL);
    printf("' '");
    print(argument.param, NULL);
    printf("' '");
    print(argument.part, NULL);
    printf("' role %d result %" PRId64 " ", (int)argument.role, argument.result);
    for (intptr_t dim = 0; dim < argument.rank; ++dim)
      printf("%" PRId64 "x", argument.shape[dim]);
    print(argument.elementType, NULL);
    printf(" %zu\n", argument.numBytes);
  }
}

static intptr_t find(SparsamProgram program, const char *name) {
  intptr_t function = sparsamProgramFindFunction(program, text(name));
  require(function >= 0, name);
  return function;
}

static void testDescriptions(SparsamProgram program) {
  printf("%d functions\n", (int)sparsamProgramGetNumFunctions(program));
  describe(program, find(program, "step"));
  describe(program, find(program, "compress"));
  // CHECK: 4 functions
  // CHECK: function step:
  // CHECK-NEXT: '' 'w' 'values' role 1 result 0 8x8x1xf32 256
  // CHECK-NEXT: '' 'w' 'indices' role 0 result -1 8x8xi16 128
  // CHECK-NEXT: 'x' '' '' role 0 result -1 5x16xf32 320
  // CHECK-NEXT: '' '' '' role 0 result -1 5x8xf32 160
  // CHECK-NEXT: '' '' '' role 2 result 1 5x8xf32 160
  // CHECK: function compress:
  // CHECK-NEXT: '' 'w' '' role 0 result -1 16x8xf32 512
  // CHECK-NEXT: '' 'w' 'values' role 2 result 0 8x8x1xf32 256
  // CHECK-NEXT: '' 'w' 'indices' role 2 result 1 8x8xi16 128
}

static void call(SparsamProgram program, const char *name, intptr_t count,
                 void *const *arrays) {
  require(mlirLogicalResultIsSuccess(sparsamProgramCall(program, find(program, name),
                                                        count, arrays, print, NULL)),
          name);
}

static void fill(float *array, int count, unsigned seed) {
  for (int i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;
    array[i] = (float)(seed >> 8) / (float)(1 << 24) - 0.5F;
  }
}

/* The storage of a parameter, as large as the program says. */
static void *allocate(SparsamProgram program, intptr_t argument) {
  return calloc(
      1,
      sparsamProgramGetArgument(program, find(program, "compress"), argument).numBytes);
}

static void expectClose(const char *what, float found, float expected) {
  if (!(fabsf(found - expected) <= 1e-5F)) {
    printf("FAILED: %s is %g, expected %g\n", what, found, expected);
    exit(1);
  }
}

static void testNumbers(SparsamProgram program) {
  float w[K][N], old[K][N], new[K][N], x[ROWS][K], dy[ROWS][N], y[ROWS][N];
  fill(&w[0][0], K * N, 1);
  fill(&x[0][0], ROWS * K, 2);
  fill(&dy[0][0], ROWS * N, 3);
  void *values = allocate(program, 1), *indices = allocate(program, 2);

  call(program, "compress", 3, (void *[]){w, values, indices});
  call(program, "densify", 3, (void *[]){values, indices, old});
  call(program, "step", 5, (void *[]){values, indices, x, dy, y});
  call(program, "densify", 3, (void *[]){values, indices, new});
  free(values);
  free(indices);

  int kept = 0;
  for (int k = 0; k < K; ++k)
    for (int n = 0; n < N; ++n) {
      float gradient = 0;
      for (int r = 0; r < ROWS; ++r)
        gradient += x[r][k] * dy[r][n];
      bool stored = old[k][n] != 0;
      kept += stored;
      expectClose("a stored weight", old[k][n], stored ? w[k][n] : 0);
      expectClose("a new weight", new[k][n], stored ? w[k][n] - rate * gradient : 0);
    }
  for (int r = 0; r < ROWS; ++r)
    for (int n = 0; n < N; ++n) {
      float sum = 0;
      for (int k = 0; k < K; ++k)
        sum += x[r][k] * old[k][n];
      expectClose("an output", y[r][n], sum);
    }
  printf("%d of %d weights kept, all as expected\n", kept, K * N);
  // CHECK: 64 of 128 weights kept, all as expected
}

static void testErrors(SparsamProgram program) {
  float w[K * N], values[K * N];
  intptr_t compress = find(program, "compress");
  printf("errors:\n");
  void *overlapping[] = {w, values, (char *)values + 4};
  require(mlirLogicalResultIsFailure(
              sparsamProgramCall(program, compress, 3, overlapping, print, NULL)),
          "arrays that overlap");
  printf("\n");
  require(mlirLogicalResultIsFailure(
              sparsamProgramCall(program, compress, 2, overlapping, print, NULL)),
          "two arrays for three");
  printf("\n");
  require(mlirLogicalResultIsFailure(
              sparsamProgramCall(program, compress, 2, overlapping, NULL, NULL)),
          "an error that nobody wants to know");
  require(sparsamProgramFindFunction(program, text("absent")) == -1, "no function");
  // CHECK: errors:
  // CHECK-NEXT: function 'compress' writes to memory that argument 1 {{.*}} and argument 2 {{.*}} share
  // CHECK-NEXT: function 'compress' takes 3 arrays, and got 2
}

int main(void) {
  setbuf(stdout, NULL);
  sparsam_set_num_threads(2);
  int errors = 0;
  SparsamProgram program = compileStep(&errors);
  testDescriptions(program);
  testNumbers(program);
  testErrors(program);
  sparsamProgramDestroy(program);
  printf("all done\n");
  // CHECK: all done
  return 0;
}
