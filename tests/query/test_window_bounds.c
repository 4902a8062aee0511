/* Sums of range bounds: a document that a sum leaves out is lost, so each sum must be enough for
 * every score in its range, whatever the clauses, parameters and forms of lists. */
#include "query/window_bounds.h"

#include "query/window_run.h"
#include "tests/support/eval.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const test_index_params params = {.seed = 41,
                                         .n_docs = 5000,
                                         .vocabulary = 120,
                                         .max_words = 24,
                                         .copies = 1,
                                         .n_segments = 1,
                                         .coded_df = 150,
                                         .dense_df = 600,
                                         .k1 = 0.9f,
                                         .b = 0.4f};

static const test_query_params plain = {.max_clauses = 20};
static const test_query_params musts = {.max_clauses = 5, .musts = true, .nots = true};
static const test_query_params phrases = {.max_clauses = 4, .phrases = true};
static const test_query_params mixed = {
    .max_clauses = 6, .musts = true, .nots = true, .phrases = true};

static test_eval t;

/* False if the segment cannot answer the query. */
static bool sum_up(qn_window_bounds *bounds)
{
    qn_window_run run;
    cr_assert_eq(qn_eval_fill_ceilings(&t.eval, NULL), QUERN_OK);
    cr_assert_eq(qn_window_lists_open(&t.eval, NULL), QUERN_OK);
    cr_assert_eq(qn_window_run_start(&run, &t.eval, NULL), QUERN_OK);
    if (run.total <= 0)
        return false;
    cr_assert_eq(qn_window_bounds_sum(bounds, &t.eval, run.total, NULL), QUERN_OK);
    cr_assert_eq(bounds->n, (size_t)t.eval.segment->n_windows * 64);
    return true;
}

/* Each document that matches lies in a range that its own score as the threshold leaves alive. */
static void check_query(const test_index *index, const test_query *query, test_random *random)
{
    float k1 = (float)test_below(random, 31) / 10, b = (float)test_below(random, 11) / 10;
    qn_cpu cpu = (qn_cpu)test_below(random, (unsigned)qn_cpu_machine() + 1);
    test_eval_start(&t, index, 0, query, k1, b, cpu, random);
    size_t n;
    const quern_hit *hits = test_eval_all(&t, &n);
    qn_window_bounds bounds;
    bool answers = sum_up(&bounds);
    cr_assert(answers || n == 0);
    for (size_t i = 0; i < n; i++) {
        bool none;
        uint16_t least = qn_window_bounds_least(&bounds, hits[i].score, &none);
        uint16_t sum = bounds.sum[hits[i].doc / QN_RANGE];
        cr_assert(!none && sum >= least, "document %u: %u, not %u", hits[i].doc, sum, least);
        cr_assert((double)sum >= (double)hits[i].score * bounds.scale * (1 - 0x1p-12));
    }
    test_eval_free(&t);
}

static void check_kind(const test_query_params *kinds, unsigned n_queries)
{
    test_index index;
    test_index_new(&index, &params);
    test_random random = 1;
    for (unsigned i = 0; i < n_queries; i++) {
        static test_query query;
        test_query_random(&query, kinds, params.vocabulary, &random);
        check_query(&index, &query, &random);
    }
    test_index_free(&index);
}

Test(window_bounds, unions)
{
    check_kind(&plain, 60);
}

Test(window_bounds, clauses_that_must_match)
{
    check_kind(&musts, 60);
}

Test(window_bounds, phrases)
{
    check_kind(&phrases, 60);
    check_kind(&mixed, 60);
}

/* No range can match where a clause that must has no documents: its sum is 0. */
Test(window_bounds, ranges_without_a_must_clause_are_dead)
{
    test_index_params rare = params;
    rare.vocabulary = 2000;
    test_index index;
    test_index_new(&index, &rare);
    test_random random = 2;
    unsigned n_dead = 0;
    for (uint32_t term = 1500; term < 1600; term++) {
        static test_query query;
        query.query = (qn_query){0};
        test_query_word(&query, QN_MUST, 1, term);
        test_query_word(&query, QN_SHOULD, 1, 0);
        test_eval_start(&t, &index, 0, &query, 0.9f, 0.4f, QN_CPU_SCALAR, &random);
        size_t n;
        const quern_hit *hits = test_eval_all(&t, &n);
        qn_window_bounds bounds;
        for (size_t r = 0; sum_up(&bounds) && r < bounds.n; r++) {
            bool here = false;
            for (size_t i = 0; i < n; i++)
                here |= hits[i].doc / QN_RANGE == r;
            cr_assert_eq(bounds.sum[r] > 0, here);
            n_dead += !here;
        }
        test_eval_free(&t);
    }
    cr_assert_gt(n_dead, 100u);
    test_index_free(&index);
}

