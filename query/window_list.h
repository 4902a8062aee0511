/*
 * The posting lists of a query as the window evaluator (eval_range.h) walks them: window by window
 * of 4,096 documents, in any order.
 *
 * - A sparse list (not coded) is decoded and scored whole when the query starts: documents and
 *   exact contributions then stand in arrays. Postings that cannot belong to an answer, whatever
 *   the other lists add, are left out.
 *
 * - A coded list that is no bitmap has its postings in groups, of 256 documents each, with codes.
 *
 * - A dense list is a bitmap with codes.
 */
#ifndef QN_QUERY_WINDOW_LIST_H
#define QN_QUERY_WINDOW_LIST_H

#include "index/segment/coded.h"
#include "query/eval_context.h"

typedef enum qn_list_form { QN_LIST_SPARSE, QN_LIST_GROUPS, QN_LIST_DENSE } qn_list_form;

typedef struct qn_window_list {
    const qn_postings *postings; /* NULL: the segment lacks the term, and the rest is not set */
    qn_list_form form;
    float weight;   /* of its clause */
    double ceiling; /* qn_eval_scratch.ceiling: of all its contributions */
    /* 255ths of the ceiling for each range; NULL of a sparse list that is too short for it to pay,
     * or that excludes */
    const uint8_t *range_max;
    float bound[16];   /* coded: the largest contribution of each class, with room for rounding */
    uint8_t table[16]; /* coded: the same in the units of the threshold at hand */
    uint8_t rest[64];  /* of the window: what lists to come add in its ranges, in those units */
    /* Sparse: all documents left, */
    uint32_t *doc;
    float *value; /* and the contribution of each; of an excluding list not set */
    uint32_t n;
    uint32_t *ends;    /* of each window, in doc */
    uint32_t from, to; /* doc[from .. to) are in the window */
    /* Coded: windows that have been prepared, of a dense list or of another; which is entered. */
    qn_coded_window coded[2];
    qn_group_window grouped[2];
    uint64_t present[2]; /* ranges in which groups have documents */
    unsigned slot;
} qn_window_list;

/*
 * Prepares eval->scratch->list[i] for each query term i that the segment has, and orders nothing;
 * the others have postings NULL. Sparse lists are decoded. QUERN_E_DAMAGED, QUERN_E_MEMORY.
 */
quern_status qn_window_lists_open(qn_eval *eval, quern_error *error);

/* Of a coded list: makes `bound` from its classes, for a tf that is less by `excess`; a posting
 * with no more than that is taken for none. */
void qn_window_list_bound(const qn_eval *eval, qn_window_list *list, uint32_t excess);

/* Has fetched what preparing that window will read. */
static inline void qn_window_list_fetch(const qn_window_list *list, uint32_t window, uint64_t live)
{
    const qn_postings *postings = list->postings;
    switch (list->form) {
    case QN_LIST_SPARSE:
        __builtin_prefetch(list->doc + (window == 0 ? 0 : list->ends[window - 1]));
        __builtin_prefetch(list->value + (window == 0 ? 0 : list->ends[window - 1]));
        break;
    case QN_LIST_DENSE:
        __builtin_prefetch(postings->rank + (size_t)window * 32);
        for (; live != 0; live &= ~((uint64_t)0xFF << ((unsigned)__builtin_ctzll(live) & ~7u)))
            __builtin_prefetch(postings->bitmap + (size_t)window * (QN_WINDOW / 8) +
                               8 * (size_t)__builtin_ctzll(live));
        break;
    case QN_LIST_GROUPS:
        __builtin_prefetch(postings->start + (size_t)window * (2 * QN_GROUPS));
        __builtin_prefetch(postings->rank + 4 * (size_t)window);
        break;
    }
}

/* Makes ready in slot 0 or 1 a window of which the ranges in `live` will be looked at, and has
 * fetched what that will read. */
void qn_window_list_prepare(const qn_eval *eval, qn_window_list *list, uint32_t window,
                            uint64_t live, unsigned slot);

/* Comes to the window that was prepared in a slot. */
static inline void qn_window_list_enter(qn_window_list *list, uint32_t window, unsigned slot)
{
    list->slot = slot;
    if (list->form == QN_LIST_SPARSE) {
        list->from = window == 0 ? 0 : list->ends[window - 1];
        list->to = list->ends[window];
    }
}

/* Makes `table` from `bound`: floor(bound * scale) + 1, at most 255; 0 of a bound that is 0. */
void qn_window_list_scale(qn_window_list *list, float scale);

/* Adds the list's contributions (of groups, bounds of them) times `scale`, rounded up or one more,
 * to the bytes of the window's documents in the ranges of `live` (in others, perhaps), at most 255.
 * Lists that are not dense only; of groups `scale` must be that of the table. */
void qn_window_list_add(const qn_eval *eval, const qn_window_list *list, float scale, uint64_t live,
                        uint8_t *sum);

/* For n <= 64 documents of the window, ascending (offsets from its start): bit i of the result
 * tells whether the list has document i; at[i] is then the number of its posting, or, of a sparse
 * list of which postings have been left out, of those left. */
uint64_t qn_window_list_find(const qn_eval *eval, const qn_window_list *list,
                             const uint16_t *offset, size_t n, uint32_t at[64]);

/* Of the same documents: tf[i], 0 if the list does not have it. Coded lists only. */
uint64_t qn_window_list_tfs(const qn_eval *eval, const qn_window_list *list, const uint16_t *offset,
                            size_t n, uint32_t *tf);

/* Likewise contributions of a sparse list. */
uint64_t qn_window_list_values(const qn_window_list *list, const uint16_t *offset, size_t n,
                               float *value);

/* The documents of the window as 64 words; of a list that is not dense they are made in `room`. */
const uint8_t *qn_window_list_words(const qn_eval *eval, const qn_window_list *list,
                                    uint64_t room[64]);

#endif
