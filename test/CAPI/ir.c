// The dialect and the pipelines through the C API.
// RUN: sparsam-capi-ir-test 2>&1 | FileCheck %s

#include "common.h"

#include "mlir-c/Pass.h"
#include "mlir-c/RegisterEverything.h"
#include "sparsam-c/Dialect.h"
#include "sparsam-c/Structure.h"

static void testDialect(void) {
  MlirContext context = mlirContextCreate();
  MlirDialectHandle handle = mlirGetDialectHandle__sparsam__();
  printf("dialect: ");
  print(mlirDialectHandleGetNamespace(handle), NULL);
  printf("\n");
  // CHECK: dialect: sparsam

  /* The structures come with the dialect, whichever way it is brought in. */
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  mlirDialectHandleInsertDialect(handle, registry);
  MlirContext registered = mlirContextCreateWithRegistry(registry, false);
  mlirDialectRegistryDestroy(registry);
  mlirDialectHandleLoadDialect(handle, context);
  MlirContext contexts[] = {context, registered};
  for (int i = 0; i < 2; ++i) {
    MlirAttribute attribute =
        mlirAttributeParseGet(contexts[i], text("#sparsam.nm<2:8, vector = 8>"));
    require(!mlirAttributeIsNull(attribute), "parse an attribute");
    require(sparsamAttributeIsAStructure(attribute), "an attribute is a structure");
    mlirAttributeDump(attribute);
    mlirContextDestroy(contexts[i]);
  }
  // CHECK-COUNT-2: #sparsam.nm<2:8, vector = 8>
}

/* A step of plain gradient descent on y = x W. */
static const char *const step =
    "func.func @step(\n"
    "    %w: tensor<16x8xf32> {sparsam.param = \"w\", sparsam.updates = 0 : i64},\n"
    "    %x: tensor<4x16xf32>, %dy: tensor<4x8xf32>)\n"
    "    -> (tensor<16x8xf32>, tensor<4x8xf32>) {\n"
    "  %zero = arith.constant 0.0 : f32\n"
    "  %rate = arith.constant dense<0.1> : tensor<16x8xf32>\n"
    "  %y0 = tensor.empty() : tensor<4x8xf32>\n"
    "  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<4x8xf32>)\n"
    "      -> tensor<4x8xf32>\n"
    "  %y = linalg.matmul ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>)\n"
    "      outs(%y1 : tensor<4x8xf32>) -> tensor<4x8xf32>\n"
    "  %t0 = tensor.empty() : tensor<16x4xf32>\n"
    "  %xt = linalg.transpose ins(%x : tensor<4x16xf32>)\n"
    "      outs(%t0 : tensor<16x4xf32>) permutation = [1, 0]\n"
    "  %g0 = tensor.empty() : tensor<16x8xf32>\n"
    "  %g1 = linalg.fill ins(%zero : f32) outs(%g0 : tensor<16x8xf32>)\n"
    "      -> tensor<16x8xf32>\n"
    "  %g = linalg.matmul ins(%xt, %dy : tensor<16x4xf32>, tensor<4x8xf32>)\n"
    "      outs(%g1 : tensor<16x8xf32>) -> tensor<16x8xf32>\n"
    "  %scaled = arith.mulf %rate, %g : tensor<16x8xf32>\n"
    "  %new = arith.subf %w, %scaled : tensor<16x8xf32>\n"
    "  return %new, %y : tensor<16x8xf32>, tensor<4x8xf32>\n"
    "}\n";

/* Runs a pipeline on the step and says what came of it. */
static void runOnStep(MlirContext context, const char *pipeline, bool dump) {
  MlirModule module = mlirModuleCreateParse(context, text(step));
  require(!mlirModuleIsNull(module), "parse the step");
  MlirPassManager passes = mlirPassManagerCreate(context);
  MlirLogicalResult parsed = mlirParsePassPipeline(
      mlirPassManagerGetAsOpPassManager(passes), text(pipeline), print, NULL);
  if (mlirLogicalResultIsFailure(parsed)) {
    printf("\ndoes not parse\n");
  } else {
    MlirOperation op = mlirModuleGetOperation(module);
    bool done = mlirLogicalResultIsSuccess(mlirPassManagerRunOnOp(passes, op));
    printf(done ? "done\n" : "failed\n");
    if (done && dump)
      mlirOperationPrint(op, print, NULL);
  }
  mlirPassManagerDestroy(passes);
  mlirModuleDestroy(module);
}

static void testPipelines(MlirContext context) {
  sparsamRegisterAllPasses();
  sparsamRegisterAllPasses();
  printf("propagate: ");
  runOnStep(context,
            "builtin.module(sparsam-find-parameters,"
            "sparsam-apply-structure{structures=\"w=nm<2:4>\"},"
            "sparsam-expand-storage,sparsam-propagate)",
            true);
  // CHECK: propagate: done
  // CHECK: func.func @step(%{{.*}}: tensor<8x8x1xf32>
  // CHECK: sparsam.spmm
  // CHECK: sparsam.sddmm
  printf("cpu: ");
  runOnStep(context, "builtin.module(sparsam-cpu-pipeline{structures=\"w=nm<2:4>\"})",
            true);
  // CHECK: cpu: done
  // CHECK: func.func @step(%{{.*}}: memref<8x8x1xf32>
  printf("another structure: ");
  runOnStep(context, "builtin.module(sparsam-cpu-pipeline{structures=\"w=nm<2:5>\"})",
            false);
  // CHECK: another structure: error at loc({{.*}}): w: #sparsam.nm<2:5> needs
  // CHECK: failed
  printf("no such pass: ");
  runOnStep(context, "builtin.module(sparsam-absent)", false);
  // CHECK: no such pass: {{.*}}'sparsam-absent' does not refer to a registered pass
  // CHECK: does not parse
  printf("no such option: ");
  runOnStep(context, "builtin.module(sparsam-cpu-pipeline{colour=red})", false);
  // CHECK: no such option: {{.*}}no such option colour
  // CHECK: does not parse
}

static MlirContext makeContext(int *errors) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  mlirRegisterAllDialects(registry);
  mlirDialectHandleInsertDialect(mlirGetDialectHandle__sparsam__(), registry);
  MlirContext context = mlirContextCreateWithRegistry(registry, false);
  mlirDialectRegistryDestroy(registry);
  mlirContextLoadAllAvailableDialects(context);
  mlirContextAttachDiagnosticHandler(context, onDiagnostic, errors, NULL);
  return context;
}

int main(void) {
  /* One stream with what MLIR dumps. */
  setbuf(stdout, NULL);
  int errors = 0;
  testDialect();
  MlirContext context = makeContext(&errors);
  testPipelines(context);
  mlirContextDestroy(context);
  printf("%d errors\n", errors);
  // CHECK: 1 errors
  return 0;
}
