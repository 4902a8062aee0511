/*
 * Choosing an evaluator from integers that are known before any list is read.
 */
#ifndef QN_QUERY_PLAN_H
#define QN_QUERY_PLAN_H

#include "query/query.h"

typedef enum qn_evaluator {
    QN_EVALUATOR_AUTO = 0,
    QN_EVALUATOR_EXHAUSTIVE,
    QN_EVALUATOR_RANGE,
    QN_EVALUATOR_FULL,
    QN_EVALUATOR_LEAD,
    QN_EVALUATORS
} qn_evaluator;

/* What the choice depends on. */
typedef struct qn_plan_shape {
    size_t n_should, n_must, n_not; /* clauses */
    size_t n_any;                   /* those of groups */
    bool phrases;                   /* a clause has several terms */
    uint64_t df_sum;                /* postings of all lists of its distinct terms */
    bool leads;                     /* every answer has certain terms (eval_lead.h), */
    uint64_t lead_df;               /* the rarest of which so many documents have */
    uint64_t n_docs; /* of the index, or as outside statistics have it, like lead_df */
    size_t k;
} qn_plan_shape;

/* Whether all clauses are should clauses of one term: scores are then plain sums of contributions,
 * and seeds hold. */
bool qn_plan_is_union(const qn_query *query);

/* Shape of a query: n_should, n_must, n_not, phrases and leads only. */
qn_plan_shape qn_plan_shape_of(const qn_query *query);

/* The evaluator that serves the shape: `wanted` if it can, else one that can. Not AUTO. */
qn_evaluator qn_plan_choose(qn_evaluator wanted, const qn_plan_shape *shape);

/* By name; NULL is "auto". False if there is no such name. */
bool qn_plan_find(const char *name, qn_evaluator *evaluator);

/* Names by number, NULL-terminated. */
const char *const *qn_plan_names(void);

#endif
