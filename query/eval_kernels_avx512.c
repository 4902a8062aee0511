/* The evaluators' inner loops, compiled for AVX-512: see eval_kernels_template.h. */
#if defined(__x86_64__)
#define QN_KERNELS qn_eval_kernels_avx512
#define OWN_WINDOWS
#include "query/eval_kernels.h"
#include "query/eval_kernels_groups.h"

#include "index/base/bytes.h"

#include <immintrin.h>

static inline __m512i load_table(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table));
}

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

/* values * scale rounded up, 1 to 255; 255 also if it is no number. */
static inline __m512i units_of_16(__m512 values, float scale)
{
    __m512 units =
        _mm512_min_ps(_mm512_mul_ps(values, _mm512_set1_ps(scale)), _mm512_set1_ps(254.0f));
    return _mm512_add_epi32(_mm512_cvttps_epi32(units), _mm512_set1_epi32(1));
}

/* One of the doublings by which each element becomes the largest of those before it that have its
 * range. */
static inline __m512i grow(__m512i units, __m512i range, __m512i units_shifted,
                           __m512i range_shifted)
{
    __mmask16 same = _mm512_cmpeq_epi32_mask(range, range_shifted);
    return _mm512_mask_max_epu32(units, same, units, units_shifted);
}

#define SHIFTED(x, k) _mm512_alignr_epi32(x, none, 16 - (k))

/* The largest of each range is found in registers and only stored: to load what is there would be
 * to wait for it. */
static void range_maxima(const uint32_t *docs, const float *values, size_t n, float scale,
                         uint8_t *maxima)
{
    const __m512i none = _mm512_set1_epi32(-1), last = _mm512_set1_epi32(15);
    uint32_t ranges[16], largest[16];
    uint32_t first = n == 0 ? 0 : docs[0] / 64;
    __m512i range_before = _mm512_set1_epi32((int)first);
    __m512i units_before = _mm512_set1_epi32(maxima[first]);
    for (size_t i = 0; i < n; i += 16) {
        __mmask16 here = first_of_16(n - i);
        __m512i range = _mm512_srli_epi32(_mm512_maskz_loadu_epi32(here, docs + i), 6);
        __m512i units = units_of_16(_mm512_maskz_loadu_ps(here, values + i), scale);
        units = grow(units, range, units_before, range_before);
        units = grow(units, range, SHIFTED(units, 1), SHIFTED(range, 1));
        units = grow(units, range, SHIFTED(units, 2), SHIFTED(range, 2));
        units = grow(units, range, SHIFTED(units, 4), SHIFTED(range, 4));
        units = grow(units, range, SHIFTED(units, 8), SHIFTED(range, 8));
        _mm512_storeu_si512(ranges, range);
        _mm512_storeu_si512(largest, units);
        range_before = _mm512_permutexvar_epi32(last, range);
        units_before = _mm512_permutexvar_epi32(last, units);
        if (here == 0xFFFF)
            for (unsigned j = 0; j < 16; j++)
                maxima[ranges[j]] = (uint8_t)largest[j];
        else
            for (unsigned j = 0; j < n - i; j++)
                maxima[ranges[j]] = (uint8_t)largest[j];
    }
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
        for (unsigned j = 0, found = (unsigned)__builtin_popcount(here); j < found; j++) {
            uint32_t sum = sums[at[j] % 4096] + units[j];
            sums[at[j] % 4096] = (uint8_t)(sum < 255 ? sum : 255);
        }
    }
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

/* Adds to a group's 256 documents those of at most 64 postings that are in `ranges`, a bit for each
 * of its four. The few that are left are brought together; four at a time, so that how often this
 * loops can mostly be guessed. */
static inline void add_postings(uint8_t *sums, unsigned ranges, __m512i lows, uint64_t here,
                                __m512i units)
{
    uint8_t low[64], unit[64];
    __m512i wanted = _mm512_set1_epi32((int)(_pdep_u32(ranges, 0x01010101) * 255));
    __m512i range = _mm512_and_si512(_mm512_srli_epi16(lows, 6), _mm512_set1_epi8(3));
    here &= _mm512_movepi8_mask(_mm512_shuffle_epi8(wanted, range));
    _mm512_storeu_si512(low, _mm512_maskz_compress_epi8(here, lows));
    _mm512_storeu_si512(unit, _mm512_maskz_compress_epi8(here, units));
    unsigned n = (unsigned)__builtin_popcountll(here);
    for (unsigned i = 0; i < n; i += 4) {
        for (unsigned j = i; j < i + 4; j++) {
            uint32_t sum = (uint32_t)sums[low[j]] + unit[j]; /* past n: of 0 */
            sum = sum < 255 ? sum : 255;
            __asm__("" : "+r"(sum)); /* no branch */
            sums[low[j]] = (uint8_t)sum;
        }
    }
}

static void add_groups(uint8_t *sums, uint64_t live, const qn_group_window *window,
                       const uint8_t table[16])
{
    __m512i values = load_table(table);
    for (uint64_t left = live_groups(live); left != 0; left &= left - 1) {
        unsigned g = (unsigned)__builtin_ctzll(left) / 4;
        uint32_t from, to;
        group_of(window, g, &from, &to);
        for (; from < to; from += 64) {
            uint64_t here = to - from >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << (to - from)) - 1;
            __m512i units = _mm512_shuffle_epi8(values, spread_codes(window->codes, from));
            add_postings(sums + 256 * (size_t)g, (unsigned)(live >> 4 * g) & 15,
                         _mm512_loadu_si512(window->low + from), here, units);
        }
    }
}

static void rank_ranges(qn_coded_window *window, uint64_t live)
{
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        __mmask8 before = (__mmask8)((1u << r % 8) - 1);
        __m512i line = _mm512_maskz_loadu_epi64(before, window->words + 8 * (size_t)(r & ~7u));
        uint64_t rank = qn_load_u32(window->ranks + 4 * (size_t)(r / 8)) +
                        (uint64_t)_mm512_reduce_add_epi64(_mm512_popcnt_epi64(line));
        window->rank[r] = rank < window->df ? (uint32_t)rank : window->df;
        __builtin_prefetch(window->codes + window->rank[r] / 2);
        __builtin_prefetch(window->codes + window->rank[r] / 2 + 32);
    }
}

/* The first i in [from, to) with low[i] == byte; `to` if none. */
static inline uint32_t find_low(const uint8_t *low, uint32_t from, uint32_t to, uint8_t byte)
{
    for (; from < to; from += 64) {
        __m512i bytes = _mm512_loadu_si512(low + from);
        uint64_t same = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)byte));
        if (same == 0)
            continue;
        uint32_t at = from + (uint32_t)__builtin_ctzll(same);
        return at < to ? at : to;
    }
    return to;
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
            sum = _mm512_adds_epu8(sum, expand_codes(word, window->codes, window->rank[r], values));
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
                            expand_codes(word, window->codes, window->rank[r], values));
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
