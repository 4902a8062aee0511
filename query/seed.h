/*
 * A threshold to start with: what segments know of their terms' best documents bounds the k-th best
 * score of a query from below before any list is read (Kane & Tompa 2018; Petri, Moffat et al.
 * 2019).
 */
#ifndef QN_QUERY_SEED_H
#define QN_QUERY_SEED_H

#include "index/segment/postings.h"
#include "query/query.h"

/* A floor of the k-th best score of a plain union (should clauses of one term each, nothing else),
 * from what one segment stores of its terms; 0 if there is none. `deflation`: of
 * each field what qn_postings_deflation gives. */
float qn_seed_of(const qn_query *query, const float *weight, const qn_postings *const *list,
                 const float *deflation, size_t k);

#endif
