/* Counting where a phrase must stand: see count_lead.h. */
#include "query/count_lead.h"

#include "index/base/status.h"
#include "query/lead_walk.h"
#include "query/phrase_unit.h"
#include "query/plan.h"

#include <stdlib.h>

/* Whether a document without the clause does not match; should clauses beside others say nothing.
 */
static bool must_stand(const qn_query *query, const qn_clause *clause)
{
    return clause->occur == QN_MUST || query->n_clauses == 1;
}

bool qn_count_lead_can(const qn_query *query)
{
    bool phrase = false;
    for (size_t c = 0; c < query->n_clauses; c++)
        phrase |= query->clause[c].n_terms > 1 && must_stand(query, &query->clause[c]);
    return phrase && qn_plan_shape_of(query).leads;
}

/* Those of the batch's documents in `among` in which the clause's terms all stand, often enough for
 * a phrase. */
static uint64_t may_stand(const qn_lead_walk *walk, const qn_phrase_unit *unit, uint64_t among)
{
    for (uint32_t t = 0; t < unit->n_terms; t++) {
        const qn_lead_slot *slot = qn_lead_walk_slot(walk, unit->term[t].number);
        uint32_t excess = qn_phrase_term_excess(&unit->term[t]);
        uint64_t enough = 0;
        for (uint32_t i = 0; i < walk->n; i++)
            enough |= (uint64_t)(slot->tf[i] > excess) << i;
        among &= slot->found & enough;
    }
    return among;
}

/* Those in `among` in which the phrase stands. */
static quern_status stand(const qn_lead_walk *walk, const qn_phrase_unit *unit, uint64_t among,
                          uint64_t *standing, quern_error *error)
{
    *standing = 0;
    if (unit->term == NULL)
        return QUERN_OK;
    for (among = may_stand(walk, unit, among); among != 0; among &= among - 1) {
        unsigned i = (unsigned)__builtin_ctzll(among);
        uint32_t freq;
        for (uint32_t t = 0; t < unit->n_terms; t++) {
            const qn_lead_slot *slot = qn_lead_walk_slot(walk, unit->term[t].number);
            unit->term[t].posting = slot->posting[i];
            unit->term[t].tf = slot->tf[i];
        }
        quern_status status = qn_phrase_unit_freq(walk->eval, unit, &freq, error);
        if (status != QUERN_OK)
            return status;
        *standing |= (uint64_t)(freq > 0) << i;
    }
    return QUERN_OK;
}

/* The batch's documents that match. */
static quern_status match_batch(const qn_lead_walk *walk, uint64_t *good, quern_error *error)
{
    const qn_eval *eval = walk->eval;
    const qn_query *query = eval->query;
    quern_status status = QUERN_OK;
    *good = walk->n < 64 ? ((uint64_t)1 << walk->n) - 1 : ~(uint64_t)0;
    for (uint32_t i = 0; i < walk->n; i++)
        *good &= ~((uint64_t)qn_segment_is_deleted(eval->segment, walk->doc[i]) << i);
    for (int phrases = 0; phrases < 2; phrases++) { /* last: they then have less to look up */
        for (size_t c = 0; status == QUERN_OK && c < query->n_clauses; c++) {
            const qn_clause *clause = &query->clause[c];
            bool must = must_stand(query, clause);
            uint64_t standing = 0;
            if ((clause->n_terms > 1) != phrases || (!must && clause->occur != QN_NOT))
                continue;
            if (phrases)
                status = stand(walk, &eval->scratch->unit[c], *good, &standing, error);
            else if (eval->list[clause->first_term] != NULL)
                standing = qn_lead_walk_slot(walk, clause->first_term)->found;
            *good &= must ? standing : ~standing;
        }
    }
    return status;
}

quern_status qn_count_lead(qn_eval *eval, uint64_t *n, quern_error *error)
{
    qn_eval_scratch *scratch = eval->scratch;
    bool empty;
    if (scratch->walk == NULL)
        scratch->walk = calloc(1, sizeof *scratch->walk);
    if (scratch->walk == NULL)
        return qn_fail_memory(error);
    quern_status status = qn_lead_walk_start(scratch->walk, eval, false, &empty, error);
    if (status == QUERN_OK)
        status = qn_phrase_units_open(eval, error);
    if (status != QUERN_OK || empty)
        return status;
    do {
        uint64_t good = 0;
        status = qn_lead_walk_next(scratch->walk, error);
        if (status == QUERN_OK)
            status = match_batch(scratch->walk, &good, error);
        if (status != QUERN_OK)
            return status;
        *n += (uint64_t)__builtin_popcountll(good);
    } while (scratch->walk->n > 0);
    return QUERN_OK;
}
