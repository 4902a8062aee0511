/* The evaluators' inner loops, compiled for AVX-512: see eval_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_eval_kernels_avx512
#define OWN_RANK_RANGES
#include "query/eval_kernels.h"
#include "query/eval_kernels_parts.h"

#include "index/base/bytes.h"

#include <immintrin.h>

/* ---- rows ---- */

typedef __m512i row;
typedef __m512i code_table;

static inline row load_row(const uint8_t *at)
{
    return _mm512_loadu_si512(at);
}

static inline void store_row(uint8_t *at, row bytes)
{
    _mm512_storeu_si512(at, bytes);
}

static inline row sum_row(row a, row b)
{
    return _mm512_adds_epu8(a, b);
}

static inline row min_row(row a, row b)
{
    return _mm512_min_epu8(a, b);
}

static inline uint64_t reach_row(row bytes, uint8_t least)
{
    return _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8((char)least));
}

static inline code_table load_table(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table));
}

/* A qword of the codes spread out takes eight: their bytes are fetched by a permute, and shifted
 * apart bit by bit. */
static inline row look_up_row(const uint8_t *codes, uint32_t first, uint32_t n, code_table table)
{
    const __m512i bytes = _mm512_setr_epi64(
        0x0706050403020100, 0x0B0A090807060504, 0x0F0E0D0C0B0A0908, 0x131211100F0E0D0C,
        0x1716151413121110, 0x1B1A191817161514, 0x1F1E1D1C1B1A1918, 0x232221201F1E1D1C);
    const __m512i shifts = _mm512_set1_epi64(0x1C1814100C080400);
    (void)n;
    __m512i shift = _mm512_add_epi8(shifts, _mm512_set1_epi8((char)(first % 2 * 4)));
    __m512i packed = _mm512_permutexvar_epi8(bytes, _mm512_loadu_si512(codes + first / 2));
    packed = _mm512_multishift_epi64_epi8(shift, packed);
    return _mm512_shuffle_epi8(table, _mm512_and_si512(packed, _mm512_set1_epi8(15)));
}

static inline row expand_row(uint64_t word, const uint8_t *codes, uint32_t first, code_table table)
{
    return _mm512_maskz_expand_epi8(word, look_up_row(codes, first, 64, table));
}

enum { SAME = 64 };

static inline uint64_t find_same(const uint8_t *at, uint8_t byte)
{
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(at), _mm512_set1_epi8((char)byte));
}

/* ---- postings ---- */

/* A bit for each of the next 16, of which n are left. */
static inline __mmask16 first_of_16(size_t n)
{
    return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xFFFFu);
}

static size_t keep(uint32_t *docs, float *values, size_t n, float least)
{
    __m512 bound = _mm512_set1_ps(least);
    size_t kept = 0;
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 here = first_of_16(n - i);
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

/* units_of for 16 values. */
static inline __m512i units_of_16(__m512 values, float scale)
{
    __m512 units =
        _mm512_min_ps(_mm512_mul_ps(values, _mm512_set1_ps(scale)), _mm512_set1_ps(254.0f));
    return _mm512_add_epi32(_mm512_cvttps_epi32(units), _mm512_set1_epi32(1));
}

/* Whether each document's range is in `live`. */
static inline __mmask16 in_live(__m512i docs, uint64_t live)
{
    __m512i range = _mm512_and_si512(_mm512_srli_epi32(docs, 6), _mm512_set1_epi32(63));
    __mmask16 high = _mm512_test_epi32_mask(range, _mm512_set1_epi32(32));
    __m512i half = _mm512_mask_set1_epi32(_mm512_set1_epi32((int)live), high, (int)(live >> 32));
    __m512i bit = _mm512_srlv_epi32(half, _mm512_and_si512(range, _mm512_set1_epi32(31)));
    return _mm512_test_epi32_mask(bit, _mm512_set1_epi32(1));
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

static void add_values(uint8_t *sums, uint64_t live, const uint32_t *docs, const float *values,
                       size_t n, float scale)
{
    uint32_t at[16], units[16];
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 here = first_of_16(n - i);
        __m512i doc = _mm512_maskz_loadu_epi32(here, docs + i);
        here &= in_live(doc, live);
        if (here == 0)
            continue;
        __m512i unit = units_of_16(_mm512_maskz_loadu_ps(here, values + i), scale);
        _mm512_storeu_si512(at, _mm512_maskz_compress_epi32(here, doc));
        _mm512_storeu_si512(units, _mm512_maskz_compress_epi32(here, unit));
        for (unsigned j = 0, found = (unsigned)__builtin_popcount(here); j < found; j++)
            add_value(sums, at[j], units[j]);
    }
}

/* The bits of n ascending bytes below 64, n <= 64. */
static inline uint64_t bits_of(row bytes, unsigned n)
{
    const __m512i one = _mm512_set1_epi64(1);
    uint8_t at[64];
    _mm512_storeu_si512(at, bytes);
    uint64_t bits = 0;
    for (unsigned i = 0; i < n; i += 8) { /* once, mostly */
        __mmask8 here = (__mmask8)_bzhi_u32(0xFF, n - i);
        __m512i shift = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(at + i)));
        __m512i bit = _mm512_maskz_sllv_epi64(here, one, shift);
        bits |= (uint64_t)_mm512_reduce_or_epi64(bit);
    }
    return bits;
}

