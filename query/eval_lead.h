/*
 * The evaluator named "lead", for queries of which every answer must have certain terms: those with
 * must clauses, and a phrase alone. No bounds of ranges are summed: the rarest of those terms
 * leads, document by document, and the others are looked up (lead_walk.h). Documents that have them
 * all are scored up to 64 at a time, in the order of the query's clauses; what a phrase adds is
 * first taken for what it would add if it stood as often as its rarest-standing term. The documents
 * that this leaves are collected, and their positions read, the most promising first.
 *
 * It costs some nanoseconds a posting of the rarest term, whatever k; eval_range.h has a price for
 * each range of the index, and leaves out most ranges where k is small.
 */
#ifndef QN_QUERY_EVAL_LEAD_H
#define QN_QUERY_EVAL_LEAD_H

#include "query/eval_context.h"

/* Only where qn_plan_shape_of tells that a term leads. */
quern_status qn_eval_lead(qn_eval *eval, quern_error *error);

#endif
