/* One bisection: see bisect.h. */
#include "index/build/bisect.h"

#include "index/base/thread.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 20,
    SMALL = 4096,            /* degrees whose growth stands in a table */
    GAIN_SHIFT = 8,          /* growth has 16 bits after the point, gains have 8 */
    THRESHOLD = 1 << 8,      /* of a pair's gain: so much more in each round */
    STEPS = 16,              /* buckets of gains for each power of two */
    HALF = (31 - 3) * STEPS, /* buckets of gains that are not negative, and of those that are */
    BUCKETS = 2 * HALF,
    STRIPE = 1 << 20,      /* edges, or documents, that are read before pages are let go of */
    THREADS_FROM = 1 << 14 /* documents of a node for whose gains threads are worth starting */
};

/* ---- costs ---- */

/* log2(x), x >= 1, with 28 bits after the point. */
static uint64_t binary_log(uint64_t x)
{
    unsigned exponent = 63 - (unsigned)__builtin_clzll(x);
    uint64_t log = exponent, m = exponent > 31 ? x >> (exponent - 31) : x << (31 - exponent);
    for (unsigned i = 0; i < 28; i++) { /* m / 2^31 is in [1, 2): its square has the next bit */
        m *= m;
        unsigned bit = (unsigned)(m >> 63);
        m >>= 31 + bit;
        log = log << 1 | bit;
    }
    return log;
}

/* With f(d) = d log2(d + 1): f(d + 1) - f(d), with 16 bits after the point. Gaps of a term cost (l
 * + r) log2(n) - f(l) - f(r) bits. */
static int32_t growth_of(uint64_t d)
{
    uint64_t here = d * binary_log(d + 1), next = (d + 1) * binary_log(d + 2);
    return (int32_t)((next - here) >> 12);
}

/* The same of large d, where the difference of products would have too few bits left: the slope of
 * f at d + 1/2. */
static int32_t slope_at(uint64_t d)
{
    const uint64_t e = 94548; /* log2(e) */
    uint64_t log = (binary_log(2 * d + 3) >> 12) - (1 << 16);
    return (int32_t)(log + e * (2 * d + 1) / (2 * d + 3));
}

int32_t *qn_bisect_growth(void)
{
    int32_t *growth = malloc(SMALL * sizeof *growth);
    for (uint32_t d = 0; growth != NULL && d < SMALL; d++)
        growth[d] = growth_of(d);
    return growth;
}

static inline int32_t growth_at(const int32_t *growth, uint32_t d)
{
    return d < SMALL ? growth[d] : slope_at(d);
}

/* ---- memory ---- */

bool qn_bisector_init(qn_bisector *one, const qn_graph *graph, const int32_t *growth,
                      uint32_t n_terms)
{
    bool ok = true;
    *one = (qn_bisector){.graph = graph, .growth = growth};
    for (unsigned s = 0; s < 2; s++) {
        one->degree[s] = malloc(((size_t)n_terms + 1) * sizeof *one->degree[s]);
        one->move[s] = malloc(((size_t)n_terms + 1) * sizeof *one->move[s]);
        one->histogram[s] = calloc(BUCKETS, sizeof *one->histogram[s]);
        ok = ok && one->degree[s] != NULL && one->move[s] != NULL && one->histogram[s] != NULL;
    }
    return ok;
}

void qn_bisector_free(qn_bisector *one)
{
    for (unsigned s = 0; s < 2; s++) {
        free(one->degree[s]);
        free(one->move[s]);
        free(one->histogram[s]);
    }
    *one = (qn_bisector){0};
}

/* ---- walking ---- */

/* A stripe: documents at [doc, end), whose edges begin at `at`, n_edges of them. */
typedef struct stripe {
    uint32_t doc, end, last; /* last: where the walk ends */
    uint64_t at, n_edges;
} stripe;

static stripe start(uint32_t first, uint32_t n, uint64_t at)
{
    return (stripe){.doc = first, .end = first, .last = first + n, .at = at};
}

/* Steps to the next stripe, letting go of the one before if the node is too large to stay. */
static bool step(const qn_graph *graph, const qn_node *node, stripe *s)
{
    const uint32_t *count = graph->count[node->from];
    if (s->end > s->doc && graph->scratch.in_file && 8 * node->n_edges > graph->window)
        qn_graph_forget(graph, node->from, s->doc, s->end - s->doc, s->at, s->n_edges);
    s->at += s->n_edges;
    s->doc = s->end;
    s->n_edges = 0;
    while (s->end < s->last && s->end - s->doc < STRIPE && s->n_edges < STRIPE)
        s->n_edges += count[s->end++];
    return s->doc < s->last;
}

/* ---- a round ---- */

