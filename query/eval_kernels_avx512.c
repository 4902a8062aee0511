/* The evaluators' inner loops, compiled for AVX-512: see eval_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_eval_kernels_avx512
#define OWN_WINDOWS
#include "query/eval_kernels.h"

#include "index/base/bytes.h"

#include <immintrin.h>

static inline __m512i load_table(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table));
}

static inline uint32_t rank_of(const qn_coded_window *window, unsigned r);

static size_t keep(uint32_t *docs, float *values, size_t n, float least)
{
    __m512 bound = _mm512_set1_ps(least);
    size_t kept = 0;
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 here = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xFFFF;
        __m512 value = _mm512_maskz_loadu_ps(here, values + i);
        __m512i doc = _mm512_maskz_loadu_epi32(here, docs + i);
        __mmask16 good = _mm512_mask_cmp_ps_mask(here, value, bound, _CMP_GE_OQ);
        /* Compressed in a register: a compressing store is many times slower. What is written past
         * the kept ones has been read already. */
        _mm512_mask_storeu_ps(values + kept, here, _mm512_maskz_compress_ps(good, value));
        _mm512_mask_storeu_epi32(docs + kept, here, _mm512_maskz_compress_epi32(good, doc));
        kept += (size_t)__builtin_popcount(good);
    }
    return kept;
}

/* 64 codes from posting `first` on, each in a byte. A qword of the result takes eight codes: their
 * bytes are fetched by a permute, and shifted apart bit by bit. */
static inline __m512i spread_codes(const uint8_t *codes, uint32_t first)
{
    const __m512i bytes = _mm512_setr_epi64(
        0x0706050403020100, 0x0B0A090807060504, 0x0F0E0D0C0B0A0908, 0x131211100F0E0D0C,
        0x1716151413121110, 0x1B1A191817161514, 0x1F1E1D1C1B1A1918, 0x232221201F1E1D1C);
    const __m512i shifts = _mm512_set1_epi64(0x1C1814100C080400);
    __m512i shift = _mm512_add_epi8(shifts, _mm512_set1_epi8((char)(first % 2 * 4)));
    __m512i packed = _mm512_permutexvar_epi8(bytes, _mm512_loadu_si512(codes + first / 2));
    return _mm512_and_si512(_mm512_multishift_epi64_epi8(shift, packed), _mm512_set1_epi8(15));
}

static void look_up_codes(uint8_t out[64], const uint8_t *codes, uint32_t first,
                          const uint8_t table[16])
{
    _mm512_storeu_si512(out, _mm512_shuffle_epi8(load_table(table), spread_codes(codes, first)));
}

/* The first i in [from, to) with low[i] == byte; `to` if none. Mostly there are fewer than 64, and
 * then no branch depends on them. */
static inline uint32_t find_low(const uint8_t *low, uint32_t from, uint32_t to, uint8_t byte)
{
    __m512i wanted = _mm512_set1_epi8((char)byte);
    uint64_t same = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(low + from), wanted);
    while (to - from > 64 && same == 0) {
        from += 64;
        same = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(low + from), wanted);
    }
    uint64_t at = from + _tzcnt_u64(same); /* 64 more if none is the same */
    return at < to ? (uint32_t)at : to;
}

