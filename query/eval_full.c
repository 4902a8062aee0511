/* Scoring everything: see eval_full.h. */
#include "query/eval_full.h"

#include "index/base/buffer.h"
#include "index/base/status.h"
#include "query/bm25.h"

#include <stdlib.h>
#include <string.h>

/* A list, decoded and scored block by block. */
typedef struct full_list {
    const qn_postings *postings;
    float weight;
    bool excludes;
    double rest;    /* what the other lists add at most */
    uint32_t block; /* the next one */
    uint32_t i, n;  /* docs[i .. n) are still to come */
    uint32_t docs[QN_BLOCK_ROOM];
    float value[QN_BLOCK_ROOM];
} full_list;

/* Scratch memory. */
struct qn_full {
    float score[QN_WINDOW];       /* 0 between windows */
    uint8_t mark[QN_WINDOW + 64]; /* likewise; 1: the document is in touched */
    uint16_t touched[QN_WINDOW + 1];
    size_t n_lists, cap;
    full_list *list;
};

void qn_full_free(struct qn_full *full)
{
    if (full == NULL)
        return;
    free(full->list);
    free(full);
}

/* Leaves out postings that cannot belong to an answer, whatever the other lists add. Their
 * documents then have a sum that is too small, and a true one that is too small. */
static void leave_out(const qn_eval *eval, full_list *list)
{
    double least = (double)qn_eval_threshold(eval) * (1 - QN_BM25_SUM_ROOM) - list->rest;
    if (eval->plain && least > 0)
        list->n = (uint32_t)eval->kernels->keep(list->docs, list->value, list->n,
                                                (float)(least * (1 - QN_BM25_PART_ROOM)));
}

/* Decodes the next block that has something; at the end of the list n is 0. */
static quern_status load(const qn_eval *eval, full_list *list, quern_error *error)
{
    const qn_postings *postings = list->postings;
    uint32_t tfs[QN_BLOCK_ROOM];
    const uint8_t *tf_at;
    list->i = list->n = 0;
    while (list->n == 0 && list->block < postings->n_blocks) {
        quern_status status = qn_postings_docs(postings, list->block, list->docs, &tf_at, error);
        if (status == QUERN_OK && !list->excludes)
            status = qn_postings_tfs(postings, list->block, tf_at, tfs, error);
        if (status != QUERN_OK)
            return status;
        list->n = qn_postings_block_n(postings, list->block++);
        if (list->excludes)
            break;
        eval->kernels->score(list->docs, tfs, list->n, postings->lengths,
                             qn_eval_norms(eval, postings), list->weight, list->value);
        leave_out(eval, list);
    }
    return QUERN_OK;
}

static quern_status open_lists(qn_eval *eval, quern_error *error)
{
    qn_eval_scratch *s = eval->scratch;
    const qn_query *query = eval->query;
    if (s->full == NULL && (s->full = calloc(1, sizeof *s->full)) == NULL)
        return qn_fail_memory(error);
    void *array = s->full->list;
    if (!qn_array_grow(&array, &s->full->cap, query->n_clauses, sizeof *s->full->list))
        return qn_fail_memory(error);
    s->full->list = array;
    s->full->n_lists = 0;
    /* Those that exclude come last: what they find is taken out again. */
    for (unsigned excludes = 0; excludes < 2; excludes++) {
        for (size_t c = 0; c < query->n_clauses; c++) {
            const qn_postings *postings = eval->list[query->clause[c].first_term];
            if (postings == NULL || (query->clause[c].occur == QN_NOT) != (excludes == 1))
                continue;
            full_list *list = &s->full->list[s->full->n_lists++];
            list->postings = postings;
            list->weight = eval->weight[c];
            list->excludes = excludes == 1;
            list->rest = eval->total - s->ceiling[query->clause[c].first_term];
            list->block = 0;
            quern_status status = load(eval, list, error);
            if (status != QUERN_OK)
                return status;
            eval->work.postings += postings->df;
        }
    }
    return QUERN_OK;
}

/* Adds what the list has in the window [begin, end). Returns how many documents are touched. */
static quern_status add_list(const qn_eval *eval, full_list *list, uint32_t begin, uint32_t end,
                             size_t *n_touched, quern_error *error)
{
    struct qn_full *full = eval->scratch->full;
    while (list->n > 0 && list->docs[list->i] < end) {
        uint32_t i = list->i;
        size_t n = *n_touched;
        for (; i < list->n && list->docs[i] < end; i++) {
            uint32_t offset = list->docs[i] - begin;
            full->score[offset] += list->value[i];
            full->touched[n] = (uint16_t)offset;
            n += !full->mark[offset];
            full->mark[offset] = 1;
        }
        list->i = i;
        *n_touched = n; /* now, since the next block may be damaged */
        if (i == list->n) {
            quern_status status = load(eval, list, error);
            if (status != QUERN_OK)
                return status;
        }
    }
    return QUERN_OK;
}

/* Takes out what the list has in the window. */
static quern_status exclude_list(const qn_eval *eval, full_list *list, uint32_t begin, uint32_t end,
                                 quern_error *error)
{
    struct qn_full *full = eval->scratch->full;
    while (list->n > 0 && list->docs[list->i] < end) {
        uint32_t doc = list->docs[list->i];
        if (doc >= begin && full->mark[doc - begin])
            full->score[doc - begin] = -1; /* less than any threshold */
        if (++list->i < list->n)
            continue;
        quern_status status = load(eval, list, error);
        if (status != QUERN_OK)
            return status;
    }
    return QUERN_OK;
}

/* Offers the documents that were touched, and forgets them. */
static void offer(const qn_eval *eval, uint32_t begin, size_t n)
{
    struct qn_full *full = eval->scratch->full;
    for (size_t i = 0; i < n; i++) {
        uint32_t offset = full->touched[i];
        float score = full->score[offset];
        full->score[offset] = 0;
        full->mark[offset] = 0;
        qn_eval_offer(eval, begin + offset, score);
    }
}

/* The first document still to come of a list that does not exclude. */
static uint32_t next_document(const struct qn_full *full)
{
    uint32_t next = QN_CURSOR_END;
    for (size_t i = 0; i < full->n_lists; i++) {
        const full_list *list = &full->list[i];
        if (!list->excludes && list->n > 0 && list->docs[list->i] < next)
            next = list->docs[list->i];
    }
    return next;
}

static quern_status run_window(qn_eval *eval, uint32_t begin, quern_error *error)
{
    struct qn_full *full = eval->scratch->full;
    uint32_t n_docs = eval->segment->meta.n_docs;
    uint32_t end = n_docs - begin < QN_WINDOW ? n_docs : begin + QN_WINDOW;
    size_t n = 0;
    quern_status status = QUERN_OK;
    for (size_t i = 0; status == QUERN_OK && i < full->n_lists; i++) {
        full_list *list = &full->list[i];
        status = list->excludes ? exclude_list(eval, list, begin, end, error)
                                : add_list(eval, list, begin, end, &n, error);
    }
    eval->work.documents += n;
    offer(eval, begin, n); /* after damage too: the scratch memory must be clean */
    return status;
}

quern_status qn_eval_full(qn_eval *eval, quern_error *error)
{
    quern_status status = qn_eval_fill_ceilings(eval, error);
    if (status == QUERN_OK)
        status = open_lists(eval, error);
    while (status == QUERN_OK) {
        uint32_t next = next_document(eval->scratch->full);
        if (next == QN_CURSOR_END)
            break;
        status = run_window(eval, next - next % QN_WINDOW, error);
    }
    return status;
}
