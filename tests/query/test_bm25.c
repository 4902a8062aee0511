/* Weights and contributions against numbers worked out by hand. */
#include "query/bm25.h"

#include "query/query.h"

#include <criterion/criterion.h>
#include <math.h>

Test(bm25, idf_is_that_of_the_formula)
{
    cr_assert_eq(qn_bm25_idf(1000, 10), log(1.0 + 990.5 / 10.5));
    cr_assert_eq(qn_bm25_idf(0, 0), log(2.0));
    cr_assert_gt(qn_bm25_idf(1, 1), 0.0);
}

Test(bm25, idf_is_never_negative_whatever_the_statistics)
{
    cr_assert_eq(qn_bm25_idf(10, 11), qn_bm25_idf(10, 10));
    cr_assert_eq(qn_bm25_idf(0, UINT64_MAX), log(2.0));
    cr_assert_geq(qn_bm25_idf(UINT64_MAX, UINT64_MAX), 0.0);
}

Test(bm25, weight_is_rounded_once)
{
    double idf = 0.1 + 0.2;
    cr_assert_eq(qn_bm25_weight(idf, 3), (float)(idf * 3.0));
}

Test(bm25, contribution)
{
    cr_assert_eq(qn_bm25_contribution(2.0f, 1, 1.0f), 1.0f);
    cr_assert_eq(qn_bm25_contribution(2.0f, 3, 1.0f), 1.5f);
    cr_assert_eq(qn_bm25_contribution(2.0f, 7, 0.0f), 2.0f);
    /* Each step rounded to float: 1/3 is not exact. */
    volatile float third = 1.0f / 3.0f, product = 3.3f * third;
    cr_assert_eq(qn_bm25_contribution(3.3f, 1, 2.0f), (float)product);
}

Test(bm25, rooms_cover_the_longest_query)
{
    double worst = pow(1 + 0x1p-24, QN_QUERY_CLAUSES_MAX - 1) - 1;
    cr_assert_lt(2 * worst, QN_BM25_SUM_ROOM);
    cr_assert_lt(pow(1 + 0x1p-24, 32) - 1, QN_BM25_PART_ROOM);
}
