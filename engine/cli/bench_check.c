/* Comparing answers: see bench_check.h. */
#include "engine/cli/bench_check.h"

#include "index/base/buffer.h"
#include "index/base/status.h"

#include <stdio.h>
#include <string.h>

static const char REFERENCE[] = "exhaustive";

typedef struct checker {
    const qn_command *command;
    const qn_bench *bench;
    quern_searcher *reference;
    quern_searcher *searcher[QN_BENCH_LIST];
    uint64_t n_compared, n_differing;
} checker;

static uint32_t bits_of(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits;
}

size_t qn_bench_check_rank(const quern_hit *a, size_t n_a, const quern_hit *b, size_t n_b)
{
    size_t n = n_a < n_b ? n_a : n_b;
    for (size_t i = 0; i < n; i++)
        if (a[i].doc != b[i].doc || bits_of(a[i].score) != bits_of(b[i].score))
            return i + 1;
    return n_a == n_b ? 0 : n + 1;
}

/* "document 17 (score 4.25)", or "nothing" behind the end. */
static const char *hit_text(const quern_hits *hits, size_t rank, char room[64])
{
    if (rank > hits->n)
        (void)snprintf(room, 64, "nothing");
    else
        (void)snprintf(room, 64, "document %lu (score %.9g)",
                       (unsigned long)hits->hit[rank - 1].doc, (double)hits->hit[rank - 1].score);
    return room;
}

static void compare(checker *work, const qn_bench_query *query, size_t e, size_t k,
                    const quern_hits *expected, const quern_hits *got)
{
    size_t rank = qn_bench_check_rank(expected->hit, expected->n, got->hit, got->n);
    work->n_compared++;
    if (rank == 0)
        return;
    if (work->n_differing++ > 0)
        return;
    char is[64], must[64];
    qn_complain(work->command, "query %.*s, k %zu: at rank %zu %s has %s, but %s has %s",
                (int)(query->id.len < 80 ? query->id.len : 80), query->id.data, k, rank,
                work->bench->evaluator[e], hit_text(got, rank, is), REFERENCE,
                hit_text(expected, rank, must));
}

/* The count of a query; what the reference finds ends at a million. */
static quern_status check_count(checker *work, const qn_bench_query *query, quern_error *error)
{
    enum { MOST = 1000000 };
    quern_hits expected;
    quern_matches got;
    quern_error why = {0};
    quern_status status = quern_search(work->reference, query->text, MOST, &expected, &why);
    if (status == QUERN_OK)
        status = quern_count(work->searcher[0], query->text, &got, &why);
    if (status != QUERN_OK)
        return qn_bench_queries_fail(query, &why, error);
    work->n_compared++;
    if (got.n == expected.n || (expected.n == MOST && got.n > MOST))
        return QUERN_OK;
    if (work->n_differing++ == 0)
        qn_complain(work->command, "query %.*s: counted %llu, but %s finds %zu",
                    (int)(query->id.len < 80 ? query->id.len : 80), query->id.data,
                    (unsigned long long)got.n, REFERENCE, expected.n);
    return QUERN_OK;
}

static quern_status check_query(checker *work, const qn_bench_query *query, size_t k,
                                quern_error *error)
{
    quern_hits expected, got;
    quern_error why = {0};
    quern_status status = quern_search(work->reference, query->text, k, &expected, &why);
    for (size_t e = 0; status == QUERN_OK && e < work->bench->n_evaluators; e++) {
        status = quern_search(work->searcher[e], query->text, k, &got, &why);
        if (status == QUERN_OK)
            compare(work, query, e, k, &expected, &got);
    }
    return status == QUERN_OK ? QUERN_OK : qn_bench_queries_fail(query, &why, error);
}

static quern_status check_all(checker *work, quern_error *error)
{
    const qn_bench *bench = work->bench;
    uint64_t done = 0, total = (uint64_t)bench->n_k * bench->queries->n;
    for (size_t i = 0; i < bench->n_k; i++) {
        for (size_t q = 0; q < bench->queries->n; q++) {
            if (!qn_progress_step(bench->progress, "comparing", done++, total))
                return qn_fail(error, QUERN_E_CANCELLED, "interrupted");
            const qn_bench_query *query = &bench->queries->query[q];
            quern_status status = bench->run == qn_bench_run_count
                                      ? check_count(work, query, error)
                                      : check_query(work, query, bench->k[i], error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

quern_status qn_bench_check(const qn_command *command, const qn_bench *bench, uint64_t *n_differing,
                            quern_error *error)
{
    checker work = {.command = command, .bench = bench};
    quern_status status = qn_bench_run_searcher(&work.reference, bench, REFERENCE, error);
    for (size_t e = 0; status == QUERN_OK && e < bench->n_evaluators; e++)
        status = qn_bench_run_searcher(&work.searcher[e], bench, bench->evaluator[e], error);
    if (status == QUERN_OK)
        status = check_all(&work, error);
    qn_progress_clear(bench->progress);
    if (status == QUERN_OK && work.n_differing > 0)
        qn_complain(command, "%llu of %llu answers differ from those of %s",
                    (unsigned long long)work.n_differing, (unsigned long long)work.n_compared,
                    REFERENCE);
    *n_differing = work.n_differing;
    quern_searcher_free(work.reference);
    for (size_t e = 0; e < bench->n_evaluators; e++)
        quern_searcher_free(work.searcher[e]);
    return status;
}
