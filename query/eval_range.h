/*
 * The evaluator named "range", for any query: bounds of all ranges of documents are summed first
 * (window_bounds.h). Those that may hold answers are evaluated in document order; where few
 * documents are wanted, the ranges with the best bounds before the others, so that the threshold is
 * good.
 *
 * A window of 4,096 documents is evaluated like this: each of its live ranges has 64 bytes, which
 * become bounds of its documents' scores in units of about a 200th of the threshold. Bitmaps with
 * codes give those bounds a range of 64 documents at a time, and there a range dies as soon as no
 * document of it can reach the threshold with what the lists to come add at most; other lists give
 * them posting by posting. Survivors are scored exactly, list by list in the order of the query's
 * clauses. Where clauses must match, or must not, bitmaps of their documents narrow the candidates;
 * a phrase is bounded by its rarest-standing term, and its positions are read only of survivors.
 */
#ifndef QN_QUERY_EVAL_RANGE_H
#define QN_QUERY_EVAL_RANGE_H

#include "query/eval_context.h"

quern_status qn_eval_range(qn_eval *eval, quern_error *error);

#endif
