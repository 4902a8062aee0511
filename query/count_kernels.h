/*
 * The inner loops of counting. A set of documents is a bitmap, one bit a document, of `n_words`
 * words of 64; n_words is a multiple of 64. Those that are read may stand at any address. Written
 * once in plain C (count_kernels_template.h) and compiled once per instruction set; for AVX-512 the
 * loops that decide are written by hand. Every level gives the same results.
 */
#ifndef QN_QUERY_COUNT_KERNELS_H
#define QN_QUERY_COUNT_KERNELS_H

#include "query/eval_kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct qn_count_kernels {
    /* How many documents are in any of sets[0..n), n >= 1. */
    uint64_t (*count_any)(const uint8_t *const *sets, size_t n, size_t n_words);

    /* How many are in all of sets[0..n_all), n_all >= 1, and in none of sets[n_all..n). */
    uint64_t (*count_all)(const uint8_t *const *sets, size_t n_all, size_t n, size_t n_words);

    /* words becomes the union, the intersection, the difference of itself and `set`. */
    void (*add)(uint64_t *words, const uint8_t *set, size_t n_words);
    void (*keep)(uint64_t *words, const uint8_t *set, size_t n_words);
    void (*drop)(uint64_t *words, const uint8_t *set, size_t n_words);

    /* The documents of a window of groups, which begins with document `first`; returns how many, at
     * most 4,096 whatever the bytes say. Writes up to 16 values more. */
    size_t (*group_docs)(const qn_group_window *window, uint32_t first, uint32_t *docs);

    /* Copies those of docs[0..n) to `out` (which may be `docs`) that are in the set, or with
     * `wanted` false those that are not, in order; returns how many. All must be within the set.
     * Writes up to n + 16 values. */
    size_t (*filter)(const uint8_t *set, const uint32_t *docs, size_t n, bool wanted,
                     uint32_t *out);

    /* Puts docs[0..n) into the set `words`; mark_new returns how many were not there, each once. */
    void (*mark)(uint64_t *words, const uint32_t *docs, size_t n);
    size_t (*mark_new)(uint64_t *words, const uint32_t *docs, size_t n);

    /* Takes docs[0..n) out of the set. */
    void (*unmark)(uint64_t *words, const uint32_t *docs, size_t n);
} qn_count_kernels;

/* The table for a level; falls back to portable code. Never NULL. */
const qn_count_kernels *qn_count_kernels_for(qn_cpu cpu);

/* For qn_count_kernels_for. */
extern const qn_count_kernels qn_count_kernels_avx2, qn_count_kernels_avx512;

#endif
