/* Posting lists in windows: see window_list.h. */
#include "query/window_list.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"
#include "query/bm25.h"

#include <string.h>

/* ---- opening ---- */

/* Lists with fewer postings have their bounds scattered one by one; it does not pay to make range
 * maxima of them first. */
enum { RANGE_MAX_DF = 700 };

/* How much memory the lists need. */
typedef struct needs {
    size_t docs, values, maxima, ends;
} needs;

static bool is_sparse(const qn_postings *postings)
{
    return !postings->coded;
}

/* Whether it has range maxima: made of its contributions, or of the levels that are stored. */
static bool has_maxima(const qn_postings *postings)
{
    return !is_sparse(postings) || postings->df >= RANGE_MAX_DF;
}

static size_t n_ranges(const qn_eval *eval)
{
    return (size_t)eval->segment->n_windows * (QN_WINDOW / QN_RANGE);
}

static needs count_needs(const qn_eval *eval)
{
    needs need = {QN_BLOCK_ROOM, QN_BLOCK_ROOM, 0, 0};
    for (size_t i = 0; i < eval->query->n_terms; i++) {
        const qn_postings *postings = eval->list[i];
        if (postings == NULL)
            continue;
        need.maxima += has_maxima(postings) ? n_ranges(eval) : 0;
        if (!is_sparse(postings))
            continue;
        need.docs += postings->df;
        need.values += postings->df;
        need.ends += eval->segment->n_windows;
    }
    return need;
}

static bool make_room(qn_eval *eval, const needs *need)
{
    qn_eval_scratch *s = eval->scratch;
    void *ends = s->list_end;
    void *docs = s->list_doc, *values = s->list_value, *maxima = s->list_max, *lists = s->list;
    bool ok = qn_array_grow(&docs, &s->list_doc_cap, need->docs, sizeof *s->list_doc);
    s->list_doc = docs;
    ok = ok && qn_array_grow(&values, &s->list_value_cap, need->values, sizeof *s->list_value);
    s->list_value = values;
    ok = ok && qn_array_grow(&maxima, &s->list_max_cap, need->maxima, sizeof *s->list_max);
    s->list_max = maxima;
    ok = ok && qn_array_grow(&ends, &s->list_end_cap, need->ends, sizeof *s->list_end);
    s->list_end = ends;
    ok = ok && qn_array_grow(&lists, &s->list_cap, eval->query->n_terms, sizeof *s->list);
    s->list = lists;
    return ok;
}

/* What a posting of the list must contribute to belong to an answer: what the others' ceilings
 * leave of the threshold; 0 if that is not known. */
static float least_value(const qn_eval *eval, const qn_window_list *list)
{
    double rest = eval->total - list->ceiling;
    double least = (double)qn_eval_threshold(eval) * (1 - QN_BM25_SUM_ROOM) - rest;
    return eval->plain && least > 0 ? (float)(least * (1 - QN_BM25_PART_ROOM)) : 0.0f;
}

/* Decodes a sparse list and, if `scored`, scores it; `maxima`, which are 0, become its range maxima
 * unless NULL. */
static quern_status decode(qn_eval *eval, qn_window_list *list, bool scored, uint8_t *maxima,
                           quern_error *error)
{
    const qn_postings *postings = list->postings;
    uint32_t tfs[QN_BLOCK_ROOM];
    float scale = (float)(255 / list->ceiling * (1 + QN_BM25_SUM_ROOM)),
          least = scored ? least_value(eval, list) : 0;
    memset(list->ends, 0, eval->segment->n_windows * sizeof *list->ends);
    for (uint32_t block = 0; block < postings->n_blocks; block++) {
        uint32_t n = qn_postings_block_n(postings, block);
        uint32_t *doc = list->doc + list->n;
        float *value = list->value + list->n;
        const uint8_t *tf_at;
        quern_status status = qn_postings_docs(postings, block, doc, &tf_at, error);
        if (status == QUERN_OK && scored)
            status = qn_postings_tfs(postings, block, tf_at, tfs, error);
        if (status != QUERN_OK)
            return status;
        if (scored)
            eval->kernels->score(doc, tfs, n, postings->lengths, qn_eval_norms(eval, postings),
                                 list->weight, value);
        if (least > 0)
            n = (uint32_t)eval->kernels->keep(doc, value, n, least);
        eval->kernels->window_ends(doc, n, list->n, list->ends);
        if (maxima != NULL)
            eval->kernels->range_maxima(doc, value, n, scale, maxima);
        list->n += n;
    }
    /* Windows without documents end where the one before does. */
    for (uint32_t w = 0, end = 0; w < eval->segment->n_windows; w++)
        list->ends[w] = end = list->ends[w] > end ? list->ends[w] : end;
    eval->work.postings += postings->df;
    return QUERN_OK;
}

