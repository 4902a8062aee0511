/* The queries of a benchmark: read into memory, thinned out, and told apart by their shape. */
#ifndef QN_CLI_BENCH_QUERIES_H
#define QN_CLI_BENCH_QUERIES_H

#include "index/base/arena.h"
#include "query/query.h"

/* What a query is, once it has been parsed. */
typedef enum qn_bench_shape {
    QN_BENCH_TERM,         /* one word, which may be written +must */
    QN_BENCH_UNION,        /* several words, none of which must be there */
    QN_BENCH_INTERSECTION, /* several words, all of which must be there */
    QN_BENCH_PHRASE,       /* one phrase, which may be written +must */
    QN_BENCH_NEGATED,      /* anything with a -not */
    QN_BENCH_MIXED,        /* the rest: some +must, several phrases, phrases and words */
    QN_BENCH_EMPTY,        /* no word at all */
    QN_BENCH_SHAPES
} qn_bench_shape;

typedef struct qn_bench_query {
    quern_span id, text; /* in the arena of the list */
    qn_bench_shape shape;
} qn_bench_query;

/* Zero-initialise; free with qn_bench_queries_free. */
typedef struct qn_bench_queries {
    qn_bench_query *query;
    size_t n, cap;
    qn_arena arena;
} qn_bench_queries;

/* Appends the queries of a file of topics (topics.h; - is standard input). QUERN_E_INPUT also if it
 * holds none. */
quern_status qn_bench_queries_read(qn_bench_queries *queries, const char *path, quern_error *error);

/* Keeps `wanted` of the n queries, number i * n / wanted for each i below wanted; all if wanted is
 * 0 or at least n. */
void qn_bench_queries_sample(qn_bench_queries *queries, size_t wanted);

/* Sets every shape. The text is parsed as `syntax` says and stemmed for `language`; words that an
 * index leaves out (stop words) count as words. */
quern_status qn_bench_queries_classify(qn_bench_queries *queries, const char *language,
                                       quern_syntax syntax, quern_error *error);

/* The shape of a parsed query. */
qn_bench_shape qn_bench_queries_shape(const qn_query *query);

/* "term", "union", ... */
const char *qn_bench_queries_shape_name(qn_bench_shape shape);

/* Fills `error` (may be NULL) with that of a query that failed, its id in front; returns the
 * status. */
quern_status qn_bench_queries_fail(const qn_bench_query *query, const quern_error *why,
                                   quern_error *error);

void qn_bench_queries_free(qn_bench_queries *queries);

#endif
