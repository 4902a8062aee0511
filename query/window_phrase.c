/* Phrases in windows: see window_phrase.h. */
#include "query/window_phrase.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"
#include "query/bm25.h"
#include "query/phrase_unit.h"

#include <string.h>

enum { BATCH = QN_WINDOW_BATCH };

/* ---- preparing ---- */

/* Documents in which a term that the phrase has several times stands too seldom are taken for ones
 * without it. */
static void bound_repeated(const qn_window_run *run)
{
    qn_eval_scratch *s = run->eval->scratch;
    for (size_t c = 0; c < run->n_clauses; c++) {
        const qn_phrase_unit *unit = &s->unit[run->clause[c].number];
        for (uint32_t i = 0; i < unit->n_terms; i++) {
            uint32_t excess = qn_phrase_term_excess(&unit->term[i]);
            qn_window_list *list = &s->list[unit->term[i].number];
            if (excess > 0 && list->form != QN_LIST_SPARSE)
                qn_window_list_bound(run->eval, list, excess);
        }
    }
}

quern_status qn_window_phrases_open(qn_window_run *run, quern_error *error)
{
    qn_eval_scratch *s = run->eval->scratch;
    void *places = s->place, *has = s->has_clause;
    const qn_query *query = run->eval->query;
    bool ok = qn_array_grow(&places, &s->place_cap, query->n_terms * BATCH, sizeof *s->place);
    s->place = places;
    ok = ok && qn_array_grow(&has, &s->has_clause_cap, query->n_clauses, sizeof *s->has_clause);
    s->has_clause = has;
    if (!ok)
        return qn_fail_memory(error);
    quern_status status = qn_phrase_units_open(run->eval, error);
    if (status == QUERN_OK)
        bound_repeated(run);
    return status;
}

static const qn_phrase_unit *unit_of(const qn_window_run *run, const qn_window_clause *clause)
{
    return &run->eval->scratch->unit[clause->number];
}

static const qn_window_list *list_of(const qn_window_run *run, const qn_phrase_term *term)
{
    return &run->eval->scratch->list[term->number];
}

/* Where the numbers of the batch's postings stand: of the term BATCH ones. */
static uint32_t *places_of(const qn_window_run *run, const qn_window_clause *clause, uint32_t term)
{
    return run->eval->scratch->place + ((size_t)clause->clause->first_term + term) * BATCH;
}

/* ---- bounds ---- */

/* Ranges in which the phrase can be enough, if it is all that is asked for. */
static uint64_t keep(const qn_window_run *run, uint64_t live)
{
    static const uint8_t nothing[64] = {0};
    if (run->n_clauses > 1)
        return live;
    return run->eval->kernels->keep_live(run->bytes->part, live, nothing, run->least);
}

/* Cuts the candidates with the bitmaps of a required phrase. */
static uint64_t cut_bitmaps(qn_window_run *run, const qn_phrase_unit *unit, uint64_t live)
{
    for (uint32_t i = 0; i < unit->n_terms && live != 0; i++) {
        const qn_window_list *list = list_of(run, &unit->term[i]);
        if (list->form == QN_LIST_DENSE)
            live =
                qn_window_narrow(run->bytes->candidate, live, list->coded[list->slot].words, true);
    }
    return live;
}

uint64_t qn_window_phrase_apply(qn_window_run *run, const qn_window_clause *clause, uint64_t live)
{
    qn_window_bytes *b = run->bytes;
    const qn_eval_kernels *kernels = run->eval->kernels;
    const qn_phrase_unit *unit = unit_of(run, clause);
    if (clause->clause->occur == QN_NOT)
        return live; /* that it stands there only positions tell */
    if (clause->required)
        live = cut_bitmaps(run, unit, live);
    for (uint32_t i = 0; i < unit->n_terms && live != 0; i++) {
        const qn_window_list *list = list_of(run, &unit->term[i]);
        uint8_t *term = i == 0 ? b->part : b->term;
        if (list->form != QN_LIST_DENSE) {
            kernels->clear_ranges(term, live);
            qn_window_list_add(run->eval, list, run->scale, live, term);
        } else {
            kernels->set_codes(term, live, &list->coded[list->slot], list->table);
        }
        if (i > 0)
            kernels->min_bytes(b->part, live, term);
        live = keep(run, live);
    }
    if (clause->required) {
        kernels->find_bytes(b->part, live, 1, b->mask);
        live = qn_window_narrow(b->candidate, live, (const uint8_t *)b->mask, true);
    }
    kernels->add_bytes(b->sum, live, b->part);
    return live;
}

/* ---- scores ---- */

/* Finds the postings of the phrase's terms in the batch; bit i of the result tells whether document
 * i has them all. */
static uint64_t find_places(const qn_window_run *run, const qn_window_clause *clause, size_t n)
{
    const qn_phrase_unit *unit = unit_of(run, clause);
    uint64_t found = ~(uint64_t)0;
    for (uint32_t i = 0; i < unit->n_terms && found != 0; i++)
        found &= qn_window_list_find(run->eval, list_of(run, &unit->term[i]), run->bytes->offset, n,
                                     places_of(run, clause, i));
    return found;
}

/* What the phrase would add to the documents found if it stood as often as its rarest-standing
 * term. */
