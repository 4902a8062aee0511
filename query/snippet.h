/* The stretch of a stored text that shows best why it was found, with the query's words marked. */
#ifndef QN_QUERY_SNIPPET_H
#define QN_QUERY_SNIPPET_H

#include "index/text/analyzer.h"
#include "query/query.h"

/* Holds the snippet made last; one thread at a time. */
typedef struct qn_snippeter qn_snippeter;

quern_status qn_snippeter_new(qn_snippeter **out, qn_analyzer *analyzer, quern_error *error);
void qn_snippeter_free(qn_snippeter *snippeter);

/*
 * Makes a snippet of at most `max_bytes` of `text` for the should and must clauses of `query`;
 * `weight[i]` of clause i (its idf; at least 0) ranks windows: the sum over the distinct clauses in
 * the window, then closeness, then earliness. Cut at word borders, never inside a UTF-8 character;
 * runs of white space (and control characters) become one space; invalid UTF-8 becomes U+FFFD.
 * Phrases are marked as one stretch where their words stand in order. Without a match: the text's
 * start.
 * `*out` is valid until the next call.
 */
quern_status qn_snippeter_make(qn_snippeter *snippeter, quern_span text, const qn_query *query,
                               const float *weight, size_t max_bytes, quern_snippet *out,
                               quern_error *error);

#endif
