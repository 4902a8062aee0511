/*
 * Counting where a phrase must stand: the rarest of the terms that must be there leads, as in
 * eval_lead.h, and the positions of one document are read only where all of them are, the
 * rarest-standing term's first, and no more once no start is left.
 */
#ifndef QN_QUERY_COUNT_LEAD_H
#define QN_QUERY_COUNT_LEAD_H

#include "query/eval_context.h"

/* Whether a term leads, and a phrase must stand. */
bool qn_count_lead_can(const qn_query *query);

/* Adds to *n the matching documents of eval->segment; of `eval` the query, the segment, its lists,
 * the kernels and the scratch memory are used. QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_count_lead(qn_eval *eval, uint64_t *n, quern_error *error);

#endif
