/* Seeds: the k-th best score is never less, or answers would be lost; and where a frequent term
 * knows its k-th best document there is one. */
#include "query/seed.h"

#include "tests/support/eval.h"

#include <criterion/criterion.h>

static const test_index_params params = {.seed = 51,
                                         .n_docs = 4000,
                                         .vocabulary = 80,
                                         .max_words = 24,
                                         .copies = 1,
                                         .n_segments = 1,
                                         .coded_df = 300,
                                         .dense_df = 900,
                                         .k1 = 0.9f,
                                         .b = 0.4f};

static const test_query_params plain = {.max_clauses = 8};
static const size_t ks[] = {1, 4, 5, 6, 10, 11, 20, 50, 51, 100, 200, 500, 1000, 1001, 5000};

Test(seed, floors_hold_for_every_k)
{
    test_index index;
    test_index_new(&index, &params);
    static test_eval t;
    test_random random = 1;
    unsigned n_seeds = 0;
    for (unsigned round = 0; round < 120; round++) {
        static test_query query;
        test_query_random(&query, &plain, params.vocabulary, &random);
        float k1 = (float)test_below(&random, 31) / 10, b = (float)test_below(&random, 11) / 10;
        test_eval_start(&t, &index, 0, &query, k1, b, QN_CPU_SCALAR, &random);
        size_t n;
        const quern_hit *hits = test_eval_all(&t, &n);
        for (unsigned i = 0; i < sizeof ks / sizeof *ks; i++) {
            float seed = qn_seed_of(&query.query, t.weight, t.list, t.deflation, ks[i]);
            cr_assert(seed == 0 || (ks[i] <= n && seed <= hits[ks[i] - 1].score), "k %zu: %g",
                      ks[i], (double)seed);
            n_seeds += seed > 0;
        }
        test_eval_free(&t);
    }
    cr_assert_gt(n_seeds, 300u, "%u", n_seeds);
    test_index_free(&index);
}

/* At the segment's own parameters a term's seed is close to its k-th best score. */
Test(seed, floors_are_close)
{
    test_index index;
    test_index_new(&index, &params);
    static test_eval t;
    static test_query query;
    test_random random = 2;
    test_query_word(&query, QN_SHOULD, 1, 0);
    test_eval_start(&t, &index, 0, &query, 0.9f, 0.4f, QN_CPU_SCALAR, &random);
    size_t n;
    const quern_hit *hits = test_eval_all(&t, &n);
    for (unsigned i = 0; i < QN_SEEDS; i++) {
        float seed = qn_seed_of(&query.query, t.weight, t.list, t.deflation, qn_seed_rank[i]);
        cr_assert_gt(seed, 0.8f * hits[qn_seed_rank[i] - 1].score);
    }
    cr_assert_eq(qn_seed_of(&query.query, t.weight, t.list, t.deflation, 1001), 0);
    test_eval_free(&t);
    test_index_free(&index);
}
