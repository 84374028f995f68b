// OpenBLAS, which is loaded when it is first needed: only then can its kernels be chosen.
#ifndef SPARSAM_LIB_RUNTIME_BLAS_H
#define SPARSAM_LIB_RUNTIME_BLAS_H

#include <cblas.h>

extern "C" {
void sgesdd_(const char *job, const int *m, const int *n, float *a, const int *lda,
             float *s, float *u, const int *ldu, float *vt, const int *ldvt, float *work,
             const int *lwork, int *iwork, int *info);
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda,
             double *s, double *u, const int *ldu, double *vt, const int *ldvt,
             double *work, const int *lwork, int *iwork, int *info);
}

namespace sparsam {

struct Blas {
  decltype(&cblas_sgemm) sgemm;
  decltype(&cblas_dgemm) dgemm;
  decltype(&sgesdd_) sgesdd;
  decltype(&dgesdd_) dgesdd;
};

/// Null, and an error of the call that runs, where it cannot be loaded. It starts no
/// threads of its own: it is called from inside OpenMP's.
const Blas *loadBlas();

} // namespace sparsam

#endif // SPARSAM_LIB_RUNTIME_BLAS_H
