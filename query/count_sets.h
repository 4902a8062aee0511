/*
 * Sets of documents of one segment, as counting makes them of posting lists: bitmaps in scratch
 * memory, which is all zeros between uses, and ascending arrays of documents.
 */
#ifndef QN_QUERY_COUNT_SETS_H
#define QN_QUERY_COUNT_SETS_H

#include "index/segment/postings.h"
#include "query/count_kernels.h"

/* Zero-initialise, and set `kernels`; memory is kept from query to query. */
typedef struct qn_count_sets {
    const qn_count_kernels *kernels;
    size_t n_words;        /* of a bitmap of the segment at hand */
    uint64_t *set, *other; /* two bitmaps, all zeros between uses */
    size_t set_cap, other_cap;
    uint64_t *all; /* what was kept: qn_count_sets_keep */
    size_t all_cap;
    uint32_t *doc; /* n_docs documents, ascending */
    size_t doc_cap, n_docs;
    uint32_t *spare; /* changes places with `doc` */
    size_t spare_cap;
    const qn_postings **list; /* what is asked of the segment: for the caller */
    size_t list_cap;
    const uint8_t **bitmap; /* likewise */
    size_t bitmap_cap;
} qn_count_sets;

/* Makes room for a segment, and for `n_lists` in `list` and one more in `bitmap`. False if memory
 * is short. */
bool qn_count_sets_start(qn_count_sets *sets, const qn_segment *segment, size_t n_lists);
void qn_count_sets_free(qn_count_sets *sets);

/* Makes both bitmaps zeros again, after an error. */
void qn_count_sets_clear(qn_count_sets *sets);

/* Makes `all` what `set` is (`first`), or what both have; `set` becomes zeros. False if memory is
 * short. And the other way: adds `all` to `set`. */
bool qn_count_sets_keep(qn_count_sets *sets, bool first);
void qn_count_sets_take_back(qn_count_sets *sets);

/* How many are in `set`, which becomes zeros. */
uint64_t qn_count_sets_finish(qn_count_sets *sets);

/* Adds all documents of a list to a bitmap, or takes them out. QUERN_E_DAMAGED. */
quern_status qn_count_sets_add(qn_count_sets *sets, uint64_t *words, const qn_postings *list,
                               quern_error *error);
quern_status qn_count_sets_drop(qn_count_sets *sets, uint64_t *words, const qn_postings *list,
                                quern_error *error);

/* Appends to `doc` the documents of a list that is no bitmap, but those that are in any of
 * without[0..n). QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_count_sets_decode(qn_count_sets *sets, const qn_postings *list,
                                  const uint8_t *const *without, size_t n, quern_error *error);

/* How many documents of a list that is no bitmap are in none of without[0..n). QUERN_E_DAMAGED. */
quern_status qn_count_sets_without(qn_count_sets *sets, const qn_postings *list,
                                   const uint8_t *const *without, size_t n, uint64_t *count,
                                   quern_error *error);

/* Keeps in `doc` those documents that the list has, or with `wanted` false those that it has not.
 * Uses `other`. QUERN_E_DAMAGED, QUERN_E_MEMORY. */
quern_status qn_count_sets_filter(qn_count_sets *sets, const qn_postings *list, bool wanted,
                                  quern_error *error);

/*
 * The documents that all of list[0..n) have, n >= 1; the lists are put in the order in which they
 * are used. If all are bitmaps, *words is true and the documents are added to `other`, which must
 * be zeros; else they become `doc`. QUERN_E_DAMAGED, QUERN_E_MEMORY.
 */
quern_status qn_count_sets_intersect(qn_count_sets *sets, const qn_postings **list, size_t n,
                                     bool *words, quern_error *error);

#endif
