/* Timing queries: see bench_run.h. */
#include "engine/cli/bench_run.h"

#include "engine/cli/bench_report.h"
#include "engine/cli/cli.h"
#include "index/base/status.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

quern_status qn_bench_run_search(quern_searcher *searcher, quern_span query, size_t k,
                                 quern_error *error)
{
    quern_hits hits;
    return quern_search(searcher, query, k, &hits, error);
}

quern_status qn_bench_run_count(quern_searcher *searcher, quern_span query, size_t k,
                                quern_error *error)
{
    quern_matches matches;
    (void)k;
    return quern_count(searcher, query, &matches, error);
}

quern_status qn_bench_run_searcher(quern_searcher **out, const qn_bench *bench,
                                   const char *evaluator, quern_error *error)
{
    quern_search_options options = *bench->options;
    options.evaluator = strcmp(evaluator, QN_BENCH_COUNT) == 0 ? NULL : evaluator;
    return quern_searcher_new(out, bench->index, &options, error);
}

/* ---- one thread ---- */

static uint64_t nanoseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Queries of all rounds, of all k. */
static uint64_t queries_in_all(const qn_bench *bench)
{
    return (uint64_t)(bench->warmup + bench->runs) * bench->n_k * bench->n_evaluators *
           bench->queries->n;
}

/* One round of one evaluator; `sample` of query q is at sample[q * bench->runs], or NULL. */
static quern_status run_round(qn_bench *bench, quern_searcher *searcher, size_t k, double *sample,
                              quern_error *error)
{
    uint64_t total = queries_in_all(bench);
    for (size_t q = 0; q < bench->queries->n; q++) {
        const qn_bench_query *query = &bench->queries->query[q];
        quern_error why = {0};
        if (!qn_progress_step(bench->progress, "measuring", bench->done++, total))
            return qn_fail(error, QUERN_E_CANCELLED, "interrupted");
        uint64_t start = nanoseconds();
        quern_status status = bench->run(searcher, query->text, k, &why);
        uint64_t took = nanoseconds() - start;
        if (status != QUERN_OK)
            return qn_bench_queries_fail(query, &why, error);
        if (sample != NULL)
            sample[q * bench->runs] = (double)took * 1e-3;
    }
    return QUERN_OK;
}

