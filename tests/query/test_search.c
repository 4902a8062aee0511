/* Every evaluator at every level of instruction set against the exhaustive one, and that against a
 * scorer that reads the documents: the same documents and the same floats, bit for bit. */
#define _GNU_SOURCE
#include "query/search.h"

#include "index/base/cpu.h"
#include "query/plan.h"
#include "query/topk.h"
#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"scalar", "avx2", "avx512"};
static const size_t ks[] = {1, 2, 10, 64, 65, 100, 1000, 100000};

static quern_search_options random_options(test_random *random)
{
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    static const float k1s[] = {0.9f, 0.9f, 0.9f, 0, 0.3f, 1.2f, 2, 3};
    static const float bs[] = {0.4f, 0.4f, 0.4f, 0, 0.75f, 1};
    options.k1 = k1s[test_below(random, 8)];
    options.b = bs[test_below(random, 6)];
    return options;
}

static void expect_equal(const quern_hit *a, size_t n_a, const quern_hit *b, size_t n_b,
                         const char *what, unsigned number)
{
    cr_assert_eq(n_a, n_b, "%s, query %u: %zu hits, not %zu", what, number, n_a, n_b);
    for (size_t i = 0; i < n_a; i++)
        cr_assert(a[i].doc == b[i].doc && memcmp(&a[i].score, &b[i].score, sizeof(float)) == 0,
                  "%s, query %u, rank %zu: %u %a, not %u %a", what, number, i, a[i].doc,
                  (double)a[i].score, b[i].doc, (double)b[i].score);
}

static void check_query(const test_index *index, const test_query *query,
                        quern_search_options options, size_t k, bool naive, unsigned number)
{
    const char *used;
    size_t n_oracle, n;
    options.evaluator = "exhaustive";
    quern_hit *oracle = test_index_search(index, &options, &query->query, k, &n_oracle, &used);
    cr_assert_str_eq(used, "exhaustive");
    if (naive) {
        quern_hit *hits = test_naive_search(index, &query->query, query->number, &options, k, &n);
        expect_equal(oracle, n_oracle, hits, n, "exhaustive", number);
        free(hits);
    }
    for (const char *const *name = qn_plan_names(); *name != NULL; name++) {
        options.evaluator = *name;
        quern_hit *hits = test_index_search(index, &options, &query->query, k, &n, &used);
        expect_equal(hits, n, oracle, n_oracle, used, number);
        free(hits);
    }
    free(oracle);
}

/* Random queries against one index, at all levels by turns. */
static void check_index(const test_index_params *params, const test_query_params *kinds,
                        unsigned n_queries, bool naive)
{
    test_index index;
    test_index_new(&index, params);
    test_random random = params->seed + 99;
    for (unsigned i = 0; i < n_queries; i++) {
        (void)setenv("QUERN_CPU", levels[i % 3], 1);
        test_index_use_level(&index);
        static test_query query;
        test_query_random(&query, kinds, params->vocabulary, &random);
        quern_search_options options = random_options(&random);
        size_t k = ks[test_below(&random, sizeof ks / sizeof *ks)];
        check_query(&index, &query, options, k, naive, i);
    }
    test_index_free(&index);
}

static const test_query_params plain = {.max_clauses = 40};
static const test_query_params few = {.max_clauses = 6};
static const test_query_params excluding = {.max_clauses = 10, .nots = true};
static const test_query_params conjunctive = {.max_clauses = 5, .musts = true, .nots = true};
static const test_query_params phrases = {.max_clauses = 3, .phrases = true};
static const test_query_params mixed = {
    .max_clauses = 6, .musts = true, .nots = true, .phrases = true};

static const test_index_params small = {.seed = 1,
                                        .n_docs = 700,
                                        .vocabulary = 60,
                                        .max_words = 40,
                                        .copies = 1,
                                        .n_segments = 1,
                                        .coded_df = 129,
                                        .dense_df = 300,
                                        .k1 = 0.9f,
                                        .b = 0.4f};

Test(search, small_indexes_equal_the_naive_scorer)
{
    for (unsigned segments = 1; segments <= 3; segments++) {
        test_index_params params = small;
        params.seed = segments;
        params.n_segments = segments;
        check_index(&params, &plain, 12, true);
        check_index(&params, &conjunctive, 12, true);
        check_index(&params, &mixed, 12, true);
    }
}

/* Documents that were deleted are no answers, and bounds and thresholds hold without them. */
Test(search, without_deleted_documents)
{
    static const uint32_t shares[] = {2, 100, 950, 1000};
    for (unsigned i = 0; i < sizeof shares / sizeof *shares; i++) {
        test_index_params params = small;
        params.seed = 30 + i;
        params.n_segments = 1 + i % 3;
        params.deleted = shares[i];
        check_index(&params, &plain, 12, true);
        check_index(&params, &mixed, 12, true);
        params.copies = 150;
        params.max_words = 10;
        check_index(&params, &few, 12, true);
    }
}

