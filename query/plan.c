/* Choosing an evaluator: see plan.h. */
#include "query/plan.h"

#include <string.h>

/* With fewer postings than this, conjunctions and phrases are not worth a plan. */
enum { EXHAUSTIVE_DF_SUM = 512 };

/*
 * The postings up to which scoring everything costs less than bounds: 10,000 + 250 sqrt(k).
 * Measured on 1,000 queries of a web search engine over 966,464 passages (best of 20 runs each,
 * microseconds of "full" and of "range"):
 *
 *     postings      k = 10        100           1,000
 *     1,000         2 | 3         3 | 5         5 | 10
 *     5,000         14 | 15       16 | 20       28 | 44
 *     11,000        26 | 28       28 | 35       41 | 63
 *     15,000        41 | 34       42 | 45       56 | 74
 *     19,000        64 | 26       66 | 36       81 | 71
 *     50,000        192 | 51      198 | 80      222 | 171
 *
 * and at k = 10,000, 295 | 431 at 20,000 postings and 661 | 1,000 at 50,000.
 */
static uint64_t full_df_sum(size_t k)
{
    uint64_t root = 1;
    while ((root + 1) * (root + 1) <= k)
        root++;
    return 10000 + 250 * root;
}

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

static const char *const names[QN_EVALUATORS + 1] = {"auto", "exhaustive", "range",
                                                     "full", "lead",       NULL};

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
        shape.n_any += query->clause[c].occur == QN_ANY;
        shape.phrases |= query->clause[c].n_terms > 1;
    }
    shape.leads =
        shape.n_any == 0 &&
        (shape.n_must > 0 || (query->n_clauses == 1 && shape.n_should == 1 && shape.phrases));
    return shape;
}

bool qn_plan_is_union(const qn_query *query)
{
    qn_plan_shape shape = qn_plan_shape_of(query);
    return shape.n_must == 0 && shape.n_not == 0 && shape.n_any == 0 && !shape.phrases;
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
    bool full_can = shape->n_must == 0 && shape->n_any == 0 && !shape->phrases;
    if (wanted == QN_EVALUATOR_FULL && !full_can)
        return QN_EVALUATOR_RANGE;
    if (wanted == QN_EVALUATOR_LEAD && !shape->leads)
        return QN_EVALUATOR_RANGE;
    if (wanted != QN_EVALUATOR_AUTO)
        return wanted;
    if (full_can)
        return shape->df_sum <= full_df_sum(shape->k) ? QN_EVALUATOR_FULL : QN_EVALUATOR_RANGE;
    if (shape->leads && shape->lead_df <= shape->n_docs / lead_share(shape))
        return QN_EVALUATOR_LEAD;
    return shape->df_sum < EXHAUSTIVE_DF_SUM ? QN_EVALUATOR_EXHAUSTIVE : QN_EVALUATOR_RANGE;
}