/* Leaves so many different bounds (qn_eval_switches). */
static void merge_bounds(qn_window_list *list, unsigned n_bounds)
{
    const unsigned most = QN_CODES - 1;
    for (unsigned i = 1; n_bounds < most && i <= most; i++) {
        unsigned last = (i * n_bounds + most - 1) / most * most / n_bounds;
        for (unsigned j = i + 1; j <= last; j++)
            list->bound[i] = list->bound[j] > list->bound[i] ? list->bound[j] : list->bound[i];
    }
}

void qn_window_list_bound(const qn_eval *eval, qn_window_list *list, uint32_t excess)
{
    for (unsigned i = 0; i < QN_CODES; i++) {
        qn_code_class class = list->postings->class[i];
        if (class.tf != QN_CODES_ANY)
            class.tf = class.tf > excess ? (uint16_t)(class.tf - excess) : 0;
        double part = (double)qn_code_part(&class, qn_eval_norms(eval, list->postings));
        list->bound[i] = part == 0
                             ? 0
                             : (float)((double)list->weight * part * (1 + 4 * QN_BM25_PART_ROOM) +
                                       2 * QN_BM25_FLOOR);
    }
}

static quern_status open_sparse(qn_eval *eval, qn_window_list *list, const qn_clause *clause,
                                uint8_t *maxima, quern_error *error)
{
    bool scored = clause->occur != QN_NOT;
    if (!scored || !has_maxima(list->postings))
        return decode(eval, list, scored, NULL, error);
    eval->kernels->clear(maxima, n_ranges(eval));
    list->range_max = maxima;
    return decode(eval, list, scored, maxima, error);
}

static quern_status open_list(qn_eval *eval, qn_window_list *list, const qn_clause *clause,
                              uint8_t *maxima, quern_error *error)
{
    const qn_postings *postings = list->postings;
    if (is_sparse(postings))
        return open_sparse(eval, list, clause, maxima, error);
    list->form = postings->dense ? QN_LIST_DENSE : QN_LIST_GROUPS;
    eval->kernels->expand_levels(postings->range_level, n_ranges(eval), postings->level, maxima);
    list->range_max = maxima;
    for (unsigned slot = 0; slot < 2; slot++) {
        list->coded[slot].codes = list->grouped[slot].codes = postings->codes;
        list->coded[slot].df = list->grouped[slot].df = postings->df;
        list->grouped[slot].low = postings->low;
    }
    qn_window_list_bound(eval, list, 0);
    if (eval->switches.n_bounds > 0)
        merge_bounds(list, eval->switches.n_bounds);
    return QUERN_OK;
}

quern_status qn_window_lists_open(qn_eval *eval, quern_error *error)
{
    const qn_query *query = eval->query;
    needs need = count_needs(eval), used = {0};
    if (!make_room(eval, &need))
        return qn_fail_memory(error);
    qn_eval_scratch *s = eval->scratch;
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++) {
            qn_window_list *list = &s->list[i];
            const qn_postings *postings = eval->list[i];
            list->postings = postings;
            if (postings == NULL)
                continue;
            list->form = QN_LIST_SPARSE;
            list->weight = eval->weight[c];
            list->ceiling = s->ceiling[i];
            list->range_max = NULL;
            list->doc = s->list_doc + used.docs;
            list->value = s->list_value + used.values;
            list->ends = s->list_end + used.ends;
            list->n = list->from = list->to = 0;
            quern_status status = open_list(eval, list, clause, s->list_max + used.maxima, error);
            if (status != QUERN_OK)
                return status;
            used.docs += list->n;
            used.values += list->n;
            used.ends += list->form == QN_LIST_SPARSE ? eval->segment->n_windows : 0;
            used.maxima += has_maxima(postings) ? n_ranges(eval) : 0;
        }
    }
    return QUERN_OK;
}

/* ---- windows ---- */

