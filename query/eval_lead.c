/* The evaluator that a rare term leads: see eval_lead.h. */
#include "query/eval_lead.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "query/bm25.h"
#include "query/lead_walk.h"
#include "query/phrase_unit.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH = QN_LEAD_BATCH,
    FIRST_WAITING = 512,     /* documents whose positions are read together at first, */
    WAITING = 8192,          /* documents that wait at most, */
    WAITING_WORDS = 1 << 20, /* or so many words of what is known of them */
    LEVELS = 256             /* limits are told apart so finely when they are put in order */
};

/*
 * A document whose positions have not been read: 32-bit words
 *
 *     document, limit, what each clause adds (a phrase: at most), posting and tf of each term of
 *     the phrases
 *
 * with the floats' bits for the floats.
 */
enum { AT_DOC, AT_LIMIT, AT_ROWS };

typedef struct lead_run {
    qn_eval *eval;
    qn_lead_walk *walk;
    float *row;          /* of clause c and document i of the batch: [c * BATCH + i] */
    float norm[BATCH];   /* K of the batch's documents in one field */
    uint32_t norm_field; /* UINT32_MAX: none yet */
    bool phrases;
    uint32_t *waiting, *order;
    size_t n_waiting, max_waiting, stride;
    size_t enough_waiting; /* their positions are read when there are so many */
} lead_run;

static float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t as_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- preparing ---- */

static bool make_room(lead_run *run)
{
    qn_eval_scratch *s = run->eval->scratch;
    const qn_query *query = run->eval->query;
    void *rows = s->lead_row, *waiting = s->lead_waiting;
    bool ok = qn_array_grow(&rows, &s->lead_row_cap, query->n_clauses * BATCH, sizeof *s->lead_row);
    s->lead_row = rows;
    if (ok && s->walk == NULL)
        s->walk = calloc(1, sizeof *s->walk);
    run->row = s->lead_row;
    run->walk = s->walk;
    if (!ok || s->walk == NULL || !run->phrases)
        return ok && s->walk != NULL;
    run->stride = AT_ROWS + query->n_clauses + 2 * query->n_terms;
    run->max_waiting = WAITING_WORDS / run->stride; /* 1024 clauses, 1024 terms: 341 */
    run->max_waiting = run->max_waiting < WAITING ? run->max_waiting : WAITING;
    run->enough_waiting = run->max_waiting < FIRST_WAITING ? run->max_waiting : FIRST_WAITING;
    size_t need = (run->max_waiting + BATCH) * (run->stride + 1);
    ok = qn_array_grow(&waiting, &s->lead_waiting_cap, need, sizeof *s->lead_waiting);
    s->lead_waiting = waiting;
    run->waiting = s->lead_waiting;
    run->order =
        s->lead_waiting == NULL ? NULL : s->lead_waiting + (run->max_waiting + BATCH) * run->stride;
    return ok;
}

/* ---- positions ---- */

/* Settles a document that waits. */
static quern_status settle(lead_run *run, const uint32_t *entry, quern_error *error)
{
    qn_eval *eval = run->eval;
    const uint32_t *place = entry + AT_ROWS + eval->query->n_clauses;
    float score = 0;
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        const qn_phrase_unit *unit = &eval->scratch->unit[c];
        float value = as_float(entry[AT_ROWS + c]);
        if (clause->n_terms > 1 && unit->term != NULL) {
            uint32_t freq = 0;
            for (uint32_t t = 0; t < unit->n_terms; t++) {
                unit->term[t].posting = place[2 * (clause->first_term + t)];
                unit->term[t].tf = place[2 * (clause->first_term + t) + 1];
            }
            quern_status status = qn_phrase_unit_freq(eval, unit, &freq, error);
            if (status != QUERN_OK)
                return status;
            if (clause->occur == QN_NOT
                    ? freq > 0
                    : freq == 0 && (clause->occur == QN_MUST || eval->query->n_clauses == 1))
                return QUERN_OK;
            float norm = qn_eval_norm(eval, eval->list[clause->first_term], entry[AT_DOC]);
            value = freq == 0 ? 0 : qn_bm25_contribution(eval->weight[c], freq, norm);
        }
        score += clause->occur == QN_NOT ? 0 : value;
    }
    qn_eval_offer(eval, entry[AT_DOC], score);
    return QUERN_OK;
}

