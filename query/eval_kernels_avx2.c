/* The evaluators' inner loops, compiled for AVX2: see eval_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_eval_kernels_avx2
#include "query/eval_kernels_template.h"
#else
typedef int qn_eval_kernels_avx2_is_for_x86;
#endif
