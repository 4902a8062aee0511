/*
 * The posting lists of a query as the window evaluator (eval_range.h) walks them: window by window
 * of 4,096 documents, forwards, any number of times.
 *
 * - A sparse list (not coded) is decoded and scored whole when the query starts: documents and
 * exact contributions then stand in arrays.
 * - A coded list that is no bitmap is decoded where a window is looked at, into the window's
 * bitmap.
 * - A dense list is a bitmap already.
 * So all lists have, in a window, either a stretch of documents with contributions, or a bitmap
 * with codes.
 */
#ifndef QN_QUERY_WINDOW_LIST_H
#define QN_QUERY_WINDOW_LIST_H

#include "query/eval_context.h"

typedef enum qn_list_form { QN_LIST_SPARSE, QN_LIST_GAPS, QN_LIST_DENSE } qn_list_form;

typedef struct qn_window_list {
    const qn_postings *postings; /* not NULL */
    qn_list_form form;
    float weight;   /* of its clause */
    double ceiling; /* qn_eval_scratch.ceiling: of all its contributions; a sparse one's is exact */
    float bound[16];   /* coded: the largest contribution of each class, with room for rounding */
    uint8_t table[16]; /* coded: the same in the units of the threshold at hand */
    uint8_t rest[64];  /* coded, of the window: bounds of its ranges in those units */
    /* Sparse: */
    uint32_t *doc;
    float *value; /* contribution of each; of an excluding list not set */
    uint32_t n;
    uint32_t from, to; /* of the window */
    /* Coded: the window */
    qn_coded_window window;
    uint64_t *word; /* gaps: 64 words of it; NULL: dense */
    uint32_t rank[8];
    uint32_t block, n_docs; /* gaps: decoded in docs, n_docs 0: none yet */
    uint32_t docs[QN_BLOCK_ROOM];
} qn_window_list;

/*
 * Prepares eval->scratch->list[i] for each query term i that the segment has, and orders nothing;
 * the others have postings NULL. Sparse lists are decoded. QUERN_E_DAMAGED, QUERN_E_MEMORY.
 */
quern_status qn_window_lists_open(qn_eval *eval, quern_error *error);

/* The next pass starts again at the first window. */
void qn_window_list_rewind(qn_window_list *list);

/* Comes to a window, which is behind the last one since the rewind. */
quern_status qn_window_list_enter(const qn_eval *eval, qn_window_list *list, uint32_t window,
                                  quern_error *error);

/* Makes `table` from `bound`: contributions times `scale`, rounded up, at most 255. */
void qn_window_list_scale(qn_window_list *list, float scale);

/* For each of n <= 64 documents of the window, ascending (offsets from its start): tf[i], 0 if the
 * list does not have it. Bit i of the result tells whether it does. Coded lists only. */
uint64_t qn_window_list_tfs(const qn_window_list *list, const uint16_t *offset, size_t n,
                            uint32_t *tf);

/* Likewise contributions of a sparse list. */
uint64_t qn_window_list_values(const qn_window_list *list, const uint16_t *offset, size_t n,
                               float *value);

/* The documents of the window as 64 words; of a sparse list they are made in `room`. */
const uint8_t *qn_window_list_words(const qn_window_list *list, uint64_t room[64]);

#endif
