/* The evaluators' inner loops, compiled for AVX2: see eval_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_eval_kernels_avx2
#include "query/eval_kernels.h"
#include "query/eval_kernels_parts.h"

#include "index/base/bytes.h"

#include <immintrin.h>

/* ---- rows ---- */

typedef struct row {
    __m256i low, high;
} row;
typedef __m256i code_table;

static inline __m256i load_32(const void *at)
{
    return _mm256_loadu_si256(at);
}

static inline row load_row(const uint8_t *at)
{
    return (row){load_32(at), load_32(at + 32)};
}

static inline void store_row(uint8_t *at, row bytes)
{
    _mm256_storeu_si256((void *)at, bytes.low);
    _mm256_storeu_si256((void *)(at + 32), bytes.high);
}

static inline row sum_row(row a, row b)
{
    return (row){_mm256_adds_epu8(a.low, b.low), _mm256_adds_epu8(a.high, b.high)};
}

static inline row min_row(row a, row b)
{
    return (row){_mm256_min_epu8(a.low, b.low), _mm256_min_epu8(a.high, b.high)};
}

/* The top bits of 64 bytes. */
static inline uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

static inline uint64_t reach_row(row bytes, uint8_t least)
{
    __m256i bound = _mm256_set1_epi8((char)least);
    return mask_of(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes.low, bound), bytes.low),
                   _mm256_cmpeq_epi8(_mm256_max_epu8(bytes.high, bound), bytes.high));
}

static inline code_table load_table(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
}

/* The first of each two codes stand in one half of bytes from first / 2 on, the second ones in the
 * other half of those, or of the bytes behind them. */
static inline row look_up_row(const uint8_t *codes, uint32_t first, uint32_t n, code_table table)
{
    (void)n;
    const __m256i half = _mm256_set1_epi8(15);
    __m128i shift = _mm_cvtsi32_si128((int)(first % 2 * 4));
    __m128i other = _mm_cvtsi32_si128((int)(4 - first % 2 * 4));
    __m256i a = _mm256_srl_epi16(load_32(codes + first / 2), shift);
    __m256i b = _mm256_srl_epi16(load_32(codes + first / 2 + first % 2), other);
    a = _mm256_shuffle_epi8(table, _mm256_and_si256(a, half));
    b = _mm256_shuffle_epi8(table, _mm256_and_si256(b, half));
    __m256i even = _mm256_unpacklo_epi8(a, b), odd = _mm256_unpackhi_epi8(a, b);
    return (row){_mm256_permute2x128_si256(even, odd, 0x20),
                 _mm256_permute2x128_si256(even, odd, 0x31)};
}

/* Sixteen documents: the next codes, four bits each, are deposited where the bits of `word` stand.
 * Code 0 is that of a document that the list does not have, and its value is 0. */
static inline long long expand_16(uint64_t word, const uint8_t *codes, uint32_t first)
{
    const uint8_t *at = codes + first / 2;
    uint64_t next = qn_load_u64(at) >> first % 2 * 4 | qn_load_u64(at + 1) << (8 - first % 2 * 4);
    uint64_t where = _pdep_u64(word, 0x1111111111111111u);
    return (long long)_pdep_u64(next, (where << 4) - where);
}

static inline row expand_row(uint64_t word, const uint8_t *codes, uint32_t first, code_table table)
{
    const __m256i half = _mm256_set1_epi8(15);
    uint64_t part[4] = {word & 0xFFFF, word >> 16 & 0xFFFF, word >> 32 & 0xFFFF, word >> 48};
    uint32_t second = first + count_bits(word & 0xFFFF);
    uint32_t third = first + count_bits(word & 0xFFFFFFFF);
    uint32_t fourth = first + count_bits(word & 0xFFFFFFFFFFFF);
    __m256i found =
        _mm256_setr_epi64x(expand_16(part[0], codes, first), expand_16(part[2], codes, third),
                           expand_16(part[1], codes, second), expand_16(part[3], codes, fourth));
    __m256i even = _mm256_and_si256(found, half);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi16(found, 4), half);
    return (row){_mm256_shuffle_epi8(table, _mm256_unpacklo_epi8(even, odd)),
                 _mm256_shuffle_epi8(table, _mm256_unpackhi_epi8(even, odd))};
}

enum { SAME = 32 };

static inline uint64_t find_same(const uint8_t *at, uint8_t byte)
{
    __m256i same = _mm256_cmpeq_epi8(load_32(at), _mm256_set1_epi8((char)byte));
    return (uint32_t)_mm256_movemask_epi8(same);
}

/* ---- postings ---- */

/* Eight bits, each made a byte. */
static inline uint64_t widen(unsigned mask)
{
    return _pdep_u64(mask, 0x0101010101010101u) * 255;
}

/* The order that brings the elements whose bits are set in mask to the front. */
static inline __m256i front_order(unsigned mask)
{
    uint64_t order = _pext_u64(0x0706050403020100u, widen(mask));
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)order));
}

