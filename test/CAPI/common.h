#ifndef SPARSAM_TEST_CAPI_COMMON_H
#define SPARSAM_TEST_CAPI_COMMON_H

/* What the C programs of these tests share. */

#include "mlir-c/Diagnostics.h"
#include "mlir-c/IR.h"

#include <stdio.h>
#include <stdlib.h>

static inline MlirStringRef text(const char *s) {
  return mlirStringRefCreateFromCString(s);
}

static inline void print(MlirStringRef part, void *userData) {
  (void)userData;
  printf("%.*s", (int)part.length, part.data);
}

/* Prints errors and counts them in `userData`; leaves the rest to other handlers. */
static inline MlirLogicalResult onDiagnostic(MlirDiagnostic diagnostic, void *userData) {
  if (mlirDiagnosticGetSeverity(diagnostic) != MlirDiagnosticError)
    return mlirLogicalResultFailure();
  ++*(int *)userData;
  printf("  error at ");
  mlirLocationPrint(mlirDiagnosticGetLocation(diagnostic), print, NULL);
  printf(": ");
  mlirDiagnosticPrint(diagnostic, print, NULL);
  printf("\n");
  return mlirLogicalResultSuccess();
}

static inline void require(bool condition, const char *what) {
  if (condition)
    return;
  printf("FAILED: %s\n", what);
  exit(1);
}

#endif /* SPARSAM_TEST_CAPI_COMMON_H */
