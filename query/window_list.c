/* Posting lists in windows: see window_list.h. */
#include "query/window_list.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "index/segment/coded.h"
#include "query/bm25.h"

#include <string.h>

/* ---- opening ---- */

static bool grow(void **array, size_t *cap, size_t need, size_t size)
{
    return qn_array_grow(array, cap, need, size);
}

/* Makes room for all sparse lists together, and for the windows of those coded by gaps. */
static bool make_room(qn_eval *eval, size_t n_sparse, size_t n_gaps)
{
    qn_eval_scratch *s = eval->scratch;
    void *docs = s->sparse_doc, *values = s->sparse_value, *words = s->word, *lists = s->list;
    bool ok = grow(&docs, &s->sparse_doc_cap, n_sparse, sizeof *s->sparse_doc);
    s->sparse_doc = docs;
    ok = ok && grow(&values, &s->sparse_value_cap, n_sparse, sizeof *s->sparse_value);
    s->sparse_value = values;
    ok = ok && grow(&words, &s->word_cap, n_gaps * 64, sizeof *s->word);
    s->word = words;
    ok = ok && grow(&lists, &s->list_cap, eval->query->n_terms, sizeof *s->list);
    s->list = lists;
    return ok;
}

static bool is_sparse(const qn_postings *postings)
{
    return !postings->coded;
}

/* Decodes a sparse list, and scores it. */
static quern_status decode(const qn_eval *eval, qn_window_list *list, bool scored,
                           quern_error *error)
{
    const qn_postings *postings = list->postings;
    uint32_t tfs[QN_BLOCK_ROOM];
    for (uint32_t block = 0; block < postings->n_blocks; block++) {
        uint32_t at = block * QN_BLOCK, n = qn_postings_block_n(postings, block);
        const uint8_t *tf_at;
        quern_status status = qn_postings_docs(postings, block, list->doc + at, &tf_at, error);
        if (status == QUERN_OK && scored)
            status = qn_postings_tfs(postings, block, tf_at, tfs, error);
        if (status != QUERN_OK)
            return status;
        if (scored)
            eval->kernels->score(list->doc + at, tfs, n, eval->segment->lengths, eval->norms,
                                 list->weight, list->value + at);
    }
    list->n = postings->df;
    return QUERN_OK;
}

/* The largest contributions of classes, as ceilings. */
static void bound_classes(const qn_eval *eval, qn_window_list *list)
{
    for (unsigned i = 0; i < QN_CODES; i++) {
        double part = (double)qn_code_part(&list->postings->class[i], eval -> norms);
        list->bound[i] = part == 0
                             ? 0
                             : (float)((double)list->weight * part * (1 + 4 * QN_BM25_PART_ROOM) +
                                       2 * QN_BM25_FLOOR);
    }
}

static quern_status open_list(const qn_eval *eval, qn_window_list *list, const qn_clause *clause,
                              quern_error *error)
{
    const qn_postings *postings = list->postings;
    if (is_sparse(postings))
        return decode(eval, list, clause->occur != QN_NOT, error);
    list->form = postings->dense ? QN_LIST_DENSE : QN_LIST_GAPS;
    list->window = (qn_coded_window){.codes = postings->codes, .df = postings->df};
    bound_classes(eval, list);
    return QUERN_OK;
}

quern_status qn_window_lists_open(qn_eval *eval, quern_error *error)
{
    const qn_query *query = eval->query;
    size_t n_sparse = QN_BLOCK_ROOM, n_gaps = 0;
    for (size_t i = 0; i < query->n_terms; i++) {
        const qn_postings *postings = eval->list[i];
        if (postings == NULL)
            continue;
        n_sparse += is_sparse(postings) ? postings->df : 0;
        n_gaps += postings->coded && !postings->dense;
    }
    if (!make_room(eval, n_sparse, n_gaps))
        return qn_fail_memory(error);
    qn_eval_scratch *s = eval->scratch;
    size_t sparse_at = 0, word_at = 0;
    for (size_t c = 0; c < query->n_clauses; c++) {
        const qn_clause *clause = &query->clause[c];
        for (size_t i = clause->first_term; i < clause->first_term + clause->n_terms; i++) {
            qn_window_list *list = &s->list[i];
            list->postings = eval->list[i];
            if (list->postings == NULL)
                continue;
            list->form = QN_LIST_SPARSE;
            list->weight = eval->weight[c];
            list->ceiling = s->ceiling[i];
            list->doc = s->sparse_doc + sparse_at;
            list->value = s->sparse_value + sparse_at;
            list->word = s->word + word_at;
            quern_status status = open_list(eval, list, clause, error);
            if (status != QUERN_OK)
                return status;
            sparse_at += list->form == QN_LIST_SPARSE ? list->n : 0;
            word_at += list->form == QN_LIST_GAPS ? 64 : 0;
        }
    }
    return QUERN_OK;
}

/* ---- windows ---- */

void qn_window_list_rewind(qn_window_list *list)
{
    list->from = list->to = 0;
    list->block = list->n_docs = 0;
}