/* As many clauses as a query may have, all over frequent terms: 16 bits hold the sums. */
Test(window_bounds, the_longest_query_does_not_overflow)
{
    test_index index;
    test_index_new(&index, &params);
    static qn_clause clause[QN_QUERY_CLAUSES_MAX];
    static const qn_postings *list[QN_QUERY_CLAUSES_MAX];
    static float weight[QN_QUERY_CLAUSES_MAX];
    static qn_query_term term[QN_QUERY_CLAUSES_MAX];
    test_query one = {0};
    test_random random = 3;
    test_query_word(&one, QN_SHOULD, 1, 0);
    test_eval_start(&t, &index, 0, &one, 0.9f, 0.4f, qn_cpu_machine(), &random);
    qn_query query = {.clause = clause, .term = term};
    query.n_clauses = query.n_terms = QN_QUERY_CLAUSES_MAX;
    for (uint32_t i = 0; i < QN_QUERY_CLAUSES_MAX; i++) {
        clause[i] = (qn_clause){QN_SHOULD, 1, i, 1, 0};
        list[i] = t.list[0];
        weight[i] = i == 0 ? 1000.0f : 0.001f; /* each rounds up by most */
        term[i] = one.term[0];
    }
    t.eval.query = &query;
    t.eval.list = list;
    t.eval.weight = weight;
    qn_window_bounds bounds;
    cr_assert(sum_up(&bounds));
    for (size_t r = 0; r < bounds.n; r++)
        cr_assert_eq(bounds.sum[r] >= QN_QUERY_CLAUSES_MAX,
                     qn_postings_range_max(list[0], (uint32_t)r) > 0);
    test_eval_free(&t);
    test_index_free(&index);
}

static size_t count(const uint16_t *sums, size_t n, uint32_t least)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += sums[i] >= least;
    return found;
}

/* A cut takes few ranges but some, unless all it can take are equal. */
Test(window_bounds, cuts)
{
    enum { RANGES = 64 * 20 };
    static uint16_t sums[RANGES];
    test_random random = 4;
    for (unsigned round = 0; round < 300; round++) {
        uint32_t most = 1 + test_below(&random, 200), spread = 1 + test_below(&random, 3000);
        for (size_t i = 0; i < RANGES; i++)
            sums[i] = (uint16_t)test_below(&random, test_below(&random, 9) == 0 ? 65536 : spread);
        if (round % 7 == 0)
            memset(sums, round % 2 == 0 ? 0 : 0xFF, sizeof sums);
        uint16_t least = (uint16_t)(1 + test_below(&random, 2 * spread));
        qn_window_bounds bounds = {.sum = sums, .n = RANGES, .scale = 1};
        const qn_eval_kernels *kernels = qn_eval_kernels_for(qn_cpu_machine());
        uint16_t cut = qn_window_bounds_cut(&bounds, kernels, least, most);
        cr_assert_geq(cut, least);
        size_t taken = count(sums, RANGES, cut);
        cr_assert(taken > 0 || count(sums, RANGES, least) == 0);
        cr_assert(taken <= most || count(sums, RANGES, cut + 1u) == 0, "%zu", taken);
        cr_assert(cut == least || taken > most / 2 || count(sums, RANGES, cut - 1u) > most);
    }
}

Test(window_bounds, thresholds_that_nothing_reaches)
{
    qn_window_bounds bounds = {.scale = 100};
    bool none;
    cr_assert_eq(qn_window_bounds_least(&bounds, 0, &none), 1);
    cr_assert_not(none);
    cr_assert_eq(qn_window_bounds_least(&bounds, 5, &none), 499);
    cr_assert_not(none);
    (void)qn_window_bounds_least(&bounds, 1000, &none);
    cr_assert(none);
}
