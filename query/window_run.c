/* Evaluating a window: see eval_range.h for the way and window_run.h for the parts. */
#include "query/window_group.h"
#include "query/window_phrase.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"
#include "query/bm25.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH = QN_WINDOW_BATCH,
    UNITS = 200,     /* that a threshold has when tables are made */
    UNITS_MIN = 150, /* they are made anew when it has fewer, */
    UNITS_MAX = 245  /* or more: a byte's end is near */
};

/* ---- preparing ---- */

static bool make_room(qn_window_run *run)
{
    qn_eval_scratch *s = run->eval->scratch;
    size_t n = run->eval->query->n_clauses;
    void *clauses = s->clause, *rows = s->row;
    bool ok = qn_array_grow(&clauses, &s->clause_cap, n, sizeof *s->clause);
    s->clause = clauses;
    if (ok && run->phrases)
        ok = qn_array_grow(&rows, &s->row_cap, n * BATCH, sizeof *s->row);
    s->row = rows;
    if (ok && s->window_bytes == NULL)
        s->window_bytes = calloc(1, sizeof *s->window_bytes);
    run->clause = s->clause;
    run->bytes = s->window_bytes;
    return ok && s->window_bytes != NULL;
}

/* Takes the bounds of the list that has the least; without any, its ceiling for all ranges. */
static void take_bounds(qn_window_clause *out)
{
    static const uint8_t full[64] = {
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    out->bounds = NULL;
    for (uint32_t i = 0; i < out->clause->n_terms; i++) {
        const qn_window_list *list = &out->lists[i];
        if (list->range_max == NULL ||
            (out->bounds != NULL && list->ceiling >= out->bounds_ceiling))
            continue;
        out->bounds = list->range_max;
        out->bounds_step = 64;
        out->bounds_ceiling = list->ceiling;
    }
    if (out->bounds != NULL)
        return;
    out->bounds = full;
    out->bounds_step = 0;
    out->bounds_ceiling = out->ceiling;
}

/* The clause as windows see it; false if the segment lacks a term of it. */
static bool take_clause(const qn_window_run *run, size_t c, qn_window_clause *out)
{
    const qn_clause *clause = &run->eval->query->clause[c];
    *out =
        (qn_window_clause){.clause = clause,
                           .number = (uint32_t)c,
                           .lists = run->eval->scratch->list + clause->first_term,
                           .cheap = true,
                           .required = clause->occur == QN_MUST || run->eval->query->n_clauses == 1,
                           .df = UINT64_MAX};
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        const qn_window_list *list = &out->lists[i];
        if (list->postings == NULL)
            return false;
        if (i == 0 || list->ceiling < out->ceiling)
            out->ceiling = list->ceiling;
        out->largest = list->ceiling > out->largest ? list->ceiling : out->largest;
        out->df = list->postings->df < out->df ? list->postings->df : out->df;
        out->cheap = out->cheap && list->form != QN_LIST_DENSE;
    }
    return true;
}

/* Must clauses come first, the rarest before all; then what is sparse, which is cheap; then what
 * may add most, so that ranges die early; at last what excludes. */
static bool comes_before(const qn_window_clause *a, const qn_window_clause *b)
{
    static const unsigned rank[] = {[QN_MUST] = 0, [QN_SHOULD] = 1, [QN_ANY] = 1, [QN_NOT] = 2};
    unsigned first = rank[a->clause->occur], second = rank[b->clause->occur];
    if (first != second)
        return first < second;
    if (first != rank[QN_SHOULD])
        return a->df < b->df;
    return a->cheap != b->cheap ? a->cheap : a->ceiling > b->ceiling;
}

quern_status qn_window_run_start(qn_window_run *run, qn_eval *eval, quern_error *error)
{
    const qn_query *query = eval->query;
    *run = (qn_window_run){.eval = eval};
    for (size_t c = 0; c < query->n_clauses; c++)
        run->phrases |= query->clause[c].n_terms > 1;
    if (!make_room(run))
        return qn_fail_memory(error);
    for (size_t c = 0; c < query->n_clauses; c++) {
        qn_window_clause taken;
        qn_occur occur = query->clause[c].occur;
        if (!take_clause(run, c, &taken)) {
            if (occur != QN_MUST)
                continue;
            run->total = 0; /* nothing can match */
            return QUERN_OK;
        }
        run->masks |= occur == QN_NOT || taken.required;
        run->total += occur == QN_NOT ? 0 : taken.largest;
        run->n_scored += occur != QN_NOT;
        take_bounds(&taken);
        size_t at = run->n_clauses++;
        for (; at > 0 && comes_before(&taken, &run->clause[at - 1]); at--)
            run->clause[at] = run->clause[at - 1];
        run->clause[at] = taken;
    }
    run->masks |= query->n_groups > 0;
    if (!qn_window_groups_can_match(run)) {
        run->total = 0;
        return QUERN_OK;
    }
    return run->phrases ? qn_window_phrases_open(run, error) : QUERN_OK;
}

/* ---- units ---- */

