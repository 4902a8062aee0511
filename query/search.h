/*
 * Answering a query over the segments of an index: statistics summed over segments, a plan, an
 * evaluator, one top-k for all.
 */
#ifndef QN_QUERY_SEARCH_H
#define QN_QUERY_SEARCH_H

#include "index/segment/segment.h"
#include "query/eval_context.h"
#include "query/query.h"

/* Everything one thread needs to search: scratch memory is kept from query to query. */
typedef struct qn_search qn_search;

/* The segments (segment[i].base set, in order) stay the caller's and must outlive it. `options` as
 * the public ones, with their size checked and NULL resolved; statistics from outside included.
 * QUERN_E_ARGUMENT: parameters out of range, unknown evaluator. */
quern_status qn_search_new(qn_search **out, const qn_segment *segments, size_t n_segments,
                           const quern_search_options *options, quern_error *error);
void qn_search_free(qn_search *search);

/* Leaves parts of the work out, from the next query on: for benchmarks. */
void qn_search_switch(qn_search *search, const qn_eval_switches *switches);

/* The k best documents (by global number: base + document), best first, ties by number; *hits is
 * valid until the next call. */
quern_status qn_search_run(qn_search *search, const qn_query *query, size_t k,
                           const quern_hit **hits, size_t *n_hits, quern_error *error);

/* How many documents match. Hits of qn_search_run stay valid. */
quern_status qn_search_count(qn_search *search, const qn_query *query, uint64_t *n,
                             quern_error *error);

/* Of the last query: weights of its clauses (for snippets), and the evaluator's name ("count" if
 * it was counted). */
const float *qn_search_weights(const qn_search *search);
const char *qn_search_evaluator(const qn_search *search);

/* What it looked at. */
quern_work qn_search_work(const qn_search *search);

/* Of the last query, which is `query`: its i-th term (< n_terms); `term` and what else points into
 * the query stays the query's. */
quern_explained_term qn_search_explain(const qn_search *search, const qn_query *query, size_t i);

/* Names that options->evaluator may have; NULL-terminated. */
const char *const *qn_search_evaluators(void);

#endif