static void limit(qn_window_run *run, uint32_t window, const qn_window_clause *clause, size_t n,
                  uint64_t found, float *row)
{
    qn_window_bytes *b = run->bytes;
    const qn_phrase_unit *unit = unit_of(run, clause);
    if (found == 0)
        return;
    if (run->n_clauses == 1 && qn_eval_threshold(run->eval) <= 0) {
        for (size_t j = 0; j < n; j++) /* limits are of no use yet */
            row[j] = run->eval->weight[clause->number];
        return;
    }
    for (size_t j = 0; j < n; j++)
        b->tf[j] = found >> j & 1 ? UINT32_MAX : 0;
    for (uint32_t i = 0; i < unit->n_terms; i++) {
        const qn_postings *list = unit->term[i].postings;
        const uint32_t *at = places_of(run, clause, i);
        uint32_t excess = qn_phrase_term_excess(&unit->term[i]);
        for (uint64_t left = list->coded ? found : 0; left != 0; left &= left - 1) {
            unsigned j = (unsigned)__builtin_ctzll(left);
            uint32_t tf = qn_coded_tf(list, at[j]), most = tf > excess ? tf - excess : 0;
            b->tf[j] = most < b->tf[j] ? most : b->tf[j];
        }
    }
    const float *norms = qn_window_norms(run, window, clause->lists->postings, n);
    run->eval->kernels->score_tfs(b->tf, norms, n, run->eval->weight[clause->number], row);
    for (uint32_t i = 0; i < unit->n_terms; i++) {
        const qn_window_list *list = list_of(run, &unit->term[i]);
        const uint32_t *at = places_of(run, clause, i);
        for (uint64_t left = list->form == QN_LIST_SPARSE ? found : 0; left != 0;
             left &= left - 1) {
            unsigned j = (unsigned)__builtin_ctzll(left);
            float value = list->value[at[j]];
            row[j] = value < row[j] ? value : row[j];
        }
    }
}

/* The sum of column i over the rows, in the order of the query's clauses. */
static float sum_rows(const qn_window_run *run, size_t i)
{
    const qn_eval *eval = run->eval;
    float score = 0;
    for (size_t c = 0; c < eval->query->n_clauses; c++)
        if (eval->query->clause[c].occur != QN_NOT)
            score += eval->scratch->row[c * BATCH + i];
    return score;
}

/* The phrase's frequency in document i of the batch, which has all its terms. */
static quern_status freq_of(const qn_window_run *run, const qn_window_clause *clause, size_t i,
                            uint32_t *freq, quern_error *error)
{
    const qn_phrase_unit *unit = unit_of(run, clause);
    for (uint32_t t = 0; t < unit->n_terms; t++) {
        quern_status status =
            qn_phrase_term_stand(&unit->term[t], places_of(run, clause, t)[i], error);
        if (status != QUERN_OK)
            return status;
    }
    return qn_phrase_unit_freq(run->eval, unit, freq, error);
}

/* Settles document i, whose rows are upper limits; `found` tells whether a clause of one term
 * matches it, `has` of each clause which documents do, of a phrase which have its terms. A row is 0
 * where a phrase's terms are not all there. */
static quern_status settle(qn_window_run *run, uint32_t window, size_t i, bool found,
                           const uint64_t *has, quern_error *error)
{
    const qn_eval *eval = run->eval;
    uint32_t doc = window * QN_WINDOW + run->bytes->offset[i];
    qn_groups groups;
    qn_groups_clear(&groups, eval->query);
    for (size_t c = 0; c < run->n_clauses; c++) {
        const qn_window_clause *clause = &run->clause[c];
        if (clause->clause->n_terms == 1) {
            if (clause->clause->occur == QN_ANY && (has[c] >> i & 1) != 0)
                qn_groups_meet(&groups, clause->clause);
            continue;
        }
        uint32_t freq = 0;
        quern_status status = QUERN_OK;
        if (has[c] >> i & 1)
            status = freq_of(run, clause, i, &freq, error);
        if (status != QUERN_OK)
            return status;
        if (clause->clause->occur == QN_NOT ? freq > 0 : clause->required && freq == 0)
            return QUERN_OK;
        found |= freq > 0 && clause->clause->occur != QN_NOT;
        if (freq > 0 && clause->clause->occur == QN_ANY)
            qn_groups_meet(&groups, clause->clause);
        float value = 0;
        if (freq > 0)
            value = qn_bm25_contribution(eval->weight[clause->number], freq,
                                         qn_eval_norm(eval, clause->lists->postings, doc));
        eval->scratch->row[clause->number * BATCH + i] = value;
    }
    if (found && groups.n_met == eval->query->n_groups)
        qn_window_offer(run, window, i, sum_rows(run, i));
    return QUERN_OK;
}

quern_status qn_window_phrase_score(qn_window_run *run, uint32_t window, size_t n,
                                    quern_error *error)
{
    const qn_eval *eval = run->eval;
    uint64_t found = 0, *has = eval->scratch->has_clause;
    memset(eval->scratch->row, 0, eval->query->n_clauses * BATCH * sizeof *eval->scratch->row);
    for (size_t c = 0; c < run->n_clauses; c++) {
        const qn_window_clause *clause = &run->clause[c];
        float *row = eval->scratch->row + clause->number * BATCH;
        if (clause->clause->n_terms > 1) {
            has[c] = find_places(run, clause, n);
            if (clause->clause->occur != QN_NOT)
                limit(run, window, clause, n, has[c], row);
        } else if (clause->clause->occur != QN_NOT) {
            has[c] = qn_window_score_list(run, window, &clause->lists[0], n, row);
            found |= has[c];
        }
    }
    for (size_t i = 0; i < n; i++) {
        double upper = (double)sum_rows(run, i) * (1 + QN_BM25_SUM_ROOM) + QN_BM25_FLOOR;
        if (upper < (double)qn_eval_threshold(eval))
            continue;
        quern_status status = settle(run, window, i, found >> i & 1, has, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}