/* Lists have the lengths, averages and weights of their fields; of a group of clauses one must
 * match. */
Test(search, fields_and_groups_equal_the_naive_scorer)
{
    static const test_query_params kinds[] = {
        {.max_clauses = 40, .n_fields = 3},
        {.max_clauses = 6, .musts = true, .nots = true, .groups = true, .n_fields = 3},
        {.max_clauses = 4, .phrases = true, .groups = true, .n_fields = 3},
        {.max_clauses = 8,
         .musts = true,
         .nots = true,
         .phrases = true,
         .groups = true,
         .n_fields = 3}};
    for (unsigned segments = 1; segments <= 3; segments++) {
        test_index_params params = small;
        params.seed = 40 + segments;
        params.n_segments = segments;
        params.n_fields = 3;
        params.vocabulary = segments == 2 ? 18 : 60;
        params.deleted = segments == 3 ? 100 : 0;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            check_index(&params, &kinds[i], 15, true);
    }
}

/* Statistics from outside are of each field. */
Test(search, fields_with_statistics_from_outside)
{
    static const uint64_t tokens[] = {100000, 5000000};
    test_index_params params = small;
    params.n_fields = 2;
    test_index index;
    test_index_new(&index, &params);
    test_random random = 77;
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    options.documents = 50000;
    options.field_tokens = tokens;
    options.tokens = 1; /* not looked at */
    static const test_query_params kinds = {.max_clauses = 8, .groups = true, .n_fields = 2};
    for (unsigned i = 0; i < 20; i++) {
        static test_query query;
        test_query_random(&query, &kinds, params.vocabulary, &random);
        check_query(&index, &query, options, 50, true, i);
    }
    test_index_free(&index);
}

/* Documents that are kept in another order are answers by their places in the input, and ties go by
 * these. */
Test(search, reordered_documents)
{
    for (unsigned segments = 1; segments <= 3; segments++) {
        test_index_params params = small;
        params.seed = 50 + segments;
        params.n_segments = segments;
        params.reordered = true;
        check_index(&params, &plain, 12, true);
        check_index(&params, &mixed, 12, true);
        params.deleted = 100;
        params.n_docs = 3000;
        params.copies = 150;
        params.max_words = 10;
        check_index(&params, &few, 15, true);
        check_index(&params, &mixed, 10, true);
    }
}

/* A forged ordinal that is none is damage; one that occurs twice is a document that does. */
Test(search, forged_ordinals_are_no_documents)
{
    test_index_params params = small;
    params.n_docs = 300; /* 9 bits */
    params.reordered = true;
    test_index index;
    test_index_new(&index, &params);
    const char *const *names = qn_search_evaluators();
    for (unsigned e = 0; names[e] != NULL; e++) {
        quern_search_options options = QUERN_SEARCH_OPTIONS;
        options.evaluator = names[e];
        qn_search *search;
        const quern_hit *hits;
        size_t n;
        quern_error error;
        test_query query = {0};
        test_query_word(&query, QN_SHOULD, 1, 1);
        cr_assert_eq(qn_search_new(&search, index.segment, 1, &options, &error), QUERN_OK);
        cr_assert_eq(qn_search_run(search, &query.query, 20, &hits, &n, &error), QUERN_OK);
        cr_assert_gt(n, 0);
        for (unsigned byte = 0; byte <= 255; byte += 255) {
            size_t len = qn_bitpack_bytes(params.n_docs, 9);
            uint8_t *whole = test_copy(index.ordinals[0], len);
            memset(index.ordinals[0], (int)byte, len);
            quern_status status = qn_search_run(search, &query.query, 20, &hits, &n, &error);
            cr_assert_eq(status, byte == 0 ? QUERN_OK : QUERN_E_DAMAGED, "%s", names[e]);
            cr_assert(byte == 0 || strstr(error.message, "ordinal") != NULL, "%s", error.message);
            memcpy(index.ordinals[0], whole, len);
            free(whole);
        }
        /* Whole again, it answers again. */
        cr_assert_eq(qn_search_run(search, &query.query, 20, &hits, &n, &error), QUERN_OK);
        qn_search_free(search);
    }
    test_index_free(&index);
}

Test(search, phrases_equal_the_naive_matcher)
{
    test_index_params params = small;
    params.vocabulary = 12;
    params.n_segments = 2;
    check_index(&params, &phrases, 40, true);
    check_index(&params, &mixed, 20, true);
}

Test(search, phrases_without_positions_mean_and)
{
    test_index_params params = small;
    params.no_positions = true;
    params.vocabulary = 12;
    check_index(&params, &phrases, 20, true);
    check_index(&params, &mixed, 20, true);
}