static inline uint64_t low_bits(uint32_t n)
{
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

static inline uint32_t add_up(__m512i even, uint64_t n_even, __m512i odd, uint64_t n_odd)
{
    const __m512i none = _mm512_setzero_si512();
    __m512i sums = _mm512_add_epi64(_mm512_sad_epu8(_mm512_maskz_mov_epi8(n_even, even), none),
                                    _mm512_sad_epu8(_mm512_maskz_mov_epi8(n_odd, odd), none));
    return (uint32_t)_mm512_reduce_add_epi64(sums);
}

static void sum_codes(const uint8_t *codes, uint32_t n, uint32_t i, const uint8_t table[16],
                      qn_code_sums *sums)
{
    /* Codes of even and of odd postings apart: byte b holds postings 2 b and 2 b + 1. */
    const __m512i values = load_table(table), low = _mm512_set1_epi8(15);
    __m512i packed = _mm512_loadu_si512(codes);
    __m512i even = _mm512_shuffle_epi8(values, _mm512_and_si512(packed, low));
    __m512i odd = _mm512_shuffle_epi8(values, _mm512_and_si512(_mm512_srli_epi16(packed, 4), low));
    uint64_t n_even = low_bits((n + 1) / 2), n_odd = low_bits(n / 2);
    uint64_t i_even = low_bits((i + 1) / 2), i_odd = low_bits(i / 2);
    const __m512i unknown = _mm512_set1_epi8(-1);
    uint64_t u_even = _mm512_cmpeq_epi8_mask(even, unknown) & n_even;
    uint64_t u_odd = _mm512_cmpeq_epi8_mask(odd, unknown) & n_odd;
    sums->total = add_up(even, n_even & ~u_even, odd, n_odd & ~u_odd);
    sums->before = add_up(even, i_even & ~u_even, odd, i_odd & ~u_odd);
    sums->n_unknown = (uint32_t)(__builtin_popcountll(u_even) + __builtin_popcountll(u_odd));
    sums->n_unknown_before =
        (uint32_t)(__builtin_popcountll(u_even & i_even) + __builtin_popcountll(u_odd & i_odd));
}

static uint64_t keep_live(const uint8_t *sums, uint64_t live, const uint8_t rest[64], uint8_t least)
{
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left);
        uint8_t needed = least > rest[r] ? (uint8_t)(least - rest[r]) : 0;
        __m512i sum = _mm512_loadu_si512(sums + 64 * (size_t)r);
        uint64_t alive = _mm512_cmpge_epu8_mask(sum, _mm512_set1_epi8((char)needed));
        live &= ~((uint64_t)(alive == 0) << r);
    }
    return live;
}

/* table[the next 64 codes], put where the bits of `word` stand, 0 elsewhere. */
static inline __m512i expand_codes(uint64_t word, const uint8_t *codes, uint32_t rank,
                                   __m512i table)
{
    __m512i values = _mm512_shuffle_epi8(table, spread_codes(codes, rank));
    return _mm512_maskz_expand_epi8(word, values);
}

static uint64_t add_codes(uint8_t *sums, uint64_t live, const qn_coded_window *window,
                          const uint8_t table[16], const uint8_t rest[64], uint8_t least)
{
    __m512i values = load_table(table);
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left);
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        uint8_t *at = sums + 64 * (size_t)r;
        __m512i sum = _mm512_loadu_si512(at);
        if (word != 0) {
            sum = _mm512_adds_epu8(sum,
                                   expand_codes(word, window->codes, rank_of(window, r), values));
            _mm512_storeu_si512(at, sum);
        }
        uint8_t needed = least > rest[r] ? (uint8_t)(least - rest[r]) : 0;
        uint64_t alive = _mm512_cmpge_epu8_mask(sum, _mm512_set1_epi8((char)needed));
        live &= ~((uint64_t)(alive == 0) << r);
    }
    return live;
}

static void set_codes(uint8_t *out, uint64_t live, const qn_coded_window *window,
                      const uint8_t table[16])
{
    __m512i values = load_table(table);
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        _mm512_storeu_si512(out + 64 * (size_t)r,
                            expand_codes(word, window->codes, rank_of(window, r), values));
    }
}

static void find_bytes(const uint8_t *bytes, uint64_t live, uint8_t least, uint64_t masks[64])
{
    __m512i bound = _mm512_set1_epi8((char)least);
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        masks[r] = _mm512_cmpge_epu8_mask(_mm512_loadu_si512(bytes + 64 * (size_t)r), bound);
    }
}

static uint64_t find_bounds(const uint16_t *sums, uint16_t least)
{
    __m512i bound = _mm512_set1_epi16((short)least);
    uint64_t low = _mm512_cmpge_epu16_mask(_mm512_loadu_si512(sums), bound);
    uint64_t high = _mm512_cmpge_epu16_mask(_mm512_loadu_si512(sums + 32), bound);
    return low | high << 32;
}

#include "query/eval_kernels_template.h"
#else
typedef int qn_eval_kernels_avx512_is_for_x86;
#endif
