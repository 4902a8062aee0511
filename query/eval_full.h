/*
 * The evaluator named "full", for unions of terms (some of which may exclude): everything is
 * scored, term at a time within windows of 4,096 documents, without bounds of ranges; only postings
 * that cannot belong to an answer whatever the other lists add are left out. The best where nearly
 * all documents that match are answers: where k is large and the lists are short.
 *
 * Contributions are added in the order of the query's clauses, so that the sums are the canonical
 * ones as they come.
 */
#ifndef QN_QUERY_EVAL_FULL_H
#define QN_QUERY_EVAL_FULL_H

#include "query/eval_context.h"

/* Serves should and NOT clauses of one term each. */
quern_status qn_eval_full(qn_eval *eval, quern_error *error);

#endif
