/*
 * The inner loops of the evaluators. Most are written once in plain C (eval_kernels_template.h) and
 * compiled once per instruction set: the compiler vectorises them, and since float operations are
 * rounded the same way everywhere and never contracted, every level gives the same bits. What does
 * not vectorise (rows of 64 bytes against a bound, codes, postings left out) each set does by hand.
 */
#ifndef QN_QUERY_EVAL_KERNELS_H
#define QN_QUERY_EVAL_KERNELS_H

#include "index/base/cpu.h"

#include <stddef.h>
#include <stdint.h>

/* A window (64 ranges of 64 documents) of a coded list: see index/segment/coded.h. */
typedef struct qn_coded_window {
    const uint8_t *words; /* u64{64}: the window's documents */
    const uint8_t *ranks; /* u32{8}: postings before each 512 documents */
    const uint8_t *codes; /* of the whole list; may be over-read by 64 bytes past posting df */
    uint32_t df;          /* ranks above it are taken for it */
    uint32_t rank[64];    /* of live ranges, by rank_ranges: postings before range r */
} qn_coded_window;

/* A window of a coded list that is no bitmap. */
typedef struct qn_group_window {
    const uint8_t *starts; /* u16{16}: postings of the window before each 256 documents */
    uint32_t base, end;    /* the window's postings are [base, end) */
    uint32_t df;           /* groups that pass it, or have more than 256 postings, are empty */
    const uint8_t *low;    /* of the whole list: the low byte of each document */
    const uint8_t *codes;  /* likewise; both may be over-read by 64 bytes past posting df */
} qn_group_window;

/* Of all codes of a block, and of those before one of them. */
typedef struct qn_code_sums {
    uint32_t total, before;
    uint32_t n_unknown, n_unknown_before;
} qn_code_sums;

/* A whole coded list that is no bitmap. */
typedef struct qn_group_list {
    const uint8_t *starts, *bases; /* u16 a group; u32 a window */
    const uint8_t *low;            /* may be over-read by 64 bytes past posting df */
    uint32_t df, n_windows;
} qn_group_list;

