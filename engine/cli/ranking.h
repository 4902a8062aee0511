/* What a measure sees of a topic: the grades of the documents in ranked order, and the grades of
 * all judged documents. */
#ifndef QN_CLI_RANKING_H
#define QN_CLI_RANKING_H

#include "engine/cli/trec.h"

#include <stdbool.h>

/* Grades of documents that nobody judged. */
enum {
    QN_NOT_POOLED = -1, /* not in the qrels */
    QN_UNJUDGED = -2    /* in the qrels with a negative grade */
};

/* Zero-initialise; its room is used again by each qn_ranking_make. */
typedef struct qn_ranking {
    int32_t *grade; /* [n_ret] by rank: 0 or more, QN_NOT_POOLED or QN_UNJUDGED */
    size_t n_ret;
    int32_t *ideal; /* [n_judged] grades of all judged documents, best first */
    size_t n_judged;
    size_t n_gain;   /* of these, above 0 */
    size_t n_rel;    /* of these, `level` or more: relevant */
    size_t n_nonrel; /* of these, below `level` */
    size_t n_rel_ret;
    size_t n_judged_ret;
    int32_t level;
    size_t grade_cap, ideal_cap;
    qn_trec_row *order; /* scratch */
    size_t order_cap;
} qn_ranking;

/*
 * Ranks the answers of a topic (n may be 0) as trec_eval does: by score, then document id, both
 * descending; ranks in the file do not matter. Only the first `depth` count. Documents graded
 * `level` (at least 1) or more are relevant. False when memory is short.
 */
bool qn_ranking_make(qn_ranking *ranking, qn_trec_topic judged, qn_trec_topic answers,
                     int32_t level, size_t depth);

void qn_ranking_free(qn_ranking *ranking);

#endif
