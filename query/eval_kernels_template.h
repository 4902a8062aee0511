/*
 * The loops of eval_kernels.h. Included by eval_kernels.c, eval_kernels_avx2.c and
 * eval_kernels_avx512.c, each compiled for its instruction set, with QN_KERNELS naming the table.
 * They define before:
 *
 * - row, 64 bytes as the level holds them, and load_row(at), store_row(at, bytes)
 *
 * - sum_row(a, b), byte by byte, at most 255; min_row(a, b), likewise the least
 *
 * - reach_row(bytes, least), of which bit i tells whether byte i >= least
 *
 * - code_table, 16 bytes likewise, and load_table(table); table[0] is 0
 *
 * - look_up_row(codes, first, n, table): the values of the n <= 64 codes from posting `first` on,
 *   and behind them what this level's add_postings does not mind
 *
 * - expand_row(word, codes, first, table): for each bit of `word` that is set, ascending, the value
 *   of the next code from posting `first` on; 0 for the other bits
 *
 * - SAME, and find_same(at, byte), of which bit i tells whether at[i] == byte, i < SAME; what lies
 *   behind is not read
 *
 * - add_postings(sums, ranges, low, n, units): adds units[i] to sums[low[i]], i < n <= 64, where
 *   bit low[i] / 64 of `ranges` is set, and perhaps elsewhere; `low` may be read up to 64
 *
 * - keep, add_values, find_bounds and sum_codes as eval_kernels.h has them
 *
 * - rank_ranges likewise, where they define OWN_RANK_RANGES
 */
#include "query/bm25.h"
#include "query/eval_kernels.h"
#include "query/eval_kernels_parts.h"

#include "index/base/bytes.h"

#include <stdbool.h>
#include <string.h>

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

/* value, or 0 if tf is 0: K is 0 if k1 is, and 0 / 0 must not come of a document that is not there.
 * By a mask, for compilers would otherwise not divide before they know, and divide one by one. */
static inline float where_found(float value, uint32_t tf)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= tf == 0 ? 0 : UINT32_MAX;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void score_tfs(const uint32_t *restrict tfs, const float *restrict norms, size_t n,
                      float weight, float *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = where_found(qn_bm25_contribution(weight, tfs[i], norms[i]), tfs[i]);
}

static void add_scores(const uint32_t *restrict tfs, const float *restrict norms, size_t n,
                       float weight, float *restrict sums)
{
    for (size_t i = 0; i < n; i++) /* adding 0 changes no sum */
        sums[i] += where_found(qn_bm25_contribution(weight, tfs[i], norms[i]), tfs[i]);
}

static void clear(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += 64) {
        for (size_t j = i; j < i + 64; j++)
            bytes[j] = 0;
        __asm__("" : : "r"(bytes) : "memory"); /* or compilers call memset */
    }
}

/* A range and what is in it make a key. Ranges ascend, so the largest key up to a posting is that
 * of the largest in its range: stores without loads, nothing waits for memory. */
