/*
 * Speed of collecting the k best of documents that come with random, ascending and often equal
 * scores (query/topk.h). Each figure is the median of several runs.
 *
 *     micro_topk [--json] [RUNS]
 */
#include "bench/micro/micro.h"
#include "index/base/cpu.h"
#include "query/topk.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_PUSHES = 1 << 17 /* documents offered in one timed run */ };

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

/* Median nanoseconds a document, sorting the result included; negative if memory ran out. */
static double time_topk(qn_topk *topk, const float *scores, size_t k, unsigned n_runs)
{
    double times[MAX_RUNS];
    for (unsigned r = 0; r < n_runs; r++) {
        const quern_hit *hits;
        size_t n_hits;
        double start = now();
        qn_topk_start(topk, k, NULL, NULL);
        for (uint32_t i = 0; i < N_PUSHES; i++)
            qn_topk_push(topk, i, scores[i]);
        if (qn_topk_finish(topk, &hits, &n_hits, NULL) != QUERN_OK)
            return -1;
        times[r] = (now() - start) * 1e9 / N_PUSHES;
    }
    return median(times, n_runs);
}

static void put_line(const char *order, size_t k, double ns, bool json)
{
    if (json) {
        char kernel[48];
        (void)snprintf(kernel, sizeof kernel, "%s, k %zu", order, k);
        put_kernel(&(kernel_speed){.program = "micro_topk",
                                   .kernel = kernel,
                                   .level = qn_cpu_name(QN_CPU_SCALAR),
                                   .of = "documents",
                                   .values_per_s = 1e9 / ns});
        return;
    }
    printf("%-12s k %-7zu %8.3f %8.1f\n", order, k, ns, 1e3 / ns);
    (void)fflush(stdout);
}

static bool report(float *scores, const micro_options *options)
{
    static const size_t KS[] = {10, 100, 1000};
    qn_topk topk = {0};
    bool good = true;
    for (size_t o = 0; o < sizeof ORDERS / sizeof *ORDERS; o++) {
        ORDERS[o].fill(scores);
        for (size_t i = 0; good && i < sizeof KS / sizeof *KS; i++) {
            double ns = time_topk(&topk, scores, KS[i], options->runs);
            good = ns >= 0;
            if (good)
                put_line(ORDERS[o].name, KS[i], ns, options->json);
        }
    }
    qn_topk_free(&topk);
    return good;
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_topk [--json] [RUNS]", 21, 0, 0, 1};
    micro_options options = read_options(&form, argc, argv);
    float *scores = calloc(N_PUSHES, sizeof *scores);
    if (scores != NULL && !options.json)
        printf("%u documents offered to the k best: ns a document, M documents/s\n",
               (unsigned)N_PUSHES);
    bool good = scores != NULL && report(scores, &options);
    if (!good)
        (void)fputs("micro_topk: out of memory\n", stderr);
    free(scores);
    return finished(good);
}
