/* What evaluators share: see eval_context.h. */
#include "query/eval_context.h"

#include "index/base/status.h"
#include "query/bm25.h"
#include "query/phrase_unit.h"

#include <stdlib.h>

void qn_eval_scratch_free(qn_eval_scratch *scratch)
{
    for (size_t i = 0; i < scratch->cursor_cap; i++)
        qn_cursor_free(&scratch->cursor[i]);
    free(scratch->cursor);
    free(scratch->ceiling);
    free(scratch->list);
    free(scratch->list_doc);
    free(scratch->list_value);
    free(scratch->list_max);
    free(scratch->list_end);
    free(scratch->bound);
    free(scratch->clause);
    free(scratch->row);
    free(scratch->window_bytes);
    qn_full_free(scratch->full);
    free(scratch->place);
    free(scratch->slot);
    free(scratch->slot_of);
    free(scratch->walk);
    free(scratch->lead_row);
    free(scratch->lead_waiting);
    free(scratch->has_clause);
    qn_phrase_units_free(scratch);
    qn_phrase_free(&scratch->phrase);
    *scratch = (qn_eval_scratch){0};
}

quern_status qn_eval_start_cursors(qn_eval *eval, quern_error *error)
{
    qn_eval_scratch *scratch = eval->scratch;
    size_t n = eval->query->n_terms, before = scratch->cursor_cap;
    void *array = scratch->cursor;
    if (!qn_array_grow(&array, &scratch->cursor_cap, n, sizeof *scratch->cursor))
        return qn_fail_memory(error);
    scratch->cursor = array;
    for (size_t i = before; i < scratch->cursor_cap; i++)
        scratch->cursor[i] = (qn_cursor){0};
    for (size_t i = 0; i < n; i++)
        qn_cursor_start(&scratch->cursor[i], eval->list[i], error);
    return QUERN_OK;
}

quern_status qn_eval_cursor_status(const qn_eval *eval)
{
    for (size_t i = 0; i < eval->query->n_terms; i++)
        if (eval->scratch->cursor[i].status != QUERN_OK)
            return eval->scratch->cursor[i].status;
    return QUERN_OK;
}

static double ceiling_of(const qn_eval *eval, const qn_postings *list, float weight)
{
    if (list == NULL)
        return 0;
    double part = (double)list->max_part * (double)eval->inflation[list->field];
    return (double)weight * part * (1 + QN_BM25_PART_ROOM) * (1 + QN_BM25_SUM_ROOM) + QN_BM25_FLOOR;
}

quern_status qn_eval_fill_ceilings(qn_eval *eval, quern_error *error)
{
    qn_eval_scratch *scratch = eval->scratch;
    const qn_query *query = eval->query;
    void *array = scratch->ceiling;
    if (!qn_array_grow(&array, &scratch->ceiling_cap, query->n_terms, sizeof *scratch->ceiling))
        return qn_fail_memory(error);
    scratch->ceiling = array;
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++)
            scratch->ceiling[i] = ceiling_of(eval, eval->list[i], eval->weight[c]);
    }
    eval->total = 0;
    for (size_t i = 0; i < query->n_terms; i++)
        eval->total += scratch->ceiling[i];
    return QUERN_OK;
}
