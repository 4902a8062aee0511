/*
 * Measuring: every query of a benchmark, over and over, by every evaluator. What is timed is one
 * call from the query's text to its answer, in this process, on one thread.
 */
#ifndef QN_CLI_BENCH_RUN_H
#define QN_CLI_BENCH_RUN_H

#include "engine/cli/bench_queries.h"
#include "engine/cli/progress.h"
#include "engine/quern.h"

/* What is timed. */
typedef quern_status (*qn_bench_fn)(quern_searcher *searcher, quern_span query, size_t k,
                                    quern_error *error);

/* quern_search, its answer thrown away. */
quern_status qn_bench_run_search(quern_searcher *searcher, quern_span query, size_t k,
                                 quern_error *error);

/* quern_count; k does not matter. */
quern_status qn_bench_run_count(quern_searcher *searcher, quern_span query, size_t k,
                                quern_error *error);

/* What stands for an evaluator where queries are counted; k is then 0. */
#define QN_BENCH_COUNT "count"

/* Lists on the command line hold at most so many values. */
enum { QN_BENCH_LIST = 32 };

typedef struct qn_bench {
    const quern_index *index;
    const quern_search_options *options; /* of all searchers, but for the evaluator */
    const qn_bench_queries *queries;
    const char *evaluator[QN_BENCH_LIST];
    size_t n_evaluators;
    size_t k[QN_BENCH_LIST];
    size_t n_k;
    size_t runs, warmup; /* rounds over all queries: measured (1 or more), and before */
    unsigned threads;    /* of qn_bench_run_threads; 0: it is not called */
    qn_bench_fn run;
    qn_progress *progress;
    uint64_t done; /* queries answered so far, of all rounds; for progress */
} qn_bench;

/*
 * Times every query `runs` times for each evaluator; times[e * n_queries + q] becomes the median,
 * in microseconds, of query q by evaluator e. The evaluators take turns round by round, so that a
 * machine that is slower for a while is so for all of them. QUERN_E_CANCELLED after a signal; an
 * error of a query names it.
 */
quern_status qn_bench_run_rounds(qn_bench *bench, size_t k, double *times, quern_error *error);

/*
 * Queries a second that bench->threads threads answer together, each with a searcher of its own:
 * they take the queries which[0..n) (numbers in bench->queries; n is 1 or more) in turn, `rounds`
 * times over, after `warmup` rounds of each thread. Errors as above.
 */
quern_status qn_bench_run_threads(const qn_bench *bench, const char *evaluator, size_t k,
                                  const size_t *which, size_t n, size_t rounds, double *qps,
                                  quern_error *error);

/* A searcher for an evaluator; for QN_BENCH_COUNT any will do. */
quern_status qn_bench_run_searcher(quern_searcher **out, const qn_bench *bench,
                                   const char *evaluator, quern_error *error);

#endif