/* All rounds; samples[(e * n_queries + q) * runs + r]. */
static quern_status run_rounds(qn_bench *bench, quern_searcher **searchers, size_t k,
                               double *samples, quern_error *error)
{
    size_t n_samples = bench->queries->n * bench->runs; /* of one evaluator */
    for (size_t r = 0; r < bench->warmup + bench->runs; r++) {
        for (size_t e = 0; e < bench->n_evaluators; e++) {
            double *sample =
                r < bench->warmup ? NULL : samples + e * n_samples + (r - bench->warmup);
            quern_status status = run_round(bench, searchers[e], k, sample, error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

quern_status qn_bench_run_rounds(qn_bench *bench, size_t k, double *times, quern_error *error)
{
    quern_searcher *searchers[QN_BENCH_LIST] = {0};
    size_t n_times = bench->n_evaluators * bench->queries->n;
    double *samples = calloc(n_times * bench->runs, sizeof *samples);
    quern_status status = samples == NULL ? qn_fail_memory(error) : QUERN_OK;
    for (size_t e = 0; status == QUERN_OK && e < bench->n_evaluators; e++)
        status = qn_bench_run_searcher(&searchers[e], bench, bench->evaluator[e], error);
    if (status == QUERN_OK)
        status = run_rounds(bench, searchers, k, samples, error);
    if (status == QUERN_OK)
        for (size_t i = 0; i < n_times; i++)
            times[i] = qn_bench_report_median(samples + i * bench->runs, bench->runs);
    for (size_t e = 0; e < bench->n_evaluators; e++)
        quern_searcher_free(searchers[e]);
    free(samples);
    return status;
}

/* ---- several threads ---- */

typedef struct crew {
    const qn_bench *bench;
    size_t k;
    const size_t *which;
    size_t n, total;    /* queries, and queries of all rounds */
    atomic_size_t next; /* of total */
    atomic_bool stop;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    unsigned n_ready; /* workers that have warmed up, or failed */
    bool go;
} crew;

typedef struct crew_worker {
    crew *crew;
    quern_searcher *searcher;
    pthread_t thread;
    double finish; /* when it found nothing more to do */
    quern_status status;
    quern_error error;
} crew_worker;

/* Answers the i-th query in turn; false if that failed or a signal came. */
static bool answer(crew_worker *self, size_t i)
{
    crew *all = self->crew;
    const qn_bench_query *query = &all->bench->queries->query[all->which[i % all->n]];
    quern_error why = {0};
    if (qn_interrupted() != 0)
        self->status = qn_fail(&self->error, QUERN_E_CANCELLED, "interrupted");
    else if (all->bench->run(self->searcher, query->text, all->k, &why) != QUERN_OK)
        self->status = qn_bench_queries_fail(query, &why, &self->error);
    if (self->status != QUERN_OK)
        atomic_store(&all->stop, true);
    return self->status == QUERN_OK;
}

static void *work(void *arg)
{
    crew_worker *self = arg;
    crew *all = self->crew;
    for (size_t i = 0; i < all->bench->warmup * all->n && !atomic_load(&all->stop); i++)
        if (!answer(self, i))
            break;
    (void)pthread_mutex_lock(&all->lock);
    all->n_ready++;
    (void)pthread_cond_broadcast(&all->changed);
    while (!all->go)
        (void)pthread_cond_wait(&all->changed, &all->lock);
    (void)pthread_mutex_unlock(&all->lock);
    while (!atomic_load(&all->stop)) {
        size_t i = atomic_fetch_add(&all->next, 1);
        if (i >= all->total || !answer(self, i))
            break;
    }
    self->finish = qn_clock();
    return NULL;
}

static unsigned start_workers(crew_worker *workers, unsigned n)
{
    unsigned started = 0;
    while (started < n && qn_thread_start(&workers[started].thread, work, &workers[started]))
        started++;
    return started;
}

/* Lets them start together, and returns the seconds until the last has finished. */
static double time_workers(crew *all, crew_worker *workers, unsigned started)
{
    (void)pthread_mutex_lock(&all->lock);
    while (all->n_ready < started)
        (void)pthread_cond_wait(&all->changed, &all->lock);
    all->go = true;
    double start = qn_clock(), finish = start;
    (void)pthread_cond_broadcast(&all->changed);
    (void)pthread_mutex_unlock(&all->lock);
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        finish = workers[i].finish > finish ? workers[i].finish : finish;
    }
    return finish - start;
}

static quern_status run_crew(crew *all, crew_worker *workers, double *qps, quern_error *error)
{
    unsigned n = all->bench->threads, started = start_workers(workers, n);
    if (started < n)
        atomic_store(&all->stop, true);
    double seconds = time_workers(all, workers, started);
    if (started < n)
        return qn_fail(error, QUERN_E_MEMORY, "%u of %u threads could be started", started, n);
    for (unsigned i = 0; i < n; i++) {
        if (workers[i].status == QUERN_OK)
            continue;
        if (error != NULL)
            *error = workers[i].error;
        return workers[i].status;
    }
    *qps = seconds > 0 ? (double)all->total / seconds : 0;
    return QUERN_OK;
}

quern_status qn_bench_run_threads(const qn_bench *bench, const char *evaluator, size_t k,
                                  const size_t *which, size_t n, size_t rounds, double *qps,
                                  quern_error *error)
{
    crew all = {.bench = bench, .k = k, .which = which, .n = n, .total = n * rounds};
    crew_worker *workers = calloc(bench->threads, sizeof *workers);
    if (workers == NULL)
        return qn_fail_memory(error);
    (void)pthread_mutex_init(&all.lock, NULL);
    (void)pthread_cond_init(&all.changed, NULL);
    quern_status status = QUERN_OK;
    for (unsigned i = 0; status == QUERN_OK && i < bench->threads; i++) {
        workers[i].crew = &all;
        status = qn_bench_run_searcher(&workers[i].searcher, bench, evaluator, error);
    }
    if (status == QUERN_OK)
        status = run_crew(&all, workers, qps, error);
    for (unsigned i = 0; i < bench->threads; i++)
        quern_searcher_free(workers[i].searcher);
    free(workers);
    (void)pthread_cond_destroy(&all.changed);
    (void)pthread_mutex_destroy(&all.lock);
    return status;
}
