/* Counting matches: see count.h. */
#include "query/count.h"

#include "index/base/status.h"
#include "query/count_lead.h"

#include <string.h>

typedef struct counter {
    qn_count_sets *sets;
    qn_eval *eval;
    quern_error *error;
    size_t n_must, n_should, n_not; /* clauses that the segment can match */
    bool phrases;                   /* one of them must be looked up by positions */
    bool impossible;                /* a must clause has a term that the segment lacks */
} counter;

/* ---- clauses ---- */

static bool is_phrase(const counter *c, const qn_clause *clause)
{
    return clause->n_terms > 1 && c->eval->segment->meta.positions;
}

/* Whether the segment has all its terms. */
static bool is_here(const counter *c, const qn_clause *clause)
{
    for (size_t i = 0; i < clause->n_terms; i++)
        if (c->eval->list[clause->first_term + i] == NULL)
            return false;
    return true;
}

static void look(counter *c)
{
    const qn_query *query = c->eval->query;
    qn_groups groups;
    qn_groups_clear(&groups, query);
    for (size_t i = 0; i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        bool here = is_here(c, clause);
        c->impossible |= clause->occur == QN_MUST && !here;
        if (clause->occur == QN_ANY && here)
            qn_groups_meet(&groups, clause);
        c->n_must += clause->occur == QN_MUST;
        c->n_should += clause->occur == QN_SHOULD && here;
        c->n_not += clause->occur == QN_NOT && here;
    }
    c->impossible |= groups.n_met < query->n_groups;
    /* With must clauses or groups, should clauses do not count. */
    for (size_t i = 0; i < query->n_clauses; i++)
        c->phrases |= is_phrase(c, &query->clause[i]) && is_here(c, &query->clause[i]) &&
                      !(c->n_must + query->n_groups > 0 && query->clause[i].occur == QN_SHOULD);
}

/* Appends the lists of a clause to sets->list. */
static size_t gather_clause(const counter *c, const qn_clause *clause, size_t n)
{
    for (size_t i = 0; i < clause->n_terms; i++)
        c->sets->list[n++] = c->eval->list[clause->first_term + i];
    return n;
}

/* Whether the phrase stands in `doc`, to which its cursors go; each must be asked in order. */
static quern_status stands_in(counter *c, const qn_clause *clause, uint32_t doc, bool *stands)
{
    qn_eval_scratch *scratch = c->eval->scratch;
    qn_cursor *cursors = scratch->cursor + clause->first_term;
    uint32_t freq;
    *stands = false;
    for (size_t i = 0; i < clause->n_terms; i++)
        if (qn_cursor_seek(&cursors[i], doc) != doc)
            return QUERN_OK;
    if (!is_phrase(c, clause)) {
        *stands = true;
        return QUERN_OK;
    }
    quern_status status =
        qn_phrase_freq(&scratch->phrase, cursors, c->eval->query->term + clause->first_term,
                       clause->n_terms, &freq, c->error);
    *stands = freq > 0;
    return status;
}

/* Keeps in the array those documents in which the phrase stands, or does not. */
static quern_status filter_phrase(counter *c, const qn_clause *clause, bool wanted)
{
    qn_count_sets *sets = c->sets;
    size_t kept = 0;
    for (size_t i = 0; i < sets->n_docs; i++) {
        bool stands;
        quern_status status = stands_in(c, clause, sets->doc[i], &stands);
        if (status != QUERN_OK)
            return status;
        sets->doc[kept] = sets->doc[i];
        kept += stands == wanted;
    }
    sets->n_docs = kept;
    return QUERN_OK;
}

