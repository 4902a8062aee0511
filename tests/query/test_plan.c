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

static qn_evaluator expected(qn_evaluator wanted, const qn_plan_shape *shape)
{
    bool full = shape->n_must == 0 && !shape->phrases;
    if (wanted == QN_EVALUATOR_FULL)
        return full ? wanted : QN_EVALUATOR_RANGE;
    if (wanted == QN_EVALUATOR_LEAD)
        return shape->leads ? wanted : QN_EVALUATOR_RANGE;
    if (wanted != QN_EVALUATOR_AUTO)
        return wanted;
    if (full)
        return shape->df_sum == 10 ? QN_EVALUATOR_FULL : QN_EVALUATOR_RANGE;
    if (shape->leads && shape->lead_df == 10)
        return QN_EVALUATOR_LEAD;
    return shape->df_sum == 10 ? QN_EVALUATOR_EXHAUSTIVE : QN_EVALUATOR_RANGE;
}

/* Whatever the query: who names an evaluator gets it if it serves the query, else "range", which
 * serves all; "auto" is none itself. */
Test(plan, every_evaluator_serves_every_shape)
{
    for (unsigned bits = 0; bits < 64; bits++) {
        for (unsigned wanted = 0; wanted < QN_EVALUATORS; wanted++) {
            qn_plan_shape shape = {.n_should = bits & 1,
                                   .n_must = (bits >> 1) & 1,
                                   .n_not = (bits >> 2) & 1,
                                   .phrases = (bits & 8) != 0,
                                   .leads = (bits & 18) == 18,
                                   .lead_df = (bits & 32) != 0 ? 10 : 900000,
                                   .n_docs = 1000000,
                                   .df_sum = (bits & 32) != 0 ? 10 : 1000000,
                                   .k = 10};
            cr_assert_eq(qn_plan_choose((qn_evaluator)wanted, &shape),
                         expected((qn_evaluator)wanted, &shape), "shape %u, %s", bits,
                         qn_plan_names()[wanted]);
        }
    }
}

/* Everything is scored of up to 10,000 + 250 sqrt(k) postings. */
Test(plan, full_where_lists_are_short_for_k)
{
    static const struct {
        size_t k;
        uint64_t most;
    } borders[] = {{1, 10250},   {3, 10250},    {4, 10500},     {10, 10750},      {99, 12250},
                   {100, 12500}, {1000, 17750}, {10000, 35000}, {1000000, 260000}};
    for (unsigned i = 0; i < sizeof borders / sizeof *borders; i++) {
        qn_plan_shape shape = {.n_should = 2, .k = borders[i].k, .df_sum = borders[i].most};
        cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_FULL, "k %zu",
                     shape.k);
        shape.df_sum++;
        cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_RANGE, "k %zu",
                     shape.k);
    }
}

/* How rare the rarest required term must be for it to lead depends on what else there is. */
Test(plan, lead_where_the_rarest_required_term_is_rare)
{
    static const struct {
        size_t n_should, n_must, k;
        bool phrases;
        uint64_t share;
    } borders[] = {{1, 0, 10, true, 16},   {0, 2, 10, false, 64},  {0, 2, 100, false, 64},
                   {0, 2, 101, false, 16}, {2, 1, 10, false, 256}, {2, 1, 1000, false, 64},
                   {2, 1, 10, true, 64},   {0, 2, 1000, true, 16}};
    for (unsigned i = 0; i < sizeof borders / sizeof *borders; i++) {
        qn_plan_shape shape = {.n_should = borders[i].n_should,
                               .n_must = borders[i].n_must,
                               .phrases = borders[i].phrases,
                               .leads = true,
                               .lead_df = 1024000 / borders[i].share,
                               .n_docs = 1024000,
                               .df_sum = 1000000,
                               .k = borders[i].k};
        cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_LEAD, "border %u", i);
        shape.lead_df++;
        cr_assert_eq(qn_plan_choose(QN_EVALUATOR_AUTO, &shape), QN_EVALUATOR_RANGE, "border %u", i);
    }
}

Test(plan, seeds_hold_for_plain_unions_only)
{
    qn_clause clause[2] = {{QN_SHOULD, 1, 0, 1, 0}, {QN_SHOULD, 1, 1, 1, 0}};
    qn_query query = {.clause = clause, .n_clauses = 2};
    cr_assert(qn_plan_is_union(&query));
    clause[1].occur = QN_NOT;
    cr_assert_not(qn_plan_is_union(&query));
    clause[1].occur = QN_MUST;
    cr_assert_not(qn_plan_is_union(&query));
    clause[1] = (qn_clause){QN_SHOULD, 1, 1, 2, 0};
    cr_assert_not(qn_plan_is_union(&query));
}
