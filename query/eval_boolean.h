/*
 * Queries with must, NOT or phrases (and, less quickly than eval_union, plain unions): document at
 * a time. With must clauses the rarest leads and the others are sought; without, the should clauses
 * are merged. Ranges of documents whose bounds stay under the threshold are passed over as a whole,
 * and positions are read only of documents that would be answers if the phrase stood there as often
 * as its rarest term.
 */
#ifndef QN_QUERY_EVAL_BOOLEAN_H
#define QN_QUERY_EVAL_BOOLEAN_H

#include "query/eval_context.h"

quern_status qn_eval_boolean(qn_eval *eval, quern_error *error);

#endif
