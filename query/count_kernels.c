/* The loops of counting in portable code, and the choice among the compiled levels. */
#define QN_KERNELS qn_count_kernels_scalar
#include "query/count_kernels.h"

extern const qn_count_kernels qn_count_kernels_scalar;

#include "query/count_kernels_template.h"

const qn_count_kernels *qn_count_kernels_for(qn_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu >= QN_CPU_AVX512)
        return &qn_count_kernels_avx512;
    if (cpu >= QN_CPU_AVX2)
        return &qn_count_kernels_avx2;
#else
    (void)cpu;
#endif
    return &qn_count_kernels_scalar;
}
