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

/* Gives the unit its distinct terms, each with its offsets, which are put to `offset`. */
static void fill_unit(const qn_eval *eval, const qn_clause *clause, qn_phrase_unit *unit,
                      uint32_t *offset)
{
    const qn_query_term *term = eval->query->term + clause->first_term;
    const qn_postings *const *list = eval->list + clause->first_term;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        bool known = false;
        for (uint32_t j = 0; j < i && !known; j++)
            known = list[j] == list[i];
        if (known)
            continue;
        uint32_t at = unit->n_terms++;
        for (; at > 0 && unit->term[at - 1].postings->df > list[i]->df; at--) {
            qn_phrase_term moved = unit->term[at];
            unit->term[at] = unit->term[at - 1];
            unit->term[at - 1] = moved;
        }
        qn_phrase_term *here = &unit->term[at];
        here->postings = list[i];
        here->number = clause->first_term + i;
        here->block = UINT32_MAX;
        here->offset = offset;
        here->n_offsets = 0;
        for (uint32_t j = i; j < clause->n_terms; j++) {
            uint32_t from_start = term[j].position - term[0].position;
            if (list[j] != list[i] || (here->n_offsets > 0 && offset[-1] == from_start))
                continue;
            *offset++ = from_start;
            here->n_offsets++;
        }
    }
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
        if (!lacks)
            fill_unit(eval, clause, &s->unit[c], s->unit_offset + clause->first_term);
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

/* Sets term->tf; 0 only in forged bytes. */
static quern_status find_tf(qn_phrase_term *term, uint32_t posting, quern_error *error)
{
    if (term->postings->coded) {
        term->tf = qn_coded_tf(term->postings, posting);
        return QUERN_OK;
    }
    quern_status status = load_tfs(term, posting / QN_BLOCK, error);
    term->tf = status == QUERN_OK ? term->tfs[posting % QN_BLOCK] : 0;
    return status;
}

/* Reads the term's positions in the document. */
static quern_status load_positions(qn_phrase_term *term, uint32_t posting, quern_error *error)
{
    uint32_t block = posting / QN_BLOCK;
    quern_status status = load_tfs(term, block, error);
    if (status != QUERN_OK)
        return status;
    term->tf = term->tfs[posting % QN_BLOCK]; /* for which there will be room */
    return qn_postings_positions_of(term->postings, block, term->tfs, posting % QN_BLOCK,
                                    &term->position, &term->position_cap, error);
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
static quern_status find_lead(const qn_phrase_unit *unit, const uint32_t *at, size_t stride,
                              uint32_t *lead, quern_error *error)
{
    *lead = 0;
    for (uint32_t i = 0; i < unit->n_terms; i++) {
        qn_phrase_term *term = &unit->term[i];
        quern_status status = find_tf(term, at[i * stride], error);
        if (status != QUERN_OK)
            return status;
        if (term->tf <= qn_phrase_term_excess(term)) {
            *lead = unit->n_terms;
            return QUERN_OK;
        }
        *lead = term->tf < unit->term[*lead].tf ? i : *lead;
    }
    return QUERN_OK;
}

/* Positions of a document whose lead is known. */
static quern_status count_starts(qn_eval_scratch *s, const qn_phrase_unit *unit, uint32_t lead,
                                 const uint32_t *at, size_t stride, uint32_t *freq,
                                 quern_error *error)
{
    size_t n = 0;
    for (uint32_t k = 0; k < unit->n_terms; k++) {
        uint32_t i = k == 0 ? lead : k <= lead ? k - 1 : k;
        qn_phrase_term *term = &unit->term[i];
        quern_status status = load_positions(term, at[i * stride], error);
        if (status != QUERN_OK)
            return status;
        if (k == 0) {
            void *starts = s->unit_start;
            if (!qn_array_grow(&starts, &s->unit_start_cap, (size_t)term->tf + 1,
                               sizeof *s->unit_start))
                return qn_fail_memory(error);
            s->unit_start = starts;
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

quern_status qn_phrase_unit_freq(qn_eval *eval, const qn_phrase_unit *unit, const uint32_t *at,
                                 size_t stride, uint32_t *freq, quern_error *error)
{
    uint32_t lead;
    *freq = 0;
    quern_status status = find_lead(unit, at, stride, &lead, error);
    if (status != QUERN_OK || lead == unit->n_terms)
        return status;
    if (!eval->segment->meta.positions) {
        *freq = unit->term[lead].tf;
        return QUERN_OK;
    }
    return count_starts(eval->scratch, unit, lead, at, stride, freq, error);
}