/* Takes out of a bitmap the documents in which the phrase does not stand. */
static quern_status keep_phrase(counter *c, const qn_clause *clause, uint64_t *words)
{
    for (size_t w = 0; w < c->sets->n_words; w++) {
        for (uint64_t left = words[w]; left != 0; left &= left - 1) {
            bool stands;
            quern_status status =
                stands_in(c, clause, (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(left), &stands);
            if (status != QUERN_OK)
                return status;
            if (!stands)
                words[w] &= ~(left & -left);
        }
    }
    return QUERN_OK;
}

/* Adds to `set` the documents of a clause of several terms, or takes them out; only those that this
 * changes are looked up. */
static quern_status change_by_phrase(counter *c, const qn_clause *clause, bool add)
{
    qn_count_sets *sets = c->sets;
    const qn_count_kernels *kernels = sets->kernels;
    const uint8_t *set = (const uint8_t *)sets->set, *other = (const uint8_t *)sets->other;
    bool words;
    size_t n = gather_clause(c, clause, 0);
    quern_status status = qn_count_sets_intersect(sets, sets->list, n, &words, c->error);
    if (status != QUERN_OK)
        return status;
    if (!words) {
        sets->n_docs = kernels->filter(set, sets->doc, sets->n_docs, !add, sets->doc);
        if (is_phrase(c, clause))
            status = filter_phrase(c, clause, true);
        (add ? kernels->mark : kernels->unmark)(sets->set, sets->doc, sets->n_docs);
        return status;
    }
    (add ? kernels->drop : kernels->keep)(sets->other, set, sets->n_words);
    if (is_phrase(c, clause))
        status = keep_phrase(c, clause, sets->other);
    (add ? kernels->add : kernels->drop)(sets->set, other, sets->n_words);
    memset(sets->other, 0, sets->n_words * sizeof *sets->other);
    return status;
}

/* ---- without must clauses ---- */

/* Lists that are no bitmaps are looked at posting by posting while they have fewer than one for so
 * many words of a bitmap; with more they are made one bitmap, which is counted. */
enum { WORDS_A_POSTING = 4 };

/* The longest list is not made part of a bitmap, but held against so many at most. */
enum { HELD_AGAINST = 2 };

/* What a union is made of: bitmaps in sets->bitmap[0..n_dense), the fullest first, and other lists
 * in sets->list[0..n_other), the longest first. */
typedef struct parts {
    size_t n_dense, n_other;
    uint64_t dense_df;   /* of the fullest bitmap */
    uint64_t n_postings; /* of the other lists but the longest */
} parts;

static parts part_lists(qn_count_sets *sets, size_t n)
{
    parts p = {0};
    for (size_t i = 0; i < n; i++) {
        const qn_postings *list = sets->list[i];
        if (list->dense) {
            sets->bitmap[p.n_dense] = list->bitmap;
            if (list->df > p.dense_df) {
                sets->bitmap[p.n_dense] = sets->bitmap[0];
                sets->bitmap[0] = list->bitmap;
                p.dense_df = list->df;
            }
            p.n_dense++;
            continue;
        }
        sets->list[p.n_other] = list;
        if (p.n_other > 0 && list->df > sets->list[0]->df) {
            p.n_postings += sets->list[0]->df;
            sets->list[p.n_other] = sets->list[0];
            sets->list[0] = list;
        } else {
            p.n_postings += p.n_other > 0 ? list->df : 0;
        }
        p.n_other++;
    }
    return p;
}

/* The bitmaps and the other lists from the first on: few of whose postings are looked at one by
 * one. These lists are in `set` afterwards, in the first case without what the bitmaps have. */
static quern_status count_shorter(counter *c, const parts *p, size_t first, bool few, uint64_t *n)
{
    qn_count_sets *sets = c->sets;
    quern_status status = QUERN_OK;
    sets->n_docs = 0;
    for (size_t i = first; status == QUERN_OK && i < p->n_other; i++)
        status = few ? qn_count_sets_decode(sets, sets->list[i], sets->bitmap, p->n_dense, c->error)
                     : qn_count_sets_add(sets, sets->set, sets->list[i], c->error);
    if (status != QUERN_OK)
        return status;
    sets->bitmap[p->n_dense] = (const uint8_t *)sets->set;
    size_t n_bitmaps = p->n_dense + !few;
    if (few && p->n_dense == 1)
        *n += p->dense_df;
    else if (n_bitmaps > 0)
        *n += sets->kernels->count_any(sets->bitmap, n_bitmaps, sets->n_words);
    *n += sets->kernels->mark_new(sets->set, sets->doc, sets->n_docs);
    return QUERN_OK;
}

/* Documents that any of sets->list[0..n_lists) has. */
static quern_status count_union(counter *c, size_t n_lists, uint64_t *n)
{
    qn_count_sets *sets = c->sets;
    if (n_lists == 1) {
        *n += sets->list[0]->df;
        return QUERN_OK;
    }
    parts p = part_lists(sets, n_lists);
    bool few = p.n_postings < sets->n_words / WORDS_A_POSTING;
    size_t n_held = p.n_dense + (p.n_other > 1);
    bool apart = p.n_other > 0 && n_held <= HELD_AGAINST; /* the longest list */
    if (p.n_other > 0 && !apart)
        few = few && sets->list[0]->df + p.n_postings < sets->n_words / WORDS_A_POSTING;
    quern_status status = count_shorter(c, &p, apart, few, n);
    if (status == QUERN_OK && apart) {
        uint64_t added = 0;
        status = qn_count_sets_without(sets, sets->list[0], sets->bitmap, n_held, &added, c->error);
        *n += added;
    }
    if (few)
        sets->kernels->unmark(sets->set, sets->doc, sets->n_docs);
    else
        memset(sets->set, 0, sets->n_words * sizeof *sets->set);
    return status;
}

/* Adds the documents of a clause to `set`, or takes them out. */
static quern_status change_by_clause(counter *c, const qn_clause *clause, bool add)
{
    qn_count_sets *sets = c->sets;
    const qn_postings *list = c->eval->list[clause->first_term];
    if (clause->n_terms > 1)
        return change_by_phrase(c, clause, add);
    return add ? qn_count_sets_add(sets, sets->set, list, c->error)
               : qn_count_sets_drop(sets, sets->set, list, c->error);
}

/* Adds the clauses of one kind to `set`, or takes them out. */
static quern_status change_by(counter *c, qn_occur occur, bool add)
{
    const qn_query *query = c->eval->query;
    quern_status status = QUERN_OK;
    for (int phrases = 0; phrases < 2; phrases++) { /* last: they then have less to look up */
        for (size_t i = 0; status == QUERN_OK && i < query->n_clauses; i++) {
            const qn_clause *clause = &query->clause[i];
            if (clause->occur != occur || (clause->n_terms > 1) != phrases || !is_here(c, clause))
                continue;
            status = change_by_clause(c, clause, add);
        }
    }
    return status;
}

/* Takes out of `set` what not clauses match and what was deleted, and counts the rest. */
static quern_status finish_set(counter *c, uint64_t *n)
{
    const uint8_t *deleted = c->eval->segment->deleted;
    quern_status status = change_by(c, QN_NOT, false);
    if (status != QUERN_OK)
        return status;
    if (deleted != NULL)
        c->sets->kernels->drop(c->sets->set, deleted, c->sets->n_words);
    *n += qn_count_sets_finish(c->sets);
    return QUERN_OK;
}

static quern_status count_any(counter *c, uint64_t *n)
{
    const qn_query *query = c->eval->query;
    bool simple = c->n_not == 0 && c->eval->segment->deleted == NULL;
    size_t n_lists = 0;
    if (c->n_should == 0)
        return QUERN_OK;
    for (size_t i = 0; simple && i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        if (clause->occur != QN_SHOULD || !is_here(c, clause))
            continue;
        simple = clause->n_terms == 1;
        c->sets->list[n_lists++] = c->eval->list[clause->first_term];
    }
    if (simple)
        return count_union(c, n_lists, n);
    quern_status status = change_by(c, QN_SHOULD, true);
    return status == QUERN_OK ? finish_set(c, n) : status;
}

/* ---- with must clauses, none of them a phrase that is looked up by positions ---- */

/* Takes out of the array what the phrases of not clauses match. */
static quern_status filter_phrases(counter *c)
{
    const qn_query *query = c->eval->query;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        if (clause->n_terms > 1 && is_here(c, clause) && clause->occur == QN_NOT)
            status = filter_phrase(c, clause, false);
    }
    return status;
}

