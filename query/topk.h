/*
 * The k best documents of those pushed, by score descending and, where scores are equal, document
 * ascending. The result depends on what is pushed, not on the order.
 *
 * A document is one 64-bit key: the score's bits (scores are never negative, so their bits ascend
 * with them) above the complement of its number; the better key is the larger. Up to QN_TOPK_HEAP
 * the k best keys form a heap; above, keys are appended to a buffer of 1.25 k (or k + 64, if that
 * is more), and whenever it is full a quickselect keeps the k best (amortised, a few comparisons a
 * key, and no branch that depends on a heap's shape).
 *
 * Where documents have other numbers in the result than those they are pushed with, which also
 * decide ties, these are looked up for documents whose scores are equal to that of the floor and
 * for those of the result only (and for all that a heap takes), many together: a look-up is a cache
 * miss. Unions over 966,464 passages at k = 1,000 take 1.1 of the time that they take without it;
 * when all that were pushed were looked up, or the best one by one, it was 1.2.
 */
#ifndef QN_QUERY_TOPK_H
#define QN_QUERY_TOPK_H

#include "engine/quern.h"

#include <string.h>

enum {
    QN_TOPK_MAX = 1000000, /* largest k */
    QN_TOPK_HEAP = 64      /* largest k that is kept as a heap */
};

/* Turns the numbers that documents were pushed with into those of the result. */
typedef void (*qn_topk_rename_fn)(void *arg, uint32_t *doc, size_t n);

/* Zero-initialise once; start with qn_topk_start. Memory is kept from query to query and grows with
 * the documents that arrive, not with k. */
typedef struct qn_topk {
    uint64_t *key;            /* the heap (smallest first), or the buffer */
    size_t key_cap;           /* of the allocation */
    uint64_t *swap;           /* for sorting */
    size_t swap_cap;          /* likewise */
    quern_hit *hit;           /* the result */
    size_t hit_cap;           /* likewise */
    size_t n, k;              /* keys held; wanted */
    size_t limit;             /* buffer only: keys at which it is cut down to k */
    uint64_t floor;           /* keys <= floor are not among the k best; 0: none known */
    float threshold;          /* the floor's score; 0: none known */
    qn_topk_rename_fn rename; /* NULL: documents are pushed with the numbers of the result */
    void *rename_arg;
    /* With `rename`, of the k best: the largest number among those of least score, once known. */
    uint32_t last;
    bool last_known;
    bool out_of_memory; /* a push failed; qn_topk_finish tells */
} qn_topk;

/* Empties it for a new query; 1 <= k <= QN_TOPK_MAX. `rename` may be NULL. */
void qn_topk_start(qn_topk *topk, size_t k, qn_topk_rename_fn rename, void *arg);

/* For qn_topk_push: takes a key that is above the floor. The floor of keys that are renamed is
 * below all that have its score. */
void qn_topk_take(qn_topk *topk, uint64_t key);

/*
 * Offers a document (never the same one twice) with its score (not negative, not NaN).
 *
 * topk->threshold: a document with a smaller score cannot be among the k best of those pushed so
 * far; one with an equal score can, if its number is smaller. It only rises.
 */
static inline void qn_topk_push(qn_topk *topk, uint32_t doc, float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    uint64_t key = (uint64_t)bits << 32 | (uint32_t)~doc;
    if (key > topk->floor)
        qn_topk_take(topk, key);
}

/* The result, best first; valid until the next call. QUERN_E_MEMORY (also if a push ran out). */
quern_status qn_topk_finish(qn_topk *topk, const quern_hit **hits, size_t *n_hits,
                            quern_error *error);
void qn_topk_free(qn_topk *topk);

#endif
