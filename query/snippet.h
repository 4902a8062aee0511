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
 * Makes a snippet of at most `max_bytes` of `text` for the should and must clauses of `query`.
 *
 * The window is looked for in the first 4 MiB of the text (and less where a hostile query takes too
 * many steps); it has the largest sum of weights over the distinct clauses that match in it, then
 * the fewest bytes between their matches, then the earliest place. `weight[i]` (at least 0; NULL:
 * all 1) is that of clause i, its idf. If no clause matches, the words of phrases are looked for
 * one by one; without any match, the text's start is shown.
 *
 * Around the window as much is shown as fits: from the text's start if that fits, else preferably
 * from the start of its sentence. The text is cut at word borders (between any two characters in
 * scripts without spaces), never inside a UTF-8 character; only a word that is too long to be shown
 * is cut itself. Runs of white space and control characters become one space, none at the ends;
 * invalid UTF-8 becomes U+FFFD. starts_inside and ends_inside tell that something other than white
 * space was cut off there.
 *
 * Marks ascend, do not overlap or touch spaces at their ends, and lie within the snippet. A phrase
 * is one mark where its words stand in order, from the first to the last, and overlapping matches
 * are one. A phrase longer than a snippet is marked as far as it is shown.
 *
 * `*out` is valid until the next call. Time is linear in the text (that beyond 4 MiB is hardly
 * looked at). QUERN_E_MEMORY.
 */
quern_status qn_snippeter_make(qn_snippeter *snippeter, quern_span text, const qn_query *query,
                               const float *weight, size_t max_bytes, quern_snippet *out,
                               quern_error *error);

#endif