/* The documents of the array without those of not clauses. */
static quern_status count_array(counter *c, uint64_t *n)
{
    const qn_query *query = c->eval->query;
    qn_count_sets *sets = c->sets;
    const uint8_t *deleted = c->eval->segment->deleted;
    quern_status status = QUERN_OK;
    if (deleted != NULL)
        sets->n_docs = sets->kernels->filter(deleted, sets->doc, sets->n_docs, false, sets->doc);
    for (size_t i = 0; status == QUERN_OK && sets->n_docs > 0 && i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        const qn_postings *list = c->eval->list[clause->first_term];
        if (clause->occur == QN_NOT && clause->n_terms == 1 && list != NULL)
            status = qn_count_sets_filter(sets, list, false, c->error);
    }
    if (status == QUERN_OK)
        status = filter_phrases(c);
    *n += status == QUERN_OK ? sets->n_docs : 0;
    return status;
}

/* Where all words that must be there have bitmaps, these are in sets->list[0..n_all). */
static quern_status count_bitmaps(counter *c, size_t n_all, uint64_t *n)
{
    qn_count_sets *sets = c->sets;
    const qn_query *query = c->eval->query;
    size_t n_sets = n_all;
    bool simple = !c->phrases;
    for (size_t i = 0; i < n_all; i++)
        sets->bitmap[i] = sets->list[i]->bitmap;
    for (size_t i = 0; simple && i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        if (clause->occur != QN_NOT || !is_here(c, clause))
            continue;
        const qn_postings *list = c->eval->list[clause->first_term];
        simple = clause->n_terms == 1 && list->dense;
        sets->bitmap[n_sets++] = list->bitmap;
    }
    if (c->eval->segment->deleted != NULL)
        sets->bitmap[n_sets++] = c->eval->segment->deleted;
    if (simple) {
        *n += sets->kernels->count_all(sets->bitmap, n_all, n_sets, sets->n_words);
        return QUERN_OK;
    }
    sets->kernels->add(sets->set, sets->list[0]->bitmap, sets->n_words);
    for (size_t i = 1; i < n_all; i++)
        sets->kernels->keep(sets->set, sets->list[i]->bitmap, sets->n_words);
    return finish_set(c, n);
}

