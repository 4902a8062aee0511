/*
 * The loops of eval_kernels.h. Included by eval_kernels.c, eval_kernels_avx2.c and
 * eval_kernels_avx512.c, each compiled for its instruction set, with QN_KERNELS naming the table.
 * They define before:
 *
 *     static void expand_codes(uint8_t out[64], uint64_t word, const uint8_t *codes, uint32_t rank,
 *                              const uint8_t table[16])
 *         out[i] = table[the next code] for each bit i of word, ascending, from posting `rank` on;
 *         0 for the others
 *
 * and may define OWN_WINDOWS, and add_codes, set_codes, find_bytes and find_bounds of their own.
 */
#include "query/bm25.h"
#include "query/eval_kernels.h"

#include "index/base/bytes.h"

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

/* Postings of the list before range r of the window; never more than df, whatever the bytes say. */
static inline uint32_t rank_of(const qn_coded_window *window, unsigned r)
{
    uint64_t rank = qn_load_u32(window->ranks + 4 * (size_t)(r / 8));
    const uint8_t *line = window->words + 8 * (size_t)(r & ~7u);
    for (unsigned i = 0; i < 7; i++)
        rank += i < r % 8 ? (uint64_t)__builtin_popcountll(qn_load_u64(line + 8 * (size_t)i)) : 0;
    return rank < window->df ? (uint32_t)rank : window->df;
}

#ifndef OWN_WINDOWS

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

const qn_eval_kernels QN_KERNELS = {.score = score,
                                    .score_tfs = score_tfs,
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
