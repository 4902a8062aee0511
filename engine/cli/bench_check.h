/* Comparing the answers of evaluators: they must be the same to the bit. */
#ifndef QN_CLI_BENCH_CHECK_H
#define QN_CLI_BENCH_CHECK_H

#include "engine/cli/bench_run.h"
#include "engine/cli/cli.h"

/*
 * Asks every query of every evaluator, for each k, and compares the answer with that of
 * "exhaustive": documents, order, and scores bit for bit. Complains of the first that differs
 * (query, rank, both answers), and at the end of their number, which becomes *n_differing. Where
 * queries are counted, the counts are compared.
 */
quern_status qn_bench_check(const qn_command *command, const qn_bench *bench, uint64_t *n_differing,
                            quern_error *error);

/* The first rank, from 1, at which two answers differ (one of them may have ended); 0 if none. */
size_t qn_bench_check_rank(const quern_hit *a, size_t n_a, const quern_hit *b, size_t n_b);

#endif