/* Halves as they come: the first n / 2 documents are the left one. */
static void count_degrees(const qn_bisector *one, const qn_node *node)
{
    const qn_graph *graph = one->graph;
    const uint32_t *count = graph->count[node->from], *term = graph->term[node->from];
    uint32_t middle = node->first + node->n / 2;
    for (unsigned s = 0; s < 2; s++)
        memset(one->degree[s], 0, node->n_terms * sizeof *one->degree[s]);
    stripe s = start(node->first, node->n, node->at);
    while (step(graph, node, &s)) {
        const uint32_t *at = term + s.at;
        for (uint32_t i = s.doc; i < s.end; i++) {
            uint8_t side = i >= middle;
            uint32_t *degree = one->degree[side];
            graph->side[i] = side;
            for (const uint32_t *end = at + count[i]; at < end; at++)
                degree[*at]++;
        }
    }
}

static void set_moves(const qn_bisector *one, const qn_node *node)
{
    const int32_t *growth = one->growth;
    for (uint32_t t = 0; t < node->n_terms; t++) {
        uint32_t l = one->degree[0][t], r = one->degree[1][t];
        one->move[0][t] = l > 0 ? growth_at(growth, r) - growth_at(growth, l - 1) : 0;
        one->move[1][t] = r > 0 ? growth_at(growth, l) - growth_at(growth, r - 1) : 0;
    }
}

/* Gains are told apart by 4 bits after their highest one. */
static inline uint32_t bucket_of(int32_t gain)
{
    uint32_t size = gain < 0 ? -(uint32_t)gain : (uint32_t)gain, i = size;
    if (size >= STEPS) {
        unsigned exponent = 31 - (unsigned)__builtin_clz(size);
        i = (exponent - 3) * STEPS + ((size >> (exponent - 4)) & (STEPS - 1));
    }
    return gain < 0 ? HALF - i : HALF + i;
}

/* The smallest gain, by size, of a bucket. */
static int64_t gain_of(uint32_t bucket)
{
    uint32_t i = bucket < HALF ? HALF - bucket : bucket - HALF, size = i;
    if (i >= STEPS)
        size = (STEPS + i % STEPS) << (i / STEPS - 1);
    return bucket < HALF ? -(int64_t)size : size;
}

/* A share of the node's documents whose gains a thread computes. */
typedef struct share {
    const qn_bisector *one;
    const qn_node *node;
    int32_t *const *move;
    stripe s;
} share;

static void *find_gains(void *arg)
{
    share *work = arg;
    const qn_graph *graph = work->one->graph;
    const uint32_t *count = graph->count[work->node->from], *term = graph->term[work->node->from];
    while (step(graph, work->node, &work->s)) {
        const uint32_t *at = term + work->s.at;
        for (uint32_t i = work->s.doc; i < work->s.end; i++) {
            uint8_t side = graph->side[i];
            const int32_t *move = work->move[side];
            int64_t sum = 0;
            for (const uint32_t *end = at + count[i]; at < end; at++)
                sum += move[*at];
            sum >>= GAIN_SHIFT;
            sum = sum > (1 << 30) ? 1 << 30 : sum < -(1 << 30) ? -(1 << 30) : sum;
            graph->gain[i] = (int32_t)sum;
            work->one->histogram[side][bucket_of((int32_t)sum)]++;
        }
    }
    return NULL;
}

/* Computes all gains, and puts the histograms together in one[0]. */
static void find_all_gains(qn_bisector *one, unsigned n_threads, const qn_node *node)
{
    enum { MOST = 64 };
    share shares[MOST];
    pthread_t thread[MOST];
    bool started[MOST];
    const uint32_t *count = one->graph->count[node->from];
    unsigned n = node->n < THREADS_FROM ? 1 : n_threads < MOST ? n_threads : MOST;
    uint32_t doc = node->first, end = node->first + node->n;
    uint64_t at = node->at;
    for (unsigned i = 0; i < n; i++) {
        uint32_t here = i + 1 < n ? node->n / n : end - doc;
        shares[i] = (share){&one[i], node, one->move, start(doc, here, at)};
        for (uint32_t left = here; i + 1 < n && left > 0; left--)
            at += count[doc++];
    }
    for (unsigned i = 1; i < n; i++)
        started[i] = qn_thread_spawn(&thread[i], find_gains, &shares[i]);
    (void)find_gains(&shares[0]);
    for (unsigned i = 1; i < n; i++) {
        if (started[i])
            (void)pthread_join(thread[i], NULL);
        else
            (void)find_gains(&shares[i]);
        for (unsigned s = 0; s < 2; s++) {
            for (size_t b = 0; b < BUCKETS; b++)
                one->histogram[s][b] += one[i].histogram[s][b];
            memset(one[i].histogram[s], 0, BUCKETS * sizeof *one->histogram[s]);
        }
    }
}

/* Which documents of a half are exchanged: those of buckets above `cut`, and of that one the first
 * so many. */
typedef struct choice {
    uint32_t cut, quota;
} choice;

/* Chooses pairs, the best with the best, as long as one gains more than `threshold`, and empties
 * the histograms. Returns how many. */