void qn_window_list_prepare(const qn_eval *eval, qn_window_list *list, uint32_t window,
                            uint64_t live, unsigned slot)
{
    const qn_postings *postings = list->postings;
    if (list->form == QN_LIST_DENSE) {
        qn_coded_window *coded = &list->coded[slot];
        coded->words = postings->bitmap + (size_t)window * (QN_WINDOW / 8);
        coded->ranks = postings->rank + (size_t)window * 32;
        eval->kernels->rank_ranges(coded, live);
    } else if (list->form == QN_LIST_GROUPS) {
        qn_group_window *grouped = &list->grouped[slot];
        grouped->starts = postings->start + (size_t)window * (2 * QN_GROUPS);
        grouped->base = qn_load_u32(postings->rank + 4 * (size_t)window);
        grouped->end = window + 1 < eval->segment->n_windows
                           ? qn_load_u32(postings->rank + 4 * ((size_t)window + 1))
                           : postings->df;
        eval->kernels->find_bytes(list->range_max + (size_t)window * 64, 1, 1,
                                  &list->present[slot]);
        eval->kernels->fetch_groups(grouped, live & list->present[slot]);
    }
}

void qn_window_list_scale(qn_window_list *list, float scale)
{
    for (unsigned i = 0; i < QN_CODES; i++) {
        float units = list->bound[i] * scale;
        list->table[i] = list->bound[i] == 0 ? 0 : units < 254 ? (uint8_t)(units + 1) : 255;
    }
}

/* ---- documents of a window ---- */

void qn_window_list_add(const qn_eval *eval, const qn_window_list *list, float scale, uint64_t live,
                        uint8_t *sum)
{
    if (list->form == QN_LIST_SPARSE)
        eval->kernels->add_values(sum, live, list->doc + list->from, list->value + list->from,
                                  list->to - list->from, scale);
    else
        eval->kernels->add_groups(sum, live & list->present[list->slot], &list->grouped[list->slot],
                                  list->table);
}

/* Document by document along the list; both ascend. */
static uint64_t find_docs(const qn_window_list *list, const uint16_t *offset, size_t n,
                          uint32_t at[64])
{
    uint64_t found = 0;
    uint32_t i = list->from;
    for (size_t j = 0; j < n; j++) {
        while (i < list->to && list->doc[i] % QN_WINDOW < offset[j])
            i++;
        bool here = i < list->to && list->doc[i] % QN_WINDOW == offset[j];
        found |= (uint64_t)here << j;
        at[j] = i;
    }
    return found;
}

uint64_t qn_window_list_find(const qn_eval *eval, const qn_window_list *list,
                             const uint16_t *offset, size_t n, uint32_t at[64])
{
    switch (list->form) {
    case QN_LIST_SPARSE:
        break;
    case QN_LIST_DENSE:
        return eval->kernels->find_postings(&list->coded[list->slot], offset, n, at);
    case QN_LIST_GROUPS:
        return eval->kernels->find_grouped(&list->grouped[list->slot], offset, n, at);
    }
    return find_docs(list, offset, n, at);
}

uint64_t qn_window_list_tfs(const qn_eval *eval, const qn_window_list *list, const uint16_t *offset,
                            size_t n, uint32_t *tf)
{
    uint32_t at[64];
    uint64_t found = qn_window_list_find(eval, list, offset, n, at);
    for (size_t j = 0; j < n; j++)
        tf[j] = 0;
    for (uint64_t left = found; left != 0; left &= left - 1) {
        unsigned j = (unsigned)__builtin_ctzll(left);
        tf[j] = qn_coded_tf(list->postings, at[j]);
        if (tf[j] == 0) /* only in forged bytes */
            found &= ~((uint64_t)1 << j);
    }
    return found;
}

uint64_t qn_window_list_values(const qn_window_list *list, const uint16_t *offset, size_t n,
                               float *value)
{
    uint32_t at[64];
    uint64_t found = find_docs(list, offset, n, at);
    for (size_t j = 0; j < n; j++)
        value[j] = found >> j & 1 ? list->value[at[j]] : 0.0f;
    return found;
}

const uint8_t *qn_window_list_words(const qn_eval *eval, const qn_window_list *list,
                                    uint64_t room[64])
{
    if (list->form == QN_LIST_DENSE)
        return list->coded[list->slot].words;
    memset(room, 0, 64 * sizeof *room);
    if (list->form == QN_LIST_GROUPS)
        eval->kernels->group_words(&list->grouped[list->slot], room);
    for (uint32_t i = list->from; i < list->to; i++) {
        uint32_t offset = list->doc[i] % QN_WINDOW;
        room[offset / 64] |= (uint64_t)1 << offset % 64;
    }
    return (const uint8_t *)room;
}
