/* Thresholds from stored seeds: see seed.h. */
#include "query/seed.h"

#include "query/bm25.h"

float qn_seed_of(const qn_query *query, const float *weight, const qn_postings *const *list,
                 const float *deflation, size_t k)
{
    size_t rank = 0;
    while (rank < QN_SEEDS && qn_seed_rank[rank] < k)
        rank++;
    double best = 0;
    for (size_t c = 0; rank < QN_SEEDS && c < query->n_clauses; c++) {
        const qn_postings *found = list[query->clause[c].first_term];
        if (found == NULL)
            continue;
        double seed =
            (double)weight[c] * (double)found->seed[rank] * (double)deflation[found->field];
        best = seed > best ? seed : best;
    }
    /* k documents have contributions of at least this much, and sums of floats that are not
     * negative are no less than each of them. */
    best = best * (1 - QN_BM25_PART_ROOM);
    return best > 0x1p-100 ? (float)best : 0.0f;
}
