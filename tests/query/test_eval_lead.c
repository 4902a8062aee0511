/* The evaluator "lead", and phrases in "range": random queries against the exhaustive evaluator,
 * and phrases in which a word stands several times. */
#define _GNU_SOURCE
#include "query/plan.h"
#include "query/search.h"

#include "tests/support/query_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"scalar", "avx2", "avx512"};
static const char *const evaluators[] = {"lead", "range", "auto"};

static quern_hit *run(const test_index *index, const char *evaluator, const qn_query *query,
                      size_t k, size_t *n)
{
    quern_search_options options = QUERN_SEARCH_OPTIONS;
    options.evaluator = evaluator;
    const char *used;
    return test_index_search(index, &options, query, k, n, &used);
}

/* All evaluators find the same; returns how many documents. */
static size_t check_query(const test_index *index, const qn_query *query, size_t k)
{
    size_t n_oracle, n;
    quern_hit *oracle = run(index, "exhaustive", query, k, &n_oracle);
    for (unsigned i = 0; i < sizeof evaluators / sizeof *evaluators; i++) {
        quern_hit *hits = run(index, evaluators[i], query, k, &n);
        cr_assert_eq(n, n_oracle, "%s: %zu hits, not %zu", evaluators[i], n, n_oracle);
        for (size_t j = 0; j < n; j++)
            cr_assert(hits[j].doc == oracle[j].doc &&
                          memcmp(&hits[j].score, &oracle[j].score, sizeof(float)) == 0,
                      "%s, rank %zu: %u %a, not %u %a", evaluators[i], j, hits[j].doc,
                      (double)hits[j].score, oracle[j].doc, (double)oracle[j].score);
        free(hits);
    }
    free(oracle);
    return n_oracle;
}

static const test_index_params params = {.seed = 31,
                                         .n_docs = 20000,
                                         .vocabulary = 200,
                                         .max_words = 40,
                                         .copies = 1,
                                         .n_segments = 1,
                                         .coded_df = 200,
                                         .dense_df = 1500,
                                         .k1 = 0.9f,
                                         .b = 0.4f};

/* Random queries of these kinds, at all levels by turns. */
static void check_index(const test_index_params *of, const test_query_params *kinds,
                        unsigned n_queries)
{
    static const size_t ks[] = {1, 10, 100, 1000};
    test_index index;
    test_index_new(&index, of);
    test_random random = of->seed + 7;
    for (unsigned i = 0; i < n_queries; i++) {
        static test_query query;
        (void)setenv("QUERN_CPU", levels[i % 3], 1);
        test_index_use_level(&index);
        test_query_random(&query, kinds, of->vocabulary, &random);
        (void)check_query(&index, &query.query, ks[test_below(&random, 4)]);
    }
    test_index_free(&index);
}

Test(eval_lead, conjunctions)
{
    static const test_query_params kinds = {.max_clauses = 5, .musts = true, .nots = true};
    check_index(&params, &kinds, 90);
}

Test(eval_lead, phrases)
{
    static const test_query_params kinds = {.max_clauses = 1, .phrases = true};
    check_index(&params, &kinds, 90);
}

Test(eval_lead, everything)
{
    static const test_query_params kinds = {
        .max_clauses = 5, .musts = true, .nots = true, .phrases = true};
    check_index(&params, &kinds, 90);
    test_index_params other = params;
    other.n_segments = 3;
    other.huge_tf = true;
    check_index(&other, &kinds, 45);
    other.no_positions = true;
    check_index(&other, &kinds, 45);
}

/* Frequent words that stand again and again in the phrase: its frequency is less than the word's by
 * the times that it stands there, less one. */
Test(eval_lead, words_that_a_phrase_repeats)
{
    static const struct {
        uint32_t n, term[6], position[6];
    } cases[] = {{2, {0, 0}, {0, 1}},
                 {3, {0, 1, 0}, {0, 1, 2}},
                 {3, {0, 0, 0}, {0, 1, 2}},
                 {4, {0, 1, 0, 1}, {0, 1, 2, 3}},
                 {6, {0, 1, 2, 3, 0, 1}, {0, 1, 2, 3, 4, 5}},
                 {3, {0, 1, 0}, {0, 3, 7}},
                 {3, {0, 0, 1}, {0, 0, 1}}, /* both at one position */
                 {2, {150, 150}, {0, 1}}};
    test_index_params of = params;
    for (unsigned positions = 0; positions < 2; positions++) {
        of.no_positions = positions == 1;
        test_index index;
        test_index_new(&index, &of);
        size_t n_found = 0;
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            for (unsigned level = 0; level < 3; level++) {
                static test_query query;
                (void)setenv("QUERN_CPU", levels[level], 1);
                test_index_use_level(&index);
                query.query = (qn_query){0};
                test_query_add(&query, QN_SHOULD, 1, cases[c].term, cases[c].position, cases[c].n);
                n_found += check_query(&index, &query.query, 10);
                query.query = (qn_query){0};
                test_query_word(&query, QN_SHOULD, 1, 5);
                test_query_add(&query, QN_NOT, 1, cases[c].term, cases[c].position, cases[c].n);
                test_query_add(&query, QN_MUST, 1, cases[c].term, cases[c].position, 2);
                n_found += check_query(&index, &query.query, 1000);
            }
        }
        cr_assert_gt(n_found, (size_t)100);
        test_index_free(&index);
    }
}

Test(eval_lead, is_chosen_where_a_rare_term_is_required)
{
    qn_clause clause[2] = {{QN_SHOULD, 1, 0, 2, 0}, {QN_SHOULD, 1, 2, 1, 0}};
    qn_query query = {.clause = clause, .n_clauses = 1};
    cr_assert(qn_plan_shape_of(&query).leads);
    query.n_clauses = 2;
    cr_assert_not(qn_plan_shape_of(&query).leads);
    clause[1].occur = QN_MUST;
    qn_plan_shape shape = qn_plan_shape_of(&query);
    cr_assert(shape.leads);
    shape.n_docs = shape.df_sum = 1000000;
    shape.k = 10;
    shape.lead_df = 50;
    cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_LEAD);
    shape.lead_df = 500000;
    cr_assert_neq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_LEAD);
    cr_assert_eq(qn_plan_choose(QN_EVALUATOR_LEAD, &shape), QN_EVALUATOR_LEAD);
    shape.leads = false;
    cr_assert_neq(qn_plan_choose(QN_EVALUATOR_LEAD, &shape), QN_EVALUATOR_LEAD);
}
