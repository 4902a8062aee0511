/*
 * Lists in another order of documents: a list is read in the order of its segment, its postings are
 * sorted by the documents' new numbers and handed on. One that is too long to be held is read
 * several times, each time for the next stretch of new numbers; what is handed on is the same.
 */
#ifndef QN_BUILD_LIST_ORDER_H
#define QN_BUILD_LIST_ORDER_H

#include "index/base/scratch.h"
#include "index/build/list_reader.h"
#include "index/build/pipe.h"

/* Set the first three; the rest zero. Used for one list after the other. */
typedef struct qn_list_order {
    /* New number (u32) of each document, UINT32_MAX: left out; no two are equal. Let go of. */
    const qn_scratch *to;
    uint32_t n_to;   /* new numbers are below this */
    uint64_t memory; /* bytes that may be held of a list; a posting is held whatever it takes */
    qn_list_reader reader;
    uint32_t forgotten; /* document up to which new numbers were let go of */
    uint32_t *word;     /* tf and gaps of postings, one after the other */
    size_t n_words, word_cap;
    uint64_t *key, *room; /* new number above the place of the posting's words; room to sort in */
    size_t n_keys, key_cap, room_cap;
} qn_list_order;

/* Hands the postings of a term's list to `pipe` (the term has begun there), new numbers ascending.
 * QUERN_E_DAMAGED, QUERN_E_MEMORY, and what the pipe fails with. */
quern_status qn_list_order_copy(qn_list_order *order, const qn_segment *segment,
                                const qn_term_info *info, qn_pipe *pipe, quern_error *error);
void qn_list_order_free(qn_list_order *order);

#endif
