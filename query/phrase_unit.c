/* Phrases by the numbers of postings: see phrase_unit.h. */
#include "query/phrase_unit.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"
#include "index/segment/positions.h"

#include <stdlib.h>

/* ---- preparing ---- */

void qn_phrase_units_free(qn_eval_scratch *scratch)
{
    for (size_t i = 0; i < scratch->unit_term_cap; i++)
        free(scratch->unit_term[i].position);
    free(scratch->unit_term);
    free(scratch->unit_offset);
    free(scratch->unit_start);
    free(scratch->unit);
}

static bool make_room(const qn_eval *eval)
{
    qn_eval_scratch *s = eval->scratch;
    size_t n = eval->query->n_terms, before = s->unit_term_cap;
    void *units = s->unit, *terms = s->unit_term, *offsets = s->unit_offset;
    bool ok = qn_array_grow(&units, &s->unit_cap, eval->query->n_clauses, sizeof *s->unit);
    s->unit = units;
    ok = ok && qn_array_grow(&terms, &s->unit_term_cap, n, sizeof *s->unit_term);
    s->unit_term = terms;
    ok = ok && qn_array_grow(&offsets, &s->unit_offset_cap, n, sizeof *s->unit_offset);
    s->unit_offset = offsets;
    for (size_t i = before; i < s->unit_term_cap; i++)
        s->unit_term[i] = (qn_phrase_term){0};
    return ok;
}

/* Finds the clause's distinct terms, the rarest first. */
static void find_distinct(const qn_eval *eval, const qn_clause *clause, qn_phrase_unit *unit)
{
    const qn_postings *const *list = eval->list + clause->first_term;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        uint32_t at = unit->n_terms;
        while (at > 0 && unit->term[at - 1].postings != list[i])
            at--;
        if (at > 0)
            continue;
        for (at = unit->n_terms++; at > 0 && unit->term[at - 1].postings->df > list[i]->df; at--) {
            unit->term[at].postings = unit->term[at - 1].postings;
            unit->term[at].number = unit->term[at - 1].number;
        }
        unit->term[at].postings = list[i];
        unit->term[at].number = clause->first_term + i;
    }
}

/* Puts the term's offsets to `offset`; returns behind them. */
static uint32_t *fill_offsets(const qn_eval *eval, const qn_clause *clause, qn_phrase_term *out,
                              uint32_t *offset)
{
    uint32_t first = clause->first_term;
    out->offset = offset;
    out->n_offsets = 0;
    for (uint32_t i = out->number; i < first + clause->n_terms; i++) {
        uint32_t from_start = eval->query->term[i].position - eval->query->term[first].position;
        if (eval->list[i] != out->postings || (out->n_offsets > 0 && offset[-1] == from_start))
            continue;
        *offset++ = from_start;
        out->n_offsets++;
    }
    return offset;
}

static bool fill_unit(const qn_eval *eval, const qn_clause *clause, qn_phrase_unit *unit)
{
    uint32_t *offset = eval->scratch->unit_offset + clause->first_term;
    find_distinct(eval, clause, unit);
    for (uint32_t t = 0; t < unit->n_terms; t++) {
        qn_phrase_term *term = &unit->term[t];
        offset = fill_offsets(eval, clause, term, offset);
        term->block = UINT32_MAX;
        for (unsigned i = 0; i < QN_CODES; i++) {
            const qn_code_class *class = &term->postings->class[i];
            bool small = class->exact && class->tf <= 255;
            term->gaps[i] = small ? (uint8_t)(class->tf - 1) : 255;
        }
        void *positions = term->position; /* room for one is always there */
        if (!qn_array_grow(&positions, &term->position_cap, 1, sizeof *term->position))
            return false;
        term->position = positions;
    }
    return true;
}

quern_status qn_phrase_units_open(qn_eval *eval, quern_error *error)
{
    if (!make_room(eval))
        return qn_fail_memory(error);
    qn_eval_scratch *s = eval->scratch;
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        bool lacks = clause->n_terms == 1;
        for (uint32_t i = 0; i < clause->n_terms; i++)
            lacks = lacks || eval->list[clause->first_term + i] == NULL;
        s->unit[c] = (qn_phrase_unit){lacks ? NULL : s->unit_term + clause->first_term, 0};
        if (!lacks && !fill_unit(eval, clause, &s->unit[c]))
            return qn_fail_memory(error);
    }
    return QUERN_OK;
}

/* ---- a document ---- */

/* Reads the tf of a block, unless they are there. */
static quern_status load_tfs(qn_phrase_term *term, uint32_t block, quern_error *error)
{
    if (term->block == block)
        return QUERN_OK;
    const qn_postings *list = term->postings;
    uint32_t docs[QN_BLOCK_ROOM];
    const uint8_t *tf_at = NULL;
    term->block = UINT32_MAX;
    quern_status status =
        list->coded ? QUERN_OK : qn_postings_docs(list, block, docs, &tf_at, error);
    if (status == QUERN_OK)
        status = qn_postings_tfs(list, block, tf_at, term->tfs, error);
    if (status == QUERN_OK)
        term->block = block;
    return status;
}

quern_status qn_phrase_term_stand(qn_phrase_term *term, uint32_t posting, quern_error *error)
{
    term->posting = posting;
    if (term->postings->coded) {
        term->tf = qn_coded_tf(term->postings, posting);
        return QUERN_OK;
    }
    quern_status status = load_tfs(term, posting / QN_BLOCK, error);
    term->tf = status == QUERN_OK ? term->tfs[posting % QN_BLOCK] : 0;
    return status;
}