static quern_status count_all(counter *c, uint64_t *n)
{
    qn_count_sets *sets = c->sets;
    const qn_query *query = c->eval->query;
    bool dense = true;
    size_t n_all = 0;
    for (size_t i = 0; i < query->n_clauses; i++)
        if (query->clause[i].occur == QN_MUST)
            n_all = gather_clause(c, &query->clause[i], n_all);
    for (size_t i = 0; i < n_all; i++)
        dense = dense && sets->list[i]->dense;
    if (dense)
        return count_bitmaps(c, n_all, n);
    bool words;
    quern_status status = qn_count_sets_intersect(sets, sets->list, n_all, &words, c->error);
    return status == QUERN_OK ? count_array(c, n) : status;
}

/* ---- with groups ---- */

/* Adds a group's clauses to `set`. */
static quern_status add_group(counter *c, uint32_t group)
{
    const qn_query *query = c->eval->query;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < query->n_clauses; i++) {
        const qn_clause *clause = &query->clause[i];
        if (clause->group == group && is_here(c, clause))
            status = change_by_clause(c, clause, true);
    }
    return status;
}

/* What groups and must clauses leave, each made a bitmap. */
static quern_status count_groups(counter *c, uint64_t *n)
{
    const qn_query *query = c->eval->query;
    quern_status status = QUERN_OK;
    for (uint32_t group = 1; status == QUERN_OK && group <= query->n_groups; group++) {
        status = add_group(c, group);
        if (status == QUERN_OK && !qn_count_sets_keep(c->sets, group == 1))
            status = qn_fail_memory(c->error);
    }
    for (size_t i = 0; status == QUERN_OK && i < query->n_clauses; i++) {
        if (query->clause[i].occur != QN_MUST)
            continue;
        status = change_by_clause(c, &query->clause[i], true);
        if (status == QUERN_OK && !qn_count_sets_keep(c->sets, false))
            status = qn_fail_memory(c->error);
    }
    if (status != QUERN_OK)
        return status;
    qn_count_sets_take_back(c->sets);
    return finish_set(c, n);
}

quern_status qn_count_segment(qn_count_sets *sets, qn_eval *eval, uint64_t *n, quern_error *error)
{
    counter c = {.sets = sets, .eval = eval, .error = error};
    look(&c);
    if (c.impossible)
        return QUERN_OK;
    if (c.phrases && qn_count_lead_can(eval->query))
        return qn_count_lead(eval, n, error);
    if (!qn_count_sets_start(sets, eval->segment, eval->query->n_terms))
        return qn_fail_memory(error);
    /* Phrases that exclude are walked without positions, too. */
    bool walks = c.phrases || c.n_not > 0;
    quern_status status = walks ? qn_eval_start_cursors(eval, error) : QUERN_OK;
    if (status == QUERN_OK)
        status = eval->query->n_groups > 0 ? count_groups(&c, n)
                 : c.n_must > 0            ? count_all(&c, n)
                                           : count_any(&c, n);
    if (status == QUERN_OK && walks)
        status = qn_eval_cursor_status(eval);
    if (status != QUERN_OK)
        qn_count_sets_clear(sets);
    return status;
}