Test(search, ties_go_to_the_first_documents)
{
    test_index_params params = small;
    params.n_docs = 3000;
    params.copies = 150;
    params.max_words = 10;
    for (unsigned segments = 1; segments <= 3; segments++) {
        params.n_segments = segments;
        params.seed = 10 + segments;
        check_index(&params, &few, 15, true);
        check_index(&params, &mixed, 10, true);
    }
}

/* More ranges than are evaluated first, and the three forms of lists as a real index has them. */
static const test_index_params large = {.seed = 5,
                                        .n_docs = 40000,
                                        .vocabulary = 400,
                                        .max_words = 12,
                                        .copies = 1,
                                        .n_segments = 1,
                                        .coded_df = 626,
                                        .dense_df = 2501,
                                        .k1 = 0.9f,
                                        .b = 0.4f};

Test(search, large_unions_equal_exhaustive)
{
    check_index(&large, &few, 24, false);
    check_index(&large, &plain, 6, false);
    check_index(&large, &excluding, 9, false);
}

Test(search, large_ones_without_deleted_documents)
{
    test_index_params params = large;
    params.deleted = 20;
    check_index(&params, &few, 15, false);
    check_index(&params, &mixed, 9, false);
    params.deleted = 700;
    check_index(&params, &plain, 6, false);
    check_index(&params, &phrases, 6, false);
}

Test(search, large_conjunctions_and_phrases_equal_exhaustive)
{
    check_index(&large, &mixed, 15, false);
    check_index(&large, &conjunctive, 15, false);
    check_index(&large, &phrases, 10, false);
}

/* Every list in groups, every list a bitmap, and few of either. */
Test(search, forms_of_lists_several_segments_and_huge_tf)
{
    test_index_params params = large;
    params.coded_df = 2000;
    params.dense_df = 3000;
    params.n_segments = 3;
    params.huge_tf = true;
    params.max_words = 30;
    params.n_docs = 20000;
    check_index(&params, &few, 15, false);
    check_index(&params, &excluding, 6, false);
    params.vocabulary = 3;
    params.coded_df = params.dense_df = 129;
    check_index(&params, &few, 10, false);
    check_index(&params, &mixed, 6, false);
    params.dense_df = UINT32_MAX;
    check_index(&params, &few, 10, false);
    check_index(&params, &mixed, 6, false);
}

Test(search, bounds_of_other_parameters_stay_safe)
{
    test_index_params params = large;
    params.k1 = 3;
    params.b = 1;
    params.n_docs = 20000;
    check_index(&params, &few, 15, false);
    params.k1 = 0;
    params.b = 0;
    check_index(&params, &few, 15, false);
}

/* ---- particular queries ---- */

static uint64_t outside_df(void *arg, quern_span term)
{
    (void)arg;
    return term.data[5] == '7' ? 0 : (uint64_t)(term.data[5] - '0') * 300;
}

Test(search, statistics_from_outside)
{
    test_index index;
    test_index_new(&index, &small);
    test_random random = 3;
    for (unsigned i = 0; i < 10; i++) {
        static test_query query;
        test_query_random(&query, &mixed, small.vocabulary, &random);
        quern_search_options options = QUERN_SEARCH_OPTIONS;
        options.documents = 2000; /* less than some df: these count as that */
        options.tokens = 90001;
        options.df = outside_df;
        check_query(&index, &query, options, 50, true, i);
        /* So absurd that contributions are zero or denormal: all documents that match are found. */
        options.documents = UINT64_MAX;
        options.tokens = 1;
        check_query(&index, &query, options, 50, true, i);
    }
    test_index_free(&index);
}

static uint64_t df_of_all(void *arg, quern_span term)
{
    (void)arg;
    (void)term;
    return UINT64_MAX;
}

/* Of words that an immense whole has in every document: each score is 0, and still all documents
 * that match are found, in their order. */
Test(search, weights_of_nothing)
{
    test_index index;
    test_index_params params = small;
    params.n_docs = 2000;
    test_index_new(&index, &params);
    test_random random = 4;
    for (unsigned i = 0; i < 60; i++) {
        static test_query query;
        test_query_random(&query, i % 2 == 0 ? &mixed : &plain, small.vocabulary, &random);
        quern_search_options options = QUERN_SEARCH_OPTIONS;
        options.documents = UINT64_MAX;
        options.tokens = i % 3 == 0 ? 1 : UINT64_MAX;
        options.df = df_of_all;
        check_query(&index, &query, options, i % 5 == 0 ? 5000 : 50, true, i);
    }
    test_index_free(&index);
}

