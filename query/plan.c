/* Choosing an evaluator: see plan.h. */
#include "query/plan.h"

#include <string.h>

/* With fewer postings than this, bounds cost more than they save. The figure is a prototype's
 * ("about 500 at k = 10"); it has not been measured with these evaluators. */
enum { EXHAUSTIVE_DF_SUM = 512 };

/*
 * Measured on 966,464 passages with 131 phrases, 131 conjunctions of the same words, and 21 queries
 * in which one word must match and others may, where the two evaluators cost about the same: "lead"
 * serves phrases better up to a bitmap's density (one document in 16), conjunctions at k = 10 up to
 * one in 64 and at k = 1000 up to one in 16, and the last up to one in 256 and in 64.
 */
enum {
    LEAD_SHARE_PHRASES = 16,
    LEAD_SHARE_FEW = 64,
    LEAD_SHARE_MANY = 16,
    LEAD_SHARE_OPTIONAL_FEW = 256,
    LEAD_SHARE_OPTIONAL = 64, /* phrases among them, or many wanted */
    FEW = 100                 /* largest k that is few */
};

static const char *const names[QN_EVALUATORS + 1] = {"auto", "exhaustive", "range", "lead", NULL};

const char *const *qn_plan_names(void)
{
    return names;
}

bool qn_plan_find(const char *name, qn_evaluator *evaluator)
{
    *evaluator = QN_EVALUATOR_AUTO;
    if (name == NULL)
        return true;
    for (unsigned i = 0; i < QN_EVALUATORS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *evaluator = (qn_evaluator)i;
            return true;
        }
    }
    return false;
}

qn_plan_shape qn_plan_shape_of(const qn_query *query)
{
    qn_plan_shape shape = {0};
    for (size_t c = 0; c < query->n_clauses; c++) {
        shape.n_should += query->clause[c].occur == QN_SHOULD;
        shape.n_must += query->clause[c].occur == QN_MUST;
        shape.n_not += query->clause[c].occur == QN_NOT;
        shape.phrases |= query->clause[c].n_terms > 1;
    }
    shape.leads =
        shape.n_must > 0 || (query->n_clauses == 1 && shape.n_should == 1 && shape.phrases);
    return shape;
}

bool qn_plan_is_union(const qn_query *query)
{
    qn_plan_shape shape = qn_plan_shape_of(query);
    return shape.n_must == 0 && shape.n_not == 0 && !shape.phrases;
}

/* "lead" pays if at most one document in so many has its rarest required term. It has a price for
 * each of that term's postings, "range" one for each range, and for each document left in those
 * whose bounds are enough: of phrases many are left. */
static uint64_t lead_share(const qn_plan_shape *shape)
{
    if (shape->n_must > 0 && shape->n_should > 0)
        return shape->phrases || shape->k > FEW ? LEAD_SHARE_OPTIONAL : LEAD_SHARE_OPTIONAL_FEW;
    if (shape->phrases)
        return LEAD_SHARE_PHRASES;
    return shape->k > FEW ? LEAD_SHARE_MANY : LEAD_SHARE_FEW;
}

qn_evaluator qn_plan_choose(qn_evaluator wanted, const qn_plan_shape *shape)
{
    if (wanted == QN_EVALUATOR_LEAD && !shape->leads)
        return QN_EVALUATOR_RANGE;
    if (wanted != QN_EVALUATOR_AUTO)
        return wanted;
    if (shape->leads && shape->lead_df <= shape->n_docs / lead_share(shape))
        return QN_EVALUATOR_LEAD;
    return shape->df_sum < EXHAUSTIVE_DF_SUM ? QN_EVALUATOR_EXHAUSTIVE : QN_EVALUATOR_RANGE;
}
