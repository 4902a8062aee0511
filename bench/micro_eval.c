/*
 * Speed of the evaluators' inner loops (query/eval_kernels.h), at every level that this machine
 * has, and of collecting the k best (query/topk.h). Each figure is the median of several runs; the
 * data of a loop stays in the first-level or second-level cache, as in a query.
 *
 *     micro_eval [RUNS]
 */
#include "index/base/bytes.h"
#include "query/bm25.h"
#include "query/eval_kernels.h"
#include "query/topk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    N = 4096,           /* elements of a call: a window of documents, or a chunk of ranges */
    N_DOCS = 1 << 16,   /* whose lengths are looked up */
    REPEATS = 16,       /* calls in one timed run */
    N_PUSHES = 1 << 17, /* documents offered in one timed run */
    MAX_RUNS = 101
};

typedef struct work {
    uint32_t docs[N], tfs[N];
    uint8_t lengths[N_DOCS + QN_PADDING];
    float norms[256];
    uint8_t maxima[N + QN_PADDING];
    uint16_t sums[N + QN_PADDING]; /* what searches look through */
    uint16_t grown[N + QN_PADDING];
    float out[N + QN_PADDING];
    uint64_t sink; /* results, so that no call is left out */
} work;

/* ---- data ---- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static float next_unit(uint64_t *state)
{
    return (float)(next_random(state) >> 40) * 0x1p-24f;
}

/* Ascending documents, small frequencies, and sums. */
static void fill(work *w)
{
    uint64_t state = 1;
    for (unsigned i = 0; i < N_DOCS; i++)
        w->lengths[i] = (uint8_t)(20 + next_random(&state) % 40);
    for (unsigned i = 0; i < 256; i++)
        w->norms[i] = 0.5f + (float)i / 64;
    for (unsigned i = 0; i < N; i++) {
        w->docs[i] = i * (N_DOCS / N) + (uint32_t)(next_random(&state) % (N_DOCS / N));
        w->tfs[i] = 1 + (uint32_t)(next_random(&state) % 4 * (next_random(&state) % 2));
        w->maxima[i] = (uint8_t)(next_random(&state) % 3 == 0 ? 0 : next_random(&state));
        w->sums[i] = (uint16_t)(next_random(&state) % 1000);
    }
}

/* ---- what is timed ---- */

/* Each works on N elements. */

static void run_score(work *w, const qn_eval_kernels *kernels)
{
    kernels->score(w->docs, w->tfs, N, w->lengths, w->norms, 2.5f, w->out);
    w->sink += (uint64_t)w->out[N - 1];
}

static void run_add_bounds(work *w, const qn_eval_kernels *kernels)
{
    kernels->add_bounds(w->grown, w->maxima, N, 200);
    w->sink += w->grown[N - 1];
}

static void run_count_bounds(work *w, const qn_eval_kernels *kernels)
{
    w->sink += kernels->count_bounds(w->sums, N, 700);
}

static void run_max_bound(work *w, const qn_eval_kernels *kernels)
{
    w->sink += kernels->max_bound(w->sums, N);
}

static const struct {
    const char *name;
    void (*run)(work *w, const qn_eval_kernels *kernels);
} KERNELS[] = {
    {"score", run_score},
    {"add_bounds", run_add_bounds},
    {"count_bounds", run_count_bounds},
    {"max_bound", run_max_bound},
};

/* ---- timing ---- */

static double now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

/* Median nanoseconds an element at each level. The levels take turns, so that a machine that is
 * slower for a while is so for all of them. */
static void report_kernel(work *w, size_t kernel, unsigned n_runs)
{
    static double times[QN_CPU_AVX512 + 1][MAX_RUNS];
    double best = 0;
    for (unsigned r = 0; r < n_runs; r++) {
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
            const qn_eval_kernels *kernels = qn_eval_kernels_for(cpu);
            memset(w->grown, 0, sizeof w->grown);
            KERNELS[kernel].run(w, kernels); /* fills the caches */
            double start = now();
            for (unsigned i = 0; i < REPEATS; i++)
                KERNELS[kernel].run(w, kernels);
            times[cpu][r] = (now() - start) * 1e9 / ((double)N * REPEATS);
        }
    }
    printf("%-22s", KERNELS[kernel].name);
    for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++) {
        best = median(times[cpu], n_runs);
        printf(" %8.4f", best);
    }
    printf(" %8.2f\n", 1 / best);
    (void)fflush(stdout);
}

