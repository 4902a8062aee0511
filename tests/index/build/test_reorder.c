/* Orders of documents: each is there once, the same whatever there is to work with, and better than
 * the order that was given. */
#define _GNU_SOURCE
#include "index/build/reorder.h"

#include "index/build/bisect.h"
#include "tests/support/support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Documents of `topics` kinds, each with words of its own and others that all kinds share. */
typedef struct world {
    uint32_t n_docs, topics, words, shared, length;
    uint64_t seed;
} world;

typedef struct documents {
    uint32_t n_docs, n_terms;
    uint32_t *count, *term;
    uint64_t n_edges;
} documents;

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The kind of a document is drawn at random, so that they come in no order. */
static documents make(const world *w)
{
    test_random random = w->seed;
    documents d = {.n_docs = w->n_docs, .n_terms = w->topics * w->words + w->shared};
    d.count = calloc((size_t)w->n_docs + 1, sizeof *d.count);
    d.term = calloc((size_t)w->n_docs * w->length + 1, sizeof *d.term);
    for (uint32_t doc = 0; doc < w->n_docs; doc++) {
        uint32_t topic = test_below(&random, w->topics), *terms = d.term + d.n_edges;
        uint32_t n = test_below(&random, w->length + 1), kept = 0;
        for (uint32_t i = 0; i < n; i++)
            terms[i] = test_below(&random, 4) == 0
                           ? w->topics * w->words + test_below(&random, w->shared)
                           : topic * w->words + test_below(&random, w->words);
        qsort(terms, n, sizeof *terms, compare);
        for (uint32_t i = 0; i < n; i++)
            if (kept == 0 || terms[kept - 1] != terms[i])
                terms[kept++] = terms[i];
        d.count[doc] = kept;
        d.n_edges += kept;
    }
    return d;
}

static void drop(documents *d)
{
    free(d->count);
    free(d->term);
}

/* Bits of all gaps, as binary logarithms, if documents come in this order. */
static double cost_of(const documents *d, const uint32_t *order)
{
    uint64_t *start = calloc((size_t)d->n_docs + 1, sizeof *start);
    uint32_t *last = calloc((size_t)d->n_terms + 1, sizeof *last); /* place after the last one */
    double cost = 0;
    for (uint32_t doc = 0; doc < d->n_docs; doc++)
        start[doc + 1] = start[doc] + d->count[doc];
    for (uint32_t place = 0; place < d->n_docs; place++) {
        uint32_t doc = order == NULL ? place : order[place];
        for (uint64_t i = start[doc]; i < start[doc + 1]; i++) {
            cost += log2((double)(place + 1 - last[d->term[i]]));
            last[d->term[i]] = place + 1;
        }
    }
    free(start);
    free(last);
    return cost;
}

/* The order, to be freed; *in_file whether the graph was. */
static uint32_t *order_of(const documents *d, uint64_t memory, unsigned threads, bool *in_file)
{
    char *path;
    int dirfd = test_dir_open(&path);
    const qn_scratch_place place = {dirfd, path};
    const qn_reorder_room room = {.memory = memory, .threads = threads};
    qn_graph graph;
    quern_error error;
    cr_assert_eq(qn_graph_open(&graph, d->n_docs, d->n_terms, d->n_edges, memory, &place, &error),
                 QUERN_OK, "%s", error.message);
    *in_file = graph.scratch.in_file;
    for (uint32_t doc = 0; doc < d->n_docs; doc++)
        graph.doc[0][doc] = doc;
    if (d->n_docs > 0)
        memcpy(graph.count[0], d->count, d->n_docs * sizeof *d->count);
    if (d->n_edges > 0)
        memcpy(graph.term[0], d->term, d->n_edges * sizeof *d->term);
    cr_assert_eq(qn_reorder(&graph, &room, &error), QUERN_OK, "%s", error.message);
    uint32_t *order = calloc((size_t)d->n_docs + 1, sizeof *order);
    if (d->n_docs > 0)
        memcpy(order, graph.doc[0], d->n_docs * sizeof *order);
    qn_graph_close(&graph);
    test_dir_close(dirfd, path);
    return order;
}

static void check_permutation(const uint32_t *order, uint32_t n)
{
    uint8_t *seen = calloc((size_t)n + 1, 1);
    for (uint32_t i = 0; i < n; i++) {
        cr_assert_lt(order[i], n);
        cr_assert_eq(seen[order[i]]++, 0, "document %u is there twice", order[i]);
    }
    free(seen);
}

Test(reorder, brings_together_what_is_alike)
{
    const world w = {.n_docs = 20000, .topics = 100, .words = 60, .shared = 500, .length = 30};
    documents d = make(&w);
    bool in_file;
    uint32_t *order = order_of(&d, 1 << 30, 2, &in_file);
    check_permutation(order, d.n_docs);
    double before = cost_of(&d, NULL), after = cost_of(&d, order);
    cr_assert_lt(after, 0.6 * before, "%g bits a gap, before %g", after / (double)d.n_edges,
                 before / (double)d.n_edges);
    free(order);
    drop(&d);
}

