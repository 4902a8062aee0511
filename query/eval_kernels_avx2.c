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

static inline uint32_t add_up(__m256i sums)
{
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return (uint32_t)(_mm_extract_epi64(half, 0) + _mm_extract_epi64(half, 1));
}

static void sum_codes(const uint8_t *codes, uint32_t n, uint32_t i, const uint8_t table[16],
                      qn_code_sums *sums)
{
    /* Codes of even and of odd postings apart: byte b holds postings 2 b and 2 b + 1. */
    const __m256i values = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
    const __m256i low = _mm256_set1_epi8(15), none = _mm256_setzero_si256();
    const __m256i all = _mm256_set1_epi8(-1);
    __m256i number = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
                                      18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    __m256i total = none, before = none;
    *sums = (qn_code_sums){0};
    for (uint32_t part = 0; part < 4; part++) {
        uint32_t odd = part % 2;
        __m256i packed = _mm256_loadu_si256((const void *)(codes + 32 * (size_t)(part / 2)));
        packed = odd == 0 ? packed : _mm256_srli_epi16(packed, 4);
        __m256i value = _mm256_shuffle_epi8(values, _mm256_and_si256(packed, low));
        __m256i in_n = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)((n + 1 - odd) / 2)), number);
        __m256i in_i = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)((i + 1 - odd) / 2)), number);
        __m256i unknown = _mm256_and_si256(_mm256_cmpeq_epi8(value, all), in_n);
        value = _mm256_andnot_si256(unknown, _mm256_and_si256(value, in_n));
        total = _mm256_add_epi64(total, _mm256_sad_epu8(value, none));
        before = _mm256_add_epi64(before, _mm256_sad_epu8(_mm256_and_si256(value, in_i), none));
        unsigned here = (unsigned)_mm256_movemask_epi8(unknown);
        unsigned first = (unsigned)_mm256_movemask_epi8(_mm256_and_si256(unknown, in_i));
        sums->n_unknown += (uint32_t)__builtin_popcount(here);
        sums->n_unknown_before += (uint32_t)__builtin_popcount(first);
        if (odd == 1)
            number = _mm256_add_epi8(number, _mm256_set1_epi8(32));
    }
    sums->total = add_up(total);
    sums->before = add_up(before);
}

#include "query/eval_kernels_template.h"
#else
typedef int qn_eval_kernels_avx2_is_for_x86;
#endif
