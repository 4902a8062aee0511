/*
 * The inner loops of the evaluators, written once in plain C (eval_kernels_template.h) and compiled
 * once per instruction set: the compiler vectorises them, and since float operations are rounded
 * the same way everywhere and never contracted, every level gives the same bits.
 */
#ifndef QN_QUERY_EVAL_KERNELS_H
#define QN_QUERY_EVAL_KERNELS_H

#include "index/base/cpu.h"

#include <stddef.h>
#include <stdint.h>

typedef struct qn_eval_kernels {
    /* out[i] = qn_bm25_contribution(weight, tfs[i], norms[lengths[docs[i]]]), i < n. */
    void (*score)(const uint32_t *docs, const uint32_t *tfs, size_t n, const uint8_t *lengths,
                  const float *norms, float weight, float *out);

    /* sums[i] += 0 if maxima[i] is 0, else floor(maxima[i] * factor / 256) + 1; the caller sees to
     * it that no sum passes 65,535. */
    void (*add_bounds)(uint16_t *sums, const uint8_t *maxima, size_t n, uint16_t factor);

    /* How many of sums[0..n) are >= least. */
    size_t (*count_bounds)(const uint16_t *sums, size_t n, uint16_t least);

    /* The largest of sums[0..n); 0 if n is 0. */
    uint16_t (*max_bound)(const uint16_t *sums, size_t n);

    /* The first i >= from with sums[i] >= least; n if none. */
    size_t (*find_bound)(const uint16_t *sums, size_t from, size_t n, uint16_t least);

    /* The first i >= from where the bits of scores[i], as a signed integer, are >= least; n if
     * none.
     */
    size_t (*find_score)(const float *scores, size_t from, size_t n, int32_t least);
} qn_eval_kernels;

/* The table for a level; falls back to portable code. Never NULL. */
const qn_eval_kernels *qn_eval_kernels_for(qn_cpu cpu);

/* For qn_eval_kernels_for. */
extern const qn_eval_kernels qn_eval_kernels_avx2, qn_eval_kernels_avx512;

#endif
