/*
 * The loops of eval_kernels.h. Included by eval_kernels.c, eval_kernels_avx2.c and
 * eval_kernels_avx512.c, each compiled for its instruction set, with QN_KERNELS naming the table.
 * They define before:
 *
 *     static void expand_codes(uint8_t out[64], uint64_t word, const uint8_t *codes, uint32_t rank,
 *                              const uint8_t table[16]): out[i] = table[the next code], for each
 * bit i of word, ascending, from posting `rank` on; 0 for the others
 *
 *     static uint32_t sum_codes(...): as in eval_kernels.h
 *
 * and may define OWN_WINDOWS, and add_codes, set_codes, find_bytes and find_bounds of their own.
 */
#include "query/bm25.h"
#include "query/eval_kernels.h"

#include "index/base/bytes.h"

#include <stdbool.h>

/* ---- scores ---- */

static void score(const uint32_t *restrict docs, const uint32_t *restrict tfs, size_t n,
                  const uint8_t *restrict lengths, const float *restrict norms, float weight,
                  float *restrict out)
{
    /* Two loops: gathering does not vectorise, arithmetic does. */
    for (size_t i = 0; i < n; i++)
        out[i] = norms[lengths[docs[i]]];
    for (size_t i = 0; i < n; i++)
        out[i] = qn_bm25_contribution(weight, tfs[i], out[i]);
}

static void score_tfs(const uint32_t *restrict tfs, const float *restrict norms, size_t n,
                      float weight, float *restrict out)
{
    /* K is 0 if k1 is: 0 / 0 must not come of a document that is not there. */
    for (size_t i = 0; i < n; i++) {
        float value = qn_bm25_contribution(weight, tfs[i], norms[i]);
        out[i] = tfs[i] == 0 ? 0.0f : value;
    }
}

#ifndef OWN_WINDOWS

static size_t keep(uint32_t *docs, float *values, size_t n, float least)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        docs[kept] = docs[i];
        values[kept] = values[i];
        kept += values[i] >= least;
    }
    return kept;
}

#endif

/* value * scale rounded up, 1 to 255; 255 also if it is no number. */
static inline uint32_t units_of(float value, float scale)
{
    float units = value * scale;
    return (uint32_t)(int32_t)(units < 254.0f ? units : 254.0f) + 1;
}

/* Without branches, since compilers make some of a plain comparison before a store, and these are
 * mispredicted for every other document: the sum of two bytes, at most 255, and the larger one. */
static inline uint8_t saturated_sum(uint8_t a, uint32_t b)
{
    uint32_t sum = a + b;
    return (uint8_t)(sum | (254 - sum) >> 24);
}

static inline uint8_t larger(uint8_t a, uint32_t b)
{
    uint32_t more = b - a;
    return (uint8_t)(a + (more & ~(uint32_t)((int32_t)more >> 31)));
}

/* Documents whose values are turned to units together, which vectorises. */
enum { STRETCH = 64 };

static void range_maxima(const uint32_t *restrict docs, const float *restrict values, size_t n,
                         float scale, uint8_t *restrict maxima)
{
    uint32_t units[STRETCH];
    for (size_t from = 0; from < n; from += STRETCH) {
        size_t here = n - from < STRETCH ? n - from : STRETCH;
        for (size_t i = 0; i < here; i++)
            units[i] = units_of(values[from + i], scale);
        for (size_t i = 0; i < here; i++) {
            uint8_t *at = &maxima[docs[from + i] / 64];
            *at = larger(*at, units[i]);
        }
    }
}

/* ---- sums of range bounds ---- */

static inline uint16_t scaled(uint8_t max, uint16_t factor)
{
    uint16_t wide = (uint16_t)(max << 8);
    return (uint16_t)((((uint32_t)wide * factor) >> 16) + (max != 0));
}

