/*
 * BM25 to the bit (Robertson et al. 1994, as Lucene 8+ computes it: no (k1 + 1) factor). The one
 * place that says how a contribution is computed; every evaluator and kernel uses it, so that their
 * scores are the same floats.
 *
 *     idf = ln(1 + (N - df + 0.5) / (df + 0.5))   double; of a phrase: the sum over its terms
 *     w = (float)(idf * qtf)
 *     contribution = w * (tf / (tf + K))           float, each operation rounded once
 *     score = the contributions summed in the order of the query's clauses, in float
 *
 * K comes from qn_length_norms by the document's length code. The whole project is compiled with
 * -ffp-contract=off, so that no compiler fuses these operations.
 */
#ifndef QN_QUERY_BM25_H
#define QN_QUERY_BM25_H

#include <stdint.h>

/* idf of a term that `df` of `n_docs` documents hold; df above n_docs (statistics from outside that
 * do not fit) counts as n_docs, so an idf is never negative. */
double qn_bm25_idf(uint64_t n_docs, uint64_t df);

/* Weight of a clause that stands `qtf` times in the query; `idf` of a term, or summed in double
 * over the terms of a phrase. */
float qn_bm25_weight(double idf, uint32_t qtf);

/* The share of a document in a clause's weight: 0 < part <= 1 for tf >= 1. */
static inline float qn_bm25_part(uint32_t tf, float norm)
{
    float t = (float)tf;
    return t / (t + norm);
}

/* What a clause adds to the score of a document in which it occurs tf >= 1 times. */
static inline float qn_bm25_contribution(float weight, uint32_t tf, float norm)
{
    return weight * qn_bm25_part(tf, norm);
}

/*
 * Rooms for rounding, in which bounds are computed so that comparing them with float scores is
 * safe. With u = 2^-24 (half an ulp, relative):
 *
 * - A contribution is computed with at most four roundings (tf to float, the sum, the quotient, the
 *   product) and K itself with one: it differs from the real number by less than (1 + u)^6.
 *   A stored ceiling or floor of a tf-part, and the factors that carry it to other k1 and b, are
 *   floats made with fewer than ten roundings. QN_BM25_PART_ROOM covers 64 of both together.
 * - A float sum of n non-negative numbers, in any order, lies within (1 + u)^(n - 1) of the real
 *   sum; for n <= QN_QUERY_CLAUSES_MAX = 1,024 that is below 1 + 2^-13.99. QN_BM25_SUM_ROOM is
 *   four times as much.
 * - Relative error fails for denormal numbers, which only absurd statistics from outside can
 *   bring; QN_BM25_FLOOR is added to each ceiling and exceeds the absolute error of its
 *   contribution and of its addition (2^-149 each).
 */
#define QN_BM25_PART_ROOM (1.0 / (1 << 18))
#define QN_BM25_SUM_ROOM  (1.0 / (1 << 12))
#define QN_BM25_FLOOR     0x1p-126

#endif
