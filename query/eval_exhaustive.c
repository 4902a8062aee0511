/* Document at a time over all clauses: see eval_exhaustive.h. */
#include "query/eval_exhaustive.h"

#include "query/bm25.h"

/* The frequency of a clause in `doc`, which its cursors have not passed; 0 if it does not match. */
static quern_status clause_freq(qn_eval *eval, const qn_clause *clause, uint32_t doc,
                                uint32_t *freq, quern_error *error)
{
    qn_cursor *cursors = eval->scratch->cursor + clause->first_term;
    *freq = 0;
    for (size_t i = 0; i < clause->n_terms; i++)
        if (qn_cursor_seek(&cursors[i], doc) != doc)
            return QUERN_OK;
    return qn_phrase_freq(&eval->scratch->phrase, cursors, eval->query->term + clause->first_term,
                          clause->n_terms, freq, error);
}

static quern_status score_document(qn_eval *eval, uint32_t doc, quern_error *error)
{
    bool answers = false;
    float score = 0;
    qn_groups groups;
    qn_groups_clear(&groups, eval->query);
    if (qn_segment_is_deleted(eval->segment, doc))
        return QUERN_OK;
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        uint32_t freq;
        quern_status status = clause_freq(eval, clause, doc, &freq, error);
        if (status != QUERN_OK)
            return status;
        if (clause->occur == QN_NOT ? freq > 0 : clause->occur == QN_MUST && freq == 0)
            return QUERN_OK;
        if (freq > 0 && clause->occur != QN_NOT) {
            answers = true;
            const qn_postings *list = eval->list[clause->first_term];
            score += qn_bm25_contribution(eval->weight[c], freq, qn_eval_norm(eval, list, doc));
            if (clause->occur == QN_ANY)
                qn_groups_meet(&groups, clause);
        }
    }
    if (answers && groups.n_met == eval->query->n_groups) {
        eval->work.documents++;
        qn_topk_push(eval->topk, eval->segment->base + doc, score);
    }
    return QUERN_OK;
}

/* The first document >= from that holds a term of a should or must clause. */
static uint32_t next_document(qn_eval *eval, uint32_t from)
{
    uint32_t next = QN_CURSOR_END;
    for (size_t c = 0; c < eval->query->n_clauses; c++) {
        const qn_clause *clause = &eval->query->clause[c];
        for (size_t i = 0; clause->occur != QN_NOT && i < clause->n_terms; i++) {
            uint32_t doc = qn_cursor_seek(&eval->scratch->cursor[clause->first_term + i], from);
            next = doc < next ? doc : next;
        }
    }
    return next;
}

quern_status qn_eval_exhaustive(qn_eval *eval, quern_error *error)
{
    quern_status status = qn_eval_start_cursors(eval, error);
    if (status != QUERN_OK)
        return status;
    for (uint32_t doc = next_document(eval, 0); doc != QN_CURSOR_END;
         doc = next_document(eval, doc + 1)) {
        status = score_document(eval, doc, error);
        if (status != QUERN_OK)
            return status;
    }
    return qn_eval_cursor_status(eval);
}