/* Orders those that wait by their limits, as finely as LEVELS are; the largest first. */
static void put_in_order(lead_run *run)
{
    uint32_t count[LEVELS + 1] = {0};
    float largest = 0, smallest = as_float(run->waiting[AT_LIMIT]);
    for (size_t i = 0; i < run->n_waiting; i++) {
        float limit = as_float(run->waiting[i * run->stride + AT_LIMIT]);
        largest = limit > largest ? limit : largest;
        smallest = limit < smallest ? limit : smallest;
    }
    /* A difference so small that its reciprocal may not be a number is none. */
    float scale = largest - smallest > 0x1p-60f ? (LEVELS - 1) / (largest - smallest) : 0;
    for (size_t i = 0; i < run->n_waiting; i++) {
        float limit = as_float(run->waiting[i * run->stride + AT_LIMIT]);
        count[(uint32_t)((largest - limit) * scale) + 1]++;
    }
    for (size_t i = 1; i < LEVELS; i++)
        count[i] += count[i - 1];
    for (size_t i = 0; i < run->n_waiting; i++) {
        float limit = as_float(run->waiting[i * run->stride + AT_LIMIT]);
        run->order[count[(uint32_t)((largest - limit) * scale)]++] = (uint32_t)i;
    }
}

static quern_status settle_waiting(lead_run *run, quern_error *error)
{
    if (run->n_waiting == 0)
        return QUERN_OK;
    put_in_order(run);
    for (size_t i = 0; i < run->n_waiting; i++) {
        const uint32_t *entry = run->waiting + run->order[i] * run->stride;
        if (as_float(entry[AT_LIMIT]) < qn_eval_threshold(run->eval))
            continue;
        quern_status status = settle(run, entry, error);
        if (status != QUERN_OK)
            return status;
    }
    run->n_waiting = 0;
    run->enough_waiting *= 2;
    if (run->enough_waiting > run->max_waiting)
        run->enough_waiting = run->max_waiting;
    return QUERN_OK;
}

/* Lets the batch's documents in `good` wait. */
static void wait(lead_run *run, uint64_t good, const float *limit)
{
    const qn_query *query = run->eval->query;
    size_t stride = run->stride;
    uint32_t *entry = run->waiting + run->n_waiting * stride, *to = entry;
    for (uint64_t left = good; left != 0; left &= left - 1, to += stride) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        to[AT_DOC] = run->walk->doc[i];
        to[AT_LIMIT] = as_bits(limit[i]);
        for (size_t c = 0; c < query->n_clauses; c++)
            to[AT_ROWS + c] = as_bits(run->row[c * BATCH + i]);
    }
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_phrase_unit *unit = &run->eval->scratch->unit[c];
        for (uint32_t t = 0; t < unit->n_terms; t++) {
            const qn_lead_slot *slot = qn_lead_walk_slot(run->walk, unit->term[t].number);
            to = entry + AT_ROWS + query->n_clauses + 2 * ((size_t)query->clause[c].first_term + t);
            for (uint64_t left = good; left != 0; left &= left - 1, to += stride) {
                unsigned i = (unsigned)__builtin_ctzll(left);
                to[0] = slot->posting[i];
                to[1] = slot->tf[i];
            }
        }
    }
    run->n_waiting += (size_t)__builtin_popcountll(good);
}

/* ---- batches ---- */

/* Fills run->norm for a list of a field. */
static void load_norms(lead_run *run, const qn_postings *list)
{
    if (run->norm_field == list->field)
        return;
    run->norm_field = list->field;
    for (uint32_t i = 0; i < run->walk->n; i++)
        run->norm[i] = qn_eval_norm(run->eval, list, run->walk->doc[i]);
}

