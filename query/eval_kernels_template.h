/*
 * The loops of eval_kernels.h. Included by eval_kernels.c, eval_kernels_avx2.c and
 * eval_kernels_avx512.c, each compiled for its instruction set, with QN_KERNELS naming the table.
 */
#include "query/bm25.h"
#include "query/eval_kernels.h"

#include <string.h>

/* Elements a search looks at together, before it looks which one it was. */
enum { STRIDE = 64 };

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

static void add_bounds(uint16_t *restrict sums, const uint8_t *restrict maxima, size_t n,
                       uint16_t factor)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t wide = (uint16_t)(maxima[i] << 8);
        uint16_t scaled = (uint16_t)(((uint32_t)wide * factor) >> 16);
        sums[i] = (uint16_t)(sums[i] + scaled + (maxima[i] != 0));
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

static size_t find_bound(const uint16_t *restrict sums, size_t from, size_t n, uint16_t least)
{
    for (; from + STRIDE <= n; from += STRIDE) {
        uint16_t max = 0;
        for (size_t i = 0; i < STRIDE; i++)
            max = sums[from + i] > max ? sums[from + i] : max;
        if (max >= least)
            break;
    }
    while (from < n && sums[from] < least)
        from++;
    return from;
}

static inline int32_t bits_at(const float *score)
{
    int32_t bits;
    memcpy(&bits, score, sizeof bits);
    return bits;
}

static size_t find_score(const float *restrict scores, size_t from, size_t n, int32_t least)
{
    for (; from + STRIDE <= n; from += STRIDE) {
        int32_t max = INT32_MIN;
        for (size_t i = 0; i < STRIDE; i++) {
            int32_t bits = bits_at(&scores[from + i]);
            max = bits > max ? bits : max;
        }
        if (max >= least)
            break;
    }
    while (from < n && bits_at(&scores[from]) < least)
        from++;
    return from;
}

const qn_eval_kernels QN_KERNELS = {.score = score,
                                    .add_bounds = add_bounds,
                                    .count_bounds = count_bounds,
                                    .max_bound = max_bound,
                                    .find_bound = find_bound,
                                    .find_score = find_score};
