/*
 * Counting the documents of a segment that match a query, exactly and without scores. What can be
 * is done with sets: bitmaps are counted as they stand (a word at a time, 64 documents), other
 * lists are decoded, and only phrases are looked up document by document, where all their words
 * are: those that must stand by count_lead.h.
 *
 * A document matches if every must clause stands in it and no not clause, and some should clause
 * where there is no must clause.
 */
#ifndef QN_QUERY_COUNT_H
#define QN_QUERY_COUNT_H

#include "query/count_sets.h"
#include "query/eval_context.h"

/* Adds to *n the matching documents of eval->segment; of `eval` the query, the segment, its lists,
 * the kernels and the scratch memory are used. `sets` is kept from query to query. QUERN_E_DAMAGED,
 * QUERN_E_MEMORY. */
quern_status qn_count_segment(qn_count_sets *sets, qn_eval *eval, uint64_t *n, quern_error *error);

#endif
