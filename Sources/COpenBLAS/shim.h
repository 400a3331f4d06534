#include <cblas.h>
#include <stddef.h>

// LAPACK's eigenproblem of a real symmetric matrix. OpenBLAS contains it, and no header that is
// installed with it declares it. The last two are the lengths of the letters, as Fortran passes
// them.
void dsyevd_(
    const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w,
    double *work, const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info,
    size_t jobz_length, size_t uplo_length);
