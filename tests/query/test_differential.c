/*
 * Random queries on random small indexes: every evaluator answers as the exhaustive one does at the
 * scalar level, the same documents and the same floats, bit for bit. Corpora, borders between the
 * forms of lists, numbers of segments, orders of their documents, deletions, parameters, k, kinds
 * of clauses and levels of instruction sets are all drawn, so that what nobody thought of is met
 * too.
 *
 * 4,800 queries; with QUERN_FULL set 100,000, for which a release build takes some minutes. A
 * failure names the numbers of its world, its group of queries and its query: these alone decide
 * what is drawn.
 */
#define _GNU_SOURCE
#include "query/search.h"

#include "index/base/cpu.h"
#include "query/plan.h"
#include "query/topk.h"
#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 5, QUERIES = 12, WORLDS = 80, WORLDS_FULL = 1667, K_MAX = 10000 };

/* Of the oracle, and of each evaluator. */
enum { SEARCHERS = 1 + QN_EVALUATORS };

/* Where a query stands, and what it did. */
typedef struct place {
    unsigned world, group, query;
    unsigned n_answered, n_queries;
} place;

/* ---- drawing ---- */

/* From 1 to `most`, each size of number as likely. */
static uint32_t draw_size(test_random *random, uint32_t most)
{
    uint32_t room = 1;
    for (uint32_t n = 1 + test_below(random, 14); n > 0 && room < most; n--)
        room *= 2;
    return 1 + test_below(random, room < most ? room : most);
}

static test_index_params draw_world(unsigned number, test_random *random)
{
    test_index_params p = {.seed = number,
                           .n_docs = draw_size(random, 6000),
                           .vocabulary = 1 + draw_size(random, 600),
                           .max_words = draw_size(random, 40),
                           .copies = test_below(random, 3) == 0 ? draw_size(random, 300) : 1,
                           .n_segments = 1 + test_below(random, TEST_SEGMENTS_MAX),
                           .k1 = (float)test_below(random, 301) / 100,
                           .b = (float)test_below(random, 101) / 100,
                           .no_positions = test_below(random, 10) == 0,
                           .huge_tf = test_below(random, 3) == 0};
    if (test_below(random, 3) == 0)
        p.n_fields = 1 + test_below(random, 4);
    p.reordered = number % 2 == 1;
    if (number % 3 == 0) /* a few, or nearly all */
        p.deleted = number % 9 == 0 ? 900 : number % 2 == 0 ? 3 : 100;
    if (test_below(random, 2) == 0) /* many are wanted that have lists of every form */
        p.n_docs = 1500 + test_below(random, 4500);
    /* More ranges than are evaluated first, so several passes; in short documents scores tie, and
     * bounds leave nothing to spare. */
    if (number % 8 == 7) {
        p.n_docs = 18000 + test_below(random, 20000);
        p.n_segments = 1 + test_below(random, 2);
        p.max_words = 1 + p.max_words % (number % 16 == 7 ? 12 : 4);
    }
    p.coded_df = 128 + draw_size(random, 1000);
    p.dense_df = test_below(random, 6) == 0 ? UINT32_MAX : p.coded_df + draw_size(random, 1500) - 1;
    return p;
}

static quern_search_options draw_options(test_random *random)
{
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    options.k1 = (float)(test_next(random) >> 40) * (3 * 0x1p-24f);
    options.b = (float)(test_next(random) >> 40) * 0x1p-24f;
    uint32_t dice = test_below(random, 12);
    if (dice == 0)
        options.k1 = 0;
    if (dice == 1)
        options.b = (float)test_below(random, 2);
    if (dice == 2) { /* statistics of a larger whole */
        options.documents = 10000 + test_below(random, 1000000);
        options.tokens = options.documents * (1 + test_below(random, 100));
    }
    return options;
}

static void draw_query(test_query *query, const test_index_params *world, test_random *random)
{
    unsigned n_fields = world->n_fields;
    bool groups = test_below(random, 3) == 0;
    uint32_t many = 1 + test_below(random, 40), few = 1 + test_below(random, 6);
    const test_query_params kinds[] = {
        {.max_clauses = many, .n_fields = n_fields},
        {.max_clauses = many, .nots = true, .groups = groups, .n_fields = n_fields},
        {.max_clauses = few, .musts = true, .nots = true, .groups = groups, .n_fields = n_fields},
        {.max_clauses = few, .phrases = true, .groups = groups, .n_fields = n_fields},
        {.max_clauses = few, .musts = true, .nots = true, .phrases = true, .n_fields = n_fields},
        {.max_clauses = many,
         .musts = true,
         .nots = true,
         .phrases = true,
         .groups = groups,
         .n_fields = n_fields},
    };
    test_query_random(query, &kinds[test_below(random, 6)], world->vocabulary, random);
    /* Sooner or later every clause says the same, or most do. */
    if (test_below(random, 20) == 0)
        for (size_t i = 1; i < query->query.n_terms; i++)
            query->term[i] = query->term[0];
}

/* ---- comparing ---- */

static const char *use_level(test_index *index, qn_cpu cpu)
{
    const char *name = qn_cpu_name(cpu);
    (void)setenv("QUERN_CPU", name, 1);
    test_index_use_level(index);
    return name;
}

