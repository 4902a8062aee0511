/* The loops of counting, written for AVX-512: see count_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_count_kernels_avx512
#define OWN_SETS
#include "query/count_kernels.h"

#include <immintrin.h>

/* Bits by carry-save addition (Harley and Seal; Mula, Kurz, Lemire 2018): of the eight vectors of a
 * window, the bits that stand for one, two and four are carried over to the next window. */
typedef struct sums {
    __m512i ones, twos, fours, eights; /* eights: counts in qwords */
} sums;

/* The sum bit of three stays in *a; the carry is returned. */
static inline __m512i carry(__m512i *a, __m512i b, __m512i c)
{
    __m512i over = _mm512_ternarylogic_epi64(*a, b, c, 0xE8); /* two of three */
    *a = _mm512_ternarylogic_epi64(*a, b, c, 0x96);           /* one or three */
    return over;
}

static inline void sum_window(sums *s, const __m512i v[8])
{
    __m512i twos_a = carry(&s->ones, v[0], v[1]), twos_b = carry(&s->ones, v[2], v[3]);
    __m512i fours_a = carry(&s->twos, twos_a, twos_b);
    twos_a = carry(&s->ones, v[4], v[5]);
    twos_b = carry(&s->ones, v[6], v[7]);
    __m512i fours_b = carry(&s->twos, twos_a, twos_b);
    s->eights =
        _mm512_add_epi64(s->eights, _mm512_popcnt_epi64(carry(&s->fours, fours_a, fours_b)));
}

static inline uint64_t total(const sums *s)
{
    __m512i all = _mm512_slli_epi64(s->eights, 1);
    all = _mm512_slli_epi64(_mm512_add_epi64(all, _mm512_popcnt_epi64(s->fours)), 1);
    all = _mm512_slli_epi64(_mm512_add_epi64(all, _mm512_popcnt_epi64(s->twos)), 1);
    all = _mm512_add_epi64(all, _mm512_popcnt_epi64(s->ones));
    return (uint64_t)_mm512_reduce_add_epi64(all);
}

static inline void load_window(__m512i v[8], const uint8_t *at)
{
    for (size_t i = 0; i < 8; i++)
        v[i] = _mm512_loadu_si512(at + 64 * i);
}

static uint64_t count_any(const uint8_t *const *sets, size_t n, size_t n_words)
{
    sums s = {0};
    for (size_t at = 0; at < 8 * n_words; at += 512) {
        __m512i v[8];
        load_window(v, sets[0] + at);
        for (size_t k = 1; k < n; k++)
            for (size_t i = 0; i < 8; i++)
                v[i] = _mm512_or_si512(v[i], _mm512_loadu_si512(sets[k] + at + 64 * i));
        sum_window(&s, v);
    }
    return total(&s);
}

static uint64_t count_all(const uint8_t *const *sets, size_t n_all, size_t n, size_t n_words)
{
    sums s = {0};
    for (size_t at = 0; at < 8 * n_words; at += 512) {
        __m512i v[8];
        load_window(v, sets[0] + at);
        for (size_t k = 1; k < n_all; k++)
            for (size_t i = 0; i < 8; i++)
                v[i] = _mm512_and_si512(v[i], _mm512_loadu_si512(sets[k] + at + 64 * i));
        for (size_t k = n_all; k < n; k++)
            for (size_t i = 0; i < 8; i++)
                v[i] = _mm512_andnot_si512(_mm512_loadu_si512(sets[k] + at + 64 * i), v[i]);
        sum_window(&s, v);
    }
    return total(&s);
}

/* Sixteen documents at a time: their words of 32 are gathered. */
static size_t filter(const uint8_t *set, const uint32_t *docs, size_t n, bool wanted, uint32_t *out)
{
    size_t kept = 0;
    const __mmask16 other = wanted ? 0 : 0xFFFF;
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 here = (__mmask16)(n - i >= 16 ? 0xFFFFu : (1u << (n - i)) - 1);
        __m512i doc = _mm512_maskz_loadu_epi32(here, docs + i);
        __m512i word = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), here,
                                                   _mm512_srli_epi32(doc, 5), set, 4);
        __m512i bit = _mm512_rolv_epi32(_mm512_set1_epi32(1), doc);
        __mmask16 in = _mm512_test_epi32_mask(word, bit);
        __mmask16 chosen = (__mmask16)((in ^ other) & here);
        _mm512_storeu_si512(out + kept, _mm512_maskz_compress_epi32(chosen, doc));
        kept += (size_t)__builtin_popcount(chosen);
    }
    return kept;
}

#include "query/count_kernels_template.h"
#else
typedef int qn_count_kernels_avx512_is_for_x86;
#endif
