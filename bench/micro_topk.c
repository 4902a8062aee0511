/*
 * Speed of collecting the k best of documents that come with random, ascending and often equal
 * scores (query/topk.h). Each figure is the median of several runs.
 *
 *     micro_topk [RUNS]
 */
#include "query/topk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    N_PUSHES = 1 << 17, /* documents offered in one timed run */
    MAX_RUNS = 101
};

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

/* ---- scores ---- */

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

/* Median nanoseconds a document, sorting the result included; negative if memory ran out. */
static double time_topk(qn_topk *topk, const float *scores, size_t k, unsigned n_runs)
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
    }
    return median(times, n_runs);
}

static bool report(float *scores, unsigned n_runs)
{
    static const size_t KS[] = {10, 100, 1000};
    qn_topk topk = {0};
    bool good = true;
    for (size_t o = 0; o < sizeof ORDERS / sizeof *ORDERS; o++) {
        ORDERS[o].fill(scores);
        for (size_t i = 0; good && i < sizeof KS / sizeof *KS; i++) {
            double ns = time_topk(&topk, scores, KS[i], n_runs);
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
    float *scores = calloc(N_PUSHES, sizeof *scores);
    bool good = scores != NULL;
    if (good) {
        printf("%u documents offered to the k best: ns a document, M documents/s\n",
               (unsigned)N_PUSHES);
        good = report(scores, n_runs);
    }
    free(scores);
    return good ? 0 : 1;
}