/* Finite, however small the value is. */
static float scale_of(double value)
{
    return value > UNITS / 1e30 ? (float)(UNITS / value) : 1e30f;
}

/* floor(max * factor / 256) + 1 is at least max * ceiling / 255 * scale. */
static void set_factor(const qn_window_run *run, qn_window_clause *clause)
{
    double factor = clause->bounds_ceiling / 255 * 256 * (double)run->scale + 1;
    clause->factor = factor < UINT16_MAX ? (uint16_t)factor : UINT16_MAX;
}

/* Sees to it that the threshold has a good number of units. */
static void set_scale(qn_window_run *run)
{
    float threshold = qn_eval_threshold(run->eval), units = threshold * run->scale;
    if (run->scale == 0 || (threshold > 0 && !(units >= UNITS_MIN && units <= UNITS_MAX))) {
        run->scale = scale_of(threshold > 0 ? (double)threshold : run->total);
        for (size_t c = 0; c < run->n_clauses; c++) {
            qn_window_clause *clause = &run->clause[c];
            for (uint32_t i = 0; i < clause->clause->n_terms; i++)
                if (clause->lists[i].form != QN_LIST_SPARSE)
                    qn_window_list_scale(&clause->lists[i], run->scale);
            set_factor(run, clause);
        }
        units = threshold * run->scale;
    }
    /* Room for the rounding of a whole score, and of the products here. */
    units *= (float)(1 - QN_BM25_SUM_ROOM);
    run->least = units >= 1 ? (uint8_t)units : 1;
}

/* Fills each clause's rest: what those behind it add at most in each range. Only dense lists ask
 * for it. */
static void set_rests(qn_window_run *run, uint32_t window)
{
    size_t first = 0, last = run->n_scored - 1;
    while (first < last && run->clause[first].cheap)
        first++;
    memset(run->clause[last].lists[0].rest, 0, sizeof run->clause[last].lists[0].rest);
    for (size_t c = last; c > first; c--) {
        const qn_window_clause *clause = &run->clause[c];
        run->eval->kernels->range_bytes(clause[-1].lists[0].rest,
                                        clause->bounds + (size_t)window * clause->bounds_step,
                                        clause->factor, clause->lists[0].rest);
    }
}

/* ---- bounds of documents ---- */

uint64_t qn_window_narrow(uint64_t candidate[64], uint64_t live, const uint8_t *words, bool wanted)
{
    uint64_t flip = wanted ? 0 : ~(uint64_t)0;
    for (uint64_t left = live; left != 0; left &= left - 1) {
        unsigned r = (unsigned)__builtin_ctzll(left);
        candidate[r] &= qn_load_u64(words + 8 * (size_t)r) ^ flip;
        live &= ~((uint64_t)(candidate[r] == 0) << r);
    }
    return live;
}

/* A clause of one term. */
static uint64_t apply_term(qn_window_run *run, const qn_window_clause *clause, uint64_t live)
{
    qn_window_bytes *b = run->bytes;
    const qn_window_list *list = &clause->lists[0];
    if (clause->clause->occur == QN_MUST || clause->clause->occur == QN_NOT) {
        const uint8_t *words = qn_window_list_words(run->eval, list, b->room);
        live = qn_window_narrow(b->candidate, live, words, clause->clause->occur == QN_MUST);
        if (live == 0 || clause->clause->occur == QN_NOT)
            return live;
    }
    if (list->form == QN_LIST_DENSE)
        return run->eval->kernels->add_codes(b->sum, live, &list->coded[list->slot], list->table,
                                             list->rest, run->least);
    qn_window_list_add(run->eval, list, run->scale, live, b->sum);
    return live;
}

/* ---- scores ---- */

uint64_t qn_window_score_list(qn_window_run *run, uint32_t window, const qn_window_list *list,
                              size_t n, float *row)
{
    qn_window_bytes *b = run->bytes;
    if (list->form == QN_LIST_SPARSE)
        return qn_window_list_values(list, b->offset, n, row);
    uint64_t found = qn_window_list_tfs(run->eval, list, b->offset, n, b->tf);
    const float *norms = qn_window_norms(run, window, list->postings, n);
    run->eval->kernels->score_tfs(b->tf, norms, n, list->weight, row);
    return found;
}

const float *qn_window_norms(qn_window_run *run, uint32_t window, const qn_postings *list, size_t n)
{
    const uint8_t *lengths = list->lengths + (size_t)window * QN_WINDOW;
    const float *norms = qn_eval_norms(run->eval, list);
    if (run->norm_field == list->field)
        return run->bytes->norm;
    run->norm_field = list->field;
    for (size_t i = 0; i < n; i++)
        run->bytes->norm[i] = norms[lengths[run->bytes->offset[i]]];
    return run->bytes->norm;
}

void qn_window_offer(const qn_window_run *run, uint32_t window, size_t i, float score)
{
    qn_eval_offer(run->eval, window * QN_WINDOW + run->bytes->offset[i], score);
}