static void add_bounds(uint16_t *restrict sums, const uint8_t *restrict maxima, size_t n,
                       uint16_t factor)
{
    for (size_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(sums[i] + scaled(maxima[i], factor));
}

static void set_bounds(uint16_t *restrict out, const uint8_t *restrict maxima, size_t n,
                       uint16_t factor)
{
    for (size_t i = 0; i < n; i++)
        out[i] = scaled(maxima[i], factor);
}

static void min_bounds(uint16_t *restrict out, const uint8_t *restrict maxima, size_t n,
                       uint16_t factor)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t value = scaled(maxima[i], factor);
        out[i] = value < out[i] ? value : out[i];
    }
}

static void min_sums(uint16_t *restrict out, const uint16_t *restrict more, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = more[i] < out[i] ? more[i] : out[i];
}

static void add_sums(uint16_t *restrict sums, const uint16_t *restrict more, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(sums[i] + more[i]);
}

static void add_required(uint16_t *restrict sums, const uint16_t *restrict more, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t sum = (uint16_t)(sums[i] + more[i]);
        sums[i] = sums[i] == 0 || more[i] == 0 ? 0 : sum;
    }
}

static void add_optional(uint16_t *restrict sums, const uint16_t *restrict more, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t sum = (uint16_t)(sums[i] + more[i]);
        sums[i] = sums[i] == 0 ? 0 : sum;
    }
}

static size_t count_bounds(const uint16_t *restrict sums, size_t n, uint16_t least)
{
    size_t count = 0;
    for (size_t i = 0; i < n;) {
        /* Counted in 16 bits, which is as wide as the comparisons are, for as long as they fit. */
        size_t end = n - i < 32768 ? n : i + 32768;
        uint16_t part = 0;
        for (; i < end; i++)
            part = (uint16_t)(part + (sums[i] >= least));
        count += part;
    }
    return count;
}

static uint16_t max_bound(const uint16_t *restrict sums, size_t n)
{
    uint16_t max = 0;
    for (size_t i = 0; i < n; i++)
        max = sums[i] > max ? sums[i] : max;
    return max;
}

/* ---- windows ---- */

static void range_bytes(uint8_t *restrict out, const uint8_t *restrict maxima, uint16_t factor,
                        const uint8_t *restrict more)
{
    for (size_t i = 0; i < 64; i++) {
        uint32_t value = scaled(maxima[i], factor) + (uint32_t)more[i];
        out[i] = (uint8_t)(value < 255 ? value : 255);
    }
}

static void add_values(uint8_t *restrict sums, const uint32_t *restrict docs,
                       const float *restrict values, size_t n, float scale)
{
    uint32_t units[STRETCH];
    for (size_t from = 0; from < n; from += STRETCH) {
        size_t here = n - from < STRETCH ? n - from : STRETCH;
        for (size_t i = 0; i < here; i++)
            units[i] = units_of(values[from + i], scale);
        for (size_t i = 0; i < here; i++) {
            uint8_t *at = &sums[docs[from + i] % 4096];
            *at = saturated_sum(*at, units[i]);
        }
    }
}

#ifndef OWN_WINDOWS

/* The values of up to 64 postings from `first` on. */
static void look_up_codes(uint8_t out[64], const uint8_t *codes, uint32_t first,
                          const uint8_t table[16])
{
    for (uint32_t i = 0; i < 64; i++)
        out[i] = table[codes[(first + i) / 2] >> ((first + i) % 2 * 4) & 15];
}

#endif

/* The postings [*from, *to) of group g of the window. */
static inline void group_of(const qn_group_window *window, unsigned g, uint32_t *from, uint32_t *to)
{
    uint64_t base = window->base, first = base + qn_load_u16(window->starts + 2 * (size_t)g);
    uint64_t end = g < 15 ? base + qn_load_u16(window->starts + 2 * (size_t)g + 2) : window->end;
    bool good = end <= window->df && first <= end && end - first <= 256;
    *from = good ? (uint32_t)first : 0;
    *to = good ? (uint32_t)end : 0;
}

/* A bit for each group that has a bit in `live`, at bit 4 g. */
static inline uint64_t live_groups(uint64_t live)
{
    live |= live >> 1;
    live |= live >> 2;
    return live & 0x1111111111111111u;
}

