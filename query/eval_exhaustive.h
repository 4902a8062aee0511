/*
 * The oracle: every document that any should or must clause names is looked at, one at a time, in
 * all clauses, without bounds. Serves every query; every other evaluator must equal it bit for bit.
 * It is also the fastest where there is next to nothing to look at.
 */
#ifndef QN_QUERY_EVAL_EXHAUSTIVE_H
#define QN_QUERY_EVAL_EXHAUSTIVE_H

#include "query/eval_context.h"

quern_status qn_eval_exhaustive(qn_eval *eval, quern_error *error);

#endif