/* Adds what a list contributes to each of n survivors. */
static void add_scores(qn_window_run *run, uint32_t window, const qn_window_list *list, size_t n)
{
    qn_window_bytes *b = run->bytes;
    if (list->form == QN_LIST_SPARSE) {
        if (list->from == list->to)
            return;
        for (uint32_t i = list->from; i < list->to; i++)
            b->value[list->doc[i] % QN_WINDOW] = list->value[i];
        for (size_t i = 0; i < n; i++) /* adding 0 changes no sum */
            b->score[i] += b->value[b->offset[i]];
        for (uint32_t i = list->from; i < list->to; i++)
            b->value[list->doc[i] % QN_WINDOW] = 0;
        return;
    }
    const float *norms = qn_window_norms(run, window, list->postings, n);
    for (size_t i = 0; i < n; i += BATCH) {
        size_t here = n - i < BATCH ? n - i : BATCH;
        if (qn_window_list_tfs(run->eval, list, b->offset + i, here, b->tf) != 0)
            run->eval->kernels->add_scores(b->tf, norms + i, here, list->weight, b->score + i);
    }
}

/* Scores survivors in the order of the query's clauses. */
static void score_terms(qn_window_run *run, uint32_t window, size_t n)
{
    qn_window_bytes *b = run->bytes;
    const qn_eval *eval = run->eval;
    memset(b->score, 0, n * sizeof *b->score);
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        const qn_window_list *list = &eval->scratch->list[clause->first_term];
        if (clause->occur != QN_NOT && list->postings != NULL)
            add_scores(run, window, list, n);
    }
    for (size_t i = 0; i < n; i++)
        qn_window_offer(run, window, i, b->score[i]);
}

/* ---- the window ---- */

static quern_status score_batch(qn_window_run *run, uint32_t window, size_t n, quern_error *error)
{
    run->eval->work.documents += n;
    run->norm_field = UINT32_MAX;
    if (run->phrases)
        return qn_window_phrase_score(run, window, n, error);
    score_terms(run, window, n);
    return QUERN_OK;
}

/* Scores the documents of live ranges whose bounds reach the threshold. */
static quern_status collect(qn_window_run *run, uint32_t window, uint64_t live, quern_error *error)
{
    qn_window_bytes *b = run->bytes;
    const uint8_t *lengths = run->clause[0].lists->postings->lengths + (size_t)window * QN_WINDOW;
    size_t n = 0, batch = run->phrases ? BATCH : QN_WINDOW;
    run->eval->kernels->find_bytes(b->sum, live, run->least, b->mask);
    for (; live != 0; live &= live - 1) {
        unsigned r = (unsigned)__builtin_ctzll(live);
        uint64_t mask = run->masks ? b->mask[r] & b->candidate[r] : b->mask[r];
        for (; mask != 0; mask &= mask - 1) {
            unsigned offset = 64 * r + (unsigned)__builtin_ctzll(mask);
            __builtin_prefetch(lengths + offset);
            b->offset[n++] = (uint16_t)offset;
            if (n < batch)
                continue;
            quern_status status = score_batch(run, window, n, error);
            if (status != QUERN_OK)
                return status;
            n = 0;
        }
    }
    return n > 0 ? score_batch(run, window, n, error) : QUERN_OK;
}

void qn_window_run_fetch(const qn_window_run *run, uint32_t window, uint64_t live)
{
    for (size_t c = 0; c < run->n_clauses; c++)
        for (uint32_t i = 0; i < run->clause[c].clause->n_terms; i++)
            qn_window_list_fetch(&run->clause[c].lists[i], window, live);
}

void qn_window_run_prepare(qn_window_run *run, uint32_t window, uint64_t live, unsigned slot)
{
    for (size_t c = 0; c < run->n_clauses; c++)
        for (uint32_t i = 0; i < run->clause[c].clause->n_terms; i++)
            qn_window_list_prepare(run->eval, &run->clause[c].lists[i], window, live, slot);
}

quern_status qn_window_run_window(qn_window_run *run, uint32_t window, uint64_t live, unsigned slot,
                                  quern_error *error)
{
    qn_window_bytes *b = run->bytes;
    run->eval->work.ranges += (uint64_t)__builtin_popcountll(live);
    set_scale(run);
    set_rests(run, window);
    run->eval->kernels->clear_ranges(b->sum, live);
    if (run->masks)
        memset(b->candidate, 0xFF, sizeof b->candidate);
    for (size_t c = 0; c < run->n_clauses; c++) {
        const qn_window_clause *clause = &run->clause[c];
        for (uint32_t i = 0; i < clause->clause->n_terms; i++)
            qn_window_list_enter(&clause->lists[i], window, slot);
    }
    if (run->eval->query->n_groups > 0)
        live = qn_window_groups_apply(run, live);
    for (size_t c = 0; c < run->n_clauses && live != 0; c++) {
        const qn_window_clause *clause = &run->clause[c];
        live = clause->clause->n_terms == 1 ? apply_term(run, clause, live)
                                            : qn_window_phrase_apply(run, clause, live);
    }
    return live == 0 ? QUERN_OK : collect(run, window, live, error);
}