/* The first i >= from with doc[i] >= target: gallops, since windows mostly follow each other. */
static uint32_t seek(const uint32_t *doc, uint32_t from, uint32_t n, uint32_t target)
{
    uint32_t step = 16, low = from, high = from;
    while (high < n && doc[high] < target) {
        low = high + 1;
        high = n - high > step ? high + step : n;
        step *= 2;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (doc[middle] < target)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Decodes a block into list->docs. */
static quern_status load(qn_window_list *list, uint32_t block, quern_error *error)
{
    const uint8_t *tf_at;
    quern_status status = qn_postings_docs(list->postings, block, list->docs, &tf_at, error);
    list->block = block;
    list->n_docs = status == QUERN_OK ? qn_postings_block_n(list->postings, block) : 0;
    return status;
}

static void count_ranks(qn_window_list *list, uint32_t rank)
{
    for (unsigned line = 0; line < 8; line++) {
        list->rank[line] = rank;
        for (unsigned i = 0; i < 8; i++)
            rank += (uint32_t)__builtin_popcountll(list->word[8 * line + i]);
    }
}

/* Makes the window's bitmap from gaps. */
static quern_status enter_gaps(qn_window_list *list, uint32_t begin, uint32_t end,
                               quern_error *error)
{
    const qn_postings *postings = list->postings;
    memset(list->word, 0, 64 * sizeof *list->word);
    list->window.words = (const uint8_t *)list->word;
    list->window.ranks = (const uint8_t *)list->rank;
    uint32_t first = 0; /* posting that is the first in the window */
    bool any = false;
    uint32_t block = list->block;
    if (list->n_docs == 0 || list->docs[list->n_docs - 1] < begin)
        block = qn_postings_find_block(postings, list->n_docs == 0 ? 0 : block + 1, begin);
    for (; block < postings->n_blocks; block++) {
        if (block != list->block || list->n_docs == 0) {
            quern_status status = load(list, block, error);
            if (status != QUERN_OK)
                return status;
        }
        uint32_t n = list->n_docs;
        uint32_t i = list->docs[0] >= begin ? 0 : seek(list->docs, 0, n, begin);
        if (!any)
            first = block * QN_BLOCK + i;
        any = true;
        uint32_t stop = list->docs[n - 1] < end ? n : seek(list->docs, i, n, end);
        for (; i < stop; i++) {
            uint32_t offset = list->docs[i] - begin;
            list->word[offset / 64] |= (uint64_t)1 << offset % 64;
        }
        if (stop < n || list->docs[n - 1] >= end - 1)
            break;
    }
    count_ranks(list, first);
    return QUERN_OK;
}

quern_status qn_window_list_enter(const qn_eval *eval, qn_window_list *list, uint32_t window,
                                  quern_error *error)
{
    uint32_t begin = window * QN_WINDOW, n_docs = eval->segment->meta.n_docs;
    uint32_t end = n_docs - begin < QN_WINDOW ? n_docs : begin + QN_WINDOW;
    const qn_postings *postings = list->postings;
    switch (list->form) {
    case QN_LIST_SPARSE:
        list->from = seek(list->doc, list->to, list->n, begin);
        list->to = seek(list->doc, list->from, list->n, end);
        return QUERN_OK;
    case QN_LIST_DENSE:
        list->window.words = postings->bitmap + (size_t)window * 512;
        list->window.ranks = postings->rank + (size_t)window * 32;
        return QUERN_OK;
    case QN_LIST_GAPS:
        break;
    }
    return enter_gaps(list, begin, end, error);
}

void qn_window_list_scale(qn_window_list *list, float scale)
{
    for (unsigned i = 0; i < QN_CODES; i++) {
        float units = list->bound[i] * scale;
        list->table[i] = list->bound[i] == 0 ? 0 : units < 254 ? (uint8_t)(units + 1) : 255;
    }
}

/* ---- documents of a window ---- */

uint64_t qn_window_list_tfs(const qn_window_list *list, const uint16_t *offset, size_t n,
                            uint32_t *tf)
{
    uint64_t found = 0;
    const qn_coded_window *window = &list->window;
    uint32_t line = UINT32_MAX;
    uint64_t rank = 0;
    unsigned next = 0; /* word up to which `rank` is counted */
    for (size_t i = 0; i < n; i++) {
        unsigned at = offset[i] / 64;
        uint64_t word = qn_load_u64(window->words + 8 * (size_t)at);
        tf[i] = 0;
        if ((word >> offset[i] % 64 & 1) == 0)
            continue;
        if (at / 8 != line) {
            line = at / 8;
            next = line * 8;
            rank = qn_load_u32(window->ranks + 4 * (size_t)line);
        }
        for (; next < at; next++)
            rank += (uint64_t)__builtin_popcountll(qn_load_u64(window->words + 8 * (size_t)next));
        uint64_t below = word & (((uint64_t)1 << offset[i] % 64) - 1);
        uint64_t posting = rank + (uint64_t)__builtin_popcountll(below);
        if (posting < window->df)
            tf[i] = qn_coded_tf(list->postings, (uint32_t)posting);
        found |= (uint64_t)(tf[i] != 0) << i;
    }
    return found;
}

uint64_t qn_window_list_values(const qn_window_list *list, const uint16_t *offset, size_t n,
                               float *value)
{
    uint64_t found = 0;
    uint32_t at = list->from;
    for (size_t i = 0; i < n; i++) {
        while (at < list->to && list->doc[at] % QN_WINDOW < offset[i])
            at++;
        bool here = at < list->to && list->doc[at] % QN_WINDOW == offset[i];
        value[i] = here ? list->value[at] : 0.0f;
        found |= (uint64_t)here << i;
    }
    return found;
}

const uint8_t *qn_window_list_words(const qn_window_list *list, uint64_t room[64])
{
    if (list->form != QN_LIST_SPARSE)
        return list->window.words;
    memset(room, 0, 64 * sizeof *room);
    for (uint32_t i = list->from; i < list->to; i++) {
        uint32_t offset = list->doc[i] % QN_WINDOW;
        room[offset / 64] |= (uint64_t)1 << offset % 64;
    }
    return (const uint8_t *)room;
}