static void add_groups(uint8_t *restrict sums, uint64_t live, const qn_group_window *window,
                       const uint8_t table[16])
{
    for (uint64_t left = live_groups(live); left != 0; left &= left - 1) {
        unsigned g = (unsigned)__builtin_ctzll(left) / 4;
        uint8_t *at = sums + 256 * (size_t)g;
        uint8_t units[STRETCH];
        uint32_t from, to;
        group_of(window, g, &from, &to);
        for (; from < to; from += STRETCH) {
            uint32_t n = to - from < STRETCH ? to - from : STRETCH;
            look_up_codes(units, window->codes, from, table);
            for (uint32_t i = 0; i < n; i++) {
                uint8_t *sum = &at[window->low[from + i]];
                *sum = saturated_sum(*sum, units[i]);
            }
        }
    }
}

static void group_words(const qn_group_window *window, uint64_t words[64])
{
    for (unsigned g = 0; g < 16; g++) {
        uint32_t from, to;
        group_of(window, g, &from, &to);
        for (; from < to; from++) {
            uint8_t low = window->low[from];
            words[4 * g + low / 64] |= (uint64_t)1 << low % 64;
        }
    }
}

#ifndef OWN_WINDOWS

/* The first i in [from, to) with low[i] == byte; `to` if none. */
static inline uint32_t find_low(const uint8_t *low, uint32_t from, uint32_t to, uint8_t byte)
{
    while (from < to && low[from] != byte)
        from++;
    return from;
}

#endif

static uint64_t find_grouped(const qn_group_window *window, const uint16_t *offsets, size_t n,
                             uint32_t *postings)
{
    uint64_t found = 0;
    unsigned group = UINT32_MAX;
    uint32_t from = 0, to = 0;
    for (size_t i = 0; i < n; i++) {
        if (offsets[i] / 256u != group) {
            group = offsets[i] / 256u;
            group_of(window, group, &from, &to);
        }
        postings[i] = find_low(window->low, from, to, (uint8_t)offsets[i]);
        found |= (uint64_t)(postings[i] < to) << i;
    }
    return found;
}

/* Postings of the list before range r of the window; never more than df, whatever the bytes say. */
static inline uint32_t rank_of(const qn_coded_window *window, unsigned r)
{
    uint64_t rank = qn_load_u32(window->ranks + 4 * (size_t)(r / 8));
    const uint8_t *line = window->words + 8 * (size_t)(r & ~7u);
    for (unsigned i = 0; i < 7; i++)
        rank += i < r % 8 ? (uint64_t)__builtin_popcountll(qn_load_u64(line + 8 * (size_t)i)) : 0;
    return rank < window->df ? (uint32_t)rank : window->df;
}

static uint64_t find_postings(const qn_coded_window *window, const uint16_t *offsets, size_t n,
                              uint32_t *postings)
{
    uint64_t found = 0;
    unsigned line = UINT32_MAX, next = 0; /* word up to which `rank` is counted */
    uint64_t rank = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned at = offsets[i] / 64;
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)at);
        if ((word >> offsets[i] % 64 & 1) == 0)
            continue;
        if (at / 8 != line) {
            line = at / 8;
            next = line * 8;
            rank = qn_load_u32(window->ranks + 4 * (size_t)line);
        }
        for (; next < at; next++)
            rank += (uint64_t)__builtin_popcountll(qn_load_u64(window->words + 8 * (size_t)next));
        uint64_t below = word & (((uint64_t)1 << offsets[i] % 64) - 1);
        uint64_t posting = rank + (uint64_t)__builtin_popcountll(below);
        postings[i] = (uint32_t)posting;
        found |= (uint64_t)(posting < window->df) << i;
    }
    return found;
}

#ifndef OWN_WINDOWS