static void tell(const place *at, const char *what, const test_index *index,
                 const quern_search_options *options, size_t k, const qn_query *query)
{
    const test_index_params *p = &index->params;
    (void)fprintf(stderr,
                  "world %u, group %u, query %u, %s: %u documents, %u words, %u segments, coded_df "
                  "%u, dense_df %u, copies %u, %u in 1,000 deleted, reordered %d, k1 %a, b %a "
                  "(bounds %g, %g), k %zu\n",
                  at->world, at->group, at->query, what, p->n_docs, p->vocabulary, p->n_segments,
                  p->coded_df, p->dense_df, p->copies, p->deleted, p->reordered,
                  (double)options->k1, (double)options->b, (double)p->k1, (double)p->b, k);
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        (void)fprintf(stderr, " %s%s", clause->occur == QN_MUST ? "+" : "",
                      clause->occur == QN_NOT ? "-" : "");
        for (uint32_t i = 0; i < clause->n_terms; i++)
            (void)fprintf(stderr, "%s%.*s", i > 0 ? "_" : "",
                          (int)query->term[clause->first_term + i].text.len,
                          query->term[clause->first_term + i].text.data);
        (void)fprintf(stderr, "^%u", clause->qtf);
    }
    (void)fprintf(stderr, "\n");
}

/* The first rank at which answers differ; SIZE_MAX if they are the same. */
static size_t first_difference(const quern_hit *a, size_t n_a, const quern_hit *b, size_t n_b)
{
    for (size_t i = 0; i < n_a && i < n_b; i++)
        if (a[i].doc != b[i].doc || memcmp(&a[i].score, &b[i].score, sizeof(float)) != 0)
            return i;
    return n_a == n_b ? SIZE_MAX : n_a < n_b ? n_a : n_b;
}

/* The searchers keep their scratch memory from query to query; each has its level. The oracle's
 * index is never reordered. */
static void compare(qn_search *const search[SEARCHERS], const char *level, test_index *index,
                    const quern_search_options *options, test_random *random, place *at)
{
    static test_query query;
    draw_query(&query, &index->params, random);
    size_t k = draw_size(random, K_MAX), n_oracle, n;
    const quern_hit *oracle, *hits;
    quern_error error;
    cr_assert_eq(qn_search_run(search[0], &query.query, k, &oracle, &n_oracle, &error), QUERN_OK,
                 "%s", error.message);
    for (unsigned e = 1; e < SEARCHERS; e++) {
        cr_assert_eq(qn_search_run(search[e], &query.query, k, &hits, &n, &error), QUERN_OK, "%s",
                     error.message);
        size_t rank = first_difference(hits, n, oracle, n_oracle);
        if (rank == SIZE_MAX)
            continue;
        tell(at, level, index, options, k, &query.query);
        cr_assert_fail("%s has %zu answers, not %zu; they differ at %zu: %u %a, not %u %a",
                       qn_plan_names()[e - 1], n, n_oracle, rank, rank < n ? hits[rank].doc : 0,
                       rank < n ? (double)hits[rank].score : 0,
                       rank < n_oracle ? oracle[rank].doc : 0,
                       rank < n_oracle ? (double)oracle[rank].score : 0);
    }
    at->n_answered += n_oracle > 0;
    at->n_queries++;
}

static void run_group(test_index *index, test_index *in_order, place *at)
{
    test_random random = (uint64_t)at->world << 32 | at->group << 8;
    quern_search_options options = draw_options(&random);
    qn_search *search[SEARCHERS];
    quern_error error;
    const char *level = NULL;
    for (unsigned e = 0; e < SEARCHERS; e++) {
        qn_cpu cpu = (qn_cpu)((at->world + at->group) % ((unsigned)qn_cpu_machine() + 1));
        test_index *searched = e == 0 ? in_order : index;
        level = use_level(searched, e == 0 ? QN_CPU_SCALAR : cpu);
        options.evaluator = e == 0 ? "exhaustive" : qn_plan_names()[e - 1];
        cr_assert_eq(
            qn_search_new(&search[e], searched->segment, searched->n_segments, &options, &error),
            QUERN_OK, "%s", error.message);
    }
    for (at->query = 0; at->query < QUERIES; at->query++)
        compare(search, level, index, &options, &random, at);
    for (unsigned e = 0; e < SEARCHERS; e++)
        qn_search_free(search[e]);
}

Test(differential, every_evaluator_answers_as_the_exhaustive_one)
{
    unsigned n_worlds = getenv("QUERN_FULL") != NULL ? WORLDS_FULL : WORLDS;
    place at = {0};
    for (at.world = 0; at.world < n_worlds; at.world++) {
        test_random random = at.world;
        test_index_params params = draw_world(at.world, &random);
        test_index index, in_order;
        test_index_new(&index, &params);
        params.reordered = false;
        test_index_new(&in_order, &params);
        for (at.group = 0; at.group < GROUPS; at.group++)
            run_group(&index, &in_order, &at);
        test_index_free(&index);
        test_index_free(&in_order);
    }
    (void)fprintf(stderr, "%u queries, %u with answers\n", at.n_queries, at.n_answered);
    cr_assert_gt(at.n_answered, at.n_queries / 3);
}