/* What the clause adds to the batch's documents, of a phrase at most that; returns those that it
 * may match. */
static uint64_t score_clause(lead_run *run, size_t c, float *row)
{
    const qn_eval *eval = run->eval;
    const qn_clause *clause = &eval->query->clause[c];
    const qn_phrase_unit *unit = &eval->scratch->unit[c];
    uint32_t n = run->walk->n, least[BATCH];
    uint64_t found;
    const uint32_t *tf;
    if (clause->n_terms == 1 ? eval->list[clause->first_term] == NULL : unit->term == NULL) {
        memset(row, 0, n * sizeof *row);
        return 0;
    }
    if (clause->n_terms == 1) {
        const qn_lead_slot *slot = qn_lead_walk_slot(run->walk, clause->first_term);
        found = slot->found;
        tf = slot->tf;
    } else {
        found = ~(uint64_t)0;
        memset(least, 0xFF, sizeof least);
        for (uint32_t t = 0; t < unit->n_terms; t++) {
            const qn_lead_slot *slot = qn_lead_walk_slot(run->walk, unit->term[t].number);
            uint32_t excess = qn_phrase_term_excess(&unit->term[t]);
            found &= slot->found;
            for (uint32_t i = 0; i < n; i++) {
                uint32_t most = slot->tf[i] > excess ? slot->tf[i] - excess : 0;
                least[i] = most < least[i] ? most : least[i];
            }
        }
        for (uint32_t i = 0; i < n; i++)
            found &= ~((uint64_t)(least[i] == 0) << i);
        tf = least;
    }
    if (clause->occur == QN_NOT) {
        memset(row, 0, n * sizeof *row);
        return found;
    }
    load_norms(run, eval->list[clause->first_term]);
    eval->kernels->score_tfs(tf, run->norm, n, eval->weight[c], row);
    return found;
}

/* Scores a batch: what cannot be an answer, by limits, is left out, and what has no phrase is
 * offered. */
static void score_batch(lead_run *run)
{
    qn_eval *eval = run->eval;
    const qn_query *query = eval->query;
    uint32_t n = run->walk->n;
    uint64_t good = n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
    float score[BATCH] = {0};
    run->norm_field = UINT32_MAX;
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        float *row = run->row + c * BATCH;
        uint64_t found = score_clause(run, c, row);
        if (clause->occur == QN_MUST || query->n_clauses == 1)
            good &= found;
        else if (clause->occur == QN_NOT && clause->n_terms == 1)
            good &= ~found;
        for (uint32_t i = 0; i < n; i++) /* adding 0 changes no sum */
            score[i] += row[i];
    }
    eval->work.documents += n;
    for (uint64_t left = good; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (run->phrases) {
            double limit = (double)score[i] * (1 + 2 * QN_BM25_SUM_ROOM) + 2 * QN_BM25_FLOOR;
            score[i] = (float)limit;
            good &= ~((uint64_t)(score[i] < qn_eval_threshold(eval)) << i);
        } else {
            qn_eval_offer(eval, run->walk->doc[i], score[i]);
        }
    }
    if (run->phrases)
        wait(run, good, score);
}

quern_status qn_eval_lead(qn_eval *eval, quern_error *error)
{
    lead_run run = {.eval = eval};
    for (size_t c = 0; c < eval->query->n_clauses; c++)
        run.phrases |= eval->query->clause[c].n_terms > 1;
    if (!make_room(&run))
        return qn_fail_memory(error);
    bool empty;
    quern_status status = qn_lead_walk_start(run.walk, eval, true, &empty, error);
    if (status == QUERN_OK)
        status = qn_phrase_units_open(eval, error);
    if (status != QUERN_OK || empty)
        return status;
    do {
        status = qn_lead_walk_next(run.walk, error);
        if (status != QUERN_OK)
            return status;
        score_batch(&run);
        if (run.phrases && (run.walk->n == 0 || run.n_waiting >= run.enough_waiting))
            status = settle_waiting(&run, error);
    } while (status == QUERN_OK && run.walk->n > 0);
    return status;
}