/* ---- the k best ---- */

/* Scores in the order in which documents are offered. */
static void fill_random(float *scores)
{
    uint64_t state = 2;
    for (unsigned i = 0; i < N_PUSHES; i++)
        scores[i] = 10 * next_unit(&state);
}

/* On the whole ascending: nearly every document enters, and the threshold runs after them. */
static void fill_ascending(float *scores)
{
    uint64_t state = 3;
    for (unsigned i = 0; i < N_PUSHES; i++)
        scores[i] = 10 * ((float)i / N_PUSHES) + next_unit(&state) / 100;
}

/* Few different scores: ties, which go to the document that came first. */
static void fill_ties(float *scores)
{
    uint64_t state = 4;
    for (unsigned i = 0; i < N_PUSHES; i++)
        scores[i] = (float)(next_random(&state) % 16);
}

static const struct {
    const char *name;
    void (*fill)(float *scores);
} ORDERS[] = {{"random", fill_random}, {"ascending", fill_ascending}, {"ties", fill_ties}};

/* Median nanoseconds a document, sorting the result included; negative if memory ran out. */
static double time_topk(qn_topk *topk, const float *scores, size_t k, unsigned n_runs, work *w)
{
    double times[MAX_RUNS];
    for (unsigned r = 0; r < n_runs; r++) {
        const quern_hit *hits;
        size_t n_hits;
        double start = now();
        qn_topk_start(topk, k);
        for (uint32_t i = 0; i < N_PUSHES; i++)
            qn_topk_push(topk, i, scores[i]);
        if (qn_topk_finish(topk, &hits, &n_hits, NULL) != QUERN_OK)
            return -1;
        times[r] = (now() - start) * 1e9 / N_PUSHES;
        w->sink += hits[n_hits - 1].doc;
    }
    return median(times, n_runs);
}

static bool report_topk(work *w, float *scores, unsigned n_runs)
{
    static const size_t KS[] = {10, 100, 1000};
    qn_topk topk = {0};
    bool good = true;
    for (size_t o = 0; o < sizeof ORDERS / sizeof *ORDERS; o++) {
        ORDERS[o].fill(scores);
        for (size_t i = 0; good && i < sizeof KS / sizeof *KS; i++) {
            double ns = time_topk(&topk, scores, KS[i], n_runs, w);
            good = ns >= 0;
            printf("%-12s k %-7zu %8.3f %8.1f\n", ORDERS[o].name, KS[i], ns, 1e3 / ns);
            (void)fflush(stdout);
        }
    }
    qn_topk_free(&topk);
    return good;
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 21;
    unsigned n_runs = runs < 1 ? 1 : runs > MAX_RUNS ? MAX_RUNS : (unsigned)runs;
    work *w = calloc(1, sizeof *w);
    float *scores = calloc(N_PUSHES, sizeof *scores);
    bool good = w != NULL && scores != NULL;
    if (good) {
        fill(w);
        printf("ns an element, and at the best level G elements/s\n%-22s", "kernel");
        for (qn_cpu cpu = QN_CPU_SCALAR; cpu <= qn_cpu_machine(); cpu++)
            printf(" %8s", qn_cpu_name(cpu));
        printf(" %8s\n", "G/s");
        for (size_t i = 0; i < sizeof KERNELS / sizeof *KERNELS; i++)
            report_kernel(w, i, n_runs);
        printf("\n%u documents offered to the k best: ns a document, M documents/s\n",
               (unsigned)N_PUSHES);
        good = report_topk(w, scores, n_runs);
        if (w->sink == 1) /* never, but the compiler cannot know */
            printf("\n");
    }
    free(w);
    free(scores);
    return good ? 0 : 1;
}