static uint64_t keep_live(const uint8_t *sums, uint64_t live, const uint8_t rest[64], uint8_t least)
{
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left), best = 0;
        const uint8_t *at = sums + 64 * (size_t)r;
        for (unsigned i = 0; i < 64; i++)
            best = at[i] > best ? at[i] : best;
        if (best + rest[r] < least)
            live &= ~((uint64_t)1 << r);
    }
    return live;
}

static uint64_t add_codes(uint8_t *sums, uint64_t live, const qn_coded_window *window,
                          const uint8_t table[16], const uint8_t rest[64], uint8_t least)
{
    uint8_t values[64];
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left);
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        uint8_t *at = sums + 64 * (size_t)r, best = 0;
        if (word != 0) {
            expand_codes(values, word, window->codes, rank_of(window, r), table);
            for (unsigned i = 0; i < 64; i++) {
                unsigned sum = (unsigned)at[i] + values[i];
                at[i] = (uint8_t)(sum < 255 ? sum : 255);
            }
        }
        for (unsigned i = 0; i < 64; i++)
            best = at[i] > best ? at[i] : best;
        if (best + rest[r] < least)
            live &= ~((uint64_t)1 << r);
    }
    return live;
}

static void set_codes(uint8_t *out, uint64_t live, const qn_coded_window *window,
                      const uint8_t table[16])
{
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        expand_codes(out + 64 * (size_t)r, word, window->codes, rank_of(window, r), table);
    }
}

static void find_bytes(const uint8_t *bytes, uint64_t live, uint8_t least, uint64_t masks[64])
{
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        const uint8_t *at = bytes + 64 * (size_t)r;
        uint64_t mask = 0;
        for (unsigned i = 0; i < 64; i++)
            mask |= (uint64_t)(at[i] >= least) << i;
        masks[r] = mask;
    }
}

static uint64_t find_bounds(const uint16_t *sums, uint16_t least)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i++)
        mask |= (uint64_t)(sums[i] >= least) << i;
    return mask;
}

#endif

static void min_bytes(uint8_t *restrict out, uint64_t live, const uint8_t *restrict more)
{
    for (; live != 0; live &= live - 1) {
        size_t at = 64 * (size_t)__builtin_ctzll(live);
        for (size_t i = at; i < at + 64; i++)
            out[i] = more[i] < out[i] ? more[i] : out[i];
    }
}

static void add_bytes(uint8_t *restrict out, uint64_t live, const uint8_t *restrict more)
{
    for (; live != 0; live &= live - 1) {
        size_t at = 64 * (size_t)__builtin_ctzll(live);
        for (size_t i = at; i < at + 64; i++) {
            unsigned sum = (unsigned)out[i] + more[i];
            out[i] = (uint8_t)(sum < 255 ? sum : 255);
        }
    }
}

#include "query/eval_kernels_lists.h"

const qn_eval_kernels QN_KERNELS = {.score = score,
                                    .score_tfs = score_tfs,
                                    .keep = keep,
                                    .sum_codes = sum_codes,
                                    .find_mapped = find_mapped,
                                    .rank_mapped = rank_mapped,
                                    .find_listed = find_listed,
                                    .look_up_tfs = look_up_tfs,
                                    .range_maxima = range_maxima,
                                    .add_values = add_values,
                                    .add_groups = add_groups,
                                    .group_words = group_words,
                                    .find_grouped = find_grouped,
                                    .find_postings = find_postings,
                                    .keep_live = keep_live,
                                    .add_bounds = add_bounds,
                                    .set_bounds = set_bounds,
                                    .min_bounds = min_bounds,
                                    .min_sums = min_sums,
                                    .add_sums = add_sums,
                                    .add_required = add_required,
                                    .add_optional = add_optional,
                                    .count_bounds = count_bounds,
                                    .max_bound = max_bound,
                                    .find_bounds = find_bounds,
                                    .range_bytes = range_bytes,
                                    .add_codes = add_codes,
                                    .set_codes = set_codes,
                                    .min_bytes = min_bytes,
                                    .add_bytes = add_bytes,
                                    .find_bytes = find_bytes};
