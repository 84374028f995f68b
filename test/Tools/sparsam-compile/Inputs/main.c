/* Calls the functions of library.mlir. */
#include "train.h"

#include <stdio.h>
#include <stdlib.h>

static const float x[4] = {1, 2, 3, 4};

/* Prints what a call failed with. */
static void expectFailure(int failed) {
  if (!failed)
    exit(1);
  printf("%s\n", sparsam_last_error());
}

int main(void) {
  float w[4] = {6, 7, 8, 9}, sum = 0;
  uint16_t indices[2] = {0, 1};
  uint8_t flag = 0;
  char *workspace = (char *)aligned_alloc(64, TRAIN_STEP_WORKSPACE_BYTES);
  if (train_step(x, w, indices, &flag, &sum, NULL, workspace))
    return 1;
  printf("%g %g %g %g, sum %g\n", w[0], w[1], w[2], w[3], sum - 26);
  expectFailure(train_step(w, w, indices, &flag, &sum, NULL, workspace));
  expectFailure(train_step(NULL, w, indices, &flag, &sum, NULL, workspace));
  expectFailure(train_step(x, w, indices, &flag, &sum, NULL, workspace + 1));
  if (train_step(x, w, indices, &flag, &sum, NULL, workspace))
    return 1;
  printf("fine again: '%s'\n", sparsam_last_error());
  free(workspace);
  return 0;
}
