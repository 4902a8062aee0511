/*
 * Many queries: topics are read one by one, answered by threads with a searcher each, and printed
 * in the order in which they came, as soon as they are ready. Memory is bounded: at most a few
 * topics a thread are under way.
 */
#ifndef QN_CLI_BATCH_H
#define QN_CLI_BATCH_H

#include "engine/cli/cli.h"
#include "engine/cli/hits.h"

typedef struct qn_batch {
    const qn_command *command; /* for complaints */
    const quern_index *index;
    const quern_search_options *options;
    const qn_hits_style *style;
    const char *topics; /* path, or - */
    size_t k;
    unsigned threads; /* 1 or more */
    bool positions;   /* whether the index knows where words stand */
    bool quiet;       /* no notices */
    bool count;       /* how many documents match, in place of the best */
    bool explain;     /* what became of each query, too */
} qn_batch;

/* Answers all topics to `out`. QUERN_OK, the first error in the order of topics, or
 * QUERN_E_CANCELLED after a signal. *n_answered counts those printed. */
quern_status qn_batch_run(const qn_batch *batch, qn_output *out, uint64_t *n_answered,
                          quern_error *error);

/* Searches or counts, and appends notices and answers of one query; shared with the single query.
 * `qid` is that of a topic, or NULL. An explanation goes where the answers go for json, else where
 * the notices go. Sets *n_hits and the seconds that the search alone took. */
quern_status qn_batch_answer(const qn_batch *batch, quern_searcher *searcher, quern_span query,
                             const quern_span *qid, qn_text *text, qn_text *notices,
                             qn_buffer *scratch, size_t *n_hits, double *seconds,
                             quern_error *error);

#endif
