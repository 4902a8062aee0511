/* The evaluators' inner loops, compiled for AVX2: see eval_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_eval_kernels_avx2
#include "query/eval_kernels.h"

#include "index/base/bytes.h"

#include <immintrin.h>

/* Eight documents at a time: the next codes, four bits each, are deposited where the bits of `word`
 * stand. Code 0 is that of a document that the list does not have, and table[0] its value, 0. */
static inline void expand_codes(uint8_t out[64], uint64_t word, const uint8_t *codes, uint32_t rank,
                                const uint8_t table[16])
{
    __m256i values = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
    for (unsigned half = 0; half < 64; half += 32) {
        uint64_t spread[4];
        for (unsigned i = 0; i < 4; i++) {
            uint64_t here = (word >> (half + 8 * i)) & 0xFF;
            uint64_t where = _pdep_u64(here, 0x0101010101010101u) * 15;
            uint64_t next = qn_load_u64(codes + rank / 2) >> (rank % 2 * 4);
            spread[i] = _pdep_u64(next, where);
            rank += (uint32_t)__builtin_popcountll(here);
        }
        __m256i found = _mm256_setr_epi64x((long long)spread[0], (long long)spread[1],
                                           (long long)spread[2], (long long)spread[3]);
        _mm256_storeu_si256((void *)(out + half), _mm256_shuffle_epi8(values, found));
    }
}

#include "query/eval_kernels_template.h"
#else
typedef int qn_eval_kernels_avx2_is_for_x86;
#endif
