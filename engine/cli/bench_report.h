/* The figures of a benchmark, and how they are printed: a table for people, JSON for programs. */
#ifndef QN_CLI_BENCH_REPORT_H
#define QN_CLI_BENCH_REPORT_H

#include "engine/cli/bench_queries.h"
#include "engine/cli/output.h"

/* Microseconds, over the queries of a row. */
typedef struct qn_bench_figures {
    size_t n;
    double mean, p50, p90, p99, max;
} qn_bench_figures;

/* The figures of n (1 or more) times, which are sorted. */
qn_bench_figures qn_bench_report_figures(double *times, size_t n);

/* The median of n (1 or more) values, which are sorted: the mean of both where two are in the
 * middle. */
double qn_bench_report_median(double *values, size_t n);

/* The smallest of n (1 or more) ascending values that `percent` (0..100) of them do not exceed. */
double qn_bench_report_percentile(const double *sorted, size_t n, unsigned percent);

/* A row: what was measured, and what came of it. */
typedef struct qn_bench_row {
    const char *shape, *evaluator;
    size_t k; /* 0: there was none ("-") */
    qn_bench_figures figures;
    double qps;
    const double *times; /* all figures.n, ascending */
} qn_bench_row;

/* One JSON object and a line end. */
void qn_bench_report_json(qn_text *text, const qn_bench_row *row);

/* The heading of a table, and one of its lines; `histogram` adds how the times spread. */
void qn_bench_report_heading(qn_text *text, bool histogram);
void qn_bench_report_row(qn_text *text, const qn_bench_row *row, bool histogram);

/* The `wanted` queries that took longest, slowest first (the earlier one where two took the same),
 * as lines of text under a heading or as JSON; times[q] is that of query q. */
quern_status qn_bench_report_slowest(qn_text *text, const qn_bench_queries *queries,
                                     const double *times, size_t wanted, size_t k,
                                     const char *evaluator, bool json, quern_error *error);

/* How times spread over QN_BENCH_BINS bins from 1 us to 1 s, three a factor of ten, the outermost
 * taking what lies beyond: a block character each, its height the bin's share of the largest. */
enum { QN_BENCH_BINS = 18 };
void qn_bench_report_histogram(qn_text *text, const double *times, size_t n);

#endif