/* Runs with all evaluators and returns the number of hits, which must agree. */
static size_t count_hits(const test_index *index, const test_query *query, size_t k)
{
    size_t n = 0, before = 0;
    for (unsigned i = 0; qn_plan_names()[i] != NULL; i++, before = n) {
        quern_search_options options = QUERN_SEARCH_OPTIONS;
        options.evaluator = qn_plan_names()[i];
        const char *used;
        free(test_index_search(index, &options, &query->query, k, &n, &used));
        cr_assert(i == 0 || n == before);
    }
    return n;
}

Test(search, queries_that_answer_nothing)
{
    test_index index;
    test_index_new(&index, &small);
    static test_query query;
    query.query = (qn_query){0};
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0); /* no clause */
    test_query_word(&query, QN_NOT, 1, 0);
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0); /* only NOT */
    test_query_word(&query, QN_SHOULD, 1, 99999);
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0); /* nobody has it */
    query.query = (qn_query){0};
    test_query_word(&query, QN_MUST, 1, 99999);
    test_query_word(&query, QN_SHOULD, 1, 0);
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0);
    query.query = (qn_query){0};
    test_query_add(&query, QN_SHOULD, 1, (uint32_t[]){0, 99999}, NULL, 2);
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0); /* a phrase with such a word */
    query.query = (qn_query){0};
    test_query_word(&query, QN_SHOULD, 1, 0);
    query.term[0].text = (quern_span){NULL, 0};
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0); /* an empty term */
    test_index_free(&index);
}

Test(search, an_index_without_segments_answers_nothing)
{
    test_index index = {0};
    static test_query query;
    test_query_word(&query, QN_SHOULD, 1, 0);
    cr_assert_eq(count_hits(&index, &query, 10), (size_t)0);
}

Test(search, the_evaluator_that_answered_is_named)
{
    test_index index;
    test_index_new(&index, &small);
    static test_query query;
    const char *used;
    size_t n;
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    test_query_word(&query, QN_SHOULD, 1, 0);
    test_query_word(&query, QN_SHOULD, 1, 1);
    options.evaluator = "range";
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "range");
    test_query_word(&query, QN_MUST, 1, 2); /* it serves every query */
    test_query_add(&query, QN_NOT, 1, (uint32_t[]){3, 4}, NULL, 2);
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "range");
    options.evaluator = "auto";
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "range");
    options.evaluator = "full"; /* it does not */
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "range");
    query.query = (qn_query){0};
    test_query_word(&query, QN_SHOULD, 1, 0);
    test_query_word(&query, QN_NOT, 1, 1);
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "full");
    options.evaluator = "auto"; /* hardly a posting: bounds would not pay */
    query.query = (qn_query){0};
    test_query_word(&query, QN_SHOULD, 1, 59);
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "full");
    test_query_word(&query, QN_MUST, 1, 58);
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "lead");
    query.query = (qn_query){0};
    test_query_word(&query, QN_SHOULD, 1, 59);
    test_query_add(&query, QN_SHOULD, 1, (uint32_t[]){57, 58}, NULL, 2);
    free(test_index_search(&index, &options, &query.query, 10, &n, &used));
    cr_assert_str_eq(used, "exhaustive");
    test_index_free(&index);
}

Test(search, arguments_out_of_range_are_refused)
{
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    qn_search *search;
    options.evaluator = "fastest";
    cr_assert_eq(qn_search_new(&search, NULL, 0, &options, NULL), QUERN_E_ARGUMENT);
    options = QUERN_SEARCH_OPTIONS;
    options.k1 = 3.5f;
    cr_assert_eq(qn_search_new(&search, NULL, 0, &options, NULL), QUERN_E_ARGUMENT);
    options.k1 = 0.0f / 0.0f;
    cr_assert_eq(qn_search_new(&search, NULL, 0, &options, NULL), QUERN_E_ARGUMENT);
    options = QUERN_SEARCH_OPTIONS;
    options.b = -0.1f;
    cr_assert_eq(qn_search_new(&search, NULL, 0, &options, NULL), QUERN_E_ARGUMENT);
    options = QUERN_SEARCH_OPTIONS;
    cr_assert_eq(qn_search_new(&search, NULL, 0, &options, NULL), QUERN_OK);
    static test_query query;
    test_query_word(&query, QN_SHOULD, 1, 0);
    const quern_hit *hits;
    size_t n;
    cr_assert_eq(qn_search_run(search, &query.query, 0, &hits, &n, NULL), QUERN_E_ARGUMENT);
    cr_assert_eq(qn_search_run(search, &query.query, QN_TOPK_MAX + 1, &hits, &n, NULL),
                 QUERN_E_ARGUMENT);
    query.clause[0].n_terms = 2;
    cr_assert_eq(qn_search_run(search, &query.query, 1, &hits, &n, NULL), QUERN_E_ARGUMENT);
    qn_search_free(search);
    qn_search_free(NULL);
}