/* The postings of a range are brought together and, by the bits of their documents, spread over its
 * 64 sums: no loop depends on how many they are. */
static inline void add_postings(uint8_t *sums, unsigned ranges, const uint8_t *low, uint32_t n,
                                row units)
{
    __m512i all = _mm512_loadu_si512(low);
    __m512i range = _mm512_and_si512(_mm512_srli_epi16(all, 6), _mm512_set1_epi8(3));
    __m512i offset = _mm512_and_si512(all, _mm512_set1_epi8(63));
    uint64_t given = _bzhi_u64(~(uint64_t)0, n);
    for (; ranges != 0; ranges &= ranges - 1) {
        unsigned r = (unsigned)__builtin_ctz(ranges);
        uint64_t here = _mm512_mask_cmpeq_epi8_mask(given, range, _mm512_set1_epi8((char)r));
        uint64_t bits =
            bits_of(_mm512_maskz_compress_epi8(here, offset), (unsigned)__builtin_popcountll(here));
        row more = _mm512_maskz_expand_epi8(bits, _mm512_maskz_compress_epi8(here, units));
        store_row(sums + 64 * (size_t)r, sum_row(load_row(sums + 64 * (size_t)r), more));
    }
}

/* How many postings come before each of eight words, in sums of one, two and four of them. */
static inline __m512i count_before(__m512i words)
{
    const __m512i none = _mm512_setzero_si512();
    __m512i sums = _mm512_alignr_epi64(_mm512_popcnt_epi64(words), none, 7);
    sums = _mm512_add_epi64(sums, _mm512_alignr_epi64(sums, none, 7));
    sums = _mm512_add_epi64(sums, _mm512_alignr_epi64(sums, none, 6));
    return _mm512_add_epi64(sums, _mm512_alignr_epi64(sums, none, 4));
}

static void rank_ranges(qn_coded_window *window, uint64_t live)
{
    __m512i most = _mm512_set1_epi64(window->df);
    for (uint64_t left = live; left != 0; left = without_line(left)) {
        unsigned r = (unsigned)__builtin_ctzll(left) & ~7u;
        __m512i rank = count_before(_mm512_loadu_si512(window->words + 8 * (size_t)r));
        uint32_t first = qn_load_u32(window->ranks + 4 * (size_t)(r / 8));
        rank = _mm512_min_epu64(_mm512_add_epi64(rank, _mm512_set1_epi64(first)), most);
        _mm256_storeu_si256((void *)(window->rank + r), _mm512_cvtepi64_epi32(rank));
    }
    fetch_codes(window, live);
}

/* ---- ranges ---- */

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