/* Where the values of a coded list's posting stand in its row: its codes tell, and exceptions. */
static quern_status find_coded(const qn_eval *eval, const qn_phrase_term *term,
                               qn_positions_place *place, quern_error *error)
{
    const qn_postings *list = term->postings;
    uint32_t block = term->posting / QN_BLOCK, n = qn_postings_block_n(list, block);
    qn_code_sums sums;
    eval->kernels->sum_codes(list->codes + (size_t)block * (QN_BLOCK / 2), n, place->i, term->gaps,
                             &sums);
    quern_status status = QUERN_OK;
    if (sums.n_unknown > 0)
        status = qn_coded_sum_exceptions(list, block, sums.n_unknown, sums.n_unknown_before,
                                         &place->total, &place->before, error);
    /* Of those with a known tf the sums lack 1 each. */
    place->total += sums.total + n - sums.n_unknown;
    place->before += sums.before + place->i - sums.n_unknown_before;
    return status;
}

/* Where the values of the term's posting stand in its row. */
static quern_status find_place(const qn_eval *eval, qn_phrase_term *term, qn_positions_place *place,
                               quern_error *error)
{
    const qn_postings *list = term->postings;
    uint32_t block = term->posting / QN_BLOCK, i = term->posting % QN_BLOCK;
    *place = (qn_positions_place){.i = i, .tf = term->tf};
    if (list->coded)
        return find_coded(eval, term, place, error);
    quern_status status = load_tfs(term, block, error);
    if (status != QUERN_OK)
        return status;
    uint32_t n = qn_postings_block_n(list, block);
    for (uint32_t j = 0; j < n; j++) { /* without branches, for vectors */
        place->before += term->tfs[j] & (0u - (uint32_t)(j < i));
        place->total += term->tfs[j];
    }
    return QUERN_OK;
}

/* Reads the term's positions in the document: most often one. */
static quern_status load_positions(const qn_eval *eval, qn_phrase_term *term, quern_error *error)
{
    uint32_t block = term->posting / QN_BLOCK, i = term->posting % QN_BLOCK;
    if (term->tf == 1) {
        bool known;
        quern_status status =
            qn_postings_first_position(term->postings, block, i, term->position, &known, error);
        if (status != QUERN_OK || known)
            return status;
    }
    qn_positions_place place;
    quern_status status = find_place(eval, term, &place, error);
    return status != QUERN_OK
               ? status
               : qn_postings_positions_at(term->postings, block, &place, &term->position,
                                          &term->position_cap, error);
}

/* The starts that the term's first offset leaves; distinct, ascending. */
static size_t first_starts(const qn_phrase_term *term, uint32_t *start)
{
    size_t n = 0;
    for (uint32_t i = 0; i < term->tf; i++) {
        uint32_t position = term->position[i];
        if (position < term->offset[0])
            continue;
        uint32_t here = position - term->offset[0];
        start[n] = here;
        n += n == 0 || start[n - 1] != here;
    }
    return n;
}

/* Keeps the starts for which the term has start + offset. */
static size_t keep_starts(const qn_phrase_term *term, uint32_t offset, uint32_t *start, size_t n)
{
    size_t kept = 0;
    uint32_t i = 0;
    for (size_t j = 0; j < n && i < term->tf; j++) {
        uint64_t wanted = (uint64_t)start[j] + offset;
        while (i < term->tf && term->position[i] < wanted)
            i++;
        start[kept] = start[j];
        kept += i < term->tf && term->position[i] == wanted;
    }
    return kept;
}

/* The term with the smallest tf; unit->n_terms if one has too few. */
static uint32_t find_lead(const qn_phrase_unit *unit)
{
    uint32_t lead = 0;
    for (uint32_t i = 0; i < unit->n_terms; i++) {
        const qn_phrase_term *term = &unit->term[i];
        if (term->tf <= qn_phrase_term_excess(term))
            return unit->n_terms;
        lead = term->tf < unit->term[lead].tf ? i : lead;
    }
    return lead;
}

static bool room_for_starts(qn_eval_scratch *s, size_t n)
{
    if (n < s->unit_start_cap)
        return true;
    void *starts = s->unit_start;
    bool ok = qn_array_grow(&starts, &s->unit_start_cap, n + 1, sizeof *s->unit_start);
    s->unit_start = starts;
    return ok;
}

quern_status qn_phrase_unit_freq(const qn_eval *eval, const qn_phrase_unit *unit, uint32_t *freq,
                                 quern_error *error)
{
    qn_eval_scratch *s = eval->scratch;
    uint32_t lead = find_lead(unit);
    size_t n = 0;
    *freq = 0;
    if (lead == unit->n_terms)
        return QUERN_OK;
    if (!eval->segment->meta.positions) {
        *freq = unit->term[lead].tf;
        return QUERN_OK;
    }
    for (uint32_t k = 0; k < unit->n_terms; k++) {
        qn_phrase_term *term = &unit->term[k == 0 ? lead : k <= lead ? k - 1 : k];
        quern_status status = load_positions(eval, term, error);
        if (status != QUERN_OK)
            return status;
        if (k == 0) {
            if (!room_for_starts(s, term->tf))
                return qn_fail_memory(error);
            n = first_starts(term, s->unit_start);
        }
        for (uint32_t j = k == 0 ? 1 : 0; j < term->n_offsets; j++)
            n = keep_starts(term, term->offset[j], s->unit_start, n);
        if (n == 0)
            return QUERN_OK;
    }
    *freq = (uint32_t)n;
    return QUERN_OK;
}
