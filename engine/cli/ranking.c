/* Joining the answers of a topic with its judgements. */
#include "engine/cli/ranking.h"

#include "index/base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* By score, then id, both descending. trec_eval 10 keeps scores as double (9 kept float, in which
 * scores that differ beyond the seventh digit are equal). */
static int compare_answers(const void *a, const void *b)
{
    const qn_trec_row *x = a, *y = b;
    if (x->value > y->value)
        return -1;
    if (x->value < y->value)
        return 1;
    return strcmp(y->doc, x->doc);
}

static int compare_grades(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x > y ? -1 : x < y;
}

/* The judgements are sorted by document. */
static int32_t grade_of(qn_trec_topic judged, const char *doc)
{
    size_t low = 0, high = judged.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(judged.row[middle].doc, doc);
        if (order == 0) {
            int32_t grade = (int32_t)judged.row[middle].value;
            return grade < 0 ? QN_UNJUDGED : grade;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return QN_NOT_POOLED;
}

static bool reserve(qn_ranking *ranking, size_t n_judged, size_t n_answers)
{
    void *ideal = ranking->ideal, *order = ranking->order, *grade = ranking->grade;
    bool room = qn_array_grow(&ideal, &ranking->ideal_cap, n_judged, sizeof(int32_t));
    ranking->ideal = ideal;
    room = room && qn_array_grow(&order, &ranking->order_cap, n_answers, sizeof(qn_trec_row));
    ranking->order = order;
    room = room && qn_array_grow(&grade, &ranking->grade_cap, n_answers, sizeof(int32_t));
    ranking->grade = grade;
    return room;
}

bool qn_ranking_make(qn_ranking *ranking, qn_trec_topic judged, qn_trec_topic answers,
                     int32_t level, size_t depth)
{
    if (!reserve(ranking, judged.n, answers.n))
        return false;
    ranking->level = level;
    ranking->n_judged = ranking->n_gain = ranking->n_rel = ranking->n_nonrel = 0;
    for (size_t i = 0; i < judged.n; i++) {
        int32_t grade = (int32_t)judged.row[i].value;
        if (grade < 0)
            continue;
        ranking->ideal[ranking->n_judged++] = grade;
        ranking->n_gain += grade > 0;
        ranking->n_rel += grade >= level;
        ranking->n_nonrel += grade < level;
    }
    if (ranking->n_judged > 1)
        qsort(ranking->ideal, ranking->n_judged, sizeof(int32_t), compare_grades);
    if (answers.n > 0)
        memcpy(ranking->order, answers.row, answers.n * sizeof(qn_trec_row));
    if (answers.n > 1)
        qsort(ranking->order, answers.n, sizeof(qn_trec_row), compare_answers);
    ranking->n_ret = answers.n < depth ? answers.n : depth;
    ranking->n_rel_ret = ranking->n_judged_ret = 0;
    for (size_t i = 0; i < ranking->n_ret; i++) {
        int32_t grade = grade_of(judged, ranking->order[i].doc);
        ranking->grade[i] = grade;
        ranking->n_rel_ret += grade >= level;
        ranking->n_judged_ret += grade >= 0;
    }
    return true;
}

void qn_ranking_free(qn_ranking *ranking)
{
    free(ranking->grade);
    free(ranking->ideal);
    free(ranking->order);
    *ranking = (qn_ranking){0};
}