typedef struct qn_eval_kernels {
    /* out[i] = qn_bm25_contribution(weight, tfs[i], norms[lengths[docs[i]]]), i < n. */
    void (*score)(const uint32_t *docs, const uint32_t *tfs, size_t n, const uint8_t *lengths,
                  const float *norms, float weight, float *out);

    /* out[i] = qn_bm25_contribution(weight, tfs[i], norms[i]), or 0 where tfs[i] is 0, i < n. */
    void (*score_tfs)(const uint32_t *tfs, const float *norms, size_t n, float weight, float *out);

    /* sums[i] += that. */
    void (*add_scores)(const uint32_t *tfs, const float *norms, size_t n, float weight,
                       float *sums);

    /* Keeps the documents with value[i] >= least, in order, in place; returns how many. Arrays may
     * be written up to n. */
    size_t (*keep)(uint32_t *docs, float *values, size_t n, float least);

    /* Makes n bytes 0, n being a multiple of 64, and leaves them in the nearest cache, which string
     * instructions in memset may not. */
    void (*clear)(uint8_t *bytes, size_t n);

    /* maxima[docs[i] / 64] becomes the largest of it and floor(values[i] * scale) + 1, at most 255,
     * i < n. Documents ascend, and those of the next call are behind them; before the first call
     * all maxima are 0. */
    void (*range_maxima)(const uint32_t *docs, const float *values, size_t n, float scale,
                         uint8_t *maxima);

    /* Of a block of n <= 128 codes, the first in the low half of *codes (which may be over-read up
     * to 64 bytes), and of the first i of them: sums of table[code], and how many are 255 and not
     * in the sums. */
    void (*sum_codes)(const uint8_t *codes, uint32_t n, uint32_t i, const uint8_t table[16],
                      qn_code_sums *sums);

    /* ---- n <= 64 documents, anywhere, in a whole list ---- */

    /* Bit i tells whether a bitmap has docs[i]. */
    uint64_t (*find_mapped)(const uint8_t *bitmap, const uint32_t *docs, size_t n);

    /* postings[i]: how many documents below docs[i] it has; at most df. */
    void (*rank_mapped)(const uint8_t *bitmap, const uint8_t *ranks, uint32_t df,
                        const uint32_t *docs, size_t n, uint32_t *postings);

    /* Of the documents docs[i] with bit i in `among`, those that the list has; postings[i] is then
     * their number, below df. */
    uint64_t (*find_listed)(const qn_group_list *list, const uint32_t *docs, uint64_t among,
                            uint32_t *postings);

    /* tf[i] = table[code of posting postings[i]], i < n. */
    void (*look_up_tfs)(const uint8_t *codes, const uint32_t *postings, size_t n,
                        const uint32_t table[16], uint32_t *tf);

    /* ---- sums of range bounds; n is a multiple of 64 ---- */

    /* out[i] = level[number i of levels, four bits each, the low half of a byte first], i < n, a
     * multiple of 64; level[0] is 0. */
    void (*expand_levels)(const uint8_t *levels, size_t n, const uint8_t level[16], uint8_t *out);

    /* sums[i] += 0 if maxima[i] is 0, else floor(maxima[i] * factor / 256) + 1; the caller sees to
     * it that no sum passes 65,535. */
    void (*add_bounds)(uint16_t *sums, const uint8_t *maxima, size_t n, uint16_t factor);

    /* The same value put into out[i], and the least of it and out[i]. */
    void (*set_bounds)(uint16_t *out, const uint8_t *maxima, size_t n, uint16_t factor);
    void (*min_bounds)(uint16_t *out, const uint8_t *maxima, size_t n, uint16_t factor);

    /* out[i] becomes the least of out[i] and more[i]. */
    void (*min_sums)(uint16_t *out, const uint16_t *more, size_t n);

    /* sums[i] += more[i]; add_required: 0 where either is 0; add_optional: 0 where sums[i] is. */
    void (*add_sums)(uint16_t *sums, const uint16_t *more, size_t n);
    void (*add_required)(uint16_t *sums, const uint16_t *more, size_t n);
    void (*add_optional)(uint16_t *sums, const uint16_t *more, size_t n);

    /* How many of sums[0..n) are >= least. */
    size_t (*count_bounds)(const uint16_t *sums, size_t n, uint16_t least);

    /* The largest of sums[0..n); 0 if n is 0. */
    uint16_t (*max_bound)(const uint16_t *sums, size_t n);

    /* Bit i tells whether sums[i] >= least, i < 64. */
    uint64_t (*find_bounds)(const uint16_t *sums, uint16_t least);

    /* ---- a window: bytes for 64 ranges, or for their 4,096 documents ---- */

    /* out[i] = the least of 255 and [0 if maxima[i] is 0, else floor(maxima[i] * factor / 256) + 1]
     * + more[i], i < 64. */
    void (*range_bytes)(uint8_t *out, const uint8_t *maxima, uint16_t factor, const uint8_t *more);

    /* sums[docs[i] % 4096] += floor(values[i] * scale) + 1, at most 255, i < n, for documents in
     * the ranges of `live` (and perhaps others); documents of one window. */
    void (*add_values)(uint8_t *sums, uint64_t live, const uint32_t *docs, const float *values,
                       size_t n, float scale);

    /* For all documents in the ranges of `live` (and perhaps others of the same groups):
     * sums[offset in the window] += table[code], at most 255. In a group whose documents do not
     * ascend, which no good list has, any of its sums may become anything. */
    void (*add_groups)(uint8_t *sums, uint64_t live, const qn_group_window *window,
                       const uint8_t table[16]);

    /* Sets the bits of the window's documents in words, which are 0. */
    void (*group_words)(const qn_group_window *window, uint64_t words[64]);

    /* For n documents of live ranges, ascending (offsets from the window's start, n <= 64): bit i
     * of the result tells whether the list has document i; postings[i] is then its number, below
     * df. */
    uint64_t (*find_postings)(const qn_coded_window *window, const uint16_t *offsets, size_t n,
                              uint32_t *postings);

    /* The same of a window of groups, whatever its ranges. */
    uint64_t (*find_grouped)(const qn_group_window *window, const uint16_t *offsets, size_t n,
                             uint32_t *postings);

    /* Returns `live` without the ranges where no sum reaches least - rest[r]. */
    uint64_t (*keep_live)(const uint8_t *sums, uint64_t live, const uint8_t rest[64],
                          uint8_t least);

    /* Fills window->rank of the ranges in `live`, never more than df whatever the bytes say, and
     * has their codes fetched: the loops below wait for memory otherwise. */
    void (*rank_ranges)(qn_coded_window *window, uint64_t live);

    /* Has what add_groups will read fetched. */
    void (*fetch_groups)(const qn_group_window *window, uint64_t live);

    /* ends[docs[i] / 4096] = first + i + 1, i < n. */
    void (*window_ends)(const uint32_t *docs, size_t n, uint32_t first, uint32_t *ends);

    /* For each range r in `live`: sums[64 r + i] += table[code of document i], or 0 where the list
     * does not have it, at most 255. Returns `live` without the ranges where no sum reaches
     * least - rest[r]. */
    uint64_t (*add_codes)(uint8_t *sums, uint64_t live, const qn_coded_window *window,
                          const uint8_t table[16], const uint8_t rest[64], uint8_t least);

    /* For each range in `live`: out[64 r + i] = that value. */
    void (*set_codes)(uint8_t *out, uint64_t live, const qn_coded_window *window,
                      const uint8_t table[16]);

    /* For each range in `live`: bytes[64 r + i] = 0. */
    void (*clear_ranges)(uint8_t *bytes, uint64_t live);

    /* For each range in `live`, out[64 r + i]: the least of both; the sum of both, at most 255. */
    void (*min_bytes)(uint8_t *out, uint64_t live, const uint8_t *more);
    void (*add_bytes)(uint8_t *out, uint64_t live, const uint8_t *more);

    /* For each range r in `live`: bit i of masks[r] tells whether bytes[64 r + i] >= least, which
     * is at least 1. */
    void (*find_bytes)(const uint8_t *bytes, uint64_t live, uint8_t least, uint64_t masks[64]);
} qn_eval_kernels;

/* The table for a level; falls back to portable code. Never NULL. */
const qn_eval_kernels *qn_eval_kernels_for(qn_cpu cpu);

/* For qn_eval_kernels_for. */
extern const qn_eval_kernels qn_eval_kernels_avx2, qn_eval_kernels_avx512;

#endif