static void range_maxima(const uint32_t *restrict docs, const float *restrict values, size_t n,
                         float scale, uint8_t *restrict maxima)
{
    enum { STRETCH = 64 }; /* turned to units together, which vectorises */
    uint32_t units[STRETCH];
    uint64_t range = n == 0 ? 0 : docs[0] / 64, best = range << 8 | maxima[range];
    for (size_t i = 0; i < n; i += STRETCH) {
        size_t end = n - i < STRETCH ? n : i + STRETCH;
        for (size_t j = i; j < end; j++)
            units[j - i] = units_of(values[j], scale);
        for (size_t j = i; j < end; j++) {
            uint64_t key = (uint64_t)(docs[j] / 64) << 8 | units[j - i];
            best = key > best ? key : best;
            SETTLE(best);
            maxima[best >> 8] = (uint8_t)best;
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

static void fetch_groups(const qn_group_window *window, uint64_t live)
{
    for (uint64_t left = live_groups(live); left != 0; left &= left - 1) {
        uint32_t from, to;
        group_of(window, (unsigned)__builtin_ctzll(left) / 4, &from, &to);
        __builtin_prefetch(window->low + from);
        __builtin_prefetch(window->low + to);
        __builtin_prefetch(window->codes + from / 2);
    }
}

static void add_groups(uint8_t *sums, uint64_t live, const qn_group_window *window,
                       const uint8_t table[16])
{
    code_table values = load_table(table);
    for (uint64_t left = live_groups(live); left != 0; left &= left - 1) {
        unsigned g = (unsigned)__builtin_ctzll(left) / 4;
        uint32_t from, to;
        group_of(window, g, &from, &to);
        for (; from < to; from += 64) {
            uint32_t n = to - from < 64 ? to - from : 64;
            add_postings(sums + 256 * (size_t)g, (unsigned)(live >> 4 * g) & 15, window->low + from,
                         n, look_up_row(window->codes, from, n, values));
        }
    }
}

static void expand_levels(const uint8_t *levels, size_t n, const uint8_t level[16], uint8_t *out)
{
    code_table table = load_table(level);
    for (size_t i = 0; i < n; i += 64)
        store_row(out + i, look_up_row(levels, (uint32_t)i, 64, table));
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

/* The first i in [from, to) with low[i] == byte; `to` if none. */
static inline uint32_t find_low(const uint8_t *low, uint32_t from, uint32_t to, uint8_t byte)
{
    for (; from < to; from += SAME) {
        uint64_t same = find_same(low + from, byte);
        if (same == 0)
            continue;
        uint32_t at = from + (uint32_t)__builtin_ctzll(same);
        return at < to ? at : to;
    }
    return to;
}

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

#ifndef OWN_RANK_RANGES

/* A line of eight ranges at a time, those that are not live included. */
static void rank_ranges(qn_coded_window *window, uint64_t live)
{
    for (uint64_t left = live; left != 0; left = without_line(left)) {
        unsigned r = (unsigned)__builtin_ctzll(left) & ~7u;
        uint64_t rank = qn_load_u32(window->ranks + 4 * (size_t)(r / 8));
        for (unsigned i = r; i < r + 8; i++) {
            window->rank[i] = rank < window->df ? (uint32_t)rank : window->df;
            rank += count_bits(qn_load_u64(window->words + 8 * (size_t)i));
        }
    }
    fetch_codes(window, live);
}

#endif

static uint64_t find_postings(const qn_coded_window *window, const uint16_t *offsets, size_t n,
                              uint32_t *postings)
{
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned r = offsets[i] / 64, bit = offsets[i] % 64;
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        uint64_t below = word & (((uint64_t)1 << bit) - 1);
        uint64_t posting = window->rank[r] + count_bits(below);
        postings[i] = (uint32_t)posting;
        found |= (word >> bit & (posting < window->df)) << i;
    }
    return found;
}

static void window_ends(const uint32_t *restrict docs, size_t n, uint32_t first,
                        uint32_t *restrict ends)
{
    for (size_t i = 0; i < n; i++)
        ends[docs[i] / 4096] = first + (uint32_t)i + 1;
}

/* `live` without range r if no byte of its row reaches what is needed there. */
static inline uint64_t without_dead(uint64_t live, unsigned r, row sum, const uint8_t rest[64],
                                    uint8_t least)
{
    uint8_t needed = least > rest[r] ? (uint8_t)(least - rest[r]) : 0;
    return live & ~((uint64_t)(reach_row(sum, needed) == 0) << r);
}

static uint64_t keep_live(const uint8_t *sums, uint64_t live, const uint8_t rest[64], uint8_t least)
{
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left);
        live = without_dead(live, r, load_row(sums + 64 * (size_t)r), rest, least);
    }
    return live;
}

static uint64_t add_codes(uint8_t *sums, uint64_t live, const qn_coded_window *window,
                          const uint8_t table[16], const uint8_t rest[64], uint8_t least)
{
    code_table values = load_table(table);
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left);
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        uint8_t *at = sums + 64 * (size_t)r;
        row sum = load_row(at);
        if (word != 0) {
            sum = sum_row(sum, expand_row(word, window->codes, window->rank[r], values));
            store_row(at, sum);
        }
        live = without_dead(live, r, sum, rest, least);
    }
    return live;
}

static void set_codes(uint8_t *out, uint64_t live, const qn_coded_window *window,
                      const uint8_t table[16])
{
    code_table values = load_table(table);
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)r);
        store_row(out + 64 * (size_t)r, expand_row(word, window->codes, window->rank[r], values));
    }
}

static void find_bytes(const uint8_t *bytes, uint64_t live, uint8_t least, uint64_t masks[64])
{
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        masks[r] = reach_row(load_row(bytes + 64 * (size_t)r), least);
    }
}

static void clear_ranges(uint8_t *bytes, uint64_t live)
{
    const row none = {0};
    for (; live != 0; live &= live - 1)
        store_row(bytes + 64 * (size_t)__builtin_ctzll(live), none);
}

static void min_bytes(uint8_t *out, uint64_t live, const uint8_t *more)
{
    for (; live != 0; live &= live - 1) {
        size_t at = 64 * (size_t)__builtin_ctzll(live);
        store_row(out + at, min_row(load_row(out + at), load_row(more + at)));
    }
}

static void add_bytes(uint8_t *out, uint64_t live, const uint8_t *more)
{
    for (; live != 0; live &= live - 1) {
        size_t at = 64 * (size_t)__builtin_ctzll(live);
        store_row(out + at, sum_row(load_row(out + at), load_row(more + at)));
    }
}

#include "query/eval_kernels_lists.h"

const qn_eval_kernels QN_KERNELS = {.score = score,
                                    .score_tfs = score_tfs,
                                    .add_scores = add_scores,
                                    .keep = keep,
                                    .clear = clear,
                                    .sum_codes = sum_codes,
                                    .find_mapped = find_mapped,
                                    .rank_mapped = rank_mapped,
                                    .find_listed = find_listed,
                                    .look_up_tfs = look_up_tfs,
                                    .expand_levels = expand_levels,
                                    .range_maxima = range_maxima,
                                    .add_values = add_values,
                                    .add_groups = add_groups,
                                    .group_words = group_words,
                                    .find_grouped = find_grouped,
                                    .find_postings = find_postings,
                                    .rank_ranges = rank_ranges,
                                    .fetch_groups = fetch_groups,
                                    .window_ends = window_ends,
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
                                    .clear_ranges = clear_ranges,
                                    .min_bytes = min_bytes,
                                    .add_bytes = add_bytes,
                                    .find_bytes = find_bytes};
