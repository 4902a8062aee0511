/*
 * Unions of terms, some of which may exclude documents: the evaluator named "range".
 *
 * The tf-part's ceilings of all terms for every range of documents (stored for frequent terms,
 * scattered from block maxima for rare ones) are summed as 16-bit integers, without a cursor in
 * sight: a bound of every score in every range costs a few microseconds. Ranges with the best
 * bounds are then evaluated exactly until there is a good threshold, and those of the rest whose
 * bounds reach it are swept in document order (Dimopoulos, Nepomnyachiy, Suel 2013; Mallia,
 * Mohammad, Trani, Suel 2021).
 */
#ifndef QN_QUERY_EVAL_UNION_H
#define QN_QUERY_EVAL_UNION_H

#include "query/eval_context.h"

/* Serves should and NOT clauses of one term each. */
quern_status qn_eval_union(qn_eval *eval, quern_error *error);

/* A floor of the k-th best score of a plain union (should clauses of one term each, nothing else),
 * from what one segment stores of its terms; 0 if there is none. `deflation` as
 * qn_postings_deflation gives. */
float qn_eval_union_seed(const qn_query *query, const float *weight, const qn_postings *const *list,
                         float deflation, size_t k);

#endif