static uint32_t choose(const qn_bisector *one, int64_t threshold, choice chosen[2])
{
    uint32_t b[2] = {BUCKETS, BUCKETS}, left[2] = {0, 0}, n = 0;
    chosen[0] = chosen[1] = (choice){BUCKETS, 0};
    for (;;) {
        for (unsigned s = 0; s < 2; s++)
            while (left[s] == 0 && b[s] > 0)
                left[s] = one->histogram[s][--b[s]];
        if (left[0] == 0 || left[1] == 0 || gain_of(b[0]) + gain_of(b[1]) <= threshold)
            break;
        uint32_t pairs = left[0] < left[1] ? left[0] : left[1];
        for (unsigned s = 0; s < 2; s++) {
            if (chosen[s].cut != b[s])
                chosen[s] = (choice){b[s], 0};
            chosen[s].quota += pairs;
            left[s] -= pairs;
        }
        n += pairs;
    }
    for (unsigned s = 0; s < 2; s++)
        memset(one->histogram[s], 0, BUCKETS * sizeof *one->histogram[s]);
    return n;
}

static void exchange(const qn_bisector *one, const qn_node *node, choice chosen[2])
{
    const qn_graph *graph = one->graph;
    const uint32_t *count = graph->count[node->from], *term = graph->term[node->from];
    stripe s = start(node->first, node->n, node->at);
    while (step(graph, node, &s)) {
        const uint32_t *at = term + s.at;
        for (uint32_t i = s.doc; i < s.end; at += count[i++]) {
            uint8_t side = graph->side[i];
            uint32_t bucket = bucket_of(graph->gain[i]);
            if (bucket < chosen[side].cut ||
                (bucket == chosen[side].cut && chosen[side].quota == 0))
                continue;
            chosen[side].quota -= bucket == chosen[side].cut;
            graph->side[i] = !side;
            for (uint32_t j = 0; j < count[i]; j++) {
                one->degree[side][at[j]]--;
                one->degree[!side][at[j]]++;
            }
        }
    }
}

/* ---- parting ---- */

/*
 * Numbers the terms anew for a half: those that no bisection of it depends on, since one document
 * has them or all have, are left out (UINT32_MAX). They become few so, and near one another. The
 * numbers take the place of the moves. Returns how many terms there are; *n_edges of how many
 * documents.
 */
static uint32_t number_terms(const qn_bisector *one, const qn_node *node, unsigned side, uint32_t n,
                             uint64_t *n_edges)
{
    uint32_t next = 0;
    uint32_t *number = (uint32_t *)one->move[side];
    *n_edges = 0;
    for (uint32_t t = 0; t < node->n_terms; t++) {
        uint32_t degree = one->degree[side][t];
        bool counts = degree > 1 && degree < n;
        number[t] = counts ? next++ : UINT32_MAX;
        *n_edges += counts ? degree : 0;
    }
    return next;
}

/* Copies the halves to the other copy. */
static void part(const qn_bisector *one, const qn_node *node, qn_node half[2])
{
    const qn_graph *graph = one->graph;
    unsigned from = node->from, to = !from;
    uint32_t doc[2] = {half[0].first, half[1].first};
    uint64_t out[2] = {half[0].at, half[1].at};
    bool lets_go = graph->scratch.in_file && 8 * node->n_edges > graph->window;
    stripe s = start(node->first, node->n, node->at);
    while (step(graph, node, &s)) {
        const uint32_t *at = graph->term[from] + s.at;
        uint32_t doc_before[2] = {doc[0], doc[1]};
        uint64_t out_before[2] = {out[0], out[1]};
        for (uint32_t i = s.doc; i < s.end; i++) {
            unsigned side = graph->side[i];
            const uint32_t *number = (const uint32_t *)one->move[side];
            uint32_t *put = graph->term[to] + out[side], *put_first = put;
            for (const uint32_t *end = at + graph->count[from][i]; at < end; at++)
                if (number[*at] != UINT32_MAX)
                    *put++ = number[*at];
            graph->doc[to][doc[side]] = graph->doc[from][i];
            graph->count[to][doc[side]++] = (uint32_t)(put - put_first);
            out[side] += (uint64_t)(put - put_first);
        }
        for (unsigned h = 0; lets_go && h < 2; h++)
            qn_graph_forget(graph, to, doc_before[h], doc[h] - doc_before[h], out_before[h],
                            out[h] - out_before[h]);
    }
}

void qn_bisect(qn_bisector *one, unsigned n_threads, const qn_node *node, qn_node half[2])
{
    count_degrees(one, node);
    for (int round = 0; round < ROUNDS; round++) {
        choice chosen[2];
        set_moves(one, node);
        find_all_gains(one, n_threads, node);
        if (choose(one, (int64_t)round * THRESHOLD, chosen) == 0)
            break;
        exchange(one, node, chosen);
    }
    uint32_t left = node->n / 2;
    half[0] = (qn_node){.first = node->first, .n = left, .at = node->at, .from = !node->from};
    half[0].n_terms = number_terms(one, node, 0, left, &half[0].n_edges);
    half[1] = (qn_node){.first = node->first + left,
                        .n = node->n - left,
                        .at = node->at + half[0].n_edges,
                        .from = !node->from};
    half[1].n_terms = number_terms(one, node, 1, node->n - left, &half[1].n_edges);
    part(one, node, half);
}