static size_t keep(uint32_t *docs, float *values, size_t n, float least)
{
    __m256 bound = _mm256_set1_ps(least);
    size_t kept = 0, i = 0;
    for (; i + 8 <= n; i += 8) { /* what is written past the kept ones has been read already */
        __m256 value = _mm256_loadu_ps(values + i);
        __m256i doc = load_32(docs + i);
        unsigned good = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(value, bound, _CMP_GE_OQ));
        __m256i order = front_order(good);
        _mm256_storeu_ps(values + kept, _mm256_permutevar8x32_ps(value, order));
        _mm256_storeu_si256((void *)(docs + kept), _mm256_permutevar8x32_epi32(doc, order));
        kept += count_bits(good);
    }
    for (; i < n; i++) {
        docs[kept] = docs[i];
        values[kept] = values[i];
        kept += values[i] >= least;
    }
    return kept;
}

/* A bit for each of eight documents: whether its range is in `live`. */
static inline unsigned in_live(__m256i docs, uint64_t live)
{
    __m256i range = _mm256_and_si256(_mm256_srli_epi32(docs, 6), _mm256_set1_epi32(63));
    /* Shifted by 32 or more all is 0. */
    __m256i low = _mm256_srlv_epi32(_mm256_set1_epi32((int)live), range);
    __m256i high = _mm256_srlv_epi32(_mm256_set1_epi32((int)(live >> 32)),
                                     _mm256_sub_epi32(range, _mm256_set1_epi32(32)));
    __m256i bit = _mm256_slli_epi32(_mm256_or_si256(low, high), 31);
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(bit));
}

static void add_values(uint8_t *sums, uint64_t live, const uint32_t *docs, const float *values,
                       size_t n, float scale)
{
    uint32_t at[8], units[8];
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i doc = load_32(docs + i);
        unsigned here = in_live(doc, live);
        if (here == 0)
            continue;
        __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(values + i), _mm256_set1_ps(scale));
        scaled = _mm256_min_ps(scaled, _mm256_set1_ps(254.0f));
        __m256i unit = _mm256_add_epi32(_mm256_cvttps_epi32(scaled), _mm256_set1_epi32(1));
        __m256i order = front_order(here);
        _mm256_storeu_si256((void *)at, _mm256_permutevar8x32_epi32(doc, order));
        _mm256_storeu_si256((void *)units, _mm256_permutevar8x32_epi32(unit, order));
        for (unsigned j = 0, found = count_bits(here); j < found; j++)
            add_value(sums, at[j], units[j]);
    }
    for (; i < n; i++)
        add_value(sums, docs[i], units_of(values[i], scale));
}

/* The few that are left are brought together, eight by eight, and added four at a time, so that how
 * often this loops can mostly be guessed. */
static inline void add_postings(uint8_t *sums, unsigned ranges, const uint8_t *low, uint32_t n,
                                row units)
{
    uint8_t lows[72], unit[72], all[64];
    __m256i wanted = _mm256_set1_epi32((int)(_pdep_u32(ranges, 0x01010101) * 255));
    row at = load_row(low);
    const __m256i in_group = _mm256_set1_epi8(3);
    __m256i range_low = _mm256_and_si256(_mm256_srli_epi16(at.low, 6), in_group);
    __m256i range_high = _mm256_and_si256(_mm256_srli_epi16(at.high, 6), in_group);
    uint64_t here =
        mask_of(_mm256_shuffle_epi8(wanted, range_low), _mm256_shuffle_epi8(wanted, range_high));
    here &= n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
    store_row(all, units);
    unsigned found = 0;
    for (unsigned i = 0; i < n; i += 8) {
        uint64_t chosen = widen((unsigned)(here >> i) & 0xFF);
        qn_store_u64(lows + found, _pext_u64(qn_load_u64(low + i), chosen));
        qn_store_u64(unit + found, _pext_u64(qn_load_u64(all + i), chosen));
        found += count_bits(here >> i & 0xFF);
    }
    qn_store_u64(lows + found, 0); /* 0 is added past the last */
    qn_store_u64(unit + found, 0);
    for (unsigned i = 0; i < found; i += 4)
        for (unsigned j = i; j < i + 4; j++)
            sums[lows[j]] = saturated_sum(sums[lows[j]], unit[j]);
}

/* ---- ranges ---- */

static inline __m256i reach_16(const uint16_t *sums, __m256i bound)
{
    __m256i sum = load_32(sums);
    return _mm256_cmpeq_epi16(_mm256_max_epu16(sum, bound), sum);
}

static uint64_t find_bounds(const uint16_t *sums, uint16_t least)
{
    __m256i bound = _mm256_set1_epi16((short)least);
    __m256i low = _mm256_packs_epi16(reach_16(sums, bound), reach_16(sums + 16, bound));
    __m256i high = _mm256_packs_epi16(reach_16(sums + 32, bound), reach_16(sums + 48, bound));
    /* Packing goes half by half. */
    return mask_of(_mm256_permute4x64_epi64(low, 0xD8), _mm256_permute4x64_epi64(high, 0xD8));
}

#include "query/eval_kernels_template.h"
#else
typedef int qn_eval_kernels_avx2_is_for_x86;
#endif