/* The order does not depend on threads, nor on how much of the graph may be resident. */
Test(reorder, is_the_same_whatever_there_is_to_work_with)
{
    const world w = {
        .n_docs = 40001, .topics = 300, .words = 100, .shared = 5000, .length = 40, .seed = 2};
    documents d = make(&w);
    bool in_file;
    uint32_t *expected = order_of(&d, 1 << 30, 1, &in_file);
    cr_assert(!in_file);
    static const uint64_t memories[] = {1 << 30, 1 << 21, 1 << 18, 1};
    for (unsigned m = 0; m < 4; m++) {
        for (unsigned threads = 1; threads <= 5; threads += 2) {
            uint32_t *order = order_of(&d, memories[m], threads, &in_file);
            cr_assert_eq(in_file, m > 0);
            cr_assert_eq(memcmp(order, expected, d.n_docs * sizeof *order), 0,
                         "%llu bytes, %u threads", (unsigned long long)memories[m], threads);
            free(order);
        }
    }
    free(expected);
    drop(&d);
}

/* Few documents, one, none; none with words, all with the same. */
Test(reorder, small_and_odd_ones)
{
    test_random random = 3;
    for (unsigned round = 0; round < 300; round++) {
        const world w = {.n_docs = test_below(&random, round < 20 ? 4 : 200),
                         .topics = 1 + test_below(&random, 5),
                         .words = 1 + test_below(&random, 20),
                         .shared = 1 + test_below(&random, 20),
                         .length = test_below(&random, 30),
                         .seed = round};
        documents d = make(&w);
        bool in_file;
        uint32_t *order = order_of(&d, round % 2 == 0 ? 1 << 30 : 1, 1 + round % 3, &in_file);
        check_permutation(order, d.n_docs);
        free(order);
        drop(&d);
    }
}

/* What cannot be told apart stays as it came. */
Test(reorder, equal_documents_stay_in_order)
{
    documents d = {.n_docs = 5000, .n_terms = 3};
    d.count = calloc(d.n_docs, sizeof *d.count);
    d.term = calloc((size_t)d.n_docs * 3, sizeof *d.term);
    for (int full = 0; full < 2; full++) {
        d.n_edges = full == 0 ? 0 : 3 * (uint64_t)d.n_docs;
        for (uint32_t i = 0; i < 3 * d.n_docs; i++) {
            d.count[i / 3] = full == 0 ? 0 : 3;
            d.term[i] = i % 3;
        }
        bool in_file;
        uint32_t *order = order_of(&d, 1 << 30, 2, &in_file);
        for (uint32_t i = 0; i < d.n_docs; i++)
            cr_assert_eq(order[i], i);
        free(order);
    }
    drop(&d);
}

static bool stop_after(void *arg, const char *phase, uint64_t done, uint64_t total)
{
    (void)phase;
    cr_assert_leq(done, total);
    return --*(int *)arg > 0;
}

Test(reorder, stops_when_asked)
{
    const world w = {.n_docs = 60000, .topics = 50, .words = 50, .shared = 50, .length = 10};
    documents d = make(&w);
    for (int after = 1; after <= 3; after++) {
        int left = after;
        const qn_scratch_place place = {-1, "nowhere"};
        const qn_reorder_room room = {1 << 30, 2, stop_after, &left};
        qn_graph graph;
        quern_error error;
        cr_assert_eq(qn_graph_open(&graph, d.n_docs, d.n_terms, d.n_edges, 1 << 30, &place, &error),
                     QUERN_OK);
        for (uint32_t doc = 0; doc < d.n_docs; doc++)
            graph.doc[0][doc] = doc;
        memcpy(graph.count[0], d.count, d.n_docs * sizeof *d.count);
        memcpy(graph.term[0], d.term, d.n_edges * sizeof *d.term);
        cr_assert_eq(qn_reorder(&graph, &room, &error), QUERN_E_CANCELLED);
        qn_graph_close(&graph);
    }
    drop(&d);
}

/* The table is f(d + 1) - f(d) of f(d) = d log2(d + 1), with 16 bits after the point. */
Test(reorder, growth_of_costs)
{
    int32_t *growth = qn_bisect_growth();
    cr_assert_not_null(growth);
    for (unsigned i = 0; i < 4096; i++) {
        double d = i, exact = (d + 1) * log2(d + 2) - d * log2(d + 1);
        cr_assert_lt(fabs(growth[i] / 65536.0 - exact), 0.0002, "%u: %g, not %g", i,
                     growth[i] / 65536.0, exact);
    }
    free(growth);
}
