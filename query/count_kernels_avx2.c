/* The loops of counting, compiled for AVX2: see count_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_count_kernels_avx2
#include "query/count_kernels.h"

#include "query/count_kernels_template.h"
#else
typedef int qn_count_kernels_avx2_is_for_x86;
#endif
