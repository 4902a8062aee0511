/* The choice of evaluators. */
#include "query/plan.h"

#include <criterion/criterion.h>

Test(plan, names)
{
    qn_evaluator evaluator;
    for (unsigned i = 0; qn_plan_names()[i] != NULL; i++) {
        cr_assert(qn_plan_find(qn_plan_names()[i], &evaluator));
        cr_assert_eq((unsigned)evaluator, i);
    }
    cr_assert(qn_plan_find(NULL, &evaluator));
    cr_assert_eq(evaluator, QN_EVALUATOR_AUTO);
    cr_assert_not(qn_plan_find("", &evaluator));
    cr_assert_not(qn_plan_find("Range", &evaluator));
}

/* Whatever the query: who names an evaluator gets it if it serves the query, and "auto" is none
 * itself. */
Test(plan, every_evaluator_serves_every_shape)
{
    for (unsigned bits = 0; bits < 16; bits++) {
        for (unsigned wanted = 0; wanted < QN_EVALUATORS; wanted++) {
            qn_plan_shape shape = {.n_should = bits & 1,
                                   .n_must = (bits >> 1) & 1,
                                   .n_not = (bits >> 2) & 1,
                                   .phrases = (bits & 8) != 0,
                                   .df_sum = bits % 3 == 0 ? 10 : 1000000,
                                   .k = 10};
            bool few = shape.df_sum == 10, full = shape.n_must == 0 && !shape.phrases;
            qn_evaluator chosen = qn_plan_choose((qn_evaluator)wanted, &shape);
            if (wanted == QN_EVALUATOR_FULL)
                cr_assert_eq(chosen, full ? QN_EVALUATOR_FULL : QN_EVALUATOR_RANGE);
            else if (wanted != QN_EVALUATOR_AUTO)
                cr_assert_eq((unsigned)chosen, wanted);
            else
                cr_assert_eq(chosen, !few   ? QN_EVALUATOR_RANGE
                                     : full ? QN_EVALUATOR_FULL
                                            : QN_EVALUATOR_EXHAUSTIVE);
        }
    }
}

/* Everything is scored of up to 4,000 + 450 sqrt(k) postings. */
Test(plan, full_where_lists_are_short_for_k)
{
    static const struct {
        size_t k;
        uint64_t most;
    } borders[] = {{1, 4450},      {3, 4450},        {4, 4900},        {10, 5350},
                   {99, 8050},     {100, 8500},      {1000, 17950},    {9999, 48550},
                   {10000, 49000}, {100000, 146200}, {1000000, 454000}};
    for (unsigned i = 0; i < sizeof borders / sizeof *borders; i++) {
        qn_plan_shape shape = {.n_should = 2, .k = borders[i].k, .df_sum = borders[i].most};
        cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_FULL, "k %zu",
                     shape.k);
        shape.df_sum++;
        cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_RANGE, "k %zu",
                     shape.k);
    }
}

Test(plan, seeds_hold_for_plain_unions_only)
{
    qn_clause clause[2] = {{QN_SHOULD, 1, 0, 1}, {QN_SHOULD, 1, 1, 1}};
    qn_query query = {.clause = clause, .n_clauses = 2};
    cr_assert(qn_plan_is_union(&query));
    clause[1].occur = QN_NOT;
    cr_assert_not(qn_plan_is_union(&query));
    clause[1].occur = QN_MUST;
    cr_assert_not(qn_plan_is_union(&query));
    clause[1] = (qn_clause){QN_SHOULD, 1, 1, 2};
    cr_assert_not(qn_plan_is_union(&query));
}
