/* The evaluators' inner loops in portable code, and the choice among the compiled levels. */
#define QN_KERNELS qn_eval_kernels_scalar
#include "query/eval_kernels.h"

#include <string.h>

extern const qn_eval_kernels qn_eval_kernels_scalar;

static void expand_codes(uint8_t out[64], uint64_t word, const uint8_t *codes, uint32_t rank,
                         const uint8_t table[16])
{
    memset(out, 0, 64);
    for (; word != 0; word &= word - 1, rank++)
        out[__builtin_ctzll(word)] = table[codes[rank / 2] >> (rank % 2 * 4) & 15];
}

static void sum_codes(const uint8_t *codes, uint32_t n, uint32_t i, const uint8_t table[16],
                      qn_code_sums *sums)
{
    *sums = (qn_code_sums){0};
    for (uint32_t j = 0; j < n; j++) {
        uint32_t value = table[codes[j / 2] >> (j % 2 * 4) & 15], unknown = value == 255;
        value = unknown ? 0 : value;
        sums->total += value;
        sums->n_unknown += unknown;
        sums->before += j < i ? value : 0;
        sums->n_unknown_before += j < i ? unknown : 0;
    }
}

#include "query/eval_kernels_template.h"

const qn_eval_kernels *qn_eval_kernels_for(qn_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu >= QN_CPU_AVX512)
        return &qn_eval_kernels_avx512;
    if (cpu >= QN_CPU_AVX2)
        return &qn_eval_kernels_avx2;
#else
    (void)cpu;
#endif
    return &qn_eval_kernels_scalar;
}
